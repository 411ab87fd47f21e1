import type { Actor, AuditAction } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { localTime } from '../kernel/local-time.ts';
import type { Theme } from '../policy/safeguarding-rules.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import {
  type Incident,
  type IncidentAct,
  type IncidentPerson,
  type Reporter,
  type WholeIncident,
  subjectsOf,
} from './model.ts';
import { findIncident, guardedIncidents, insertAct, newestIncidents } from './repository.ts';
import type { KnownPerson } from './terms.ts';

// Who may see which incident, and how every act is put on record: what all use cases of this room share.

/** A concern that an incident may be made of. */
export interface ConcernFacts {
  readonly theme: Theme;
  readonly firstAt: number;
  readonly summary: string;
  /** Null: it is about a device. */
  readonly person: Omit<IncidentPerson, 'id'> | null;
}

export interface IncidentsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly timeZone: () => string;
  /** Who may see what is about some people, by id, whatever their roles: asked of everybody with an account as they are now. */
  readonly readersAt: (tx: ReadTx) => (subjects: Subjects) => readonly string[];
  readonly fullNameOf: (tx: ReadTx, personId: string) => string | null;
  /** Those of the school whom a typed name means. */
  readonly called: (name: string) => readonly KnownPerson[];
  /** Throws `concern_unknown` for one that the actor may not see. */
  readonly concernOf: (actor: Actor, concernId: string) => ConcernFacts;
  /** In the transaction in which somebody does something about an incident. */
  readonly onActed: (tx: Tx, incidentId: string, personId: string) => void;
  readonly suspend: (actor: Actor, personId: string, reason: string, until: number | null) => void;
}

export type Subjects = ReturnType<typeof subjectsOf>;

const MOST = 2000;

/** ISO 8601 date of today at the school. Asked before a transaction, because the policy that says the zone is read in one. */
export function today({ clock, timeZone }: Pick<IncidentsOptions, 'clock' | 'timeZone'>): string {
  return localTime(clock(), timeZone()).date;
}

/** Throws `incident_unknown`, also for one that this person may not see. */
export function known(options: IncidentsOptions, tx: ReadTx, personId: string, id: string): WholeIncident {
  const incident = findIncident(tx, id);
  if (incident !== null && isSeen(options, tx, personId, incident)) return incident;
  throw new SchoolgateError('incident_unknown', 'client', 'There is no such incident.');
}

/** Whom an incident is about; null: there is none of this id. */
export function incidentSubjects(tx: ReadTx, id: string): Subjects | null {
  const incident = findIncident(tx, id);
  return incident === null ? null : subjectsOf(incident);
}

export function isSeen(
  { readersAt }: IncidentsOptions,
  tx: ReadTx,
  personId: string,
  incident: WholeIncident,
): boolean {
  return readersAt(tx)(subjectsOf(incident)).includes(personId);
}

/** Of these, those that this person may see; left out: of all, newest first. */
export function seen(
  { readersAt }: IncidentsOptions,
  tx: ReadTx,
  personId: string,
  incidents: readonly WholeIncident[] = newestIncidents(tx, MOST),
): WholeIncident[] {
  const readersOf = readersAt(tx);
  return incidents.filter((one) => readersOf(subjectsOf(one)).includes(personId));
}

/** Subjects of the record of acts that are not for this person: incidents that they may not see. */
export function hiddenIncidents(
  tx: ReadTx,
  personId: string,
  readersAt: IncidentsOptions['readersAt'],
): readonly `incident:${string}`[] {
  const readersOf = readersAt(tx);
  return guardedIncidents(tx, personId)
    .filter((one) => !readersOf(subjectsOf(one)).includes(personId))
    .map(({ id }) => `incident:${id}` as const);
}

/** Whom there is to ask where nobody was signed in. */
export function deviceText({ address }: Reporter): string {
  return `Nobody was signed in; the device was ${address}`;
}

const AUDITED: Readonly<Partial<Record<IncidentAct['act'], AuditAction>>> = {
  reported: 'incident.reported',
  opened: 'incident.recorded',
  'taken-on': 'incident.taken-on',
  dismissed: 'incident.dismissed',
  closed: 'incident.closed',
  reopened: 'incident.reopened',
  'reporter-shown': 'incident.reporter-shown',
};

/** What was done, in a word or a name. */
export interface Done {
  readonly act: IncidentAct['act'];
  readonly note?: string;
}

/** Names and words stand in the incident alone; the record of acts says what kind of thing was done. `actor` null: the front desk. */
export function keep(
  { audit, newId, clock, onActed }: IncidentsOptions,
  tx: Tx,
  actor: Actor | null,
  { id, state }: Incident,
  { act, note = '' }: Done,
): void {
  insertAct(tx, newId(), id, { at: clock(), act, by: actor?.personId ?? null, note });
  audit.append(tx, {
    actor: actor?.userName ?? 'console',
    action: AUDITED[act] ?? 'incident.changed',
    subject: `incident:${id}`,
    after: { act, state },
    reason: act === 'reporter-shown' ? note : null,
    address: actor?.address ?? null,
  });
  if (actor !== null) onActed(tx, id, actor.personId);
}
