/** Everything the lists say of a host or URL: the union of all entries that match, at any length. */
export interface CategoryMatch {
  /** Category ids, sorted, without doubles. */
  readonly categories: readonly string[];
  /** Ids of every list that matched, sorted. */
  readonly lists: readonly string[];
}

export const NO_MATCH: CategoryMatch = { categories: [], lists: [] };

/** An entry that matched. The index keeps no names: it is put together again from where it matched. */
export interface EntryMatch {
  readonly list: string;
  readonly category: string;
  /** `exception`: the list names this host or URL as one that it is not about, so none of its other entries counts. */
  readonly form: 'host' | 'url' | 'range' | 'expression' | 'exception';
  /** `bets.test`, `example.org/games`, `192.0.2.0/24`, or the expression itself. */
  readonly entry: string;
  /** Which of its list's expressions, from 1; only there. */
  readonly number?: number;
}

/** One loaded, immutable index. The same answer is always the same object, so that callers may remember work by it. */
export interface CategoryIndex {
  /** SHA-256 of the index file, hex. */
  readonly sha256: string;
  readonly lists: readonly IndexedList[];
  /** `host` canonical (`kernel/host.ts`); `path` canonical path and query, or null where it cannot be seen (CONNECT). */
  match(host: string, path: string | null): CategoryMatch;
  /** What the lists of addresses alone say of a canonical address that a name resolved to: other lists know it as a site's own name. */
  matchAddress(address: string): CategoryMatch;
}

/** An index that can say why. Not for the path of a request: explaining takes its time. */
export interface ExplainedIndex extends CategoryIndex {
  /** Which entries the answer of `match` comes from. */
  explain(host: string, path: string | null): readonly EntryMatch[];
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
