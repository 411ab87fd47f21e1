import { type FieldProblem, InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import { THEMES, type Theme } from '../policy/safeguarding-rules.ts';
import { type StepState, stepsFor } from './steps.ts';

/** `reported`: nobody has looked at what a pupil or teacher has sent. `dismissed`: it was looked at and is none. */
export type IncidentState = 'reported' | 'open' | 'closed' | 'dismissed';

/** What it is about: as concerns are, or something else. */
export type IncidentTheme = Theme | 'other';
export const INCIDENT_THEMES: Readonly<Record<IncidentTheme, string>> = { ...THEMES, other: 'Something else' };

export type Illegal = 'unknown' | 'yes' | 'no';

/** What happened, as it is written down. Instants in ms since the epoch. */
export interface IncidentTerms {
  readonly theme: IncidentTheme;
  readonly what: string;
  /** Null: not known. */
  readonly happenedAt: number | null;
  /** Room, lesson, on the bus; empty: not known. */
  readonly place: string;
  /** Canonical address of the page, or its host; null: none. Never shown once it is called illegal. */
  readonly site: string | null;
  readonly illegal: Illegal;
}

export interface Incident extends IncidentTerms {
  readonly id: string;
  readonly state: IncidentState;
  readonly source: 'concern' | 'hand' | 'report';
  readonly concernId: string | null;
  /** Its report says that it is about somebody who works here. */
  readonly isAboutStaff: boolean;
  readonly openedAt: number;
  /** A person's id; null: it came from the front desk. */
  readonly openedBy: string | null;
  readonly parents: Parents | null;
  /** Empty until it is closed; kept when it is opened again. */
  readonly outcome: string;
  /** Counts changes of the terms, so that nobody overwrites what they have not seen. */
  readonly version: number;
}

/** Whether parents know, and what is to be said of that. */
export interface Parents {
  readonly informed: boolean;
  /** ISO 8601 date of the day they were told; null where they were not. */
  readonly on: string | null;
  /** Who told whom and how; or why nobody did. */
  readonly note: string;
}

export const PERSON_KINDS = {
  pupil: 'Pupil',
  staff: 'Member of staff',
  parent: 'Parent',
  other: 'Somebody else',
} as const;
export type PersonKind = keyof typeof PERSON_KINDS;
export const PARTS = { victim: 'Victim', instigator: 'Instigator', involved: 'Involved' } as const;
export type Part = keyof typeof PARTS;

/** Somebody whom it is about. */
export interface IncidentPerson {
  readonly id: string;
  /** Of the directory or an account; null: the school has none of them. */
  readonly personId: string | null;
  readonly name: string;
  readonly kind: PersonKind;
  readonly part: Part;
}

/** Something that somebody is to do. */
export interface IncidentAction {
  readonly id: string;
  readonly what: string;
  readonly owner: string;
  /** ISO 8601 date. */
  readonly dueOn: string;
  readonly doneAt: number | null;
  /** A person's id. */
  readonly doneBy: string | null;
}

/** Who reported it at the front desk. */
export interface Reporter {
  /** Null: nobody, or an account that names nobody, was signed in. */
  readonly personId: string | null;
  readonly address: string;
  /** They would rather not be named. Whoever needs to know says why, on record. */
  readonly isUnnamed: boolean;
}

export const ACTS = {
  reported: 'Reported at the front desk',
  opened: 'Recorded',
  'taken-on': 'Taken on',
  dismissed: 'Called no incident',
  closed: 'Closed',
  reopened: 'Opened again',
  changed: 'Changed',
  'person-added': 'Person added',
  'person-removed': 'Person taken off',
  'steps-noted': 'Steps noted',
  'action-added': 'Action agreed',
  'action-done': 'Action done',
  'parents-noted': 'Parents: noted',
  suspended: 'Access suspended',
  'reporter-shown': 'Name of whoever reported it shown',
} as const;

/** What was done about it. `by`: a person's id; null: the front desk. */
export interface IncidentAct {
  readonly at: number;
  readonly act: keyof typeof ACTS;
  readonly by: string | null;
  readonly note: string;
}

/** All that is known of one. */
export interface WholeIncident extends Incident {
  readonly people: readonly IncidentPerson[];
  readonly actions: readonly IncidentAction[];
  /** By step; left out: not done yet. */
  readonly steps: Readonly<Record<string, StepState>>;
  readonly reporter: Reporter | null;
}

export type IncidentMove = 'take-on' | 'dismiss' | 'close' | 'reopen';

/** Every legal move. */
export const MOVES: Readonly<
  Record<
    IncidentMove,
    { readonly from: readonly IncidentState[]; readonly to: IncidentState; readonly act: keyof typeof ACTS }
  >
> = {
  'take-on': { from: ['reported'], to: 'open', act: 'taken-on' },
  dismiss: { from: ['reported'], to: 'dismissed', act: 'dismissed' },
  close: { from: ['open'], to: 'closed', act: 'closed' },
  reopen: { from: ['closed', 'dismissed'], to: 'open', act: 'reopened' },
};

export const STATES: Readonly<Record<IncidentState, string>> = {
  reported: 'Reported',
  open: 'Open',
  closed: 'Closed',
  dismissed: 'Not an incident',
};

const NOTES: Readonly<Record<IncidentMove, string | null>> = {
  'take-on': null,
  dismiss: 'Say why it is no incident.',
  close: 'Say what came of it.',
  reopen: 'Say why it is opened again.',
};

/** What is still to be done or said before it can be closed. */
export function missingToClose({ illegal, steps, actions, parents, people }: WholeIncident): readonly string[] {
  const open = actions.filter(({ doneAt }) => doneAt === null).length;
  const left = illegal === 'yes' ? stepsFor(people).filter(({ id }) => steps[id] === undefined).length : 0;
  return [
    ...(illegal === 'unknown' ? ['Say whether it is illegal.'] : []),
    ...(left > 0 ? [`Note for each of the steps whether it is done or does not apply; ${left} are left.`] : []),
    ...(open > 0 ? [`Finish the actions; ${open} ${open === 1 ? 'is' : 'are'} open.`] : []),
    ...(parents === null ? ['Say whether parents were informed, or why not.'] : []),
  ];
}

/**
 * The incident after a legal move. Throws a SchoolgateError (`incident_move`) that says why it is none, and an InvalidFieldsError where
 * something has to be said or done first.
 */
export function applyMove(incident: WholeIncident, move: IncidentMove, note: string): WholeIncident {
  requireFrom(incident, MOVES[move].from);
  const problems: FieldProblem[] = [];
  if (note === '' && NOTES[move] !== null) problems.push({ field: `${move}-note`, reason: NOTES[move] });
  if (move === 'close') {
    problems.push(...missingToClose(incident).map((reason) => ({ field: 'close-note', reason })));
  }
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return { ...incident, state: MOVES[move].to, ...(move === 'close' && { outcome: note }) };
}

/** Throws `incident_move` unless it is in one of these states. */
export function requireFrom({ state }: Pick<Incident, 'state'>, from: readonly IncidentState[]): void {
  if (from.includes(state)) return;
  const text = `This incident stands as “${STATES[state].toLowerCase()}”, so that cannot be done. Look at it again.`;
  throw new SchoolgateError('incident_move', 'client', text);
}

/** Whom it is about, for who may see it: staff where somebody of them is said to have done it, or nobody knows yet who. */
export function subjectsOf({ isAboutStaff, people }: Pick<WholeIncident, 'isAboutStaff' | 'people'>): {
  readonly personIds: readonly string[];
  readonly isStaff: boolean;
} {
  return {
    personIds: people.flatMap(({ personId }) => personId ?? []),
    isStaff: isAboutStaff || people.some(({ kind, part }) => kind === 'staff' && part !== 'victim'),
  };
}

/** Actions that are not done and whose day is over. `today`: ISO 8601 date of the school. */
export function overdue({ state, actions }: Pick<WholeIncident, 'state' | 'actions'>, today: string): number {
  return state === 'open' ? actions.filter(({ doneAt, dueOn }) => doneAt === null && dueOn < today).length : 0;
}
