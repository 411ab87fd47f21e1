import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { replaceValue } from '../config/yaml-document.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { CATALOGUE_FILE } from './catalogue-files.ts';
import { type AnyList, loadCatalogue, previewCatalogue } from './catalogue.ts';

/** The catalogue with one list switched on, not yet written. */
export interface EnabledText {
  readonly text: string;
  readonly list: AnyList;
}

/**
 * `catalogue.yaml` with `enabled: true` for this list, which must be among the offered ones, and nothing else touched. Throws an
 * InvalidInputError when the catalogue would not be usable with it.
 */
export function enabledText(listsDir: string, id: string): EnabledText {
  const before = readFileSync(join(listsDir, CATALOGUE_FILE), 'utf8');
  const { position } = loadCatalogue(listsDir).offered.find((one) => one.id === id)!;
  const text = replaceValue(before, ['lists', position, 'enabled'], 'true')!;
  const { lists, illegal } = previewCatalogue(listsDir, text);
  return { text, list: [...lists, ...illegal].find((one) => one.id === id)! };
}

/** Replaces `catalogue.yaml` with its mode. Throws `lists_folder`, with the line to change by hand, when it cannot be written. */
export function writeCatalogue(listsDir: string, { text, list }: EnabledText): void {
  const path = join(listsDir, CATALOGUE_FILE);
  try {
    replaceFile(path, text, statSync(path).mode & 0o777);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code;
    throw new SchoolgateError(
      'lists_folder',
      'client',
      `${path} cannot be written (${why}): set "enabled: true" for the list in line ${list.line} yourself; it is then in force within a minute. That you accept its licence is on record.`,
      { cause },
    );
  }
}
