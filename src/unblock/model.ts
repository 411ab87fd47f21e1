import { SchoolgateError } from '../kernel/errors.ts';
import type { Grant } from '../policy/snapshot.ts';

/** Where an unblock stands on record. */
export type RecordedState = 'requested' | 'approved' | 'refused' | 'withdrawn' | 'revoked' | 'expired';

/** Where it stands at an instant: an approved one is `active` from its start to its end, which the clock alone decides. */
export type UnblockState = RecordedState | 'active';

/** What is to be opened, for whom and when: what one person asks for and another one agrees to, word for word. */
export interface UnblockTerms {
  /** The curriculum topic, in the teacher's words. */
  readonly topic: string;
  readonly reason: string;
  /** Canonical hosts; each stands for itself and everything under it. */
  readonly hosts: readonly string[];
  readonly categories: readonly string[];
  readonly levels: readonly string[];
  /** CIDRs. */
  readonly ranges: readonly string[];
  /** In force from (inclusive) to (exclusive), ms since the epoch. */
  readonly from: number;
  readonly until: number;
}

/** A person's act: who, and when (ms since the epoch). `by` is a person's id; null: the clock. */
export interface Act {
  readonly by: string | null;
  readonly at: number;
}

export interface Unblock extends UnblockTerms {
  readonly id: string;
  readonly state: RecordedState;
  readonly requested: { readonly by: string; readonly at: number };
  /** Approved or refused. */
  readonly decided: Act | null;
  /** Withdrawn, revoked or expired. */
  readonly ended: Act | null;
}

export type UnblockMove = 'approve' | 'refuse' | 'withdraw' | 'revoke' | 'expire';

interface MoveRule {
  readonly from: readonly UnblockState[];
  readonly to: RecordedState;
  /** Who may: another person than asked, the one who asked, anybody with the role, or the clock alone. */
  readonly who: 'another' | 'requester' | 'anybody' | 'clock';
}

/** Every legal move. What is not here cannot happen. */
export const MOVES: Readonly<Record<UnblockMove, MoveRule>> = {
  approve: { from: ['requested'], to: 'approved', who: 'another' },
  refuse: { from: ['requested'], to: 'refused', who: 'another' },
  withdraw: { from: ['requested'], to: 'withdrawn', who: 'requester' },
  revoke: { from: ['approved', 'active'], to: 'revoked', who: 'anybody' },
  // Only the note that its time has passed; being over needs no move.
  expire: { from: ['expired'], to: 'expired', who: 'clock' },
};

/** What an unblock is at `now`, whether or not anybody has noted it. */
export function stateAt(unblock: Unblock, now: number): UnblockState {
  const isOpen = unblock.state === 'requested' || unblock.state === 'approved';
  if (isOpen && now >= unblock.until) return 'expired';
  if (unblock.state === 'approved' && now >= unblock.from) return 'active';
  return unblock.state;
}

/** Whether `by` (a person's id) could make this move now. */
export function mayMove(unblock: Unblock, move: UnblockMove, act: Act): boolean {
  return objection(unblock, move, act) === null;
}

/** The unblock after a legal move. Throws a SchoolgateError (`unblock_move`, `unblock_own`) that says why it is not legal. */
export function applyMove(unblock: Unblock, move: UnblockMove, act: Act): Unblock {
  const refused = objection(unblock, move, act);
  if (refused !== null) throw refused;
  const state = MOVES[move].to;
  return move === 'approve' || move === 'refuse'
    ? { ...unblock, state, decided: act }
    : { ...unblock, state, ended: act };
}

function objection(unblock: Unblock, move: UnblockMove, act: Act): SchoolgateError | null {
  const { from, who } = MOVES[move];
  const state = stateAt(unblock, act.at);
  if (!from.includes(state) || (move === 'expire' && unblock.state === 'expired')) {
    return refusal('unblock_move', `This unblock is ${state}, so you cannot ${move} it.`);
  }
  const isRequester = act.by === unblock.requested.by;
  if ((act.by === null) !== (who === 'clock')) return refusal('unblock_own', `You cannot ${move} an unblock.`);
  if (who === 'another' && isRequester) {
    return refusal('unblock_own', `You asked for this unblock, so another person must ${move} it.`);
  }
  if (who === 'requester' && !isRequester) {
    return refusal('unblock_own', `Only the person who asked for this unblock can ${move} it; refuse it instead.`);
  }
  return null;
}

function refusal(code: string, text: string): SchoolgateError {
  return new SchoolgateError(code, 'client', text);
}

/** What gateways are told of an approved unblock. */
export function toGrant(unblock: Unblock): Grant {
  const { id, topic, hosts, categories, levels, ranges, from, until } = unblock;
  return { id, topic, hosts, categories, levels, people: [], ranges, from, until, passesPersonBlock: false };
}
