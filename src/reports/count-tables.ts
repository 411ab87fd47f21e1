import { localTime } from '../kernel/local-time.ts';
import type { Cell, Column, ReportTable } from './report.ts';
import { bytes, count, rankingTable, tallyTable, text } from './table-parts.ts';
import type { Tally, WeekCounts } from './week-counts.ts';
import { categoryWords, dayWords, identityWords, reasonWords } from './words.ts';

const NOTHING = 'Nothing was recorded in this period.';
const BAR = [
  { column: 1, tone: 'allowed' },
  { column: 2, tone: 'refused' },
] as const;

export function byDay(counts: WeekCounts, zone: string): ReportTable {
  const rows = new Map<string, [string, number, number, number]>();
  for (const hour of counts.hours) {
    const { date } = localTime(hour.from, zone);
    const row = rows.get(date) ?? [dayWords(hour.from, zone), 0, 0, 0];
    rows.set(date, [row[0], row[1] + hour.navigations - hour.refused, row[2] + hour.refused, row[3] + hour.requests]);
  }
  const sum = (column: 1 | 2 | 3): number => [...rows.values()].reduce((total, row) => total + row[column], 0);
  return {
    ...countHead('days', 'Day by day', 'A navigation counts on the day it began.', 'Day'),
    rows: [...rows.values()],
    rest: [],
    total: ['All days', sum(1), sum(2), sum(3)],
  };
}

export function byLevel(counts: WeekCounts): ReportTable {
  const head = countHead('levels', 'By level', 'The level whose rules applied.', 'Level');
  return tallyTable(head, counts.levels, counts.all, countCells, ({ name }) => name ?? '');
}

export function byYear(counts: WeekCounts): ReportTable {
  const note = 'Pupils by the year they are in now; staff, guests and devices are in none.';
  const head = countHead('years', 'By school year', note, 'Year');
  return tallyTable(head, counts.years, counts.all, countCells, ({ name }) => name ?? 'In no school year');
}

export function byCategory(counts: WeekCounts, titles: Readonly<Record<string, string>>): ReportTable {
  const note = 'The category that decided; where none did, the first that the lists know the site by.';
  const head = countHead('categories', 'By category', note, 'Category');
  return tallyTable(head, counts.categories, counts.all, countCells, ({ name }) => categoryWords(name, titles));
}

export function byIdentity(counts: WeekCounts): ReportTable {
  const note = 'Whoever is not identified gets the strictest level.';
  const head = countHead('identity', 'How people were known', note, 'Known by');
  return tallyTable(head, counts.identities, counts.all, countCells, ({ name }) => identityWords(name));
}

export function unidentifiedDevices(counts: WeekCounts): ReportTable {
  const note = 'The addresses that asked most without anybody being known.';
  const head = {
    ...countHead('unidentified', 'Unidentified devices', note, 'Address'),
    whenEmpty: 'No request came from an unidentified device.',
  };
  const words = { others: 'other addresses', total: 'All together' };
  return rankingTable(head, counts.unidentifiedDevices, (row) => countCells(row, row.name!), countCells, words);
}

export function byReason(counts: WeekCounts): ReportTable {
  const head = {
    ...countHead('reasons', 'Why requests were refused', 'The rule that spoke first.', 'Reason'),
    columns: [text('Reason'), count('Refused'), count('Requests')],
    bar: [{ column: 1, tone: 'refused' }] as const,
    whenEmpty: 'Nothing was refused in this period.',
  };
  const cells = (tally: Tally, name: string): Cell[] => [name, tally.refused, tally.requests];
  return tallyTable(head, counts.reasons, counts.refusedSites.total, cells, ({ name }) => reasonWords(name!));
}

export function byVolume(counts: WeekCounts): ReportTable {
  const head = {
    id: 'volumes',
    title: 'Most data, by person',
    note: 'Who carried most, both ways; a device where nobody was known. What one reads about oneself is left out.',
    columns: [text('Person or device'), bytes('Data'), count('Requests'), count('Sites'), text('Most of it from')],
    bar: [{ column: 1, tone: 'allowed' }] as const,
    whenEmpty: NOTHING,
  };
  const table = rankingTable(
    head,
    counts.volumes,
    (row) => [row.name!, row.bytes, row.requests, row.sites, row.mostFrom ?? ''],
    (sum, name) => [name, sum.bytes, sum.requests, '', ''],
    { others: 'other people and devices', total: 'All together' },
  );
  return { ...table, namesPeople: true };
}

export function byPair(counts: WeekCounts): ReportTable {
  const head = {
    id: 'volume-sites',
    title: 'Most data, by person and site',
    note: 'One person (or device) at one site: where misuse of the network shows first.',
    columns: [text('Person or device'), text('Site'), bytes('Data'), count('Requests')],
    bar: [{ column: 2, tone: 'allowed' }] as const,
    whenEmpty: NOTHING,
  };
  const table = rankingTable(
    head,
    counts.pairs,
    (row) => [row.name!, row.site ?? 'An address that is not shown', row.bytes, row.requests],
    (sum, name) => [name, '', sum.bytes, sum.requests],
    { others: 'other pairs', total: 'All together' },
  );
  return { ...table, namesPeople: true };
}

export function searchTable({ searches: { top, more, moreTimes, times } }: WeekCounts): ReportTable {
  return {
    id: 'searches',
    title: 'What was searched for',
    note: 'Only where the filter can see it: in plain http. Of encrypted search engines, which are nearly all, no search is visible.',
    columns: [text('Search'), count('Times'), count('People')],
    rows: top.map((search) => [search.term, search.times, search.people]),
    rest: more === 0 ? [] : [[`${more.toLocaleString('en-GB')} other searches`, moreTimes, '']],
    total: top.length === 0 ? null : ['All together', times, ''],
    bar: [],
    whenEmpty: 'No search was visible to the filter in this period.',
  };
}

function countCells(tally: Tally, name: string): Cell[] {
  return [name, tally.allowed, tally.refused, tally.requests];
}

function countHead(id: string, title: string, note: string, first: string) {
  const columns: readonly Column[] = [text(first), count('Allowed'), count('Refused'), count('Requests')];
  return { id, title, note, columns, bar: BAR, whenEmpty: NOTHING };
}
