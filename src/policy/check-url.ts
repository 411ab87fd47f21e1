import { type CategoryMatch, type EntryMatch, type ExplainedIndex, NO_MATCH } from '../categories/match.ts';
import type { KeptRecord } from '../events/access-record.ts';
import type { DirectorySnapshot } from '../identity/directory-snapshot.ts';
import { type Identify, prepareIdentity } from '../identity/identify.ts';
import { type DeviceSession, SignedInDevices } from '../identity/signed-in-devices.ts';
import type { Who } from '../identity/who.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { canonicalAddress } from '../kernel/ip.ts';
import { instantOf } from '../kernel/local-time.ts';
import { type CanonicalUrl, parseUrl } from '../kernel/url.ts';
import { type ChainLink, consult } from './chain.ts';
import { type DecisionRequest, type Violation, decide, faultDecision } from './decide.ts';
import { explain } from './explain.ts';
import { type PreparedLive, type PreparedPolicy, prepareLive, preparePolicy } from './prepare.ts';
import type { LiveSnapshot, PolicySnapshot } from './snapshot.ts';
import type { Verdict } from './verdict.ts';

/** What is asked: may this person, level or place open this address at this time? */
export interface CheckQuery {
  /** In any spelling; without a scheme it is taken as https, as browsers do. */
  readonly url: string;
  /** A person's own level and groups; not together with `level`. */
  readonly user?: string;
  readonly level?: string;
  /** Classes and groups that somebody of this level is in; with `level` only. */
  readonly groups?: readonly string[];
  /** The device's address; left out: none that any range or unblock is about. */
  readonly from?: string;
  /** ISO 8601 with its zone, or `2026-11-23T09:00` on the school's clock; left out: now. */
  readonly at?: string;
}

/** What a check is made from: the very snapshots that gateways run. */
export interface CheckSources {
  readonly policy: PolicySnapshot;
  /** 0: the policy is not published. */
  readonly serial: number;
  readonly people: DirectorySnapshot;
  readonly live: LiveSnapshot;
  readonly index: ExplainedIndex;
  /** Which canonical addresses a gateway that runs a policy may connect to. */
  readonly destinations: (policy: PolicySnapshot) => { mayReach(address: string, port: number): boolean };
}

export interface Checked {
  readonly verdict: Verdict;
  /** Only the host was judged, because over https a gateway sees no path. */
  readonly hostOnly: boolean;
  /** The policy names ranges of addresses, and where this name leads was not looked up. */
  readonly rangesUnasked: boolean;
  readonly identified: Who['identified'];
  /** The person who was named is neither in the policy nor in the directory. */
  readonly unknownPerson: boolean;
  /** What every rule of the precedence said, in its order. Asked when it is called; empty: deciding failed. */
  readonly chain: () => readonly ChainLink[];
  /** The entries that the categories come from, without those of locked categories. Looked for when it is called. */
  readonly matched: () => readonly EntryMatch[];
  /** Of a time that is past: what the answer rests on. Null: it is about now or a time to come. */
  readonly replay: Replay | null;
}

/** What an answer about a time that is past rests on. */
export interface Replay {
  /** `recorded`: when it was asked for then; `today`: the lists in force now. */
  readonly categories: 'recorded' | 'today';
  /** The request that was made then and is replayed here. */
  readonly recorded: Pick<
    KeptRecord,
    'id' | 'at' | 'verdict' | 'action' | 'reason' | 'category' | 'rule' | 'serial'
  > | null;
  /** A sentence each: what is of then, and what is not kept any more. */
  readonly notes: readonly string[];
}

/** Answers one query at an instant (ms since the epoch). Throws as `judge`. */
export type CheckUrl = (query: CheckQuery, now: number) => Checked;

/** Prepares checks with what is in force now, also of another time. */
export function createCheckUrl(sources: CheckSources): CheckUrl {
  const rules = prepareRules(sources);
  const known = prepareKnown(sources.live);
  return (query, now) => {
    const at = query.at === undefined ? now : readInstant(query.at, sources.policy.timeZone);
    return judge(rules, known, query, at, null);
  };
}

/** A policy with whom it is about, thought through once for many questions. */
export interface PreparedRules extends Omit<CheckSources, 'live' | 'destinations'> {
  readonly prepared: PreparedPolicy;
  readonly identify: Identify;
  readonly named: ReadonlySet<string>;
  readonly dropLocked: (match: CategoryMatch) => CategoryMatch;
  readonly mayReach: (address: string, port: number) => boolean;
}

export function prepareRules({
  policy,
  serial,
  people,
  index,
  destinations,
}: Omit<CheckSources, 'live'>): PreparedRules {
  const reach = destinations(policy);
  return {
    policy,
    serial,
    people,
    index,
    prepared: preparePolicy(policy),
    identify: prepareIdentity(policy, people),
    named: new Set([...Object.keys(policy.people), ...people.people.map(({ name }) => name)]),
    dropLocked: lockedDropper(policy, index),
    mayReach: (address, port) => reach.mayReach(address, port),
  };
}

/** What changes by the minute, ready to be asked. */
export interface PreparedKnown {
  readonly live: PreparedLive;
  readonly devices: SignedInDevices;
}

export function prepareKnown(live: LiveSnapshot): PreparedKnown {
  return { live: prepareLive(live), devices: new SignedInDevices(live.sessions ?? []) };
}

/** Who asks for what, as it is judged. */
export interface ReadQuery {
  /** Null: it has no canonical form. */
  readonly target: CanonicalUrl | null;
  readonly violation: Violation | null;
  readonly who: Who;
}

/** Reads a query as a gateway with these rules would at an instant. Throws a SchoolgateError (`check_query`). */
export function readQuery(rules: PreparedRules, { devices }: PreparedKnown, query: CheckQuery, at: number): ReadQuery {
  const who = readWho(query, rules.identify, rules.policy, (client) => devices.at(client, at));
  const url = parseUrl(withScheme(query.url.trim()));
  return { who, target: typeof url === 'string' ? null : url, violation: violationOf(url, rules) };
}

/**
 * Judges a query at an instant, as a gateway would: the dry run behind `check`. `recorded`: the categories that were recorded of it;
 * null: those of today's lists. Lists of locked categories are never consulted: whether an address is on one cannot be found out
 * here. Throws a SchoolgateError (`check_query`) that says what is wrong with the query.
 */
export function judge(
  rules: PreparedRules,
  known: PreparedKnown,
  query: CheckQuery,
  now: number,
  recorded: CategoryMatch | null,
): Checked {
  const { policy, serial, index, prepared, dropLocked } = rules;
  const { target, violation, who } = readQuery(rules, known, query, now);
  const isJudged = target !== null && violation === null;
  const path = target === null || target.scheme === 'https' ? null : target.path;
  const match = isJudged ? (recorded ?? dropLocked(index.match(target.host.name, path))) : NO_MATCH;
  const request: DecisionRequest = { host: target?.host.name ?? null, path, who, match, violation };
  const decision = orElse(() => decide(prepared, known.live, request, now), faultDecision());
  return {
    verdict: explain(decision, { request, canonical: target?.text ?? null, now, policy, serial }),
    hostOnly: target?.scheme === 'https',
    rangesUnasked: isJudged && prepared.ranges !== null && target.host.kind === 'name',
    identified: who.identified,
    unknownPerson: who.user !== null && !rules.named.has(who.user),
    chain: () => orElse(() => consult(prepared, known.live, request, now), []),
    matched: () =>
      isJudged && recorded === null
        ? index.explain(target.host.name, path).filter(({ category }) => isOpen(policy, category))
        : [],
    replay: null,
  };
}

/** As in a gateway: whatever throws while deciding blocks. */
function orElse<T>(run: () => T, otherwise: T): T {
  try {
    return run();
  } catch {
    return otherwise;
  }
}

/** A text that names no scheme is a host or host and port; `mailto:` and its like are schemes. */
function withScheme(text: string): string {
  return text.includes('://') || /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(text) ? text : `https://${text}`;
}

function violationOf(url: ReturnType<typeof parseUrl>, { policy, mayReach }: PreparedRules): Violation | null {
  if (typeof url === 'string') return url === 'protocol' ? 'protocol' : 'malformed';
  if (!mayUsePort(url, policy)) return 'port';
  const isLiteral = url.host.kind !== 'name';
  return isLiteral && !mayReach(url.host.name, url.port) ? 'destination' : null;
}

function mayUsePort({ scheme, port }: CanonicalUrl, { network }: PolicySnapshot): boolean {
  return scheme === 'http'
    ? network.httpPorts.includes(port)
    : network.connectPorts.some((one) => one.port === port && one.tls);
}

/** No range of a school holds it, and no unblock names it. */
const NO_ADDRESS = '0.0.0.0';

function readWho(
  { user, level, groups = [], from }: CheckQuery,
  identify: Identify,
  policy: PolicySnapshot,
  sessionAt: (client: string) => DeviceSession | null,
): Who {
  const client = from === undefined ? NO_ADDRESS : canonicalAddress(from);
  if (client === null) throw misused(`"${from}" is not an IP address`);
  if (level === undefined) {
    const session = user === undefined ? sessionAt(client) : null;
    if (session === null) return identify(client, user ?? null);
    return identify(client, null, session.user, { mustChange: false, agreed: session.agreed ?? null });
  }
  if (user !== undefined) throw misused('Name either a person or a level: a person has one');
  if (!Object.hasOwn(policy.levels, level)) {
    throw misused(`"${level}" is not a level; there are ${Object.keys(policy.levels).join(', ')}`);
  }
  return { user: null, identified: 'none', level, groups, client, needs: 'nothing' };
}

/** ISO 8601 with its zone, or a time on the school's clock: ms since the epoch. Throws a SchoolgateError (`check_query`). */
export function readInstant(text: string, zone: string): number {
  const hasZone = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*(?:Z|[+-]\d{2}:\d{2})$/.test(text);
  const instant = hasZone ? Date.parse(text) : (instantOf(text, zone) ?? Number.NaN);
  if (!Number.isNaN(instant)) return instant;
  throw misused(`"${text}" is not a time; write 2026-11-23T09:00 for the school's clock, or ISO 8601 with its zone`);
}

function misused(text: string): SchoolgateError {
  return new SchoolgateError('check_query', 'client', `${text}.`);
}

/** Takes locked categories and their lists out of an answer; the same answer always gives the same object. */
function lockedDropper(policy: PolicySnapshot, index: ExplainedIndex): (match: CategoryMatch) => CategoryMatch {
  const isOpenHere = (category: string): boolean => isOpen(policy, category);
  const lockedLists = new Set(index.lists.filter(({ category }) => !isOpenHere(category)).map(({ id }) => id));
  const known = new WeakMap<CategoryMatch, CategoryMatch>();
  return (match) => {
    if (match.categories.every(isOpenHere)) return match;
    const open = known.get(match) ?? {
      categories: match.categories.filter(isOpenHere),
      lists: match.lists.filter((list) => !lockedLists.has(list)),
    };
    known.set(match, open);
    return open;
  };
}

function isOpen(policy: PolicySnapshot, category: string): boolean {
  return policy.categories[category]?.locked !== true;
}
