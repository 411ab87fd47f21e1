import { type CategoryMatch, NO_MATCH } from '../categories/match.ts';
import type { Who } from '../identity/who.ts';
import { type CanonicalHost, canonicalHost } from '../kernel/host.ts';
import { decide, type DecisionRequest, faultDecision, strictest } from '../policy/decide.ts';
import type { Decision } from '../policy/verdict.ts';
import type { GatewayContext } from './context.ts';
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
}

/** The answer of the one door. Mutable in one point: the TLS server name, seen later, can only make the decision stricter. */
export interface Admission {
  readonly id: string;
  /** Ms since the epoch. */
  readonly startedAt: number;
  readonly ask: Ask;
  readonly who: Who;
  readonly snapshots: Snapshots;
  match: CategoryMatch;
  decision: Decision;
  /** The TLS server name where it is another than the target's; from then on the connection is judged on both. */
  serverName: CanonicalHost | null;
}

/**
 * The one door for HTTP requests, CONNECT and upgrades:
 *
 *   identify   whose rules apply; first, so that even a refusal is on the right person's record
 *   inspect    ports and literal addresses: what may never be reached need not be looked up in any list
 *   classify   what the lists say; one look-up for all categories
 *   decide     the school's rules over the three above
 *
 * `user` signed in at the proxy (null: nobody did). Reads the snapshots once. Never throws: a fault anywhere blocks.
 */
export function admit(context: GatewayContext, ask: Ask, user: string | null): Admission {
  const snapshots = context.snapshots;
  const id = context.ids();
  const startedAt = context.clock();
  let who: Who = { user: null, identified: 'none', level: '', groups: [], client: ask.client, needs: 'nothing' };
  try {
    who = snapshots.identify(ask.client, user);
    const violation = ask.violation ?? inspect(snapshots, ask);
    const match = violation === null ? classify(snapshots, ask.target!) : NO_MATCH;
    const judged = decide(snapshots.policy, snapshots.live, request(ask.target, who, match, violation), startedAt);
    const decision = violation !== null && isIllegal(snapshots, ask.target) ? { ...judged, locked: true } : judged;
    return { id, startedAt, ask, who, snapshots, match, decision, serverName: null };
  } catch (error) {
    context.log.error({ err: error, id }, 'deciding failed; the request is refused');
    return { id, startedAt, ask, who, snapshots, match: NO_MATCH, decision: faultDecision(), serverName: null };
  }
}

// A request that is refused for its form is not judged on its lists, but a listed illegal address must not be written down for that.
function isIllegal(snapshots: Snapshots, target: Target | null): boolean {
  if (target === null) return false;
  return classify(snapshots, target).categories.some((id) => snapshots.facts.categories[id]?.locked === true);
}

/** Judges a second name that the same connection carries (TLS server name); the stricter verdict stands. */
export function admitServerName(context: GatewayContext, admission: Admission, serverName: string): void {
  const { ask, who, snapshots } = admission;
  try {
    const host = canonicalHost(serverName);
    if (host?.name === ask.target!.host.name) return;
    admission.serverName = host;
    const target = host === null ? null : { ...ask.target!, host };
    const match = target === null ? NO_MATCH : classify(snapshots, target);
    const violation = target === null ? 'malformed' : null;
    const second = decide(snapshots.policy, snapshots.live, request(target, who, match, violation), context.clock());
    const stricter = strictest(admission.decision, second);
    if (stricter === admission.decision) return;
    admission.decision = stricter;
    admission.match = match;
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
    const who = snapshots.identify(ask.client, admission.who.user);
    const judge = (target: Target): Decision => {
      const asked = request(target, who, classify(snapshots, target), inspect(snapshots, { ...ask, target }));
      return decide(snapshots.policy, snapshots.live, asked, now);
    };
    const decision = judge(ask.target!);
    return serverName === null ? decision : strictest(decision, judge({ ...ask.target!, host: serverName }));
  } catch (error) {
    context.log.error({ err: error, id: admission.id }, 'deciding again failed; the connection is cut');
    return faultDecision();
  }
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
