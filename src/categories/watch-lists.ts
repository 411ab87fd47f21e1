import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { watchSettled } from '../kernel/watch-folders.ts';
import { loadCatalogue, type Catalogue } from './catalogue.ts';
import { CATALOGUE_FILE, CATEGORIES_FILE } from './catalogue-files.ts';
import { sourceFiles } from './read-source.ts';

/**
 * Calls `onChange` after the catalogue, the categories or a file of a list was changed, came or went; notifications come from the
 * folders that hold lists now, for others it takes up to half a second longer. Returns the end of it.
 */
export function watchLists(listsDir: string, onChange: () => void): () => void {
  const catalogueOf = catalogueReader(listsDir);
  const folders = new Set([listsDir, ...filesOf(catalogueOf()).map(dirname)]);
  const fingerprint = (): string =>
    [join(listsDir, CATALOGUE_FILE), join(listsDir, CATEGORIES_FILE), ...filesOf(catalogueOf())].map(mark).join('\n');
  return watchSettled([...folders], fingerprint, onChange);
}

function filesOf(catalogue: Catalogue | null): string[] {
  if (catalogue === null) return [];
  const lists = catalogue.lists.flatMap((list) => sourceFiles(list).map(({ path }) => path));
  return [...lists, ...catalogue.illegal.flatMap(({ path }) => path ?? [])];
}

/** Gives the catalogue, read again only when its files have changed; null while it is not valid. */
function catalogueReader(listsDir: string): () => Catalogue | null {
  let seen = '';
  let catalogue: Catalogue | null = null;
  return () => {
    const now = [CATALOGUE_FILE, CATEGORIES_FILE].map((name) => mark(join(listsDir, name))).join('\n');
    // One that is not valid may become so by what it names: a folder that was missing.
    if (now !== seen || catalogue === null) catalogue = readOrNull(listsDir);
    seen = now;
    return catalogue;
  };
}

function readOrNull(listsDir: string): Catalogue | null {
  try {
    return loadCatalogue(listsDir);
  } catch {
    return null;
  }
}

function mark(path: string): string {
  try {
    const { size, mtimeMs, ino } = statSync(path);
    return `${path} ${size} ${mtimeMs} ${ino}`;
  } catch {
    return path;
  }
}
