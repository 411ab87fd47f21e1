/** What a room says of one thing that it erased because its time had come. */
export interface Erased {
  /** Its kind and id, never what it said. */
  readonly line: string;
  /** From when it was, ms. */
  readonly at: number;
}

/** Rows of `id` and `at` (ms) as a kind of thing. */
export function erasedRows(kind: string, rows: readonly Readonly<Record<string, unknown>>[]): Erased[] {
  return rows.map(({ id, at }) => ({ line: `${kind} ${String(id)}`, at: Number(at) }));
}
