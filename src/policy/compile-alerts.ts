import type { DocumentPath, YamlDocument } from '../config/yaml-document.ts';
import { ROLES } from '../identity/roles.ts';
import { canonicalUser } from '../identity/user-name.ts';
import { addressKind, canonicalAddress } from '../kernel/ip.ts';
import { isDate } from '../kernel/local-time.ts';
import { type AlertRoute, type AlertRules, type Listener, SHIPPED_ALERTS } from './alert-rules.ts';
import { type Compiling, report } from './compile-entries.ts';
import { compileWindows } from './compile-windows.ts';
import type { AlertsDocument, PolicyDocuments } from './document.ts';
import type { PolicySnapshot } from './snapshot.ts';

type Document = YamlDocument<AlertsDocument>;
type WrittenRoute = NonNullable<AlertsDocument['routes']>[number];

/** How the person is called who is on call. */
const ON_CALL = 'on-call';
const MAIL = /^[^\s<>@,;:"()[\]\\]+@[^\s<>@,;:"()[\]\\]+$/;

/** Compiles `alerts.yaml`. A school without one is left as shipped, so that the same files keep their hash. */
export function compileAlerts(to: Compiling, { alerts }: PolicyDocuments): Pick<PolicySnapshot, 'alerts'> {
  if (alerts === null) return {};
  const { value } = alerts;
  const webhooks = compileWebhooks(to, alerts);
  const rules: AlertRules = {
    ...(value.console !== undefined && { console: compileConsole(to, alerts, value.console) }),
    fullNames: value.fullNames ?? false,
    mail: compileMail(to, alerts),
    webhooks,
    onCall: compileOnCall(to, alerts),
    routes: value.routes === undefined ? SHIPPED_ALERTS.routes : compileRoutes(to, alerts, value.routes, webhooks),
    heartbeat: compileHeartbeat(to, alerts),
    silenceMinutes: value.silenceMinutes ?? SHIPPED_ALERTS.silenceMinutes,
  };
  return { alerts: rules };
}

function compileConsole(to: Compiling, document: Document, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.search + url.hash === '';
  if (!isPlain)
    report(to, document, ['console'], `"${text}" is not an address such as https://schoolgate.school.example`);
  return text.replace(/\/$/, '');
}

function compileMail(to: Compiling, document: Document): Record<string, string> {
  const mail: Record<string, string> = {};
  for (const [name, address] of Object.entries(document.value.mail ?? {})) {
    const user = compileUser(to, document, ['mail', name], name);
    if (!MAIL.test(address)) report(to, document, ['mail', name], `"${address}" is not one plain mail address`);
    if (user !== null && Object.hasOwn(mail, user)) report(to, document, ['mail', name], `"${name}" stands here twice`);
    if (user !== null) mail[user] = address;
  }
  return mail;
}

function compileWebhooks(to: Compiling, document: Document): Record<string, string> {
  for (const [name, text] of Object.entries(document.value.webhooks ?? {})) {
    const reason = webhookFault(text);
    if (reason !== null) report(to, document, ['webhooks', name], reason);
  }
  return document.value.webhooks ?? {};
}

function webhookFault(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.hash !== '') {
    return `"${text}" is not an https address without a user name`;
  }
  const address = canonicalAddress(url.hostname.replace(/^\[|\]$/g, ''));
  const isOurs = address !== null && addressKind(address) !== 'public';
  return isOurs ? `"${text}" lies at a private address; webhooks are called over the internet only` : null;
}

function compileOnCall(to: Compiling, document: Document): AlertRules['onCall'] {
  return (document.value.onCall ?? []).flatMap(({ name, from, to: until }, i) => {
    const user = compileUser(to, document, ['onCall', i, 'name'], name);
    for (const [key, date] of [
      ['from', from],
      ['to', until],
    ] as const) {
      if (!isDate(date)) report(to, document, ['onCall', i, key], `"${date}" is not a date such as 2026-12-19`);
    }
    if (until < from) report(to, document, ['onCall', i, 'to'], `"to" lies before "from"; swap them`);
    return user === null ? [] : [{ user, from, to: until }];
  });
}

function compileRoutes(
  to: Compiling,
  document: Document,
  written: readonly WrittenRoute[],
  webhooks: Readonly<Record<string, string>>,
): AlertRoute[] {
  return written.map((route, i) => {
    const at = ['routes', i] as const;
    if (written.findIndex(({ name }) => name === route.name) < i) {
      report(to, document, [...at, 'name'], `"${route.name}" is the name of a route above; each needs its own`);
    }
    for (const [n, name] of (route.webhooks ?? []).entries()) {
      if (Object.hasOwn(webhooks, name)) continue;
      report(to, document, [...at, 'webhooks', n], `"${name}" is not a webhook; describe it under "webhooks"`);
    }
    const { themes, severities, groups, when, escalate } = route;
    return {
      name: route.name,
      rule: `${document.file}#routes.${route.name}`,
      ...(themes !== undefined && { themes }),
      ...(severities !== undefined && { severities }),
      ...(groups !== undefined && { groups }),
      ...(when !== undefined && { when: compileWindows(to, document, [...at, 'when'], when) }),
      tell: compileListeners(to, document, [...at, 'tell'], route.tell),
      webhooks: route.webhooks ?? [],
      ...(escalate !== undefined && {
        escalate: {
          afterMinutes: escalate.afterMinutes,
          to: escalate.to.map((one, n) => compileListeners(to, document, [...at, 'escalate', 'to', n], [one])),
        },
      }),
    };
  });
}

function compileHeartbeat(to: Compiling, document: Document): AlertRules['heartbeat'] {
  const { at, to: listeners } = document.value.heartbeat ?? {};
  const time = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(at ?? '07:30');
  if (time === null) report(to, document, ['heartbeat', 'at'], `"${at}" is not a time of day such as "07:30"`);
  // The hour that is missing or comes twice when clocks change.
  if (time?.[1] === '01') report(to, document, ['heartbeat', 'at'], 'must not lie between 01:00 and 02:00');
  return {
    at: time === null ? SHIPPED_ALERTS.heartbeat.at : Number(time[1]) * 60 + Number(time[2]),
    to:
      listeners === undefined
        ? SHIPPED_ALERTS.heartbeat.to
        : compileListeners(to, document, ['heartbeat', 'to'], listeners),
  };
}

/** A role's name, `on-call`, or somebody's user name; a role counts before a person of that name. */
function compileListeners(to: Compiling, document: Document, path: DocumentPath, names: readonly string[]): Listener[] {
  return names.flatMap((name, i): Listener[] => {
    if (Object.hasOwn(ROLES, name)) return [{ role: name }];
    if (name === ON_CALL) return [{ onCall: true }];
    const user = compileUser(to, document, [...path, i], name);
    return user === null ? [] : [{ user }];
  });
}

function compileUser(to: Compiling, document: Document, path: DocumentPath, name: string): string | null {
  const user = canonicalUser(name);
  if (user === null)
    report(to, document, path, `"${name}" is not a user name, a role such as safeguarding-lead, or on-call`);
  return user;
}
