import { createEntryTable } from '../../src/categories/entry-table.ts';
import { encodeIndex } from '../../src/categories/index-file.ts';
import { openIndex } from '../../src/categories/category-index.ts';
import type { CategoryIndex, IndexedList } from '../../src/categories/match.ts';

/** A list for tests: entries as `host` or `host/path`, already canonical. */
export interface SmallList {
  readonly id: string;
  readonly category: string;
  readonly entries: readonly string[];
}

export function encodeSmall(lists: readonly SmallList[], seed = { a: 11, b: -7 }): Uint8Array {
  const table = createEntryTable(seed);
  for (const [position, list] of lists.entries()) {
    table.beginList(position);
    for (const entry of list.entries) {
      const slash = entry.indexOf('/');
      table.add(slash < 0 ? { host: entry, path: null } : { host: entry.slice(0, slash), path: entry.slice(slash) });
    }
  }
  return encodeIndex(
    table,
    lists.map(({ id, category }) => ({ id, category })),
  );
}

export function factsOf(lists: readonly SmallList[]): IndexedList[] {
  return lists.map(({ id, category, entries }) => ({
    id,
    category,
    entries: entries.length,
    accepted: entries.length,
    duplicates: 0,
    rejected: 0,
    sha256: '0'.repeat(64),
    loadedAt: '2026-11-22T08:00:00.000Z',
    fromLastGood: false,
  }));
}

export function smallIndex(lists: readonly SmallList[]): CategoryIndex {
  return openIndex(encodeSmall(lists), factsOf(lists));
}
