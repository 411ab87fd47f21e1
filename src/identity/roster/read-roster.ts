import { SchoolgateError } from '../../kernel/errors.ts';
import { clean } from './read-fields.ts';
import { type RosterInput, readOneRoster } from './read-one-roster.ts';
import { PLAIN, readPlain } from './read-plain.ts';
import { readSchoolDataSync, readSchoolDataSyncUk } from './read-school-data-sync.ts';
import { columnKey, headerOf } from './read-table.ts';
import type { KnownBefore, Roster, RosterFile, RosterFormat } from './roster.ts';

export interface ReadRosterOptions {
  /** The school's day, `YYYY-MM-DD`: what ended before it is over. */
  readonly today: string;
  /** What the directory knows of a source already, for files that hold changes only. */
  readonly known: (source: string) => KnownBefore;
}

/**
 * Reads a roster: the files of one folder, or one file. Which form it has is told from its headers. Throws a SchoolgateError
 * (`roster_unknown`) when it is none that is known; everything else that is wrong is among its problems.
 */
export async function readRoster(files: readonly RosterFile[], options: ReadRosterOptions): Promise<Roster> {
  const byName = new Map(files.map((file) => [nameKey(file.name), file]));
  const format = await recognise(byName);
  const input: RosterInput = { ...options, files: byName };
  if (format === 'plain') return await readPlain(files[0]!);
  if (format === 'sds-uk') return await readSchoolDataSyncUk(input);
  if (format === 'sds-v2.1') return await readSchoolDataSync(input);
  return await readOneRoster(input, format === 'oneroster-1.1' ? '1.1' : '1.2');
}

/** `Users.CSV` is `users`. */
function nameKey(name: string): string {
  return name
    .toLowerCase()
    .replace(/\.csv$/, '')
    .replace(/[\s_-]/g, '');
}

async function recognise(files: ReadonlyMap<string, RosterFile>): Promise<RosterFormat> {
  const has = async (name: string, ...columns: string[]): Promise<boolean> => {
    const file = files.get(name);
    const header = file === undefined ? null : await headerOf(file);
    return header !== null && columns.every((column) => header.has(columnKey(column)));
  };
  if (await has('users', 'sourcedId', 'enabledUser')) {
    return (await has('users', 'role')) ? 'oneroster-1.1' : 'oneroster-1.2';
  }
  if (await has('users', 'sourcedId', 'username')) return 'sds-v2.1';
  for (const name of ['student', 'teacher']) if (await has(name, 'ID', 'Username', 'First Name')) return 'sds-uk';
  if (await has('manifest', 'propertyName', 'value')) return 'oneroster-1.1';
  const [only] = files.size === 1 ? files.keys() : [];
  if (only !== undefined && (await has(only, ...PLAIN.required))) return 'plain';
  throw unknownRoster(files);
}

function unknownRoster(files: ReadonlyMap<string, RosterFile>): SchoolgateError {
  const names = [...files.values()].map(({ name }) => clean(name));
  const found = names.length === 0 ? 'There is no .csv file in it' : `It has ${names.slice(0, 8).join(', ')}`;
  const text = `This is no roster that is known here. ${found}; give a folder of OneRoster 1.1 or 1.2 (users.csv …) or Microsoft School Data Sync (users.csv and roles.csv, or Student.csv …), or one file with the columns ${PLAIN.required.join(', ')}.`;
  return new SchoolgateError('roster_unknown', 'client', text);
}
