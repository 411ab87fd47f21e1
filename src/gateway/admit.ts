import type { IllegalHit } from '../categories/illegal-match.ts';
import { type CategoryMatch, NO_MATCH } from '../categories/match.ts';
import type { Proof } from '../identity/credentials.ts';
import { isSelfTest } from '../identity/identify.ts';
import type { Who } from '../identity/who.ts';
import { type CanonicalHost, canonicalHost } from '../kernel/host.ts';
import { decide, type DecisionRequest, faultDecision, isInWrittenRange, strictest } from '../policy/decide.ts';
import { decision, illegal as illegalDecision } from '../policy/level-outcome.ts';
import type { Passes } from '../policy/passes.ts';
import type { Decision } from '../policy/verdict.ts';
import type { GatewayContext } from './context.ts';
import { askerOf, type CountedHit } from './illegal-probes.ts';
import { type Connected, retargetOf, safelyConnected } from './safe-connection.ts';
import type { Snapshots } from './snapshots.ts';

/** What is asked for, canonical. */
export interface Target {
  readonly host: CanonicalHost;
  readonly port: number;
  /** Canonical path and query; null where it cannot be seen (CONNECT). */
  readonly path: string | null;
  /** Canonical URL, or `host:port` for CONNECT. */
  readonly text: string;
}

/** What a client asks of the proxy, before anything is decided. */
export interface Ask {
  readonly method: string;
  /** Canonical address. */
  readonly client: string;
  /** Null when it has no canonical form. */
  readonly target: Target | null;
  /** What is wrong with the asking itself, found while reading it. */
  readonly violation: 'malformed' | 'protocol' | 'limit' | null;
  /** Malformed because its target is longer than any that is read. */
  readonly isTooLong?: boolean;
}

/** The answer of the one door. What is seen later, addresses and the TLS server name, can only make the decision stricter. */
export interface Admission {
  readonly id: string;
  /** Ms since the epoch. */
  readonly startedAt: number;
  readonly ask: Ask;
  readonly who: Who;
  /** Whoever signed in at the proxy with the request itself. */
  readonly proof: Proof | null;
  readonly snapshots: Snapshots;
  match: CategoryMatch;
  decision: Decision;
  /** The TLS server name where it is another than the target's; from then on the connection is judged on both. */
  serverName: CanonicalHost | null;
  /** What the target's name resolved to; a connection is judged on these as well. */
  addresses: readonly string[];
  /** What the target, or the server name, meets in the lists of illegal material. */
  illegal: IllegalHit | null;
  /** What the client is told instead of the decision, so that nobody can try out what is listed (see `illegal-probes`). */
  toldAs: Decision | 'unreachable' | null;
  /** The safe address to connect to in place of the target's host, such as a search engine's with SafeSearch forced. */
  readonly retarget: CanonicalHost | null;
}

/**
 * The one door for HTTP requests, CONNECT and upgrades:
 *
 *   identify   whose rules apply; first, so that even a refusal is on the right person's record
 *   inspect    ports and literal addresses: what may never be reached need not be looked up in any list
 *   illegal    whether it is listed as illegal; in lists of their own, and whatever else is wrong with the request
 *   classify   what the lists say; one look-up for all categories
 *   decide     the school's rules over the three above
 *   retarget   where an allowed search engine or video site is really connected to
 *
 * `proof` is of whoever signed in at the proxy (null: nobody did). Reads the snapshots once. Never throws: a fault anywhere blocks.
 */
export function admit(context: GatewayContext, ask: Ask, proof: Proof | null): Admission {
  const snapshots = context.snapshots;
  const id = context.ids();
  const startedAt = context.clock();
  let who: Who = { user: null, identified: 'none', level: '', groups: [], client: ask.client, needs: 'nothing' };
  try {
    who = identifyIn(snapshots, ask.client, proof, startedAt);
    noteActive(context, who);
    const violation = ask.violation ?? inspect(snapshots, ask);
    const illegal = ask.target === null ? null : listedAsIllegal(snapshots, ask.target);
    const match = matchOf(snapshots, ask.target, violation, illegal);
    const judged = judge(snapshots, context.passes, request(ask.target, who, match, violation), illegal, startedAt);
    const retarget = ask.target === null ? null : retargetOf(snapshots, who.level, ask.target.host, judged);
    const found = { match, decision: judged, serverName: null, retarget };
    const admission = { id, startedAt, ask, who, proof, snapshots, ...found, addresses: [], illegal, toldAs: null };
    return againstProbing(context, admission);
  } catch (error) {
    context.log.error({ err: error, id }, 'deciding failed; the request is refused');
    const nothing = { match: NO_MATCH, serverName: null, retarget: null, addresses: [], illegal: null, toldAs: null };
    // Whatever failed, the target may be a listed one: it is not written down.
    const isListed = snapshots.illegal !== null;
    return {
      id,
      startedAt,
      ask: isListed ? { ...ask, target: null } : ask,
      who,
      proof,
      snapshots,
      decision: faultDecision(),
      ...nothing,
    };
  }
}

/** The decision; a listed illegal target that is refused for its form must not be written down for that either. */
function judge(
  snapshots: Snapshots,
  passes: Passes,
  asked: DecisionRequest,
  illegal: IllegalHit | null,
  now: number,
): Decision {
  if (illegal !== null && asked.violation === null) return illegalDecision(illegal.categories[0]!);
  const judged = decide(snapshots.policy, snapshots.live, asked, now, passes);
  return illegal === null ? judged : { ...judged, locked: true };
}

function listedAsIllegal({ illegal }: Snapshots, { host, path }: Target): IllegalHit | null {
  return illegal === null ? null : illegal.match(host.name, path);
}

function matchOf(
  snapshots: Snapshots,
  target: Target | null,
  violation: DecisionRequest['violation'],
  illegal: IllegalHit | null,
): CategoryMatch {
  if (violation !== null || target === null) return NO_MATCH;
  const match = classify(snapshots, target);
  return illegal === null ? match : union(match, illegal);
}

/** What either says; the very one when the other says nothing. */
function union(a: CategoryMatch, b: Pick<CategoryMatch, 'categories' | 'lists'>): CategoryMatch {
  if (b.lists.length === 0) return a;
  return {
    categories: [...new Set([...a.categories, ...b.categories])].sort(),
    lists: [...new Set([...a.lists, ...b.lists])].sort(),
  };
}

/** Counts hits, and holds to what follows from too many of them. */
function againstProbing(context: GatewayContext, admission: Admission): Admission {
  const { who, ask, illegal } = admission;
  if (illegal?.isCanary === true) return admission;
  const asker = askerOf(who.user, ask.client);
  if (illegal !== null) context.probes.hit(asker, countedHit(illegal));
  const answer = context.probes.answerFor(asker);
  if (answer === 'as-usual') return admission;
  if (answer === 'hide-hits') {
    if (illegal !== null) admission.toldAs = 'unreachable';
    return admission;
  }
  admission.toldAs = illegalDecision(context.probes.lastCategory(asker));
  if (illegal === null) admission.decision = PAUSED;
  return admission;
}

function countedHit({ entry, categories }: IllegalHit): CountedHit {
  return { entry, category: categories[0]! };
}

/** Of an ordinary request by somebody who tries out what is listed. Not flagged: it is no hit. */
const PAUSED = decision('block', 'limit', 'illegal');

export function isRefused(admission: Admission): boolean {
  return admission.decision.verdict === 'block';
}

/** Whether it was refused with no more than a warning, which a person may read and pass. */
export function isWarned({ decision, toldAs }: Admission): boolean {
  return decision.verdict === 'block' && decision.action === 'warn' && !decision.locked && toldAs === null;
}

/**
 * Judges the addresses that the target's name resolved to: a list of addresses, or a written range, is about whatever is served there. What the name is
 * listed for counts beside it, so a known good name is as strong as it is against other lists. The stricter verdict stands.
 */
export function admitAddresses(context: GatewayContext, admission: Admission, addresses: readonly string[]): void {
  const { ask, who, snapshots } = admission;
  admission.addresses = addresses;
  try {
    const match = withAddresses(snapshots, admission.match, addresses);
    const isWritten = isInWrittenRange(snapshots.policy, ask.target!.host.name, addresses);
    if (match === admission.match && !isWritten) return;
    const asked = { ...request(ask.target, who, match, null), addresses };
    const judged = decide(snapshots.policy, snapshots.live, asked, context.clock(), context.passes);
    admission.match = match;
    admission.decision = strictest(admission.decision, judged);
  } catch (error) {
    context.log.error({ err: error, id: admission.id }, 'judging the addresses failed; the connection is refused');
    admission.decision = faultDecision();
  }
}

function withAddresses(snapshots: Snapshots, match: CategoryMatch, addresses: readonly string[]): CategoryMatch {
  let sum = match;
  for (const address of addresses) sum = union(sum, snapshots.index.matchAddress(address));
  return sum;
}

// RFC 6066 §3 allows no other: what bytes beyond it mean, one server decides in this way and another in that.
const IN_ASCII = /^[!-~]*$/;

/** Judges a second name that the same connection carries (TLS server name); the stricter verdict stands. */
export function admitServerName(context: GatewayContext, admission: Admission, serverName: string): void {
  const { ask, who, snapshots } = admission;
  try {
    const host = IN_ASCII.test(serverName) ? canonicalHost(serverName) : null;
    if (host?.name === ask.target!.host.name) return;
    admission.serverName = host;
    const target = host === null ? null : { ...ask.target!, host };
    const violation = target === null ? 'malformed' : null;
    const illegal = target === null ? null : listedAsIllegal(snapshots, target);
    const match = matchOf(snapshots, target, violation, illegal);
    const asked = request(target, who, match, violation);
    const judged = judge(snapshots, context.passes, asked, illegal, context.clock());
    const second = host === null ? judged : safelyConnected(snapshots, who.level, host, judged, connected(admission));
    const stricter = strictest(admission.decision, second);
    if (stricter === admission.decision) return;
    admission.decision = stricter;
    admission.match = match;
    admission.illegal = illegal;
    if (illegal !== null) context.probes.hit(askerOf(who.user, ask.client), countedHit(illegal));
  } catch (error) {
    context.log.error({ err: error, id: admission.id }, 'judging the server name failed; the connection is refused');
    admission.decision = faultDecision();
  }
}

/** The decision an open connection would get now, under the snapshots in force. Blocks on a fault. */
export function admitAgain(context: GatewayContext, admission: Admission): Decision {
  try {
    const { snapshots } = context;
    const { ask, serverName } = admission;
    const now = context.clock();
    const who = identifyIn(snapshots, ask.client, admission.proof, now);
    const judgeNow = (target: Target): Decision => {
      const violation = inspect(snapshots, { ...ask, target });
      const illegal = listedAsIllegal(snapshots, target);
      const match = withAddresses(snapshots, matchOf(snapshots, target, violation, illegal), admission.addresses);
      const asked = { ...request(target, who, match, violation), addresses: admission.addresses };
      const judged = judge(snapshots, context.passes, asked, illegal, now);
      return safelyConnected(snapshots, who.level, target.host, judged, connected(admission));
    };
    const first = judgeNow(ask.target!);
    return serverName === null ? first : strictest(first, judgeNow({ ...ask.target!, host: serverName }));
  } catch (error) {
    context.log.error({ err: error, id: admission.id }, 'deciding again failed; the connection is cut');
    return faultDecision();
  }
}

function connected({ ask, retarget }: Admission): Connected {
  return { host: ask.target!.host, retarget };
}

/** Whose rules apply: of whoever signed in at the proxy, as long as that holds, else of whoever is signed in on the device. */
function identifyIn(snapshots: Snapshots, client: string, proof: Proof | null, now: number): Who {
  if (proof !== null && holds(snapshots.renewals, proof)) return snapshots.identify(client, proof.user, null, proof);
  const session = snapshots.devices.at(client, now);
  // One that stood when the address was marked as shared: the console ends it, and until then it counts no more.
  if (session === null || snapshots.sharedAddresses.has(client)) return snapshots.identify(client, null);
  return snapshots.identify(client, null, session.user, { mustChange: false, agreed: session.agreed ?? null });
}

/** Whether nothing has changed about the account since the console looked. */
export function holds(renewals: Snapshots['renewals'], { user, at }: Proof): boolean {
  const renewedAt = renewals.get(user);
  return renewedAt === undefined || renewedAt < at;
}

function inspect(snapshots: Snapshots, ask: Ask): DecisionRequest['violation'] {
  const target = ask.target;
  if (target === null) return 'malformed';
  const mayUsePort =
    target.path === null ? snapshots.connectPorts.has(target.port) : snapshots.httpPorts.has(target.port);
  if (!mayUsePort) return 'port';
  const isLiteral = target.host.kind !== 'name';
  return isLiteral && !snapshots.destinations.mayReach(target.host.name, target.port) ? 'destination' : null;
}

function classify(snapshots: Snapshots, target: Target): CategoryMatch {
  return snapshots.index.match(target.host.name, target.path);
}

function request(
  target: Target | null,
  who: Who,
  match: CategoryMatch,
  violation: DecisionRequest['violation'],
): DecisionRequest {
  return { host: target?.host.name ?? null, path: target?.path ?? null, who, match, violation };
}

/** Whoever is known was here just now: the console counts idle time by it, and looks whether an account is where it should be. */
export function noteActive(context: GatewayContext, { identified, client, user }: Who): void {
  if (identified === 'session') context.activeDevices.add(client);
  else if (identified === 'proxy-auth' && !isSelfTest(user)) context.activeAccounts.add(`${client} ${user}`);
}
