import { type FieldProblem, InvalidFieldsError } from '../../kernel/errors.ts';
import { clean } from './read-fields.ts';
import type { RosterFile } from './roster.ts';

/** A file as a browser sends it: its name is whatever the sender says. */
export interface SentFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** More is no roster. */
const MOST_FILES = 100;

export const NOT_TEXT = 'is not UTF-8 text; save it as “CSV UTF-8”';

/** Null: it is no UTF-8. */
export function rosterText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * The files of a form's field as a roster's. Of a name only what stands behind the last slash counts, and nothing is ever kept
 * under it. Throws an InvalidFieldsError with everything that is wrong with them.
 */
export function takeFiles(field: string, sent: readonly SentFile[]): RosterFile[] {
  const given = sent.filter(({ name, bytes }) => name !== '' || bytes.length > 0);
  const problems: FieldProblem[] = [];
  const say = (reason: string): void => void problems.push({ field, reason });
  if (given.length === 0) say('Choose the .csv files of the roster.');
  if (given.length > MOST_FILES) say(`Choose at most ${MOST_FILES} files.`);
  const seen = new Set<string>();
  const files = given.slice(0, MOST_FILES).map(({ name: sentName, bytes }) => {
    const name = clean(sentName.split(/[/\\]/).at(-1)!);
    const key = name.toLowerCase();
    const text = rosterText(bytes);
    if (!/\.csv$/i.test(sentName))
      say(`${name} is no .csv file. Unpack an archive first; save a workbook as “CSV UTF-8”.`);
    else if (seen.has(key)) say(`There are two files ${name}; choose the files of one export.`);
    else if (text === null) say(`${name} ${NOT_TEXT}.`);
    seen.add(key);
    return { name, text: text ?? '' };
  });
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return files;
}
