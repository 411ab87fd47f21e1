import { MINUTE_MS, HOUR_MS, DAY_MS } from '../kernel/clock.ts';
/** What concerns are about, as people call it. Closed: reports and incidents count by these. */
export const THEMES = {
  'self-harm': 'Self-harm and suicide',
  abuse: 'Abuse and exploitation',
  violence: 'Violence',
  extremism: 'Extremism',
  drugs: 'Drugs',
  pornography: 'Pornography',
  gambling: 'Gambling',
  bullying: 'Bullying',
  circumvention: 'Ways round the filter',
  illegal: 'Illegal material',
} as const;
export type Theme = keyof typeof THEMES;
export const ALL_THEMES = Object.keys(THEMES) as readonly Theme[];

/** How soon an adult must look: now, today, when there is time. The worst first. */
export const SEVERITIES = ['danger', 'caution', 'advisory'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** `safeguarding.yaml` compiled. The console reads it; gateways carry it with the policy and make nothing of it. */
export interface SafeguardingRules {
  /** From (inclusive) to (exclusive), minutes after local midnight, over midnight where `to` is the smaller; null: no time counts more. */
  readonly night: { readonly from: number; readonly to: number; readonly times: number } | null;
  /** How much more (or less) a level counts; those left out count once. */
  readonly levels: Readonly<Record<string, number>>;
  /** Categories of what pages load by themselves: a host in one of them says nothing about anybody. */
  readonly background: readonly string[];
  /** Points of a search for a phrase. */
  readonly searches: Readonly<Record<Severity, number>>;
  readonly themes: Readonly<Partial<Record<Theme, ThemeRules>>>;
}

export interface ThemeRules {
  /** Points of a flagged visit, by category. */
  readonly categories: Readonly<Record<string, number>>;
  readonly phrases: readonly { readonly words: readonly string[]; readonly severity: Severity }[];
  /** False friends: taken out of a search before phrases are looked for. */
  readonly not: readonly (readonly string[])[];
  readonly rules: readonly ConcernRule[];
}

/** When points make a concern. */
export interface ConcernRule {
  /** Such as `safeguarding.yaml#themes.gambling.rules.Again and again`. */
  readonly rule: string;
  readonly name: string;
  readonly severity: Severity;
  readonly points: number;
  readonly withinMs: number;
  /** On so many of the school's days at least, and at so many hosts or searches. */
  readonly days: number;
  readonly sites: number;
  /** Whether searches alone count. */
  readonly searchesOnly: boolean;
  /** Whether each further visit or search that keeps it true alerts again. */
  readonly alertAgain: boolean;
}

/** Small letters and digits without accents, a word each: how searches and phrases are compared. An apostrophe parts no word. */
export function wordsOf(text: string): string[] {
  return text
    .normalize('NFKD')
    .replaceAll(/[\p{M}'’`]/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}*]+/u)
    .filter(Boolean);
}

/** `2 hours`, for people. */
export function durationText(ms: number): string {
  const [size, unit] =
    ms % DAY_MS === 0 ? [DAY_MS, 'day'] : ms % HOUR_MS === 0 ? [HOUR_MS, 'hour'] : [MINUTE_MS, 'minute'];
  const count = ms / size;
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS };
/** As far back as is looked for what belongs together. */
export const LONGEST_WINDOW_MS = 28 * DAY_MS;

/** Ms of `30 minutes`, `1 hour`, `7 days`, up to 28 days; null if the text is no such time. */
export function parseDuration(text: string): number | null {
  const [, count, unit] = /^([1-9]\d{0,3}) (minute|hour|day)s?$/.exec(text.trim()) ?? [];
  const ms = count === undefined ? 0 : Number(count) * UNIT_MS[unit!]!;
  return ms > 0 && ms <= LONGEST_WINDOW_MS ? ms : null;
}

/** A rule in plain English: `danger from 10 points within 1 day, on 2 days at least`. */
export function ruleText(rule: ConcernRule): string {
  return [
    `${rule.severity} from ${rule.points} points within ${durationText(rule.withinMs)}`,
    ...(rule.days > 1 ? [`on ${rule.days} days at least`] : []),
    ...(rule.sites > 1 ? [`at ${rule.sites} sites at least`] : []),
    ...(rule.searchesOnly ? ['searches alone'] : []),
    ...(rule.alertAgain ? ['each time anew'] : []),
  ].join(', ');
}
