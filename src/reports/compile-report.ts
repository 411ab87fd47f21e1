import { localText } from '../kernel/local-time.ts';
import {
  byCategory,
  byDay,
  byIdentity,
  byLevel,
  byPair,
  byReason,
  byVolume,
  byYear,
  searchTable,
  unidentifiedDevices,
} from './count-tables.ts';
import { figuresOf } from './figures.ts';
import {
  alarmsTable,
  faultsTable,
  listsTable,
  missingTable,
  policyTable,
  recordTable,
  unblocksTable,
} from './list-tables.ts';
import { findMissing } from './missing.ts';
import type { Span, UnblockOfWeek, UnreadableStretch, WeekStatus } from './ports.ts';
import type { Report } from './report.ts';
import { circumventionTable, topRefused, topSites } from './site-tables.ts';
import type { Week } from './week.ts';
import type { WeekCounts } from './week-counts.ts';
import { dayWords, stretchWords } from './words.ts';

/** Everything a report is made of; the same parts give the same report. `week` null: a period that is no week. */
export interface ReportParts {
  readonly week: Week | null;
  readonly counts: WeekCounts;
  readonly unblocks: readonly UnblockOfWeek[];
  readonly status: WeekStatus;
  readonly unreadable: readonly UnreadableStretch[];
  readonly zone: string;
  /** When the report is made, ms since the epoch. */
  readonly now: number;
}

export function compileReport({ week, counts, unblocks, status, unreadable, zone, now }: ReportParts): Report {
  const titles = status.categoryTitles;
  return {
    title:
      week === null ? 'Web activity' : `Web activity, week ${Number(week.name.slice(6))} of ${week.name.slice(0, 4)}`,
    period: periodWords(week, counts.span, zone),
    school: status.school,
    made: localText(now, zone),
    figures: figuresOf(counts),
    missing: missingTable(findMissing(counts, status, unreadable, zone, now)),
    tables: [
      byDay(counts, zone),
      byLevel(counts),
      byYear(counts),
      byCategory(counts, titles),
      topSites(counts),
      topRefused(counts, titles),
      byReason(counts),
      circumventionTable(counts),
      searchTable(counts),
      byIdentity(counts),
      unidentifiedDevices(counts),
      byVolume(counts),
      byPair(counts),
      unblocksTable(unblocks, zone),
      policyTable(status, zone),
      listsTable(status, zone),
      faultsTable(counts, zone),
      alarmsTable(status, zone),
      recordTable(status),
    ],
    about:
      'From the access history alone. A request is one line of that history. A navigation is one person (or one device, where nobody had signed in) getting the same answer from the same site; what follows within ten seconds belongs to it. Pages, searches and words inside encrypted connections are not visible to the filter and are in no number here.',
  };
}

function periodWords(week: Week | null, span: Span, zone: string): string {
  if (week === null) return stretchWords(span.from, span.until, zone);
  return `${dayWords(span.from, zone)} to ${dayWords(span.until - 1, zone)}`;
}
