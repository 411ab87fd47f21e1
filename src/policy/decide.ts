import type { CategoryMatch } from '../categories/match.ts';
import type { Who } from '../identity/who.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { isDottedQuad } from '../kernel/ip.ts';
import type { Asked, StepRule } from './asked.ts';
import { hasLessons } from './lesson-lists.ts';
import { decision, levelOutcome } from './level-outcome.ts';
import { NO_PASSES, type Passes } from './passes.ts';
import type { PreparedLevel, PreparedLive, PreparedPerson, PreparedPolicy } from './prepare.ts';
import * as steps from './steps.ts';
import { type Decision, STEPS } from './verdict.ts';

/** What cannot be judged or reached, or is one too many: found before categories and rules are asked. */
export type Violation = 'malformed' | 'protocol' | 'port' | 'destination' | 'limit';

/** One request as it is judged. */
export interface DecisionRequest {
  /** Canonical host; null only together with a violation. */
  readonly host: string | null;
  /** Canonical path and query; null where it cannot be seen (CONNECT). */
  readonly path: string | null;
  readonly who: Who;
  readonly match: CategoryMatch;
  readonly violation: Violation | null;
  /** What the host resolved to; left out or empty: that is not known. */
  readonly addresses?: readonly string[];
}

/** The contract's precedence: one list, one order; the first that speaks wins. */
export const PRECEDENCE: readonly StepRule[] = [
  steps.illegal, // before anything a school or a person may say
  steps.never, // the school's own never-list: no unblock may pass it
  steps.stillNeeded, // somebody who is not known yet has no rules of their own to ask
  steps.suspension, // no unblock opens a site to somebody who may use none
  steps.personClosed, // nor at a time that is closed to them
  steps.personBlock, // stands above what the person's class was opened
  steps.lesson, // "only these sites" binds the class, whatever else was opened; it opens nothing by itself
  steps.unblock, // what was approved for a time passes what classes and levels say
  steps.personAllow, // a person's own rule is nearer than their class's
  steps.groupClosed, // a class that is closed is closed for its allowed sites too
  steps.group, // a class's rule is nearer than its level's
  steps.levelClosed, // a level that is closed is closed for its allowed sites too
  steps.levelWritten, // what a person wrote down beats what a list says
  steps.levelCategories, // always speaks: the level, or the default where the level says nothing
];

/**
 * Decides one request at an instant (ms since the epoch). Pure, but that the policy remembers what its levels make of each
 * answer of the index. `passes`: who has read which warning; they turn a decision to warn into one to let in, and no other.
 * Throws when the policy does not know the level; the caller then refuses with `faultDecision`.
 */
export function decide(
  policy: PreparedPolicy,
  live: PreparedLive,
  request: DecisionRequest,
  now: number,
  passes: Passes = NO_PASSES,
): Decision {
  const decided = decideUnpassed(policy, live, request, now);
  if (decided.action !== 'warn' || request.host === null) return decided;
  if (!passes.has(request.who, request.host, decided.category, now)) return decided;
  return { ...decided, verdict: 'allow', flagged: true };
}

function decideUnpassed(policy: PreparedPolicy, live: PreparedLive, request: DecisionRequest, now: number): Decision {
  const { host, who, match, violation } = request;
  if (violation !== null || host === null) return VIOLATIONS[violation ?? 'malformed'];
  const level = levelOf(policy, who, now);
  const person = who.user === null ? undefined : policy.people.get(who.user)?.at(now, who.client);
  if (isPlain(policy, live, request, level, person, now)) {
    const outcome = levelOutcome(policy, level, match);
    return outcome.illegal ?? outcome.decision;
  }
  const asked = toAsked(policy, live, request, host, now);
  for (const step of PRECEDENCE) {
    const spoken = step(asked);
    if (spoken !== null) return spoken;
  }
  return faultDecision();
}

/** What the steps are asked with; `host` is the request's. Throws as `decide`. */
export function toAsked(
  policy: PreparedPolicy,
  live: PreparedLive,
  { path, who, match, addresses }: DecisionRequest,
  host: string,
  now: number,
): Asked {
  const level = levelOf(policy, who, now);
  const outcome = levelOutcome(policy, level, match);
  const person = who.user === null ? undefined : policy.people.get(who.user)?.at(now, who.client);
  const groups = who.groups
    .map((name) => policy.groups.get(name)?.at(now, who.client) ?? null)
    .filter((one) => one !== null);
  const leads = addressesOf(host, addresses);
  return { policy, live, host, path, addresses: leads, who, match, now, level, outcome, person, groups };
}

/** Where a canonical host leads: to what it resolved to, where that is known; a literal address to itself. */
function addressesOf(host: string, resolved: readonly string[] = []): readonly string[] {
  if (resolved.length > 0) return resolved;
  return host.includes(':') || isDottedQuad(host) ? [host] : [];
}

/** Whether any written entry is about a range that one of these addresses lies in. */
export function isInWrittenRange({ ranges }: PreparedPolicy, host: string, resolved?: readonly string[]): boolean {
  return ranges !== null && addressesOf(host, resolved).some((address) => ranges.has(address));
}

function levelOf(policy: PreparedPolicy, { level, client }: Who, now: number): PreparedLevel {
  const found = policy.levels.get(level)?.at(now, client);
  if (found !== undefined) return found;
  throw new SchoolgateError('unknown_level', 'us', `The policy has no level "${level}"`);
}

/**
 * Most requests: nothing written, live or timed can be about them, so the level's remembered outcome is the answer and
 * nothing is allocated. Whatever a step above `levelCategories` reads must be asked for here.
 */
function isPlain(
  policy: PreparedPolicy,
  live: PreparedLive,
  { host, path, who, addresses }: DecisionRequest,
  { level, closed }: PreparedLevel,
  person: PreparedPerson | undefined,
  now: number,
): boolean {
  return (
    who.needs === 'nothing' &&
    person === undefined &&
    (who.user === null || !live.suspended.has(who.user)) &&
    closed === null &&
    (path === null || level.downloads === null) &&
    live.byCategory.length === 0 &&
    !live.byHost.has(host!) &&
    !policy.named.has(host!) &&
    !isInWrittenRange(policy, host!, addresses) &&
    !hasGroupRules(policy, who, now) &&
    !hasLessons(policy, live, who)
  );
}

function hasGroupRules(policy: PreparedPolicy, { groups, client }: Who, now: number): boolean {
  for (const group of groups) if ((policy.groups.get(group)?.at(now, client) ?? null) !== null) return true;
  return false;
}

const VIOLATIONS: Readonly<Record<Violation, Decision>> = {
  malformed: decision('block', 'malformed', 'target'),
  protocol: decision('block', 'protocol', 'target'),
  port: decision('block', 'port', 'target'),
  destination: decision('block', 'destination', 'target'),
  limit: decision('block', 'limit', 'target'),
};

const FAULT = decision('block', 'fault', 'target');

/** The decision when anything threw while deciding: a fault blocks. */
export function faultDecision(): Decision {
  return FAULT;
}

/** Of the decisions on two names of one request (CONNECT target and TLS server name) the one that binds. */
export function strictest(a: Decision, b: Decision): Decision {
  if (a.verdict !== b.verdict) return a.verdict === 'block' ? a : b;
  if (a.verdict === 'allow') return b.flagged && !a.flagged ? b : a;
  if (a.locked !== b.locked) return a.locked ? a : b;
  if (a.flagged !== b.flagged) return a.flagged ? a : b;
  if (a.action !== b.action) return a.action === 'block' ? a : b;
  return STEPS.indexOf(b.step) < STEPS.indexOf(a.step) ? b : a;
}
