// front desk ── report ──┐
// concern, by hand ──────┴──► incidents ── of a report: alert ──► whoever hears first
import type { AlertDue } from '../alerts/model.ts';
import type { Alerts } from '../alerts/service.ts';
import type { Audit } from '../audit/service.ts';
import type { Person } from '../identity/accounts.ts';
import { maySee, type Subjects } from '../identity/conflict-of-interest.ts';
import { fullName } from '../identity/directory/model.ts';
import type { Directory } from '../identity/directory/service.ts';
import { peopleCalled } from '../identity/people-called.ts';
import { type Accounts, findFullName, staffPeople } from '../identity/service.ts';
import { canonicalUser } from '../identity/user-name.ts';
import { type WholeIncident, subjectsOf } from '../incidents/model.ts';
import type { ConcernFacts, IncidentsOptions } from '../incidents/access-service.ts';
import { type IncidentReports, createReports } from '../incidents/report-service.ts';
import { type Incidents, createIncidents } from '../incidents/service.ts';
import type { KnownPerson } from '../incidents/terms.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { THEMES } from '../policy/safeguarding-rules.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { ConcernDetail, Concerns } from '../safeguarding/concerns/service.ts';
import type { ReadTx, RecordDatabase } from '../store/database.ts';
import { subjectsAt } from './concern-alerts.ts';

export interface ConsoleIncidents {
  readonly incidents: Incidents;
  readonly incidentReports: IncidentReports;
}

export interface ConsoleIncidentsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly policy: () => PolicySnapshot | null;
  readonly defaultZone: string;
  readonly directory: Directory;
  readonly accounts: Accounts;
  readonly concerns: Concerns;
  readonly alerts: Alerts;
}

/** Incidents, with what they must know of people, concerns and whom to tell. */
export function createConsoleIncidents(options: ConsoleIncidentsOptions): ConsoleIncidents {
  const { record, audit, clock, newId, policy, defaultZone, directory, accounts, concerns, alerts } = options;
  const room: IncidentsOptions = {
    record,
    audit,
    clock,
    newId,
    timeZone: () => policy()?.timeZone ?? defaultZone,
    readersAt: (tx) => incidentReaders(tx, clock()),
    fullNameOf: findFullName,
    called: (name) => peopleCalled(name, knownPeople(directory, accounts)),
    concernOf: (actor, id) => factsOf(concerns.one(actor, id), record, clock),
    onActed: (tx, id, personId) => alerts.noticeAbout(tx, `incident:${id}`, personId),
    suspend: (actor, id, reason, until) => directory.suspend(actor, { id }, { reason, until }),
  };
  return {
    incidents: createIncidents(room),
    incidentReports: createReports({
      ...room,
      headteachers: () =>
        accounts
          .people()
          .filter(({ roles }) => roles.includes('headteacher'))
          .map(({ id, fullName }) => ({ personId: id, fullName })),
      onReport: (tx, incident) => alerts.due(tx, dueOf(incident, newId())),
    }),
  };
}

/** Who may see which incident, by id, as accounts are at an instant. */
export function incidentReaders(tx: ReadTx, now: number): ReturnType<IncidentsOptions['readersAt']> {
  const people = staffPeople(tx, now);
  return (subjects) => readersOf(subjects, people).map(({ id }) => id);
}

/** Who may see what is about these people. Where it is about all who would by day, whoever is over them. */
function readersOf(subjects: Subjects, people: readonly Person[]): readonly Person[] {
  const readers = people.filter((person) => maySee(subjects, person, people));
  if (readers.length > 0 || subjects.isStaff) return readers;
  return people.filter((person) => maySee({ ...subjects, isStaff: true }, person, people));
}

/** A child may have asked for help: as urgent as a danger. */
function dueOf(incident: WholeIncident, id: string): AlertDue {
  return {
    id,
    about: `incident:${incident.id}`,
    theme: null,
    severity: 'danger',
    why: 'reported',
    at: incident.openedAt,
    subjects: subjectsOf(incident),
    subjectName: 'Reported at the front desk',
    level: null,
    groups: [],
  };
}

/** Everybody of the school and everybody with an account, each once. */
function knownPeople(directory: Directory, accounts: Accounts): readonly KnownPerson[] {
  const staff = new Set(accounts.people().flatMap(({ id, roles }) => (roles.length > 0 ? [id] : [])));
  const members = directory.members().filter(({ kind }) => kind !== 'class');
  const inRoster = new Set(members.map(({ id }) => id));
  const isStaff = (id: string, roles: readonly string[]): boolean =>
    staff.has(id) || roles.includes('teacher') || roles.includes('staff');
  return [
    ...members.map((person): KnownPerson => {
      const { id, userName, roles } = person;
      const kind = isStaff(id, roles) ? 'staff' : roles.includes('pupil') ? 'pupil' : 'other';
      return { personId: id, user: canonicalUser(userName) ?? userName, fullName: fullName(person), kind };
    }),
    ...accounts
      .people()
      .filter(({ id }) => staff.has(id) && !inRoster.has(id))
      .map(({ id, userName, fullName: name }): KnownPerson => ({
        personId: id,
        user: canonicalUser(userName) ?? userName,
        fullName: name,
        kind: 'staff',
      })),
  ];
}

function factsOf({ concern, findings, evidence }: ConcernDetail, record: RecordDatabase, clock: Clock): ConcernFacts {
  const { theme, firstAt, personId, name } = concern;
  const rules = findings.map(({ rule }) => rule.split('.rules.').at(-1)).join(', ');
  const isStaff = record.read((tx) => subjectsAt(tx, clock())({ personId }).isStaff);
  return {
    theme,
    firstAt,
    summary: `Made from a concern: ${THEMES[theme].toLowerCase()}, ${evidence.length} ${evidence.length === 1 ? 'sighting' : 'sightings'} (${rules}).`,
    person: personId === null ? null : { personId, name, kind: isStaff ? 'staff' : 'pupil', part: 'involved' },
  };
}
