import type { Actor, AuditAction } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { InvalidFieldsError, SchoolgateError, wrongField } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { LiveSnapshot } from '../policy/snapshot.ts';
import type { Publishing } from '../publishing/service.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { MOVES, type Unblock, type UnblockMove, applyMove, stateAt, toGrant } from './model.ts';
import {
  findByForm,
  findUnblock,
  insertUnblock,
  lapsedUnblocks,
  newestUnblocks,
  standingUnblocks,
  storeOutcome,
  storeRemark,
  storeReminded,
  uncountedUnblocks,
  unblocksBetween,
  unblocksInForceAt,
  unremindedUnblocks,
  updateUnblock,
} from './repository.ts';
import { type Counted, countOutcome, countedSpan } from './outcome.ts';
import type { RequestMail } from './mail-service.ts';
import { reminderAt } from './queue.ts';
import type { Wishes } from './wish-service.ts';
import { type KnownPolicy, type TermsFacts, type UnblockInput, plainText, readTerms } from './terms.ts';

/** For whoever reads the record beside a running console. */
export { eraseRequests, oldestRequest, unblocksBetween } from './repository.ts';

/** A person's moves; expiring is the clock's. */
export type PersonalMove = Exclude<UnblockMove, 'expire'>;

/** Opening sites for a topic: one person asks, another approves, it ends by itself. Every use case is one transaction. */
export interface Unblocks {
  /**
   * `formKey`: of the form it comes with; one that was sent before gives what was asked for then, and asks for nothing. `wishId`: a
   * pupil's wish that is passed on with it. Rejects with an
   * InvalidFieldsError, or a SchoolgateError (`no_policy`, `no_index`) before policy and lists are there.
   */
  request(actor: Actor, input: UnblockInput, formKey?: string | null, wishId?: string | null): Promise<Unblock>;
  /** Approves, agrees, refuses, withdraws or revokes; what the same person has just done is done. Throws a SchoolgateError: `unblock_unknown`, `unblock_move`, `unblock_own`. */
  move(actor: Actor, id: string, move: PersonalMove, reason: string): Unblock;
  find(id: string): Unblock | null;
  /** Throws a SchoolgateError: `unblock_unknown`. */
  get(id: string): Unblock;
  /** For a form that is shown. */
  newFormKey(): string;
  /** Newest first. */
  list(limit: number): Unblock[];
  /** Asked for or standing at some time in a span (ms), for reports. */
  between(from: number, until: number): Unblock[];
  /** Puts on record that the time of some has passed; nothing else hangs on it. Returns how many. */
  noteExpired(): number;
  /** Reminds those who could decide of what begins soon, each once. Returns of how many. */
  remind(): number;
  /** Counts how those that are over were used, each once. Resolves to how many. */
  noteOutcomes(): Promise<number>;
  /** What whoever asked says of one that is over. Throws a SchoolgateError (`unblock_own`, `unblock_move`), or an InvalidFieldsError. */
  remark(actor: Actor, id: string, text: string): Unblock;
}

export interface UnblockOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly publishing: Publishing;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** The published policy; null before there is one. */
  readonly policy: () => KnownPolicy | null;
  readonly school: () => TermsFacts['school'];
  readonly rolesOf: (personId: string) => TermsFacts['roles'];
  readonly passOn: Wishes['passOn'];
  readonly mail: RequestMail;
  /** The history of a span (ms). */
  readonly records: (from: number, until: number) => AsyncIterable<Counted>;
  /** The lists in force; null before there are any. */
  readonly openLists: () => Promise<TermsFacts['categoriesOf'] | null>;
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
    request: (actor, input, formKey = null, wishId = null) => request(options, actor, input, formKey, wishId),
    move: (actor, id, move, reason) => makeMove(options, actor, id, move, reason),
    find: (id) => record.read((tx) => findUnblock(tx, id)),
    get: (id) => record.read((tx) => known(tx, id)),
    newFormKey: () => options.newId(),
    list: (limit) => record.read((tx) => newestUnblocks(tx, limit)),
    between: (from, until) => record.read((tx) => unblocksBetween(tx, from, until)),
    noteExpired() {
      const lapsed = record.read((tx) => lapsedUnblocks(tx, clock()));
      for (const unblock of lapsed) noteExpired(options, unblock.id);
      return lapsed.length;
    },
    remind: () => remind(options),
    noteOutcomes: () => noteOutcomes(options),
    remark: (actor, id, text) => remark(options, actor, id, text),
  };
}

async function request(
  options: UnblockOptions,
  actor: Actor,
  input: UnblockInput,
  formKey: string | null,
  wishId: string | null,
): Promise<Unblock> {
  const { record, audit, clock, newId } = options;
  const categoriesOf = await options.openLists();
  const policy = options.policy();
  if (policy === null) throw refusal('no_policy', 'No policy is published yet, so there is nothing to unblock.');
  if (categoriesOf === null) throw refusal('no_index', 'The lists are not loaded yet; try again in a minute.');
  const before = formKey === null ? null : record.read((tx) => findByForm(tx, actor.personId, formKey));
  if (before !== null) return before;
  const now = clock();
  const roles = options.rolesOf(actor.personId);
  const terms = readTerms(input, { policy, school: options.school(), roles, categoriesOf, now });
  const asked = { by: actor.personId, at: now };
  const nobody = { decided: null, agreed: null, ended: null, outcome: null, remark: '' };
  const unblock: Unblock = { ...terms, id: newId(), state: 'requested', requested: asked, ...nobody };
  const passOn = wishId === null ? null : options.passOn(actor, wishId);
  record.write((tx) => {
    insertUnblock(tx, unblock, formKey);
    passOn?.(tx, unblock.id);
    options.mail.waiting(tx, unblock);
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
  agree: 'unblock.agreed',
  refuse: 'unblock.refused',
  withdraw: 'unblock.withdrawn',
  revoke: 'unblock.revoked',
  expire: 'unblock.expired',
};

function makeMove(options: UnblockOptions, actor: Actor, id: string, move: PersonalMove, reason: string): Unblock {
  const { record, audit, publishing, clock } = options;
  const moved = record.write((tx) => {
    const before = known(tx, id);
    // Sent twice by one person, such as by a second click: it is done, and done once.
    if (isDone(before, move, actor.personId)) return before;
    const after = applyMove(before, move, { by: actor.personId, at: clock() });
    updateUnblock(tx, after);
    audit.append(tx, {
      actor: actor.userName,
      action: ACTS[move],
      subject: `unblock:${id}`,
      before: { state: before.state },
      after: { state: after.state },
      reason: reason.trim(),
      approver: MOVES[move].to === 'approved' ? actor.userName : null,
      address: actor.address,
    });
    if (after.state === 'approved' || after.state === 'revoked') publishing.callFor(tx, 'live');
    tellAsker(options, tx, after, actor);
    return after;
  });
  void publishing.send();
  return moved;
}

/** Of the end of the decision, unless it is their own. */
function tellAsker({ mail }: UnblockOptions, tx: Tx, unblock: Unblock, { personId }: Actor): void {
  const { state, requested } = unblock;
  const isDecided = state === 'approved' || state === 'refused' || state === 'revoked';
  if (isDecided && requested.by !== personId) mail.decided(tx, unblock, state);
}

function remind({ record, clock, mail }: UnblockOptions): number {
  const now = clock();
  const waiting = record.read((tx) => unremindedUnblocks(tx, now));
  const due = waiting.filter((unblock) => (reminderAt(unblock) ?? now + 1) <= now);
  for (const { id } of due) {
    record.write((tx) => {
      mail.reminder(tx, known(tx, id));
      storeReminded(tx, id, now);
    });
  }
  return due.length;
}

function isDone(unblock: Unblock, move: PersonalMove, personId: string): boolean {
  const { to, as } = MOVES[move];
  const isThere = unblock.state === to || (to === 'approved' && unblock.state === 'requested');
  return isThere && unblock[as]?.by === personId;
}

function noteExpired(options: UnblockOptions, id: string): void {
  const { record, audit, clock } = options;
  record.write((tx: Tx) => {
    const before = known(tx, id);
    const after = applyMove(before, 'expire', { by: null, at: clock() });
    updateUnblock(tx, after);
    if (before.state === 'requested') options.mail.decided(tx, after, 'expired');
    audit.append(tx, {
      actor: 'console',
      action: ACTS.expire,
      subject: `unblock:${id}`,
      before: { state: before.state },
      after: { state: after.state },
    });
  });
}

/** One after the other: each reads days of history. */
async function noteOutcomes({ record, audit, clock, records }: UnblockOptions): Promise<number> {
  let count = 0;
  for (const unblock of record.read((tx) => uncountedUnblocks(tx, clock()))) {
    const span = countedSpan(unblock, clock());
    if (span === null) continue;
    const { id } = unblock;
    const outcome = await countOutcome(records(span.from, span.until), id);
    record.write((tx) => {
      storeOutcome(tx, id, outcome);
      audit.append(tx, { actor: 'console', action: 'unblock.outcome', subject: `unblock:${id}`, after: outcome });
    });
    count++;
  }
  return count;
}

const MAX_REMARK = 300;

function remark({ record, audit, clock }: UnblockOptions, actor: Actor, id: string, typed: string): Unblock {
  const text = plainText(typed);
  const wrong = (reason: string): InvalidFieldsError => wrongField('remark', reason);
  if (text === '') throw wrong('Say in a sentence how it went.');
  if (text.length > MAX_REMARK) throw wrong(`Say it in at most ${MAX_REMARK} characters.`);
  return record.write((tx) => {
    const before = known(tx, id);
    if (before.requested.by !== actor.personId) throw refusal('unblock_own', 'Only whoever asked says how it went.');
    const isOver = ['expired', 'revoked'].includes(stateAt(before, clock())) && before.decided !== null;
    if (!isOver) throw refusal('unblock_move', 'This unblock is not over yet.');
    if (before.remark === text) return before;
    storeRemark(tx, id, text);
    audit.append(tx, {
      actor: actor.userName,
      action: 'unblock.remarked',
      subject: `unblock:${id}`,
      before: { remark: before.remark },
      after: { remark: text },
      address: actor.address,
    });
    return { ...before, remark: text };
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
