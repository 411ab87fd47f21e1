import { openIndex } from '../../src/categories/category-index.ts';
import { type CompiledList, createIndexCompiler } from '../../src/categories/compile-lists.ts';
import type { ExplainedIndex, IndexedList } from '../../src/categories/match.ts';

/** A list for tests: entries as a list's text has them (`host`, `host/path`, `!exception`, `=range`, `~expression`), already canonical. */
export interface SmallList {
  readonly id: string;
  readonly category: string;
  /** `domains` if left out. */
  readonly format?: CompiledList['format'];
  readonly entries: readonly string[];
}

export function encodeSmall(lists: readonly SmallList[], seed = { a: 11, b: -7 }): Uint8Array {
  const compiler = createIndexCompiler(seed);
  for (const list of lists)
    compiler.addList({ format: 'domains', ...list }, Buffer.from(list.entries.map((entry) => `${entry}\n`).join('')));
  return compiler.encode();
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

export function smallIndex(lists: readonly SmallList[]): ExplainedIndex {
  return openIndex(encodeSmall(lists), factsOf(lists));
}
