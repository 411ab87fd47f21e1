// check --at: instant ──► policy, people and live of then ──► the very decide ◄── categories recorded then, or today's
import type { CategoryMatch } from '../categories/match.ts';
import type { KeptRecord } from '../events/access-record.ts';
import type { DirectorySnapshot } from '../identity/directory-snapshot.ts';
import {
  type CheckQuery,
  type CheckSources,
  type Checked,
  type ReadQuery,
  type Replay,
  judge,
  prepareKnown,
  prepareRules,
  readInstant,
  readQuery,
} from './check-url.ts';
import type { LiveSnapshot, PolicySnapshot } from './snapshot.ts';

/** A policy that was in force. */
export interface PolicyOfThen {
  readonly policy: PolicySnapshot;
  readonly serial: number;
}

/** What is kept of earlier times. Each gives null for what is not, and the same object for the same version. */
export interface PastSources {
  policyAt(instant: number): PolicyOfThen | null;
  peopleAt(instant: number): DirectorySnapshot | null;
  /** Unblocks, suspensions and sign-ins; `policy`: the one of then. */
  liveAt(instant: number, policy: PolicySnapshot): LiveSnapshot | null;
  /** What was asked for from `from` to `until`, both included. */
  recordedBetween(from: number, until: number): Promise<readonly KeptRecord[]>;
}

/** Answers one query; one about a time that is past with what was in force then. Rejects as `judge` throws. */
export type ReplayUrl = (query: CheckQuery, now: number) => Promise<Checked>;

/** So far from the time that is named a request may have been made to be the one that is meant, ms. */
const NEAR_MS = 2 * 60_000;
/** A worker's history comes in pieces of five minutes. */
const UNDER_WAY_MS = 10 * 60_000;

/** Prepares checks of any time: `present` for now and later, `past` for before. */
export function createReplay(present: CheckSources, past: PastSources): ReplayUrl {
  const known = prepareKnown(present.live);
  const rulesOf = remembered(({ policy, serial }: PolicyOfThen) =>
    remembered((people: DirectorySnapshot) => prepareRules({ ...present, policy, serial, people })),
  );
  return async (query, now) => {
    const instant = query.at === undefined ? now : readInstant(query.at, present.policy.timeZone);
    if (instant >= now) return judge(rulesOf(present)(present.people), known, query, instant, null);
    const policy = past.policyAt(instant);
    const people = past.peopleAt(instant);
    const then = rulesOf(policy ?? present)(people ?? present.people);
    const live = past.liveAt(instant, then.policy);
    const knownThen = live === null ? known : prepareKnown(live);
    const asked = readQuery(then, knownThen, query, instant);
    const recorded = nearest(await past.recordedBetween(instant - NEAR_MS, instant + NEAR_MS), query, asked, instant);
    // Whoever asked did so from an address, which ranges and unblocks may be about.
    const repeated = recorded !== null && query.level === undefined ? { from: recorded.client, ...query } : query;
    const checked = judge(then, knownThen, repeated, instant, recorded && categoriesOf(recorded));
    const kept = { policy: policy !== null, people: people !== null, live: live !== null };
    return { ...checked, replay: replayOf(checked, query, recorded, kept, now - instant) };
  };
}

function remembered<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

/** The request that is meant: by the same person (or device, or level) to the same place, and nearest in time. */
function nearest(
  records: readonly KeptRecord[],
  query: CheckQuery,
  { target, violation, who }: ReadQuery,
  instant: number,
): KeptRecord | null {
  if (target === null || violation !== null) return null;
  const isTheirs = (record: KeptRecord): boolean => {
    if (query.user !== undefined) return record.user === who.user;
    if (query.from !== undefined) return record.client === who.client;
    return record.user === null && record.level === who.level;
  };
  const isPlace = (record: KeptRecord): boolean =>
    target.scheme === 'http'
      ? record.target === target.text
      : record.method === 'CONNECT' && record.host === target.host.name;
  const distance = (record: KeptRecord): number => Math.abs(Date.parse(record.at) - instant);
  return records
    .filter((record) => isTheirs(record) && isPlace(record))
    .reduce<KeptRecord | null>((best, one) => (best === null || distance(one) < distance(best) ? one : best), null);
}

function categoriesOf({ categories, lists }: KeptRecord): CategoryMatch {
  return { categories, lists };
}

interface Kept {
  readonly policy: boolean;
  readonly people: boolean;
  readonly live: boolean;
}

function replayOf(
  { verdict }: Checked,
  query: CheckQuery,
  record: KeptRecord | null,
  kept: Kept,
  agoMs: number,
): Replay {
  const notes: string[] = [];
  if (!kept.policy) notes.push('No policy of that time is kept here: this is judged by the one in force now.');
  if (!kept.people && query.level === undefined) {
    notes.push('Who was in which class and year then is not kept here: the directory of today is used.');
  }
  if (!kept.live)
    notes.push('Unblocks, suspensions and sign-ins of then are not kept here: those known today are used.');
  notes.push(...(record === null ? notRecorded(agoMs) : asRecorded(verdict, record)));
  return { categories: record === null ? 'today' : 'recorded', recorded: record === null ? null : pick(record), notes };
}

function notRecorded(agoMs: number): string[] {
  const notes = ['No such request of then is on record: the categories are those of today’s lists.'];
  if (agoMs < UNDER_WAY_MS) notes.push('Requests of the last ten minutes may not have reached the history yet.');
  return notes;
}

function asRecorded(verdict: Checked['verdict'], record: KeptRecord): string[] {
  const notes = [`It was asked for at ${record.at}: the categories are those that were recorded.`];
  const isSame = verdict.verdict === record.verdict && verdict.reason === record.reason;
  if (!isSame) {
    const was = `${record.verdict === 'allow' ? 'allowed' : 'blocked'} (reason ${record.reason}, policy ${record.serial})`;
    notes.push(`It was ${was} then, which this replay does not repeat: something of then is not known here any more.`);
  }
  return notes;
}

function pick({ id, at, verdict, action, reason, category, rule, serial }: KeptRecord): Replay['recorded'] {
  return { id, at, verdict, action, reason, category, rule, serial };
}
