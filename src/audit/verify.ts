import { type Anchor, isOurs } from './anchor.ts';
import { type AuditHead, GENESIS, faultOf, isSealed } from './chain.ts';
import { type AuditRow, isErased } from './entry.ts';
import { erasedUntil } from './erasure.ts';

/** What a walk along the chain found: how many rows are good, or the first thing that is not. */
export type ChainCheck =
  | { readonly intact: true; readonly rows: number; readonly head: string }
  | { readonly intact: false; readonly row: number; readonly problem: string };

/** Walks along the chain page by page: every row against the one before it, the anchors, and the end against the sealed head. */
export class ChainWalk {
  readonly #key: Uint8Array;
  readonly #anchors: readonly Anchor[];
  #last = { seq: 0, hash: GENESIS };
  /** The last row without its personal part, and until where the record says that it was erased. */
  #erased = 0;
  #erasedUntil = 0;

  constructor(key: Uint8Array, anchors: readonly Anchor[]) {
    this.#key = key;
    this.#anchors = anchors;
  }

  /** Where the next page begins. */
  get seq(): number {
    return this.#last.seq;
  }

  /** The first fault of these rows; null: none. */
  take(rows: readonly AuditRow[]): ChainCheck | null {
    for (const row of rows) {
      const problem = faultOf(row, this.#last) ?? this.#anchorFault(row);
      if (problem !== null) return fail(this.#last.seq + 1, problem);
      if (isErased(row)) this.#erased = row.seq;
      this.#erasedUntil = Math.max(this.#erasedUntil, erasedUntil(row));
      this.#last = { seq: row.seq, hash: row.hash };
    }
    return null;
  }

  /** What is found at the end, once all rows were taken. */
  end(head: AuditHead | null): ChainCheck {
    const last = this.#last;
    const foreign = this.#anchors.find((anchor) => !isOurs(anchor, this.#key));
    if (foreign !== undefined)
      return fail(foreign.seq, `the anchor of ${foreign.at} was not made with this installation’s key`);
    const beyond = this.#anchors.find(({ seq }) => seq > last.seq);
    if (beyond !== undefined)
      return fail(last.seq + 1, `rows ${last.seq + 1} to ${beyond.seq}, anchored on ${beyond.at}, were removed`);
    if (this.#erased > this.#erasedUntil)
      return fail(this.#erased, 'its before, after, reason and address were erased, and no erasure is on record');
    return this.#headFault(head) ?? { intact: true, rows: last.seq, head: last.hash };
  }

  #anchorFault(row: AuditRow): string | null {
    const anchor = this.#anchors.find(({ seq, hash }) => seq === row.seq && hash !== row.hash);
    return anchor === undefined
      ? null
      : `is not the row that was anchored on ${anchor.at}: it or one before it was changed`;
  }

  #headFault(head: AuditHead | null): ChainCheck | null {
    const last = this.#last;
    if (head === null) return last.seq === 0 ? null : fail(last.seq, 'the head of the chain is missing');
    if (!isSealed(head, this.#key))
      return fail(head.seq, 'the head of the chain was not sealed with this installation’s key');
    if (head.seq > last.seq) return fail(last.seq + 1, `rows ${last.seq + 1} to ${head.seq} were removed`);
    if (head.seq !== last.seq || head.hash !== last.hash)
      return fail(head.seq + 1, 'was added without sealing the head of the chain');
    return null;
  }
}

function fail(row: number, problem: string): ChainCheck {
  return { intact: false, row, problem };
}
