import { localTime } from '../kernel/local-time.ts';
import type { Visits } from './navigations.ts';
import type { Cell, Column, ReportTable } from './report.ts';
import { count, tallyTable, text, type TallyTable } from './table-parts.ts';
import { type Tally, tallyBy } from './tally.ts';
import type { WeekCounts } from './weekly.ts';
import { categoryWords, dayWords, IDENTIFIED_WORDS, reasonWords } from './words.ts';

const TOP_DEVICES = 10;
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
    id: 'days',
    title: 'Day by day',
    note: 'A navigation counts on the day it began.',
    columns: countColumns('Day'),
    rows: [...rows.values()],
    rest: [],
    total: ['All days', sum(1), sum(2), sum(3)],
    bar: BAR,
    whenEmpty: NOTHING,
  };
}

export function byLevel(counts: WeekCounts): ReportTable {
  const note = 'The level whose rules applied.';
  const table = countTable('levels', 'By level', note, 'Level');
  return tallyTable(
    table,
    tallyBy(counts.visits, (visit) => visit.level),
  );
}

export function byCategory(counts: WeekCounts, titles: Readonly<Record<string, string>>): ReportTable {
  const note = 'The category that decided; where none did, the first that the lists know the site by.';
  const table = countTable('categories', 'By category', note, 'Category');
  return tallyTable(
    table,
    tallyBy(counts.visits, (visit) => categoryWords(visit.category, titles)),
  );
}

export function byIdentity(counts: WeekCounts): ReportTable {
  const note = 'Whoever is not identified gets the strictest level.';
  const table = countTable('identity', 'How people were known', note, 'Known by');
  return tallyTable(
    table,
    tallyBy(counts.visits, (visit) => IDENTIFIED_WORDS[visit.identified]),
  );
}

export function unidentifiedDevices(counts: WeekCounts): ReportTable {
  const note = 'The addresses that asked most without anybody being known.';
  const table: TallyTable = {
    ...countTable('unidentified', 'Unidentified devices', note, 'Address'),
    top: TOP_DEVICES,
    others: 'other addresses',
    whenEmpty: 'No request came from an unidentified device.',
  };
  return tallyTable(
    table,
    tallyBy(counts.visits.filter(isUnidentified), (visit) => visit.who),
  );
}

export function byReason(counts: WeekCounts): ReportTable {
  const table: TallyTable = {
    ...countTable('reasons', 'Why requests were refused', 'The rule that spoke first.', 'Reason'),
    columns: [text('Reason'), count('Refused'), count('Requests')],
    cells: (tally) => [tally.name, tally.refused, tally.requests],
    bar: [{ column: 1, tone: 'refused' }],
    whenEmpty: 'Nothing was refused in this period.',
  };
  const refused = counts.visits.filter((visit) => visit.verdict === 'block');
  return tallyTable(
    table,
    tallyBy(refused, (visit) => reasonWords(visit.reason)),
  );
}

export function isSignedIn({ identified }: Visits): boolean {
  return identified === 'proxy-auth' || identified === 'session';
}

export function isUnidentified(visit: Visits): boolean {
  return visit.identified === 'none';
}

function countColumns(first: string): Column[] {
  return [text(first), count('Allowed'), count('Refused'), count('Requests')];
}

function countTable(id: string, title: string, note: string, first: string): TallyTable {
  return {
    id,
    title,
    note,
    columns: countColumns(first),
    cells: (tally: Tally): Cell[] => [tally.name, tally.allowed, tally.refused, tally.requests],
    bar: BAR,
    total: 'All together',
    whenEmpty: NOTHING,
    top: Number.POSITIVE_INFINITY,
    others: '',
  };
}
