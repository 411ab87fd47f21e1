import type { Actor } from '../audit/entry.ts';
import { type InvalidFieldsError, SchoolgateError, wrongField } from '../kernel/errors.ts';
import type { ReadTx, Tx } from '../store/database.ts';
import {
  type ConcernFacts,
  deviceText,
  type Done,
  type IncidentsOptions,
  isSeen,
  keep,
  known,
  today,
} from './access-service.ts';
import {
  type Incident,
  type IncidentMove,
  type IncidentTerms,
  MOVES,
  type WholeIncident,
  applyMove,
  requireFrom,
  subjectsOf,
} from './model.ts';
import {
  deletePerson,
  findByForm,
  insertAction,
  insertIncident,
  insertPerson,
  markDone,
  storeSteps,
  updateIncident,
} from './repository.ts';
import { stepsFor } from './steps.ts';
import {
  type TypedAction,
  type TypedParents,
  type TypedPerson,
  type TypedTerms,
  readAction,
  readNote,
  readParents,
  readPerson,
  readStaff,
  readSteps,
  readTerms,
} from './terms.ts';
import { withoutAddresses } from './withhold.ts';

/**
 * What is done to incidents. Each throws `incident_unknown`, `incident_move` where its state does not allow it, and an
 * InvalidFieldsError with every field that is wrong; each is on record.
 */
export interface IncidentChanges {
  /** What an incident made of a concern starts from. Throws `concern_unknown`. */
  fromConcern(actor: Actor, concernId: string): ConcernFacts;
  /**
   * Records one, by hand or from a concern. The same form (`formKey`) records one. `staff`: whoever of the staff it is about, from the
   * first moment kept from them. Gives its id.
   */
  record(actor: Actor, typed: TypedTerms, concernId: string | null, formKey: string, staff?: string): string;
  /** Throws `incident_changed` when somebody else has changed it since `version`. */
  edit(actor: Actor, id: string, version: number, typed: TypedTerms): void;
  addPerson(actor: Actor, id: string, typed: TypedPerson): void;
  removePerson(actor: Actor, id: string, rowId: string): void;
  /** By step (`step-screen`): `done`, `not-needed`, or anything else for not yet. */
  noteSteps(actor: Actor, id: string, typed: Readonly<Record<string, unknown>>): void;
  addAction(actor: Actor, id: string, typed: TypedAction, formKey: string): void;
  finishAction(actor: Actor, id: string, actionId: string): void;
  noteParents(actor: Actor, id: string, typed: TypedParents): void;
  move(actor: Actor, id: string, move: IncidentMove, note: string): void;
  /** Stops the access of somebody whom it is about. `until` null: until it is lifted. */
  suspendPerson(actor: Actor, id: string, rowId: string, reason: string, until: number | null): void;
  /** The name of whoever reported it and would rather not be named, or their device. Why stands on the record. */
  showReporter(actor: Actor, id: string, reason: string): string;
}

export function createChanges(options: IncidentsOptions): IncidentChanges {
  const { record } = options;
  const open = (actor: Actor, id: string, change: (tx: Tx, incident: WholeIncident) => Done | null): void =>
    record.write((tx) => {
      const incident = known(options, tx, actor.personId, id);
      requireFrom(incident, ['open']);
      const done = change(tx, incident);
      if (done !== null) keep(options, tx, actor, incident, done);
    });
  return {
    fromConcern: (actor, concernId) => options.concernOf(actor, concernId),
    record: (actor, typed, concernId, formKey, staff = '') =>
      recordOne(options, actor, typed, { concernId, formKey, staff }),
    edit(actor, id, version, typed) {
      const terms = readTerms(typed, options.clock(), options.timeZone());
      open(actor, id, (tx, incident) => {
        if (incident.version !== version) throw changed();
        const after = { ...incident, ...terms, ...stillWithheld(incident, terms), version: version + 1 };
        updateIncident(tx, after);
        return { act: 'changed', note: differences(incident, after) };
      });
    },
    addPerson(actor, id, typed) {
      const person = { ...readPerson(typed, options.called), id: options.newId() };
      open(actor, id, (tx, incident) => {
        const people = [...incident.people, person];
        requireSomebody(options, tx, { ...incident, people });
        if (!insertPerson(tx, id, person))
          throw wrongField('person-name', `${person.name} is in this incident already.`);
        return { act: 'person-added', note: person.name };
      });
    },
    removePerson: (actor, id, rowId) =>
      open(actor, id, (tx, incident) => {
        const person = incident.people.find((one) => one.id === rowId);
        if (person === undefined) return null;
        deletePerson(tx, id, rowId);
        return { act: 'person-removed', note: person.name };
      }),
    noteSteps: (actor, id, typed) =>
      open(actor, id, (tx, { people }) => {
        storeSteps(tx, id, readSteps(typed, stepsFor(people)));
        return { act: 'steps-noted' };
      }),
    addAction: (actor, id, typed, formKey) =>
      open(actor, id, (tx) => {
        const action = { ...readAction(typed), id: options.newId(), doneAt: null, doneBy: null };
        return insertAction(tx, id, action, formKey) ? { act: 'action-added', note: action.what } : null;
      }),
    finishAction: (actor, id, actionId) =>
      open(actor, id, (tx, { actions }) => {
        const action = actions.find((one) => one.id === actionId);
        const isDone = action !== undefined && markDone(tx, id, actionId, options.clock(), actor.personId);
        return isDone ? { act: 'action-done', note: action.what } : null;
      }),
    noteParents(actor, id, typed) {
      const parents = readParents(typed, today(options));
      open(actor, id, (tx, incident) => {
        updateIncident(tx, { ...incident, parents });
        return { act: 'parents-noted', note: parents.note };
      });
    },
    move: (actor, id, move, text) => makeMove(options, actor, id, move, readNote(text)),
    suspendPerson: (actor, id, rowId, reason, until) => suspendOne(options, actor, id, rowId, reason, until),
    showReporter: (actor, id, reason) => showReporter(options, actor, id, readNote(reason)),
  };
}

function recordOne(
  options: IncidentsOptions,
  actor: Actor,
  typed: TypedTerms,
  { concernId, formKey, staff }: { concernId: string | null; formKey: string; staff: string },
): string {
  const { record, newId, clock } = options;
  const terms = readTerms(typed, clock(), options.timeZone());
  const concern = concernId === null ? null : options.concernOf(actor, concernId);
  const named = readStaff(staff, options.called);
  const aboutWhom = [concern?.person ?? null, named].filter((person) => person !== null);
  return record.write((tx) => {
    const before = findByForm(tx, formKey);
    if (before !== null) return before.id;
    const incident: Incident = {
      ...terms,
      id: newId(),
      state: 'open',
      source: concern === null ? 'hand' : 'concern',
      concernId,
      isAboutStaff: false,
      openedAt: clock(),
      openedBy: actor.personId,
      parents: null,
      outcome: '',
      version: 1,
    };
    const people = uniquePeople(aboutWhom).map((person) => Object.assign({}, person, { id: newId() }));
    const whole: WholeIncident = { ...incident, people, actions: [], steps: {}, reporter: null };
    requireSomebody(options, tx, whole);
    // Who hears of the head alone would otherwise write down what is about the head where the head reads it.
    if (named === null && !isSeen(options, tx, actor.personId, whole)) throw unsaid();
    insertIncident(tx, incident, formKey);
    for (const person of people) insertPerson(tx, incident.id, person);
    keep(options, tx, actor, whole, { act: 'opened' });
    return incident.id;
  });
}

/** Each once; somebody the concern is about may be named as well. */
function uniquePeople<P extends { readonly personId: string | null }>(people: readonly P[]): readonly P[] {
  return people.filter(
    ({ personId }, i) => personId === null || people.findIndex((one) => one.personId === personId) === i,
  );
}

function unsaid(): InvalidFieldsError {
  return wrongField(
    'staff',
    'Say which member of staff it is about: without, others than you would read it, and they may be who it is about.',
  );
}

function makeMove(options: IncidentsOptions, actor: Actor, id: string, move: IncidentMove, note: string): void {
  options.record.write((tx) => {
    const before = known(options, tx, actor.personId, id);
    const after = applyMove(before, move, note);
    updateIncident(tx, after);
    keep(options, tx, actor, after, { act: MOVES[move].act, note });
  });
}

/** The suspension is the directory's and a transaction of its own; one that is not noted here still stands on the record. */
function suspendOne(
  options: IncidentsOptions,
  actor: Actor,
  id: string,
  rowId: string,
  reason: string,
  until: number | null,
): void {
  const { record } = options;
  const { people, state } = record.read((tx) => known(options, tx, actor.personId, id));
  requireFrom({ state }, ['open']);
  const person = people.find((one) => one.id === rowId);
  const personId = person?.personId ?? null;
  if (person === undefined || personId === null) {
    throw wrongField('suspend-who', 'Choose somebody who has an account at the school.');
  }
  if (readNote(reason) === '') throw wrongField('suspend-reason', 'Say why; it stands on the record.');
  options.suspend(actor, personId, readNote(reason), until);
  record.write((tx) =>
    keep(options, tx, actor, known(options, tx, actor.personId, id), { act: 'suspended', note: person.name }),
  );
}

function showReporter(options: IncidentsOptions, actor: Actor, id: string, reason: string): string {
  if (reason === '') throw wrongField('reporter-reason', 'Say why you need the name; it stands on the record.');
  return options.record.write((tx) => {
    const incident = known(options, tx, actor.personId, id);
    const { reporter } = incident;
    if (reporter === null) throw wrongField('reporter-reason', 'Nobody reported it at the front desk.');
    keep(options, tx, actor, incident, { act: 'reporter-shown', note: reason });
    if (reporter.personId === null) return deviceText(reporter);
    return options.fullNameOf(tx, reporter.personId) ?? reporter.personId;
  });
}

/** An incident that nobody may see is one that nobody sees to. */
function requireSomebody({ readersAt }: IncidentsOptions, tx: ReadTx, incident: WholeIncident): void {
  if (readersAt(tx)(subjectsOf(incident)).length > 0) return;
  const text =
    'Nobody with an account may see an incident about these people. Have the account of the chair of governors made first, under Accounts.';
  throw new SchoolgateError('incident_nobody', 'client', text);
}

/** What the form did not show was not changed by sending the form: addresses of what is illegal. */
function stillWithheld({ illegal, what, place, site }: Incident, after: IncidentTerms): Partial<IncidentTerms> {
  if (illegal !== 'yes') return {};
  return {
    ...(after.what === withoutAddresses(what) && { what }),
    ...(after.place === withoutAddresses(place) && { place }),
    ...(after.site === null && { site }),
  };
}

/** Which of the terms were changed. */
function differences(before: Incident, after: Incident): string {
  const names = {
    theme: 'theme',
    what: 'what',
    happenedAt: 'when',
    place: 'where',
    site: 'page',
    illegal: 'illegal or not',
  };
  const changed = (Object.keys(names) as (keyof typeof names)[]).filter((key) => before[key] !== after[key]);
  return changed.map((key) => names[key]).join(', ');
}

function changed(): SchoolgateError {
  const text = 'Somebody else has changed this incident meanwhile. Look at it again, then make your change.';
  return new SchoolgateError('incident_changed', 'client', text);
}
