import { mayBeSeenBy } from './concern-alerts.ts';
import type { Alerts } from '../alerts/service.ts';
import type { Audit } from '../audit/service.ts';
import { groupsOf } from '../identity/directory/service.ts';
import { findFullName, findPersonId } from '../identity/service.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { addressRanges } from '../kernel/ip.ts';
import { lessonsStandingAt } from '../lessons/service.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { type Concerns, createConcerns } from '../safeguarding/concerns/service.ts';
import type { Topic } from '../safeguarding/concerns/sighting.ts';
import { type ConcernWatch, type WatchOptions, createConcernWatch } from '../safeguarding/concerns/watch-service.ts';
import type { ReadTx, RecordDatabase } from '../store/database.ts';
import { grantsAt } from '../unblock/service.ts';

export interface ConsoleConcernsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly policy: () => PolicySnapshot | null;
  readonly alerts: Pick<Alerts, 'noticeAbout'>;
}

/** What makes concerns of events, with what it must know of lessons, unblocks and people. */
export function createConsoleWatch({
  audit,
  newId,
  policy,
}: Pick<ConsoleConcernsOptions, 'audit' | 'newId' | 'policy'>): ConcernWatch {
  return createConcernWatch({
    audit,
    newId,
    rulesInForce() {
      const inForce = policy();
      if (inForce?.safeguarding === undefined) return null;
      return { rules: inForce.safeguarding, policy: inForce.hash, zone: inForce.timeZone };
    },
    personOf: findPersonId,
    topicsFor: (tx, who, at) => topicsFor(tx, who, at, policy()),
  });
}

/** What staff see of concerns, and do about them. Nobody sees one about themselves. */
export function createConsoleConcerns(options: ConsoleConcernsOptions): Concerns {
  return createConcerns({
    ...options,
    visibleTo: (tx, personId) => mayBeSeenBy(tx, personId, options.clock()),
    fullNameOf: findFullName,
    onMoved: (tx, concernId, personId) => options.alerts.noticeAbout(tx, `concern:${concernId}`, personId),
  });
}

type Who = Parameters<WatchOptions['topicsFor']>[1];

function topicsFor(tx: ReadTx, { user, client, level }: Who, at: number, policy: PolicySnapshot | null): Topic[] {
  const groups = user === null ? [] : [...groupsOf(tx, user), ...(policy?.people[user]?.groups ?? [])];
  const unblocks = grantsAt(tx, at).filter(
    ({ from, levels, people, ranges }) =>
      from <= at &&
      (levels.includes(level) || (user !== null && people.includes(user)) || addressRanges(ranges).has(client)),
  );
  const lessons = lessonsStandingAt(tx, at).filter(
    ({ from, classes, pupils }) =>
      from <= at && (classes.some((name) => groups.includes(name)) || (user !== null && pupils.includes(user))),
  );
  return [
    ...unblocks.map(({ id, topic }): Topic => ({ kind: 'unblock', id, title: topic })),
    ...lessons.map(({ id, title }): Topic => ({ kind: 'lesson', id, title })),
  ];
}
