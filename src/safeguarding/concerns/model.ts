import { SchoolgateError } from '../../kernel/errors.ts';
import type { Severity, Theme } from '../../policy/safeguarding-rules.ts';

/** Undecided: `open` (nobody has looked), `acknowledged` (somebody sees to it). Decided: the other two. */
export type ConcernState = 'open' | 'acknowledged' | 'not-a-concern' | 'closed';

/** One subject and one theme. Instants in ms since the epoch. */
export interface Concern {
  readonly id: string;
  /** Canonical user name, or the client address where nobody is known. */
  readonly subject: string;
  readonly subjectKind: 'person' | 'class' | 'device';
  /** Of the account; null where the subject is no one person, or a name that is nobody's. */
  readonly personId: string | null;
  /** Of its newest evidence. */
  readonly level: string;
  readonly theme: Theme;
  readonly severity: Severity;
  readonly state: ConcernState;
  readonly openedAt: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export type ConcernMove = 'acknowledge' | 'dismiss' | 'close';

/** Every legal move. What is decided stays decided: what comes later is a new concern, which shows the earlier ones. */
export const MOVES: Readonly<
  Record<ConcernMove, { readonly from: readonly ConcernState[]; readonly to: ConcernState }>
> = {
  acknowledge: { from: ['open'], to: 'acknowledged' },
  dismiss: { from: ['open', 'acknowledged'], to: 'not-a-concern' },
  close: { from: ['open', 'acknowledged'], to: 'closed' },
};

/** As people read them. */
export const STATES: Readonly<Record<ConcernState, string>> = {
  open: 'Open',
  acknowledged: 'Acknowledged',
  'not-a-concern': 'Not a concern',
  closed: 'Closed',
};

/** The concern after a legal move. Throws a SchoolgateError (`concern_move`) that says why it is none. */
export function applyMove(concern: Concern, move: ConcernMove): Concern {
  const { from, to } = MOVES[move];
  if (from.includes(concern.state)) return { ...concern, state: to };
  const text = `This concern is ${STATES[concern.state].toLowerCase()} already. Look at it again before you decide.`;
  throw new SchoolgateError('concern_move', 'client', text);
}

/** A rule that made a concern, as it was then. */
export interface ConcernFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly points: number;
  readonly text: string;
  /** Content hash of the policy it stood in. */
  readonly policy: string;
}

/** What was done about a concern. `by`: a person's id; null: the rules. */
export interface ConcernAct {
  readonly at: number;
  readonly act: 'opened' | 'raised' | 'again' | 'acknowledged' | 'not-a-concern' | 'closed';
  readonly by: string | null;
  readonly note: string;
}

/** An alert that is due: somebody must be told of a concern. */
export interface ConcernAlert {
  readonly id: string;
  readonly concernId: string;
  readonly at: number;
  /** It is new; it became worse; another visit or search came, and the rule alerts anew. */
  readonly why: 'opened' | 'raised' | 'again';
  readonly severity: Severity;
}

/** How often a rule made concerns, and how often these were dismissed: what to change in the rules. */
export interface RuleTuning {
  readonly rule: string;
  readonly theme: Theme;
  readonly severity: Severity;
  readonly concerns: number;
  readonly dismissed: number;
  /** Why, newest first. */
  readonly reasons: readonly string[];
}
