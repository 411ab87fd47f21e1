import { type CategoryMatch, type EntryMatch, type ExplainedIndex, NO_MATCH } from '../categories/match.ts';
import type { DirectorySnapshot } from '../identity/directory-snapshot.ts';
import { type Identify, prepareIdentity } from '../identity/identify.ts';
import { SignedInDevices } from '../identity/signed-in-devices.ts';
import type { Who } from '../identity/who.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { canonicalAddress } from '../kernel/ip.ts';
import { instantOf } from '../kernel/local-time.ts';
import { type CanonicalUrl, parseUrl } from '../kernel/url.ts';
import { type DecisionRequest, type Violation, decide, faultDecision } from './decide.ts';
import { explain } from './explain.ts';
import { prepareLive, preparePolicy } from './prepare.ts';
import type { LiveSnapshot, PolicySnapshot } from './snapshot.ts';
import type { Decision, Verdict } from './verdict.ts';

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
  /** Which canonical addresses a gateway may connect to. */
  readonly destinations: { mayReach(address: string, port: number): boolean };
}

export interface Checked {
  readonly verdict: Verdict;
  /** Only the host was judged, because over https a gateway sees no path. */
  readonly hostOnly: boolean;
  readonly identified: Who['identified'];
  /** The person who was named is neither in the policy nor in the directory. */
  readonly unknownPerson: boolean;
  /** The entries that the categories come from, without those of locked categories. Looked for when it is called. */
  readonly matched: () => readonly EntryMatch[];
}

/** Answers one query at an instant (ms since the epoch). Throws a SchoolgateError that says what is wrong with the query. */
export type CheckUrl = (query: CheckQuery, now: number) => Checked;

/**
 * Prepares the dry run of what a gateway would do. Lists of locked categories are never consulted: whether an address is on
 * one cannot be found out here.
 */
export function createCheckUrl(sources: CheckSources): CheckUrl {
  const { policy: snapshot, serial } = sources;
  const policy = preparePolicy(snapshot);
  const live = prepareLive(sources.live);
  const devices = new SignedInDevices(sources.live.sessions ?? []);
  const identify = prepareIdentity(snapshot, sources.people);
  const named = new Set([...Object.keys(snapshot.people), ...sources.people.people.map(({ name }) => name)]);
  const dropLocked = lockedDropper(snapshot, sources.index);
  return (query, now) => {
    const instant = query.at === undefined ? now : readInstant(query.at, snapshot.timeZone);
    const who = readWho(query, identify, snapshot, (client) => devices.userAt(client, instant));
    const url = parseUrl(withScheme(query.url.trim()));
    const violation = violationOf(url, sources);
    const target = typeof url === 'string' ? null : url;
    const path = target === null || target.scheme === 'https' ? null : target.path;
    const match =
      target === null || violation !== null ? NO_MATCH : dropLocked(sources.index.match(target.host.name, path));
    const request: DecisionRequest = { host: target?.host.name ?? null, path, who, match, violation };
    const decision = decideOrFault(() => decide(policy, live, request, instant));
    return {
      verdict: explain(decision, { request, canonical: target?.text ?? null, now: instant, policy: snapshot, serial }),
      hostOnly: target?.scheme === 'https',
      identified: who.identified,
      unknownPerson: who.user !== null && !named.has(who.user),
      matched: () =>
        target === null || violation !== null
          ? []
          : sources.index.explain(target.host.name, path).filter(({ category }) => isOpen(snapshot, category)),
    };
  };
}

/** As in a gateway: whatever throws while deciding blocks. */
function decideOrFault(decideNow: () => Decision): Decision {
  try {
    return decideNow();
  } catch {
    return faultDecision();
  }
}

/** A text that names no scheme is a host or host and port; `mailto:` and its like are schemes. */
function withScheme(text: string): string {
  return text.includes('://') || /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(text) ? text : `https://${text}`;
}

function violationOf(url: ReturnType<typeof parseUrl>, sources: CheckSources): Violation | null {
  if (typeof url === 'string') return url === 'protocol' ? 'protocol' : 'malformed';
  if (!mayUsePort(url, sources.policy)) return 'port';
  const isLiteral = url.host.kind !== 'name';
  return isLiteral && !sources.destinations.mayReach(url.host.name, url.port) ? 'destination' : null;
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
  signedInAt: (client: string) => string | null,
): Who {
  const client = from === undefined ? NO_ADDRESS : canonicalAddress(from);
  if (client === null) throw misused(`"${from}" is not an IP address`);
  if (level === undefined) return identify(client, user ?? null, signedInAt(client));
  if (user !== undefined) throw misused('Name either a person or a level: a person has one');
  if (!Object.hasOwn(policy.levels, level)) {
    throw misused(`"${level}" is not a level; there are ${Object.keys(policy.levels).join(', ')}`);
  }
  return { user: null, identified: 'none', level, groups, client, needs: 'nothing' };
}

function readInstant(text: string, zone: string): number {
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
