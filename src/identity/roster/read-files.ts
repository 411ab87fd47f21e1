import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InvalidInputError, type Problem, SchoolgateError } from '../../kernel/errors.ts';
import { ROSTER_MAX_BYTES, type RosterFile } from './roster.ts';
import { NOT_TEXT, rosterText } from './take-files.ts';

/**
 * The `.csv` files of a folder (not of folders in it), or one file. Throws a SchoolgateError: `roster_missing`, `roster_too_large`,
 * or an InvalidInputError with every file that is not UTF-8 text.
 */
export function readRosterFiles(path: string): RosterFile[] {
  const paths = pathsIn(path);
  const bytes = paths.reduce((sum, one) => sum + statSync(one).size, 0);
  if (bytes > ROSTER_MAX_BYTES) {
    const text = `${path} holds ${Math.ceil(bytes / (1 << 20))} MB; a roster may have ${ROSTER_MAX_BYTES >> 20} MB at most.`;
    throw new SchoolgateError('roster_too_large', 'client', text);
  }
  const problems: Problem[] = [];
  const files = paths.map((one) => ({ name: basename(one), text: readText(one, problems) }));
  if (problems.length > 0) throw new InvalidInputError('The roster cannot be read', problems);
  return files;
}

function pathsIn(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /^[^.].*\.csv$/i.test(name));
    return names.sort().map((name) => join(path, name));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new SchoolgateError('roster_missing', 'client', `${path} cannot be read (${code}).`, { cause });
  }
}

function readText(path: string, problems: Problem[]): string {
  try {
    const text = rosterText(readFileSync(path));
    if (text !== null) return text;
    problems.push({ file: basename(path), reason: NOT_TEXT });
  } catch (error) {
    problems.push({ file: basename(path), reason: `cannot be read (${(error as Error).message})` });
  }
  return '';
}
