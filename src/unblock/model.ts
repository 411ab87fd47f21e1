import { SchoolgateError } from '../kernel/errors.ts';
import type { Grant } from '../policy/snapshot.ts';
import type { Outcome } from './outcome.ts';

/** Where an unblock stands on record. */
export type RecordedState = 'requested' | 'approved' | 'refused' | 'withdrawn' | 'revoked' | 'expired';

/** Where it stands at an instant: an approved one is `active` from its start to its end, which the clock alone decides. */
export type UnblockState = RecordedState | 'active';

/** What is to be opened, for whom and when: what one person asks for and another one agrees to, word for word. */
export interface UnblockTerms {
  /** The curriculum topic, in the teacher's words. */
  readonly topic: string;
  /** Such as `History`; empty: nobody said. */
  readonly subject: string;
  readonly reason: string;
  /** Canonical hosts; each stands for itself and everything under it. */
  readonly hosts: readonly string[];
  readonly categories: readonly string[];
  /** Whom it is for; each list that is not empty is one way to be meant. Classes and groups by name. */
  readonly classes: readonly string[];
  /** Canonical user names. */
  readonly pupils: readonly string[];
  readonly levels: readonly string[];
  /** CIDRs. */
  readonly ranges: readonly string[];
  /** Names of the school's slots, such as `lessons`: only in these. Empty: all day. */
  readonly during: readonly string[];
  /** Opens also what is closed for the named pupils themselves. */
  readonly passesPersonBlock: boolean;
  /** High-risk categories that it opens, by id, as they were known when it was asked for. */
  readonly risks: readonly string[];
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
  /** By the safeguarding lead, where that is needed. */
  readonly agreed: Act | null;
  /** Withdrawn, revoked or expired. */
  readonly ended: Act | null;
  /** How it was used, once that is counted. */
  readonly outcome: Outcome | null;
  /** What whoever asked says of it afterwards; empty: nothing. */
  readonly remark: string;
}

export type UnblockMove = 'approve' | 'agree' | 'refuse' | 'withdraw' | 'revoke' | 'expire';

interface MoveRule {
  readonly from: readonly UnblockState[];
  readonly to: RecordedState;
  /** Who may: somebody who has no part in it yet, the one who asked, anybody with the role, or the clock alone. */
  readonly who: 'another' | 'requester' | 'anybody' | 'clock';
  /** Where the act is kept. */
  readonly as: 'decided' | 'agreed' | 'ended';
}

/** Every legal move. What is not here cannot happen. */
export const MOVES: Readonly<Record<UnblockMove, MoveRule>> = {
  approve: { from: ['requested'], to: 'approved', who: 'another', as: 'decided' },
  // The safeguarding lead's part, before or after the other one; approved is what has both.
  agree: { from: ['requested'], to: 'approved', who: 'another', as: 'agreed' },
  refuse: { from: ['requested'], to: 'refused', who: 'another', as: 'decided' },
  withdraw: { from: ['requested'], to: 'withdrawn', who: 'requester', as: 'ended' },
  revoke: { from: ['approved', 'active'], to: 'revoked', who: 'anybody', as: 'ended' },
  // Only the note that its time has passed; being over needs no move.
  expire: { from: ['expired'], to: 'expired', who: 'clock', as: 'ended' },
};

/** Whether the safeguarding lead must agree as well: for what is of high risk, and to pass a person's own block. */
export function needsAgreement({ risks, passesPersonBlock }: UnblockTerms): boolean {
  return risks.length > 0 || passesPersonBlock;
}

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
  const { to, as } = MOVES[move];
  const moved = { ...unblock, [as]: act };
  const isHalf = to === 'approved' && (moved.decided === null || (needsAgreement(moved) && moved.agreed === null));
  return { ...moved, state: isHalf ? unblock.state : to };
}

function objection(unblock: Unblock, move: UnblockMove, act: Act): SchoolgateError | null {
  const { from, who, to, as } = MOVES[move];
  const state = stateAt(unblock, act.at);
  if (!from.includes(state) || (move === 'expire' && unblock.state === 'expired')) {
    return refusal('unblock_move', `This unblock is ${state}, so you cannot ${move} it.`);
  }
  if (to === 'approved' && unblock[as] !== null) {
    return refusal(
      'unblock_move',
      `Somebody has done that already; ${as === 'agreed' ? 'the approval' : 'the safeguarding lead’s agreement'} is still missing.`,
    );
  }
  if (move === 'agree' && !needsAgreement(unblock)) {
    return refusal('unblock_move', 'This unblock needs nobody’s agreement besides the approval.');
  }
  if ((act.by === null) !== (who === 'clock')) return refusal('unblock_own', `You cannot ${move} an unblock.`);
  return act.by === null ? null : notTheirs(unblock, move, act.by);
}

function notTheirs(unblock: Unblock, move: UnblockMove, by: string): SchoolgateError | null {
  const { who, to } = MOVES[move];
  const isRequester = by === unblock.requested.by;
  if (who === 'another' && isRequester) {
    return refusal('unblock_own', `You asked for this unblock, so another person must ${move} it.`);
  }
  if (to === 'approved' && [unblock.decided?.by, unblock.agreed?.by].includes(by)) {
    return refusal('unblock_own', `Approval and agreement are two people’s: somebody else must ${move} it.`);
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
  const { id, topic, hosts, categories, classes, pupils, levels, ranges, during, from, until } = unblock;
  return {
    id,
    topic,
    hosts,
    categories,
    levels,
    people: pupils,
    groups: classes,
    ranges,
    from,
    until,
    passesPersonBlock: unblock.passesPersonBlock && unblock.agreed !== null,
    ...(during.length > 0 && { during }),
  };
}
