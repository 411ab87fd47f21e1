import type { LocalTime } from '../../kernel/local-time.ts';
import { NAVIGATION_MS } from '../../kernel/navigation.ts';
import {
  type ConcernRule,
  SEVERITIES,
  type SafeguardingRules,
  type Severity,
  type Theme,
} from '../../policy/safeguarding-rules.ts';
import type { Sighting } from './sighting.ts';

/** A rule that is fulfilled, and by what. */
export interface Finding {
  readonly rule: ConcernRule;
  /** The most that any of its windows had. */
  readonly points: number;
  /** Sightings that pages of such windows began with: what counted. */
  readonly counted: ReadonlySet<string>;
}

/** A host that was quiet for so long, ms, is asked for anew; until then it may be an app that asks by itself. */
const QUIET_MS = 30 * 60_000;
/** How often one site counts on a day: what asks all day long is no person. */
const VISITS_A_DAY = 3;

/** What the school's clock shows at an instant. */
export type LocalClock = (at: number) => Pick<LocalTime, 'date' | 'minute'>;

/**
 * The rules of a theme that the sightings of one subject fulfil, the worst first; their order does not matter. Retries and apps that ask
 * by themselves are one visit, and what a page loads is one page with the points of the worst of it.
 */
export function assess(
  sightings: readonly Sighting[],
  theme: Theme,
  rules: SafeguardingRules,
  local: LocalClock,
): Finding[] {
  const pages = pagesOf(visitsOf(sightings, local), rules, local);
  return (rules.themes[theme]?.rules ?? [])
    .flatMap((rule) => findingOf(rule, pages) ?? [])
    .sort((a, b) => SEVERITIES.indexOf(a.rule.severity) - SEVERITIES.indexOf(b.rule.severity));
}

/** The worst of several; null of none. */
export function worstOf(severities: readonly Severity[]): Severity | null {
  return SEVERITIES.find((severity) => severities.includes(severity)) ?? null;
}

function inOrder(sightings: readonly Sighting[]): Sighting[] {
  const what = ({ host, term }: Sighting): string => `${host ?? ''}\n${term ?? ''}`;
  return [...sightings].sort((a, b) => a.firstAt - b.firstAt || (what(a) < what(b) ? -1 : 1));
}

/** The first sighting of each visit. */
function visitsOf(sightings: readonly Sighting[], local: LocalClock): Sighting[] {
  const lastAt = new Map<string, number>();
  const onDay = new Map<string, number>();
  return inOrder(sightings).filter((one) => {
    const what = `${one.facts.site ?? ''}\n${one.term ?? ''}`;
    const last = lastAt.get(what);
    lastAt.set(what, Math.max(last ?? 0, one.lastAt));
    if (last !== undefined && one.firstAt - last < QUIET_MS) return false;
    const day = `${what}\n${local(one.firstAt).date}`;
    const visits = (onDay.get(day) ?? 0) + 1;
    onDay.set(day, visits);
    return visits <= VISITS_A_DAY;
  });
}

interface Page {
  readonly id: string;
  readonly at: number;
  readonly date: string;
  readonly site: string;
  points: number;
  /** Of its searches alone. */
  searchPoints: number;
}

function pagesOf(visits: readonly Sighting[], rules: SafeguardingRules, local: LocalClock): Page[] {
  const pages: Page[] = [];
  for (const visit of visits) {
    const { date, minute } = local(visit.firstAt);
    const points = pointsOf(visit, minute, rules);
    const searchPoints = visit.term === null ? 0 : points;
    const page = pages.at(-1);
    if (page !== undefined && visit.firstAt - page.at < NAVIGATION_MS) {
      page.points = Math.max(page.points, points);
      page.searchPoints = Math.max(page.searchPoints, searchPoints);
    } else {
      const site = visit.term ?? visit.facts.site ?? '';
      pages.push({ id: visit.id, at: visit.firstAt, date, site, points, searchPoints });
    }
  }
  return pages;
}

/** `minute`: after local midnight. */
export function pointsOf(
  { theme, level, facts }: Pick<Sighting, 'theme' | 'level' | 'facts'>,
  minute: number,
  { night, levels, searches, themes }: SafeguardingRules,
): number {
  const { severity, category, isIdentified } = facts;
  const points = severity !== null ? searches[severity] : (themes[theme]?.categories[category ?? ''] ?? 0);
  // The level of somebody unknown is the strictest one, and says nothing of their age.
  const byLevel = isIdentified ? (levels[level] ?? 1) : 1;
  return points * byLevel * (night !== null && isWithin(minute, night) ? night.times : 1);
}

function isWithin(minute: number, { from, to }: { readonly from: number; readonly to: number }): boolean {
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** Every window that ends with a page is looked at; null: none has enough. */
function findingOf(rule: ConcernRule, all: readonly Page[]): Finding | null {
  const worth = ({ points, searchPoints }: Page): number => (rule.searchesOnly ? searchPoints : points);
  const pages = all.filter((page) => worth(page) > 0);
  const counted = new Set<string>();
  let most = 0;
  let sum = 0;
  let from = 0;
  for (const [i, page] of pages.entries()) {
    sum += worth(page);
    while (page.at - pages[from]!.at >= rule.withinMs) sum -= worth(pages[from++]!);
    // Sums of fractions: a hair's breadth is no reason.
    if (sum < rule.points - 1e-9) continue;
    const within = pages.slice(from, i + 1);
    if (new Set(within.map(({ date }) => date)).size < rule.days) continue;
    if (new Set(within.map(({ site }) => site)).size < rule.sites) continue;
    for (const { id } of within) counted.add(id);
    most = Math.max(most, sum);
  }
  return counted.size === 0 ? null : { rule, points: Math.round(most * 100) / 100, counted };
}
