import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Clock, isoTime } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { type Anchor, makeAnchor } from './anchor.ts';
import { GENESIS, chainRow, isSealed, sealHead } from './chain.ts';
import type { Actor, AuditEntry } from './entry.ts';
import { type Purpose, purposeText } from './purpose.ts';
import { erasureEntry } from './erasure.ts';
import { erasePayloads, insertRow, readHead, rowsAfter, storeHead } from './repository.ts';
import { type ChainCheck, ChainWalk } from './verify.ts';

/** For whoever reads the record. */
export {
  countRows,
  detailsBefore,
  newestRowOf,
  newestRows,
  oldestDetails,
  readHead,
  rowsBetween,
} from './repository.ts';
export type { ChainCheck } from './verify.ts';

/** The record of acts. Only appended to, and only inside the transaction of the act. */
export interface Audit {
  /** Puts an act on record in the caller's transaction. Throws `audit_broken` if the end of the chain was tampered with. */
  append(tx: Tx, entry: AuditEntry): void;
  /** Puts a look at somebody's data on record, as `append` does. */
  look(tx: Tx, actor: Actor, look: Look): void;
  /**
   * Erases before, after, reason and address of every row before `olderThan` (ms since the epoch), and puts that on record. The
   * chain still verifies. Gives how many rows were erased.
   */
  erasePayloads(tx: Tx, olderThan: number): number;
  /** Checks the whole chain, page by page, so that others have their turn. */
  verify(record: RecordDatabase, anchors: readonly Anchor[]): Promise<ChainCheck>;
  /** How the chain ends at this instant (ISO 8601 UTC), to be kept elsewhere. */
  anchor(tx: ReadTx, at: string): Anchor;
}

/** A look at the data of somebody who can be told apart. */
export interface Look extends Pick<AuditEntry, 'action'> {
  /** `person:ID` wherever it is known who it is: the answer to "who looked at this child's data?" is found by it. */
  readonly subject: string;
  readonly purpose: Purpose;
  /** What was looked at, such as a span of time; never the data. */
  readonly seen?: Readonly<Record<string, unknown>>;
}

export function createAudit(key: Uint8Array, clock: Clock): Audit {
  const append: Audit['append'] = (tx, entry) => {
    const head = readHead(tx);
    // Chaining onto a head that we did not seal would seal whatever somebody has put there.
    if (head !== null && !isSealed(head, key)) throw broken();
    const row = chainRow(entry, isoTime(clock()), randomBytes(16).toString('hex'), head);
    insertRow(tx, row);
    storeHead(tx, sealHead(row.seq, row.hash, key));
  };
  return {
    append,
    look: (tx, { userName, address }, { action, subject, purpose, seen }) =>
      append(tx, {
        actor: userName,
        action,
        subject,
        after: { ...seen, purpose: purpose.code },
        reason: purposeText(purpose),
        address,
      }),
    erasePayloads(tx, olderThan) {
      const before = isoTime(olderThan);
      const { erased, seq } = erasePayloads(tx, before);
      if (erased > 0) append(tx, erasureEntry(seq, erased, before));
      return erased;
    },
    verify: (record, anchors) => verifyChainSlowly(record, key, anchors),
    anchor: (tx, at) => makeAnchor(readHead(tx) ?? { seq: 0, hash: GENESIS }, at, key),
  };
}

const PAGE = 1000;

/** Checks every row against the one before it, against the anchors, and the end against the sealed head. */
export function verifyChain(tx: ReadTx, key: Uint8Array, anchors: readonly Anchor[] = []): ChainCheck {
  const walk = new ChainWalk(key, anchors);
  for (;;) {
    const found = nextPage(tx, walk);
    if (found !== null) return found;
  }
}

/** The same; between two pages others have their turn, and may append. */
async function verifyChainSlowly(
  record: RecordDatabase,
  key: Uint8Array,
  anchors: readonly Anchor[],
): Promise<ChainCheck> {
  const walk = new ChainWalk(key, anchors);
  for (;;) {
    const found = record.read((tx) => nextPage(tx, walk));
    if (found !== null) return found;
    await setImmediate();
  }
}

/** Null: there is more. */
function nextPage(tx: ReadTx, walk: ChainWalk): ChainCheck | null {
  const rows = rowsAfter(tx, walk.seq, PAGE);
  return walk.take(rows) ?? (rows.length < PAGE ? walk.end(readHead(tx)) : null);
}

function broken(): SchoolgateError {
  return new SchoolgateError(
    'audit_broken',
    'us',
    'The audit record was tampered with, so nothing can be changed; run "schoolgate audit verify" and restore a backup.',
  );
}
