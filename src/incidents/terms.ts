import { type FieldProblem, InvalidFieldsError, wrongField } from '../kernel/errors.ts';
import { instantOf, isDate } from '../kernel/local-time.ts';
import { parseUrl } from '../kernel/url.ts';
import {
  type Illegal,
  INCIDENT_THEMES,
  type IncidentPerson,
  type IncidentTerms,
  type IncidentTheme,
  PARTS,
  type Parents,
  type Part,
  PERSON_KINDS,
  type PersonKind,
} from './model.ts';
import { type Step, STEP_STATES, type StepState } from './steps.ts';

// What forms bring, as it was typed, and what is read of it. Each reader throws an InvalidFieldsError with every field that is wrong.

const MOST_TEXT = 4000;
const MOST_LINE = 300;

export interface TypedTerms {
  readonly theme: string;
  readonly what: string;
  /** `YYYY-MM-DDTHH:MM` on the school's clock; empty: not known. */
  readonly happened: string;
  readonly place: string;
  readonly site: string;
  readonly illegal: string;
}

/** `now` in ms since the epoch; `zone` of the school's clock. */
export function readTerms(typed: TypedTerms, now: number, zone: string): IncidentTerms {
  const to = new Problems();
  const happenedAt = typed.happened.trim() === '' ? null : instantOf(typed.happened.trim(), zone);
  if (happenedAt === null && typed.happened.trim() !== '')
    to.say('happened', 'Give a day and a time, or leave it empty.');
  if (happenedAt !== null && happenedAt > now) to.say('happened', 'This time is still to come. Give when it happened.');
  const theme = to.choice('theme', typed.theme, INCIDENT_THEMES, 'Choose what it is about.');
  const illegal = to.choice('illegal', typed.illegal, { unknown: '', yes: '', no: '' }, 'Say whether it is illegal.');
  const what = to.text('what', typed.what, 'Say what happened.', MOST_TEXT);
  const place = to.text('place', typed.place, null, MOST_LINE);
  const site = readAddress(to, typed.site);
  to.throwAny();
  return { theme: theme as IncidentTheme, illegal: illegal as Illegal, what, happenedAt, place, site };
}

/** The canonical address of a page; where only its host was given, that. */
function readAddress(to: Problems, typed: string): string | null {
  const text = typed.trim();
  if (text === '') return null;
  const url = parseUrl(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
  if (text.length > 2000 || typeof url === 'string') {
    to.say(
      'site',
      'This is no address of a page. Write it as in the browser, such as www.example.org, or leave it empty.',
    );
    return null;
  }
  return url.path === '/' ? url.host.name : url.text;
}

/** What a pupil or teacher sends from the front desk. */
export interface TypedReport {
  readonly site: string;
  readonly what: string;
  /** `pupils`, `staff` or `headteacher`: whom it is about decides who reads it. */
  readonly about: string;
  readonly isUnnamed: boolean;
}

export const ABOUT = {
  pupils: 'No, it is about a page, pupils or somebody outside school',
  staff: 'Yes, about a grown-up who works here',
  headteacher: 'Yes, about the headteacher',
} as const;
export type About = keyof typeof ABOUT;

export function readReport(typed: TypedReport): Pick<IncidentTerms, 'what' | 'site'> & { readonly about: About } {
  const to = new Problems();
  const about = to.choice('about', typed.about, ABOUT, 'Choose one, so that the right person reads it.');
  const what = to.text('what', typed.what, 'Say what you saw or what happened. A few words are enough.', MOST_TEXT);
  const site = readAddress(to, typed.site);
  to.throwAny();
  return { what, site, about: about as About };
}

export interface TypedPerson {
  readonly name: string;
  readonly kind: string;
  readonly part: string;
}

/** Somebody of the school, as they are known by name. */
export interface KnownPerson {
  readonly personId: string;
  /** Canonical user name. */
  readonly user: string;
  readonly fullName: string;
  readonly kind: 'pupil' | 'staff' | 'other';
}

/** `called`: those of the school whom a name means. Pupils and staff must be of the school: only so can they be kept from seeing it. */
export function readPerson(
  typed: TypedPerson,
  called: (name: string) => readonly KnownPerson[],
): Omit<IncidentPerson, 'id'> {
  const to = new Problems();
  const kind = to.choice('person-kind', typed.kind, PERSON_KINDS, 'Choose who it is.') as PersonKind;
  const part = to.choice('person-part', typed.part, PARTS, 'Choose which part they have in it.') as Part;
  const name = to.text('person-name', typed.name, 'Give a name.', MOST_LINE);
  to.throwAny();
  const isOfSchool = kind === 'pupil' || kind === 'staff';
  // A parent may be called as a pupil is; somebody of the staff who comes in as a parent is still who they are.
  const found = called(name).filter((one) => isOfSchool || one.kind !== 'pupil');
  if (found.length > 1) {
    const users = found.map(({ user }) => user).join(', ');
    throw wrongField('person-name', `Several people are called “${name}”. Give the user name: ${users}.`);
  }
  const known = found[0];
  if (isOfSchool && known?.kind !== kind) {
    const text = `The school has no ${PERSON_KINDS[kind].toLowerCase()} called “${name}”. Give the full name or user name, or choose “Somebody else”.`;
    throw wrongField('person-name', text);
  }
  return { personId: known?.personId ?? null, name: known?.fullName ?? name, kind, part };
}

/** Somebody of the staff who is named when an incident is recorded; `typed` empty: nobody. */
export function readStaff(
  typed: string,
  called: (name: string) => readonly KnownPerson[],
): Omit<IncidentPerson, 'id'> | null {
  if (typed.trim() === '') return null;
  try {
    return readPerson({ name: typed, kind: 'staff', part: 'involved' }, called);
  } catch (error) {
    if (!(error instanceof InvalidFieldsError)) throw error;
    throw new InvalidFieldsError(error.fields.map(({ reason }) => ({ field: 'staff', reason })));
  }
}

export interface TypedAction {
  readonly what: string;
  readonly owner: string;
  readonly due: string;
}

export function readAction(typed: TypedAction): { what: string; owner: string; dueOn: string } {
  const to = new Problems();
  const what = to.text('action-what', typed.what, 'Say what is to be done.', MOST_LINE);
  const owner = to.text('action-owner', typed.owner, 'Say who does it.', MOST_LINE);
  const dueOn = typed.due.trim();
  if (!isDate(dueOn)) to.say('action-due', 'Give the day by which it is done.');
  to.throwAny();
  return { what, owner, dueOn };
}

export interface TypedParents {
  readonly informed: string;
  readonly on: string;
  readonly note: string;
}

/** `today`: ISO 8601 date of the school. */
export function readParents({ informed, on, note: typed }: TypedParents, today: string): Parents {
  const to = new Problems();
  const choice = to.choice('parents-informed', informed, { yes: '', no: '' }, 'Say whether they were informed.');
  const day = on.trim();
  const isYes = choice === 'yes';
  if (isYes && (!isDate(day) || day > today)) to.say('parents-on', 'Give the day on which they were told.');
  const note = to.text('parents-note', typed, isYes ? 'Say who told whom, and how.' : 'Say why not.', MOST_LINE);
  to.throwAny();
  return { informed: isYes, on: isYes ? day : null, note };
}

/** Of the steps that there are, those that are noted. */
export function readSteps(
  typed: Readonly<Record<string, unknown>>,
  steps: readonly Step[],
): Readonly<Record<string, StepState>> {
  const noted = steps.flatMap(({ id }): [string, StepState][] => {
    const state = typed[`step-${id}`];
    return isStepState(state) ? [[id, state]] : [];
  });
  return Object.fromEntries(noted);
}

function isStepState(value: unknown): value is StepState {
  return typeof value === 'string' && Object.hasOwn(STEP_STATES, value);
}

/** A note beside an act, on one line. */
export function readNote(typed: string): string {
  return plainText(typed).slice(0, MOST_TEXT);
}

/** Lines stay; other controls do not. */
function plainText(typed: string): string {
  return typed
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\P{Cc}\n]+/gu, ' ')
    .trim();
}

/** What is wrong with a form, found field by field. */
class Problems {
  readonly #found: FieldProblem[] = [];

  say(field: string, reason: string): void {
    this.#found.push({ field, reason });
  }

  /** `missing` null: it may be left empty. */
  text(field: string, typed: string, missing: string | null, most: number): string {
    const text = plainText(typed);
    if (text === '' && missing !== null) this.say(field, missing);
    if (text.length > most) this.say(field, `Say it in at most ${most} characters; this has ${text.length}.`);
    return text;
  }

  choice(field: string, typed: string, options: Readonly<Record<string, unknown>>, missing: string): string {
    if (!Object.hasOwn(options, typed)) this.say(field, missing);
    return typed;
  }

  throwAny(): void {
    if (this.#found.length > 0) throw new InvalidFieldsError(this.#found);
  }
}
