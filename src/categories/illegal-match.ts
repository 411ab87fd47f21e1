/** What a target meets in the illegal lists. */
export interface IllegalHit {
  /** Ids, sorted, without doubles. */
  readonly categories: readonly string[];
  readonly lists: readonly string[];
  /** Which entry it was: a number that means something in this index alone. */
  readonly entry: number;
  /** True when it was our own made-up name and nothing else. */
  readonly isCanary: boolean;
}

/** The loaded illegal lists. Holds keyed values only; immutable. */
export interface IllegalIndex {
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
  readonly lists: readonly { readonly id: string; readonly category: string }[];
  /** `host` canonical; `path` canonical path and query, or null where it cannot be seen (CONNECT). Null: not listed. */
  match(host: string, path: string | null): IllegalHit | null;
  /** What may be kept of a target that was hit, hex. */
  mark(target: string): string;
}
