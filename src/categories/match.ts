/** Everything the lists say of a host or URL: the union of all entries that match, at any length. */
export interface CategoryMatch {
  /** Category ids, sorted, without doubles. */
  readonly categories: readonly string[];
  /** Ids of every list that matched, sorted. */
  readonly lists: readonly string[];
}

export const NO_MATCH: CategoryMatch = { categories: [], lists: [] };

/** One loaded, immutable index. The same answer is always the same object, so that callers may remember work by it. */
export interface CategoryIndex {
  /** SHA-256 of the index file, hex. */
  readonly sha256: string;
  readonly lists: readonly IndexedList[];
  /** `host` canonical (`kernel/host.ts`); `path` canonical path and query, or null where it cannot be seen (CONNECT). */
  match(host: string, path: string | null): CategoryMatch;
}

export interface IndexedList {
  readonly id: string;
  readonly category: string;
  /** Entries = accepted + duplicates + rejected. */
  readonly entries: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Hex SHA-256 of its entries in canonical form: whether a list changed. */
  readonly sha256: string;
  /** When the content was read, or given by its https source, ISO 8601. */
  readonly loadedAt: string;
  /** True when the source could not be used and the last good copy stands in. */
  readonly fromLastGood: boolean;
}
