import { siteOf } from '../../categories/public-suffix.ts';
import type { AccessRecord } from '../../events/access-record.ts';
import { ALL_THEMES, type SafeguardingRules, type Severity, type Theme } from '../../policy/safeguarding-rules.ts';
import { worstPhrase } from './match-phrases.ts';
import { searchTerm } from './search-terms.ts';

/** What a lesson or an unblock of that time was about. It stands beside what was seen, and hides nothing. */
export interface Topic {
  readonly kind: 'unblock' | 'lesson';
  readonly id: string;
  readonly title: string;
}

/** What was seen of somebody about one theme at one host, or in one search, in five minutes. Instants in ms since the epoch. */
export interface Sighting {
  readonly id: string;
  readonly subject: string;
  readonly theme: Theme;
  /** Null for listed illegal material, which is never named. */
  readonly host: string | null;
  /** What was searched for; null: no search. */
  readonly term: string | null;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly requests: number;
  readonly verdict: 'allow' | 'block';
  readonly level: string;
  readonly facts: SightingFacts;
}

export interface SightingFacts {
  readonly subjectKind: 'person' | 'class' | 'device';
  readonly client: string;
  readonly isIdentified: boolean;
  /** The site of somebody's own that the host belongs to. */
  readonly site: string | null;
  readonly category: string | null;
  /** The phrase that stands in the search. */
  readonly phrase: string | null;
  readonly severity: Severity | null;
  readonly reason: string;
  readonly topics: readonly Topic[];
  /** Ms that its gateway's clock was ahead of ours, where it was by too much to be believed. */
  readonly aheadMs?: number;
}

/** What one record shows. */
export type Seen = Omit<Sighting, 'id' | 'lastAt' | 'requests' | 'facts'> & {
  readonly facts: Omit<SightingFacts, 'topics'>;
};

/** A gateway's clock may be ahead by so much, ms; what comes from later is taken as if it were now. */
const AHEAD_MS = 2 * 60_000;
/** No name is longer (RFC 1035 §2.3.4); what an event says may be. */
const LONGEST_HOST = 253;

/** What a record says about each theme. `flagged`: whether the visit counts, else its search terms alone. `now`: ms since the epoch. */
export function sightingsOf(record: AccessRecord, rules: SafeguardingRules, now: number): Seen[] {
  if (!record.locked && record.categories.some((category) => rules.background.includes(category))) return [];
  const term =
    record.target === null || record.method === 'CONNECT' ? null : searchTerm(record.target, record.categories);
  const [searched, visited] = [
    term === null ? [] : searchesIn(term, rules),
    record.flagged ? themeOf(record, rules) : null,
  ];
  const ahead = Date.parse(record.at) - now;
  const facts = factsOf(record, ahead);
  const seen = {
    subject: record.user ?? record.client,
    host: record.host?.slice(0, LONGEST_HOST) ?? null,
    firstAt: ahead > AHEAD_MS ? now : now + ahead,
    verdict: record.verdict,
    level: record.level,
  };
  return [
    ...searched.map(({ theme, phrase, severity }) => ({ ...seen, theme, term, facts: { ...facts, phrase, severity } })),
    // A search engine's page that is refused for its own sake is the same visit as the search.
    ...(visited === null || searched.some(({ theme }) => theme === visited.theme)
      ? []
      : [{ ...seen, theme: visited.theme, term: null, facts: { ...facts, category: visited.category } }]),
  ];
}

function factsOf(record: AccessRecord, ahead: number): Omit<SightingFacts, 'topics'> {
  const { host, user, account, client, identified, reason } = record;
  return {
    subjectKind: user === null ? 'device' : account === 'class' ? 'class' : 'person',
    client,
    isIdentified: identified !== 'none',
    site: host === null ? null : siteOf(host.slice(0, LONGEST_HOST)),
    category: null,
    phrase: null,
    severity: null,
    reason,
    ...(ahead > AHEAD_MS && { aheadMs: ahead }),
  };
}

/** By the category that decided; else the first that belongs to a theme. */
function themeOf(
  { category, categories }: AccessRecord,
  { themes }: SafeguardingRules,
): { readonly theme: Theme; readonly category: string } | null {
  for (const one of category === null ? categories : [category, ...categories]) {
    const theme = ALL_THEMES.find((id) => Object.hasOwn(themes[id]?.categories ?? {}, one));
    if (theme !== undefined) return { theme, category: one };
  }
  return null;
}

function searchesIn(
  term: string,
  { themes }: SafeguardingRules,
): readonly { readonly theme: Theme; readonly phrase: string; readonly severity: Severity }[] {
  return ALL_THEMES.flatMap((theme) => {
    const found = themes[theme] === undefined ? null : worstPhrase(term, themes[theme]);
    return found === null ? [] : [{ theme, ...found }];
  });
}
