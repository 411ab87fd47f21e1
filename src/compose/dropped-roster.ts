import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AlarmCode } from '../events/catalogue.ts';
import type { DropFolder } from '../identity/directory/import-routes.ts';
import type { Directory } from '../identity/directory/service.ts';
import { readRosterFiles } from '../identity/roster/read-files.ts';
import { SchoolgateError, formatProblem } from '../kernel/errors.ts';
import type { Alarm } from '../safeguarding/model.ts';

export interface DroppedRosterOptions {
  readonly folder: string;
  readonly directory: Pick<Directory, 'import'>;
  readonly raise: (code: AlarmCode, text: string) => void;
}

/**
 * Imports the roster that the school's system has left in a folder; an empty one is none. What is wrong with it raises an alarm and
 * imports nothing: nobody sits here to accept it.
 */
export async function importDroppedRoster({ folder, directory, raise }: DroppedRosterOptions): Promise<void> {
  const refuse = (why: string): void =>
    raise(
      'roster-refused',
      `The roster in ${folder} was not imported: ${why} Look at it with "people import --dry-run".`,
    );
  try {
    const files = readRosterFiles(folder);
    if (files.length === 0) return;
    const { outcome, needs, problems } = await directory.import(null, files, false);
    const first = problems[0] === undefined ? '' : ` The first: ${formatProblem(problems[0])}.`;
    if (outcome === 'refused') refuse(`${needs.join(' ')}${first}`);
  } catch (error) {
    if (!(error instanceof SchoolgateError) || error.fault !== 'client') throw error;
    refuse(error.publicText);
  }
}

/** What lies in the folder now. `alarms`: of the last month, newest first. */
export function dropFolderStatus(folder: string, alarms: readonly Alarm[]): DropFolder {
  const refused = alarms.find(({ code }) => code === 'roster-refused') ?? null;
  return { folder, files: filesIn(folder), refused: refused && { at: refused.at, text: refused.text } };
}

function filesIn(folder: string): DropFolder['files'] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .flatMap(({ name }) => {
      // The system that leaves files here may take one away meanwhile.
      const stats = statSync(join(folder, name), { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ name, bytes: stats.size, changedAt: stats.mtimeMs }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
