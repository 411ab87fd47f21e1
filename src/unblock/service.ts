import type { Actor, AuditAction } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { LiveSnapshot } from '../policy/snapshot.ts';
import type { Publishing } from '../publishing/service.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { type Unblock, type UnblockMove, applyMove, toGrant } from './model.ts';
import {
  findUnblock,
  insertUnblock,
  lapsedUnblocks,
  newestUnblocks,
  standingUnblocks,
  unblocksBetween,
  unblocksInForceAt,
  updateUnblock,
} from './repository.ts';
import { type KnownPolicy, type UnblockInput, readTerms } from './terms.ts';

/** For whoever reads the record beside a running console. */
export { unblocksBetween } from './repository.ts';

/** A person's moves; expiring is the clock's. */
export type PersonalMove = Exclude<UnblockMove, 'expire'>;

/** Opening sites for a topic: one person asks, another approves, it ends by itself. Every use case is one transaction. */
export interface Unblocks {
  /** Throws an InvalidFieldsError, or a SchoolgateError (`no_policy`) before a policy is published. */
  request(actor: Actor, input: UnblockInput): Unblock;
  /** Approves, refuses, withdraws or revokes. Throws a SchoolgateError: `unblock_unknown`, `unblock_move`, `unblock_own`. */
  move(actor: Actor, id: string, move: PersonalMove, reason: string): Unblock;
  find(id: string): Unblock | null;
  /** Newest first. */
  list(limit: number): Unblock[];
  /** Asked for or standing at some time in a span (ms), for reports. */
  between(from: number, until: number): Unblock[];
  /** Puts on record that the time of some has passed; nothing else hangs on it. Returns how many. */
  noteExpired(): number;
}

export interface UnblockOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly publishing: Publishing;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** The published policy; null before there is one. */
  readonly policy: () => KnownPolicy | null;
}

/** What gateways are sent: every unblock that is approved and not over. */
export function liveSnapshot(tx: ReadTx, now: number): LiveSnapshot {
  return { grants: standingUnblocks(tx, now).map(toGrant) };
}

/** What gateways had at an instant that is past. */
export function grantsAt(tx: ReadTx, at: number): LiveSnapshot['grants'] {
  return unblocksInForceAt(tx, at).map(toGrant);
}

export function createUnblocks(options: UnblockOptions): Unblocks {
  const { record, clock } = options;
  return {
    request: (actor, input) => request(options, actor, input),
    move: (actor, id, move, reason) => makeMove(options, actor, id, move, reason),
    find: (id) => record.read((tx) => findUnblock(tx, id)),
    list: (limit) => record.read((tx) => newestUnblocks(tx, limit)),
    between: (from, until) => record.read((tx) => unblocksBetween(tx, from, until)),
    noteExpired() {
      const lapsed = record.read((tx) => lapsedUnblocks(tx, clock()));
      for (const unblock of lapsed) noteExpired(options, unblock.id);
      return lapsed.length;
    },
  };
}

function request(options: UnblockOptions, actor: Actor, input: UnblockInput): Unblock {
  const { record, audit, clock, newId } = options;
  const policy = options.policy();
  if (policy === null) throw refusal('no_policy', 'No policy is published yet, so there is nothing to unblock.');
  const now = clock();
  const terms = readTerms(input, policy, now);
  const asked = { by: actor.personId, at: now };
  const unblock: Unblock = { ...terms, id: newId(), state: 'requested', requested: asked, decided: null, ended: null };
  record.write((tx) => {
    insertUnblock(tx, unblock);
    audit.append(tx, {
      actor: actor.userName,
      action: 'unblock.requested',
      subject: `unblock:${unblock.id}`,
      after: terms,
      reason: terms.reason,
      address: actor.address,
    });
  });
  return unblock;
}

const ACTS: Readonly<Record<UnblockMove, AuditAction>> = {
  approve: 'unblock.approved',
  refuse: 'unblock.refused',
  withdraw: 'unblock.withdrawn',
  revoke: 'unblock.revoked',
  expire: 'unblock.expired',
};

function makeMove(options: UnblockOptions, actor: Actor, id: string, move: PersonalMove, reason: string): Unblock {
  const { record, audit, publishing, clock } = options;
  const moved = record.write((tx) => {
    const before = known(tx, id);
    const after = applyMove(before, move, { by: actor.personId, at: clock() });
    updateUnblock(tx, after);
    audit.append(tx, {
      actor: actor.userName,
      action: ACTS[move],
      subject: `unblock:${id}`,
      before: { state: before.state },
      after: { state: after.state },
      reason: reason.trim(),
      approver: move === 'approve' ? actor.userName : null,
      address: actor.address,
    });
    if (move === 'approve' || move === 'revoke') publishing.callFor(tx, 'live');
    return after;
  });
  void publishing.send();
  return moved;
}

function noteExpired(options: UnblockOptions, id: string): void {
  const { record, audit, clock } = options;
  record.write((tx: Tx) => {
    const before = known(tx, id);
    const after = applyMove(before, 'expire', { by: null, at: clock() });
    updateUnblock(tx, after);
    audit.append(tx, {
      actor: 'console',
      action: ACTS.expire,
      subject: `unblock:${id}`,
      before: { state: before.state },
      after: { state: after.state },
    });
  });
}

function known(tx: ReadTx, id: string): Unblock {
  const unblock = findUnblock(tx, id);
  if (unblock === null) throw refusal('unblock_unknown', 'There is no such unblock.');
  return unblock;
}

function refusal(code: string, text: string): SchoolgateError {
  return new SchoolgateError(code, 'client', text);
}
