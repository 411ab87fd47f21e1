import { isoTime } from '../kernel/clock.ts';
import { knownByText } from '../kernel/identified.ts';
import type { DecisionRequest } from './decide.ts';
import { timeOfRule } from './explain-times.ts';
import { YOUTUBE_WORDS, safeAddress, safeSettingFor, youtubeOf } from './safe-search.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { type Decision, STEPS, type Verdict } from './verdict.ts';
import { type RefusalKind, type Voice, contactFor, helpText, refusalText } from './wording.ts';

/** What an explanation needs besides the decision. */
export interface Explained {
  readonly request: DecisionRequest;
  /** The canonical URL, or `host:port`; null when there is none. */
  readonly canonical: string | null;
  /** The instant of the decision, ms since the epoch. */
  readonly now: number;
  readonly policy: PolicySnapshot;
  readonly serial: number;
}

/** The contract's verdict: the decision with everything it rested on, and in words. */
export function explain(decision: Decision, about: Explained): Verdict {
  const { request, policy } = about;
  return {
    ...decision,
    categories: request.match.categories,
    lists: request.match.lists,
    level: request.who.level,
    user: request.who.user,
    canonical: decision.locked ? null : about.canonical,
    at: isoTime(about.now),
    policy: policy.hash,
    serial: about.serial,
    explain: { user: explainToUser(decision, request, policy), staff: explainToStaff(decision, about) },
  };
}

/** What the person concerned is told, in the voice of their level: why, and what to do. */
export function explainToUser(decision: Decision, request: DecisionRequest, policy: PolicySnapshot): string {
  const voice = policy.levels[request.who.level]?.voice ?? 'child';
  if (decision.verdict === 'allow') return allowedText(decision, voice);
  const category = decision.category === null ? '' : titleOf(policy, decision.category);
  const text = refusalText(refusalKind(decision), voice, { contact: contactFor(policy.contacts, voice), category });
  const help = decision.locked ? null : helpText(request.match.categories, voice);
  return help === null ? text : `${text} ${help}`;
}

function allowedText({ action, reason }: Decision, voice: Voice): string {
  if (reason === 'unblock') return 'This site is open for now, because a teacher asked for it.';
  if (action === 'warn') {
    return voice === 'child'
      ? 'You can open this site for now. A grown-up at school can see that you did.'
      : 'You can open this site for now, because you read the warning. The school takes note that you did.';
  }
  if (action === 'monitor') {
    return voice === 'child'
      ? 'You can open this site. A grown-up at school can see that you did.'
      : 'You can open this site, and the school takes note that you did.';
  }
  return 'You can open this site.';
}

function refusalKind({ action, reason, rule }: Decision): RefusalKind {
  if (reason === 'person' && rule?.endsWith('.suspended') === true) return 'suspended';
  if (reason === 'block-list' && rule?.endsWith('#downloads') === true) return 'download';
  if (reason === 'unblock' || reason === 'allow-list') return 'fault';
  return action === 'warn' ? 'warned' : reason;
}

/** What staff are told: the step, the rule, the lists and the policy that decided. */
function explainToStaff(decision: Decision, about: Explained): string {
  const { request, policy, serial } = about;
  const { step, reason, action, category, rule } = decision;
  const parts = [
    `${decision.verdict === 'allow' ? 'Allowed' : 'Refused'} at step ${STEPS.indexOf(step) + 1} of ${STEPS.length}, ${step}`,
    `reason ${reason}, action ${action}${action === 'warn' ? WARN_ASIDE[decision.verdict] : ''}`,
  ];
  if (category !== null) parts.push(`category ${category} (${titleOf(policy, category)})`);
  if (rule !== null) parts.push(...ruleText(rule, about));
  const { lists } = request.match;
  parts.push(lists.length === 0 ? 'on no list' : `on ${lists.length === 1 ? 'list' : 'lists'} ${lists.join(', ')}`);
  parts.push(`level ${request.who.level} (${knownByText(request.who.identified)})`);
  if (decision.verdict === 'allow') parts.push(...connectedElsewhere(request, policy));
  parts.push(`policy ${policy.hash.slice(0, 12)}, serial ${serial}`);
  return `${parts.join('; ')}.`;
}

function ruleText(rule: string, { request, policy, now }: Explained): string[] {
  const time = timeOfRule(rule, request, policy, now);
  return [`rule ${rule}`, ...(time === null ? [] : [time])];
}

const WARN_ASIDE = {
  block: ': the person is asked first',
  allow: ': the person read the warning and went on',
} as const;

/** That a gateway connects to a service's safe address instead of the host that was asked for. */
function connectedElsewhere({ who, host }: DecisionRequest, policy: PolicySnapshot): string[] {
  const level = policy.levels[who.level];
  const bound = level === undefined || host === null ? null : safeSettingFor(level, host);
  if (bound === null) return [];
  const what =
    bound.setting === 'safeSearch' ? 'SafeSearch is forced' : `YouTube is ${YOUTUBE_WORDS[youtubeOf(level!).value]}`;
  return [`${what}: connected to ${safeAddress(level!, host!)!.name} (${bound.rule ?? 'nobody says otherwise'})`];
}

function titleOf(policy: PolicySnapshot, category: string): string {
  return policy.categories[category]?.title ?? category;
}
