import { canonicalUser } from '../identity/user-name.ts';
import type { Severity, Theme } from './safeguarding-rules.ts';
import type { DayWindow } from './snapshot.ts';

/** Somebody to be told: whoever holds a role, whoever is on call, or one person by their canonical user name. */
export type Listener = { readonly role: string } | { readonly onCall: true } | { readonly user: string };

/** Whom alerts of some kind go to. What is left out fits everything. */
export interface AlertRoute {
  readonly name: string;
  /** `alerts.yaml#routes.<name>`. */
  readonly rule: string;
  readonly themes?: readonly Theme[];
  readonly severities?: readonly Severity[];
  /** Levels, classes or groups of the subject, of which one must fit. */
  readonly groups?: readonly string[];
  readonly when?: readonly DayWindow[];
  /** Nobody and no webhook: alerts that fit wait on the page. */
  readonly tell: readonly Listener[];
  readonly webhooks: readonly string[];
  /** Told when nobody has taken notice for so many minutes; each further group after as many again. */
  readonly escalate?: { readonly afterMinutes: number; readonly to: readonly (readonly Listener[])[] };
}

/** `alerts.yaml` as compiled: who is told of what, and how they are reached. */
export interface AlertRules {
  /** The console's address in mail; left out: mail says where to look in words. */
  readonly console?: string;
  /** Mail says the subject's full name. */
  readonly fullNames: boolean;
  /** Mail addresses by canonical user name. */
  readonly mail: Readonly<Record<string, string>>;
  /** URLs by name. */
  readonly webhooks: Readonly<Record<string, string>>;
  /** Dates, both included. */
  readonly onCall: readonly { readonly user: string; readonly from: string; readonly to: string }[];
  /** The first that fits counts. */
  readonly routes: readonly AlertRoute[];
  /** Who is sent the daily sign of life, and told when something on the way of alerts is out of order. `at`: minutes after local midnight. */
  readonly heartbeat: { readonly at: number; readonly to: readonly Listener[] };
  /** Nothing heard from gateways for so many minutes of a school day is told. */
  readonly silenceMinutes: number;
}

/** Where somebody is reached by mail; null: nobody has written it down. */
export function mailboxOf(userName: string, { mail }: Pick<AlertRules, 'mail'>): string | null {
  const user = canonicalUser(userName);
  return user === null ? null : (mail[user] ?? null);
}

/** Who else reads the mailbox in which somebody is reached, of these people. */
export function sharersOf<P extends { readonly id: string; readonly userName: string }>(
  { id, userName }: P,
  people: readonly P[],
  rules: Pick<AlertRules, 'mail'>,
): readonly P[] {
  const boxOf = (name: string): string | undefined => mailboxOf(name, rules)?.toLowerCase();
  const box = boxOf(userName);
  return box === undefined ? [] : people.filter((other) => other.id !== id && boxOf(other.userName) === box);
}

const SHIPPED_ROUTE: AlertRoute = {
  name: 'shipped',
  rule: 'shipped',
  severities: ['danger', 'caution'],
  tell: [{ role: 'safeguarding-lead' }],
  webhooks: [],
  escalate: { afterMinutes: 30, to: [[{ role: 'headteacher' }]] },
};

/** Where a school has no `alerts.yaml`. */
export const SHIPPED_ALERTS: AlertRules = {
  fullNames: false,
  mail: {},
  webhooks: {},
  onCall: [],
  routes: [SHIPPED_ROUTE],
  heartbeat: { at: 450, to: [{ role: 'safeguarding-lead' }] },
  silenceMinutes: 15,
};
