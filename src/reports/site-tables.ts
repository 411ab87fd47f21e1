import type { Cell, ReportTable } from './report.ts';
import { bytes, count, rankingTable, text } from './table-parts.ts';
import type { SiteTally, Tally, WeekCounts } from './week-counts.ts';
import { categoryWords, reasonWords, siteWords } from './words.ts';

const APART = 'Adverts and trackers';
const ONE_SITE = 'other sites';

export function topSites({ sites }: WeekCounts): ReportTable {
  const cells = (tally: Tally, name: string): Cell[] => [name, tally.allowed, tally.people, tally.bytes];
  const head = {
    id: 'sites',
    title: 'Most visited sites',
    note: 'The sites with most allowed navigations. Adverts and trackers are counted apart.',
    columns: [text('Site'), count('Navigations'), count('People'), bytes('Data')],
    bar: [{ column: 1, tone: 'allowed' }] as const,
    whenEmpty: 'Nothing was allowed in this period.',
  };
  const words = { others: ONE_SITE, apart: APART, total: 'All allowed' };
  return rankingTable(head, sites, (site) => cells(site, siteWords(site)), cells, words);
}

export function topRefused({ refusedSites }: WeekCounts, titles: Readonly<Record<string, string>>): ReportTable {
  const head = {
    id: 'refused-sites',
    title: 'Most refused sites',
    note: 'The sites with most refused navigations. Adverts and trackers are counted apart.',
    columns: [text('Site'), text('Why'), count('Refused'), count('People')],
    bar: [{ column: 2, tone: 'refused' }] as const,
    whenEmpty: 'Nothing was refused in this period.',
  };
  return rankingTable(
    head,
    refusedSites,
    (site) => [siteWords(site), whyWords(site, titles), site.refused, site.people],
    (sum, name) => [name, '', sum.refused, sum.people],
    { others: ONE_SITE, apart: APART, total: 'All refused' },
  );
}

export function circumventionTable({ circumvention }: WeekCounts): ReportTable {
  const cells = (tally: Tally, name: string): Cell[] => [name, tally.allowed, tally.refused, tally.people];
  const head = {
    id: 'circumvention',
    title: 'Ways round the filter',
    note: 'Navigations to sites listed as proxies, VPNs and the like (the categories of that theme in safeguarding.yaml).',
    columns: [text('Site'), count('Allowed'), count('Refused'), count('People')],
    bar: [
      { column: 1, tone: 'allowed' },
      { column: 2, tone: 'refused' },
    ] as const,
    whenEmpty: 'Nobody tried a listed way round the filter.',
  };
  const words = { others: ONE_SITE, total: 'All together' };
  return rankingTable(head, circumvention, (site) => cells(site, siteWords(site)), cells, words);
}

/** A site may be refused for one reason at one level and for another elsewhere: all of them. */
function whyWords({ why }: SiteTally, titles: Readonly<Record<string, string>>): string {
  const words = why.map(({ reason, category }) =>
    reason === 'category' ? categoryWords(category, titles) : reasonWords(reason),
  );
  return [...new Set(words)].sort().join(', ');
}
