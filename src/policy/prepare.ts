import type { CategoryMatch } from '../categories/match.ts';
import type { Suspension } from '../identity/directory-snapshot.ts';
import { canonicalUser } from '../identity/user-name.ts';
import { type AddressRanges, addressRanges } from '../kernel/ip.ts';
import { isRange } from './entry.ts';
import { HostTable } from './host-table.ts';
import { overlayTimed, timedEntries } from './overlay.ts';
import { type MomentAt, createMomentAt, windowAt } from './schedule.ts';
import type {
  CategoryTraits,
  CompiledLevel,
  Grant,
  GroupRules,
  LessonList,
  LiveSnapshot,
  PersonRules,
  PolicySnapshot,
  TeacherLesson,
  TimedRules,
} from './snapshot.ts';
import { Timed } from './timed.ts';
import type { Decision } from './verdict.ts';
import { type WrittenTable, writtenTable } from './written.ts';

/** What a level makes of one answer of the index, before any written entry: worked out once, then looked up. */
export interface CategoryOutcome {
  /** The level's own decision, or the default's. */
  readonly decision: Decision;
  /** Set when a locked category is among the answer: nobody's rule comes before it. */
  readonly illegal: Decision | null;
  /** A help or school site, which is open even to somebody who must still sign in. */
  readonly knownGood: boolean;
}

/** A level as it is at some time and place, ready to be asked. */
export interface PreparedLevel {
  readonly level: CompiledLevel;
  /** The rule that shuts the web altogether; null: none does. */
  readonly closed: string | null;
  readonly written: WrittenTable;
  /** What the level makes of each answer of the index, kept by the answer's identity (see CategoryIndex). */
  readonly outcomes: WeakMap<CategoryMatch, CategoryOutcome>;
}

export interface PreparedPerson {
  readonly suspended: PersonRules['suspended'];
  readonly closed: string | null;
  readonly written: WrittenTable;
}

export interface PreparedGroup {
  readonly closed: string | null;
  readonly written: WrittenTable;
  readonly categories: GroupRules['categories'];
}

/** A lesson list, of the policy or of a teacher. */
export interface PreparedLesson {
  readonly lesson: Pick<LessonList, 'from' | 'until' | 'sites' | 'rule'>;
  readonly sites: WrittenTable;
}

/** A snapshot thought through once, so that a request costs a few look-ups. Immutable but for what it remembers. */
export interface PreparedPolicy {
  readonly snapshot: PolicySnapshot;
  /** Name of the slot of the school day that an instant lies in; null: none. */
  readonly slotAt: (now: number) => string | null;
  readonly traits: ReadonlyMap<string, CategoryTraits>;
  readonly levels: ReadonlyMap<string, Timed<PreparedLevel>>;
  readonly never: WrittenTable;
  readonly people: ReadonlyMap<string, Timed<PreparedPerson>>;
  /** Null while a group has nothing to say. */
  readonly groups: ReadonlyMap<string, Timed<PreparedGroup | null>>;
  readonly lessons: ReadonlyMap<string, readonly PreparedLesson[]>;
  /** Every host that any written entry names: a host that is not here meets none of them. */
  readonly named: HostTable<true>;
  /** Every range of addresses that any of them names; null: none does. */
  readonly ranges: AddressRanges | null;
}

export function preparePolicy(snapshot: PolicySnapshot): PreparedPolicy {
  const momentAt = createMomentAt(snapshot);
  const { levels, people, groups, calendar } = snapshot;
  const named = [...namedHosts(snapshot)];
  const ranges = named.filter((host) => isRange({ host }));
  return {
    snapshot,
    slotAt: (now) => windowAt(calendar?.slots ?? [], momentAt(now))?.word ?? null,
    traits: new Map(Object.entries(snapshot.categories)),
    levels: new Map(Object.entries(levels).map(([name, level]) => [name, prepareLevel(momentAt, level)])),
    never: writtenTable({ block: snapshot.never }),
    people: new Map(Object.entries(people).flatMap(([name, { rules }]) => preparePerson(momentAt, name, rules))),
    groups: new Map(Object.entries(groups).flatMap(([name, rules]) => prepareGroup(momentAt, name, rules))),
    lessons: Map.groupBy(
      snapshot.lessons.map((lesson) => ({ ...prepareLesson(lesson), group: lesson.group })),
      ({ group }) => group,
    ),
    named: new HostTable(named.map((host) => [host, true])),
    ranges: ranges.length === 0 ? null : addressRanges(ranges),
  };
}

function prepareLesson(lesson: PreparedLesson['lesson']): PreparedLesson {
  return { lesson, sites: writtenTable({ allow: lesson.sites }) };
}

function prepareLevel(momentAt: MomentAt, level: CompiledLevel): Timed<PreparedLevel> {
  const { hours, times = [] } = level;
  const open = hours === null ? null : { when: hours.windows };
  return new Timed(momentAt, times, open, (layers, outOfHours) => {
    const now = overlayTimed(level, layers);
    const closed = outOfHours ? hours!.rule : closedBy(layers);
    return { level: now, closed, written: writtenTable(now.entries), outcomes: new WeakMap() };
  });
}

function closedBy(layers: readonly TimedRules[]): string | null {
  return layers.find(({ closed }) => closed)?.rule ?? null;
}

function preparePerson(momentAt: MomentAt, name: string, rules: PersonRules | null): [string, Timed<PreparedPerson>][] {
  if (rules === null) return [];
  const timed = new Timed<PreparedPerson>(momentAt, rules.times ?? [], null, (layers) => ({
    suspended: rules.suspended,
    closed: closedBy(layers),
    written: writtenTable(timedEntries(rules.entries, layers)),
  }));
  return [[name, timed]];
}

/** A class without rules of its own costs its pupils nothing. */
function prepareGroup(momentAt: MomentAt, name: string, rules: GroupRules): [string, Timed<PreparedGroup | null>][] {
  if (isSilent(rules) && rules.times === undefined) return [];
  const timed = new Timed<PreparedGroup | null>(momentAt, rules.times ?? [], null, (layers) => {
    const now = overlayTimed(rules, layers);
    const closed = closedBy(layers);
    if (closed === null && isSilent(now)) return null;
    return { closed, written: writtenTable(now.entries), categories: now.categories };
  });
  return [[name, timed]];
}

function isSilent({ entries, categories }: GroupRules): boolean {
  return entries.allow.length + entries.block.length + Object.keys(categories).length === 0;
}

function namedHosts(snapshot: PolicySnapshot): Set<string> {
  const rules = [
    ...Object.values(snapshot.levels),
    ...Object.values(snapshot.groups),
    ...Object.values(snapshot.people).flatMap((person) => person.rules ?? []),
  ];
  const timed = rules.flatMap(({ times = [] }) => times);
  const lists = [...rules, ...timed].flatMap(({ entries }) => [entries.allow, entries.block]);
  const lessons = snapshot.lessons.map((lesson) => lesson.sites);
  return new Set([...lists, ...lessons, snapshot.never].flat().map((entry) => entry.host));
}

/** A grant, ready to be asked whether it is meant for somebody. */
export interface PreparedGrant {
  readonly grant: Grant;
  readonly levels: ReadonlySet<string>;
  readonly people: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly ranges: AddressRanges;
  readonly categories: ReadonlySet<string>;
}

/** The live snapshot, ready to be asked. */
export interface PreparedLive {
  readonly byHost: HostTable<PreparedGrant>;
  /** Grants that name categories. */
  readonly byCategory: readonly PreparedGrant[];
  /** By canonical user name. */
  readonly suspended: ReadonlyMap<string, Suspension>;
  /** Teachers' lesson lists, by class or group, and by canonical user name. */
  readonly lessonsOfGroup: ReadonlyMap<string, readonly PreparedLesson[]>;
  readonly lessonsOfPerson: ReadonlyMap<string, readonly PreparedLesson[]>;
}

export function prepareLive(live: LiveSnapshot): PreparedLive {
  const grants = live.grants.map((grant): PreparedGrant => ({
    grant,
    levels: new Set(grant.levels),
    people: new Set(grant.people.map((name) => canonicalUser(name) ?? name)),
    groups: new Set(grant.groups),
    ranges: addressRanges(grant.ranges),
    categories: new Set(grant.categories),
  }));
  return {
    byHost: new HostTable(grants.flatMap((one) => one.grant.hosts.map((host) => [host, one] as const))),
    byCategory: grants.filter((one) => one.categories.size > 0),
    suspended: new Map((live.suspensions ?? []).map((one) => [one.user, one])),
    ...prepareTeacherLessons(live.lessons ?? []),
  };
}

function prepareTeacherLessons(
  lessons: readonly TeacherLesson[],
): Pick<PreparedLive, 'lessonsOfGroup' | 'lessonsOfPerson'> {
  const [ofGroup, ofPerson] = [new Map<string, PreparedLesson[]>(), new Map<string, PreparedLesson[]>()];
  for (const { id, groups, people, hosts, from, until } of lessons) {
    const rule = `lesson:${id}`;
    const prepared = prepareLesson({ from, until, rule, sites: hosts.map((host) => ({ host, path: null, rule })) });
    for (const name of groups) ofGroup.set(name, [...(ofGroup.get(name) ?? []), prepared]);
    for (const name of people) ofPerson.set(name, [...(ofPerson.get(name) ?? []), prepared]);
  }
  return { lessonsOfGroup: ofGroup, lessonsOfPerson: ofPerson };
}

/** No unblock at all. */
export const NO_LIVE: PreparedLive = prepareLive({ grants: [] });
