import type { AlertRoute, AlertRules, Listener } from './alert-rules.ts';
import { SHIPPED_ALERTS } from './alert-rules.ts';
import type { PolicyChange } from './diff-rules.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { windowsText } from './times-text.ts';

/** Who is told of what. Whether a change tells fewer people cannot be seen from its words: each counts as one that may loosen. */
export function diffAlerts(before: PolicySnapshot, after: PolicySnapshot): PolicyChange[] {
  const [was, is] = [before, after].map(({ alerts = SHIPPED_ALERTS }) => new Set(linesOf(alerts))) as [
    Set<string>,
    Set<string>,
  ];
  return [
    ...[...is].filter((line) => !was.has(line)).map((line) => ({ text: `Alerts: ${line}`, loosens: true })),
    ...[...was].filter((line) => !is.has(line)).map((line) => ({ text: `Alerts: no longer ${line}`, loosens: true })),
  ];
}

function linesOf(rules: AlertRules): string[] {
  const { mail, webhooks, onCall, routes, heartbeat, silenceMinutes } = rules;
  return [
    ...(rules.console === undefined ? [] : [`mail leads to ${rules.console}`]),
    ...(rules.fullNames ? ['mail says full names'] : []),
    ...Object.entries(mail).map(([user, address]) => `${user} is reached at ${address}`),
    ...Object.entries(webhooks).map(([name, url]) => `webhook ${name} calls ${url}`),
    ...onCall.map(({ user, from, to }) => `${user} is on call from ${from} to ${to}`),
    ...routes.map((route, i) => `route ${i + 1}, ${routeText(route)}`),
    `the daily sign of life at ${Math.floor(heartbeat.at / 60)}:${String(heartbeat.at % 60).padStart(2, '0')} goes to ${listenersText(heartbeat.to)}`,
    `silence of ${silenceMinutes} minutes is told`,
  ];
}

function routeText({ name, themes, severities, groups, when, tell, webhooks, escalate }: AlertRoute): string {
  const of = [severities, themes, groups].flatMap((list) => (list === undefined ? [] : [list.join(' or ')]));
  return [
    `“${name}”: ${of.length === 0 ? 'everything' : of.join(', ')}`,
    ...(when === undefined ? [] : [`at ${windowsText(when)}`]),
    `to ${listenersText(tell)}`,
    ...(webhooks.length === 0 ? [] : [`by webhook ${webhooks.join(', ')}`]),
    ...(escalate === undefined
      ? []
      : [`after ${escalate.afterMinutes} minutes to ${escalate.to.map(listenersText).join(', then ')}`]),
  ].join(' ');
}

function listenersText(listeners: readonly Listener[]): string {
  const names = listeners.map((one) => ('role' in one ? one.role : 'user' in one ? one.user : 'on-call'));
  return names.length === 0 ? 'nobody' : names.join(', ');
}
