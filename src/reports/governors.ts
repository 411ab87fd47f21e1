import { localText } from '../kernel/local-time.ts';
import type { WeekStatus } from './ports.ts';
import type { Cell, Report, ReportTable } from './report.ts';
import { count, listTable, text } from './table-parts.ts';
import { dayWords, share } from './words.ts';

/** How many concerns about pupils of one theme, in one month. */
export interface ConcernCount {
  /** `2026-11`. */
  readonly month: string;
  readonly theme: string;
  readonly opened: number;
  readonly dismissed: number;
  readonly closed: number;
  readonly waiting: number;
}

/** Incidents about pupils of one theme in a quarter of the calendar year, `2026-Q4`. */
export interface IncidentCount {
  readonly quarter: string;
  readonly theme: string;
  readonly incidents: number;
}

/** Numbers of one week, from its report. */
export interface WeekLine {
  /** `week 47 of 2026`. */
  readonly name: string;
  readonly navigations: number;
  readonly refused: number;
  readonly flagged: number;
  /** 0 to 1. */
  readonly unidentified: number;
}

export interface GovernorsParts {
  readonly from: number;
  readonly until: number;
  readonly now: number;
  readonly zone: string;
  readonly school: string | null;
  /** Of this month and those before it that are compared with it, oldest first. */
  readonly months: readonly string[];
  readonly concerns: readonly ConcernCount[];
  /** Of this quarter and the year before. */
  readonly incidents: readonly IncidentCount[];
  readonly weeks: readonly WeekLine[];
  /** Weeks that ended in this month and have no report, in words. */
  readonly weeksMissing: readonly string[];
  readonly policyChanges: WeekStatus['policyChanges'];
  /** Sites opened for a topic; nobody is named. */
  readonly unblocks: readonly {
    readonly at: string;
    readonly topic: string;
    readonly sites: string;
    readonly reason: string;
    readonly outcome: string;
  }[];
  readonly illegalListLoaded: boolean;
  readonly gaps: number;
}

/** Fewer could be known for who they are. */
const SMALL = 5;

/**
 * How a number of pupils' concerns is told: none, a few, or to the nearest five. Rounding everything, sums too, is what keeps a small
 * number from being worked out of the others.
 */
export function suppressed(number: number): string {
  if (number === 0) return '0';
  return number < SMALL ? '1 to 4' : `about ${Math.round(number / SMALL) * SMALL}`;
}

/** A month for governors and school leaders: trends and decisions, and nobody who could be known for who they are. */
export function compileGovernors(parts: GovernorsParts): Report {
  const { from, until, now, zone, school, weeks, concerns, months } = parts;
  const month = months.at(-1)!;
  const own = concerns.filter((one) => one.month === month);
  const navigations = sum(weeks, ({ navigations }) => navigations);
  const refused = sum(weeks, (week) => week.refused);
  return {
    title: `Filtering and monitoring, ${monthWords(month)}`,
    period: `${dayWords(from, zone)} to ${dayWords(until - 1, zone)}`,
    school,
    made: localText(now, zone),
    figures: [
      {
        id: 'navigations',
        label: 'Navigations',
        kind: 'count',
        value: navigations,
        note: 'pages and services that were asked for',
      },
      { id: 'refused', label: 'Refused', kind: 'share', value: share(refused, navigations), note: 'of navigations' },
      {
        id: 'policy',
        label: 'Policy changes',
        kind: 'count',
        value: parts.policyChanges.length,
        note: 'each with its reason below',
      },
      {
        id: 'unblocks',
        label: 'Sites opened',
        kind: 'count',
        value: parts.unblocks.length,
        note: 'for a topic, and then closed again',
      },
    ],
    missing: missing(parts),
    tables: [themes(own), trend(concerns, months), incidents(parts), byWeek(weeks), policy(parts), unblocks(parts)],
    about: `Without names. Numbers of concerns and incidents are about pupils alone: below ${SMALL} they are given as “1 to 4”, above to the nearest five, sums too, so that nobody can be known for who they are. What is about staff is in no number here.`,
  };
}

function missing({ illegalListLoaded, gaps, weeks, weeksMissing }: GovernorsParts): ReportTable {
  return listTable({
    id: 'missing',
    title: 'What is missing',
    note: '',
    columns: [text('What'), text('Detail')],
    rows: [
      ...(illegalListLoaded
        ? []
        : [
            [
              'No illegal-content list is loaded',
              'The school should ask its provider for the lists of the IWF and of counter-terrorism.',
            ],
          ]),
      ...(weeks.length === 0
        ? [['No weekly report was made', 'Numbers of use begin with the first week that is over.']]
        : weeksMissing.map((week) => [
            week,
            'It has no weekly report yet, so its numbers of use are not in this one.',
          ])),
      ...(gaps === 0
        ? []
        : [
            [
              'Gaps in the records',
              `Part of the filter was restarted ${gaps} ${gaps === 1 ? 'time' : 'times'}; some requests may not be counted.`,
            ],
          ]),
    ],
    whenEmpty: 'Nothing is known to be missing from this report.',
  });
}

function themes(own: readonly ConcernCount[]): ReportTable {
  const cells = (name: string, of: readonly ConcernCount[]): Cell[] => [
    name,
    suppressed(sum(of, ({ opened }) => opened)),
    suppressed(sum(of, ({ closed }) => closed)),
    suppressed(sum(of, ({ dismissed }) => dismissed)),
    suppressed(sum(of, ({ waiting }) => waiting)),
  ];
  const seen = own.filter(({ opened }) => opened > 0);
  return {
    id: 'themes',
    title: 'Concerns by theme',
    note: 'Concerns about pupils that were opened in this month, and how they stand.',
    columns: [text('Theme'), text('Opened'), text('Closed'), text('No concern'), text('Waiting')],
    rows: seen.map((one) => cells(one.theme, [one])),
    rest: [],
    total: seen.length === 0 ? null : cells('All themes', seen),
    bar: [],
    whenEmpty: 'No concern was opened in this month.',
  };
}

function trend(concerns: readonly ConcernCount[], months: readonly string[]): ReportTable {
  const opened = (month: string): number =>
    sum(
      concerns.filter((one) => one.month === month),
      (one) => one.opened,
    );
  return listTable({
    id: 'trend',
    title: 'Concerns by month',
    note: 'Concerns about pupils, in all themes together.',
    columns: [text('Month'), text('Opened')],
    rows: months.map((month) => [monthWords(month), suppressed(opened(month))]),
    whenEmpty: '',
  });
}

function incidents(parts: GovernorsParts): ReportTable {
  return listTable({
    id: 'incidents',
    title: 'Incidents by quarter',
    note: 'Incidents with pupils that were recorded, in quarters of the calendar year; the last one up to the end of this month.',
    columns: [text('Quarter'), text('Theme'), text('Incidents')],
    rows: parts.incidents.map(({ quarter, theme, incidents: number }) => [
      quarter.replace('-', ' '),
      theme,
      suppressed(number),
    ]),
    whenEmpty: 'No incident was recorded in the last four quarters and this one.',
  });
}

function byWeek(weeks: readonly WeekLine[]): ReportTable {
  return {
    id: 'weeks',
    title: 'Use by week',
    note: 'From the weekly reports. A week counts in the month in which it ends.',
    columns: [
      text('Week'),
      count('Allowed'),
      count('Refused'),
      count('Flagged'),
      { title: 'Unidentified', kind: 'share' },
    ],
    rows: weeks.map(({ name, navigations, refused, flagged, unidentified }) => [
      name,
      navigations - refused,
      refused,
      flagged,
      unidentified,
    ]),
    rest: [],
    total: null,
    bar: [
      { column: 1, tone: 'allowed' },
      { column: 2, tone: 'refused' },
    ],
    whenEmpty: 'No week of this month has a report.',
  };
}

function policy({ policyChanges, zone }: GovernorsParts): ReportTable {
  return listTable({
    id: 'policy',
    title: 'Changes of the policy',
    note: 'Who made them stands in the record of acts.',
    columns: [text('When'), text('What'), text('Why')],
    rows: policyChanges.map(({ at, changes, reason }) => [localText(Date.parse(at), zone), changes.join('; '), reason]),
    whenEmpty: 'The policy was not changed.',
  });
}

function unblocks(parts: GovernorsParts): ReportTable {
  return listTable({
    id: 'unblocks',
    title: 'Sites opened for a topic',
    note: '',
    columns: [text('Topic and sites'), text('Why'), text('Outcome')],
    rows: parts.unblocks.map(({ topic, sites, reason, outcome }) => [`${topic}: ${sites}`, reason, outcome]),
    whenEmpty: 'No site was opened.',
  });
}

/** `November 2026`. */
export function monthWords(month: string): string {
  return new Date(`${month}-15T12:00:00Z`).toLocaleDateString('en-GB', {
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
}

function sum<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}
