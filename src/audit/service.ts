import { randomBytes } from 'node:crypto';
import { type Clock, isoTime } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { ReadTx, Tx } from '../store/database.ts';
import { GENESIS, chainRow, faultOf, isSealed, sealHead } from './chain.ts';
import type { Actor, AuditEntry } from './entry.ts';
import { type Purpose, purposeText } from './purpose.ts';
import { insertRow, readHead, rowsAfter, storeHead } from './repository.ts';

/** For whoever reads the record. */
export { countRows, newestRowOf, newestRows, rowsBetween } from './repository.ts';

/** The record of acts. Only appended to, and only inside the transaction of the act. */
export interface Audit {
  /** Puts an act on record in the caller's transaction. Throws `audit_broken` if the end of the chain was tampered with. */
  append(tx: Tx, entry: AuditEntry): void;
  /** Puts a look at somebody's data on record, as `append` does. */
  look(tx: Tx, actor: Actor, look: Look): void;
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
  };
}

/** What `verifyChain` found: how many rows are good, and the first thing that is not. */
export type ChainCheck =
  | { readonly intact: true; readonly rows: number; readonly head: string }
  | { readonly intact: false; readonly row: number; readonly problem: string };

const PAGE = 1000;

/** Checks every row against the one before it and the end against the sealed head. */
export function verifyChain(tx: ReadTx, key: Uint8Array): ChainCheck {
  let last = { seq: 0, hash: GENESIS };
  for (;;) {
    const page = rowsAfter(tx, last.seq, PAGE);
    for (const row of page) {
      const problem = faultOf(row, last);
      if (problem !== null) return { intact: false, row: last.seq + 1, problem };
      last = { seq: row.seq, hash: row.hash };
    }
    if (page.length < PAGE) return checkHead(tx, key, last);
  }
}

function checkHead(tx: ReadTx, key: Uint8Array, last: { seq: number; hash: string }): ChainCheck {
  const head = readHead(tx);
  if (head === null && last.seq === 0) return { intact: true, rows: 0, head: GENESIS };
  const fail = (row: number, problem: string): ChainCheck => ({ intact: false, row, problem });
  if (head === null) return fail(last.seq, 'the head of the chain is missing');
  if (!isSealed(head, key)) return fail(head.seq, 'the head of the chain was not sealed with this installation’s key');
  if (head.seq > last.seq) return fail(last.seq + 1, `rows ${last.seq + 1} to ${head.seq} were removed`);
  if (head.seq !== last.seq || head.hash !== last.hash) {
    return fail(head.seq + 1, 'was added without sealing the head of the chain');
  }
  return { intact: true, rows: last.seq, head: last.hash };
}

function broken(): SchoolgateError {
  return new SchoolgateError(
    'audit_broken',
    'us',
    'The audit record was tampered with, so nothing can be changed; run "schoolgate audit verify" and restore a backup.',
  );
}
