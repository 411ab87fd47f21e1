// concern_alerts ── in order, once each ──► whom it is about ──► alerts
import type { AlertDue } from '../alerts/model.ts';
import { type Alerts, alertsOf, toldTo } from '../alerts/service.ts';
import type { Person } from '../identity/accounts.ts';
import { isSubject, maySee, type Subjects } from '../identity/conflict-of-interest.ts';
import { findListed, groupsOf } from '../identity/directory/service.ts';
import { findFullName, findPersonId, staffPeople } from '../identity/service.ts';
import { illegalHits } from '../safeguarding/service.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Concern } from '../safeguarding/concerns/model.ts';
import {
  alertsToTake,
  concernsOfPeople,
  findConcern,
  markAlertTaken,
  peopleOfConcern,
} from '../safeguarding/concerns/service.ts';
import type { ReadTx, RecordDatabase } from '../store/database.ts';

/** Taken in one transaction; more wait for the next. */
const AT_ONCE = 200;

/**
 * Tells of every concern that became due and was not taken yet. What a killed console left is taken by the next: a
 * concern's alert is on record with it, and becomes an alert of the same id.
 */
export function takeDueAlerts(record: RecordDatabase, alerts: Alerts, clock: Clock): void {
  // Nearly every batch of events makes none: looking costs no write.
  if (record.read((tx) => alertsToTake(tx, 1)).length === 0) return;
  record.write((tx) => {
    const subjectsOf = subjectsAt(tx, clock());
    for (const { id, concernId, at, why, severity } of alertsToTake(tx, AT_ONCE)) {
      const concern = findConcern(tx, concernId)!;
      alerts.due(tx, {
        id,
        about: `concern:${concernId}`,
        at,
        why,
        severity,
        ...aboutOf(tx, concern),
        subjects: subjectsOf(concern),
      });
      markAlertTaken(tx, id);
    }
  });
}

function aboutOf(
  tx: ReadTx,
  { theme, level, subject, subjectKind, personId }: Concern,
): Pick<AlertDue, 'theme' | 'subjectName' | 'level' | 'groups'> {
  return {
    theme,
    level,
    subjectName: (personId === null ? null : findFullName(tx, personId)) ?? subject,
    groups: subjectKind === 'device' ? [] : groupsOf(tx, subject),
  };
}

/** Whom a concern is about, as accounts are at an instant. Ask for it once for many concerns: it reads everybody with an account. */
export function subjectsAt(tx: ReadTx, now: number): (concern: Pick<Concern, 'personId'>) => Subjects {
  const about = aboutPeople(tx, staffPeople(tx, now));
  return ({ personId }) => about(personId);
}

/** Whoever has a role here works for the school, as does whoever a roster names and not as a pupil. */
function aboutPeople(tx: ReadTx, people: readonly Person[]): (personId: string | null) => Subjects {
  const appointed = new Set(people.filter(({ roles }) => roles.length > 0).map(({ id }) => id));
  // Asked for every concern of a list.
  const known = new Map<string, Subjects>();
  return (personId) => {
    if (personId === null) return { personIds: [], isStaff: false };
    const before = known.get(personId);
    if (before !== undefined) return before;
    const listed = findListed(tx, personId)?.roles ?? [];
    const isStaff = appointed.has(personId) || (listed.length > 0 && !listed.includes('pupil'));
    const subjects = { personIds: [personId], isStaff };
    known.set(personId, subjects);
    return subjects;
  };
}

/** Which concerns somebody may see, whatever their roles. */
export function mayBeSeenBy(tx: ReadTx, personId: string, now: number): (concern: Concern) => boolean {
  const people = staffPeople(tx, now);
  const person = people.find(({ id }) => id === personId);
  if (person === undefined) return () => false;
  const about = aboutPeople(tx, people);
  const told = toldTo(tx, personId).abouts;
  return ({ id, personId: subject }) => maySee(about(subject), person, people, told.has(`concern:${id}`));
}

/**
 * What of concerns somebody is not to come across in the record of acts, as its subjects (`concern:01J…`, `alert:01J…`): whatever is
 * about themselves, and what is about others of the staff and not theirs to see.
 */
export function hiddenConcerns(tx: ReadTx, personId: string, now: number): string[] {
  const about = aboutPeople(tx, staffPeople(tx, now));
  const guarded = peopleOfConcern(tx).filter((id) => id === personId || about(id).isStaff);
  const isVisible = mayBeSeenBy(tx, personId, now);
  const hidden = concernsOfPeople(tx, guarded).filter((concern) => !isVisible(concern));
  const abouts = hidden.map(({ id }) => `concern:${id}` as const);
  return [...abouts, ...alertsOf(tx, abouts)];
}

/**
 * Which hits of listed illegal material somebody may see, of those whose roles let them see any: never their own, and those of the staff as
 * whoever is the first to hear.
 */
export function hitsSeenBy(
  tx: ReadTx,
  personId: string,
  now: number,
): (hit: { readonly user: string | null }) => boolean {
  const people = staffPeople(tx, now);
  const person = people.find(({ id }) => id === personId);
  if (person === undefined) return () => false;
  const about = aboutPeople(tx, people);
  return ({ user }) => {
    const subjects = about(user === null ? null : findPersonId(tx, user));
    return !isSubject(subjects, personId) && (!subjects.isStaff || maySee(subjects, person, people));
  };
}

/** Hits that somebody is not to come across in the record of acts, as its subjects (`hit:01J…`). */
export function hiddenHits(tx: ReadTx, personId: string, now: number): string[] {
  const isSeen = hitsSeenBy(tx, personId, now);
  return illegalHits(tx, MOST_HITS).flatMap((hit) => (isSeen(hit) ? [] : [`hit:${hit.id}`]));
}

const MOST_HITS = 10_000;
