import type { Visits } from './navigations.ts';
import type { ReportTable } from './report.ts';
import { count, tallyTable, text, type TallyTable } from './table-parts.ts';
import { mergeTallies, type Tally, tallyBy } from './tally.ts';
import type { WeekCounts } from './weekly.ts';
import { categoryWords, reasonWords, siteWords } from './words.ts';

/** Categories that a page brings along by itself: counted, but nobody went there. */
const BACKGROUND = new Set(['adverts', 'trackers']);
const TOP_SITES = 25;

export function topSites(counts: WeekCounts): ReportTable {
  const table: TallyTable = {
    id: 'sites',
    title: 'Most visited sites',
    note: `The ${TOP_SITES} sites with most allowed navigations. Adverts and trackers are counted apart.`,
    columns: [text('Site'), count('Navigations'), count('People'), { title: 'Data', kind: 'bytes' }],
    cells: (tally) => [tally.name, tally.allowed, tally.who.size, tally.bytes],
    bar: [{ column: 1, tone: 'allowed' }],
    total: 'All allowed',
    whenEmpty: 'Nothing was allowed in this period.',
    top: TOP_SITES,
    others: 'other sites',
  };
  const { sites, background } = sitesOf(counts.visits.filter((visit) => visit.verdict === 'allow'));
  return tallyTable(table, sites, background);
}

export function topRefused(counts: WeekCounts, titles: Readonly<Record<string, string>>): ReportTable {
  const refused = counts.visits.filter((visit) => visit.verdict === 'block');
  const why = whyBySite(refused, titles);
  const table: TallyTable = {
    id: 'refused-sites',
    title: 'Most refused sites',
    note: `The ${TOP_SITES} sites with most refused navigations. Adverts and trackers are counted apart.`,
    columns: [text('Site'), text('Why'), count('Refused'), count('People')],
    cells: (tally) => [tally.name, [...(why.get(tally.name) ?? [])].sort().join(', '), tally.refused, tally.who.size],
    bar: [{ column: 2, tone: 'refused' }],
    total: 'All refused',
    whenEmpty: 'Nothing was refused in this period.',
    top: TOP_SITES,
    others: 'other sites',
  };
  const { sites, background } = sitesOf(refused);
  return tallyTable(table, sites, background);
}

function sitesOf(visits: readonly Visits[]): { sites: Tally[]; background: Tally[] } {
  const isBackground = (visit: Visits): boolean => visit.category !== null && BACKGROUND.has(visit.category);
  const background = tallyBy(visits.filter(isBackground), siteWords);
  return {
    sites: tallyBy(
      visits.filter((visit) => !isBackground(visit)),
      siteWords,
    ),
    background: background.length === 0 ? [] : [mergeTallies('Adverts and trackers', background)],
  };
}

/** A site may be refused for one reason at one level and for another elsewhere: all of them. */
function whyBySite(refused: readonly Visits[], titles: Readonly<Record<string, string>>): Map<string, Set<string>> {
  const why = new Map<string, Set<string>>();
  for (const visit of refused) {
    const words = visit.reason === 'category' ? categoryWords(visit.category, titles) : reasonWords(visit.reason);
    const site = siteWords(visit);
    why.set(site, (why.get(site) ?? new Set()).add(words));
  }
  return why;
}
