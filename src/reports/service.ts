import type { Clock } from '../kernel/clock.ts';
import { compileReport } from './compile-report.ts';
import { explainedQueries } from './count-week.ts';
import type { CountSpan, ReadStatus, ReadUnblocks, Span, WeekStatus } from './ports.ts';
import { renderCsv } from './render-csv.ts';
import { renderHtml } from './render-html.ts';
import type { Report } from './report.ts';
import { lastWeek, type Week } from './week.ts';
import type { CountSettings } from './week-counts.ts';
import { explainText } from './explain.ts';

export interface ReportPorts {
  readonly count: CountSpan;
  readonly unblocks: ReadUnblocks;
  readonly status: ReadStatus;
  /** IANA zone of the school's clocks. */
  readonly zone: string;
  readonly clock: Clock;
}

/** A report in every form it leaves in. `name` is good for a file: `schoolgate-week-2026-W47`. */
export interface MadeReport {
  readonly name: string;
  readonly report: Report;
  readonly html: string;
  readonly csv: string;
}

export interface WeeklyReports {
  /** Makes the report of a week or of any other span; without one, of the last week that is over. */
  make(span?: Week | Span): Promise<MadeReport>;
  /** How the numbers of that report are counted: every query, and where the rest comes from. */
  explain(span?: Week | Span): Promise<string>;
}

/** Categories that a page brings along by itself: counted, but nobody went there. */
const BACKGROUND = ['adverts', 'trackers'];

/** Reports are always made, also of a time in which nothing happened. Rejects with what a port throws. */
export function createWeeklyReports({ count, unblocks, status, zone, clock }: ReportPorts): WeeklyReports {
  const spanOf = (asked: Week | Span | undefined): Week | Span => asked ?? lastWeek(clock(), zone);
  return {
    async make(asked) {
      const now = clock();
      const span = spanOf(asked);
      const week = isWeek(span) ? span : null;
      const known = await status(span);
      const { counts, unreadable } = await count({ from: span.from, until: span.until }, settingsOf(known));
      const parts = { week, counts, unblocks: await unblocks(span), status: known, unreadable, zone, now };
      const report = compileReport(parts);
      return { name: fileName(week, span), report, html: renderHtml(report), csv: renderCsv(report) };
    },
    async explain(asked) {
      const span = spanOf(asked);
      return explainText(explainedQueries(span, settingsOf(await status(span))));
    },
  };
}

function settingsOf({ circumvention, years }: WeekStatus): CountSettings {
  return { background: BACKGROUND, circumvention, years };
}

function isWeek(span: Week | Span): span is Week {
  return 'name' in span;
}

function fileName(week: Week | null, span: Span): string {
  if (week !== null) return `schoolgate-week-${week.name}`;
  const plain = (instant: number): string => new Date(instant).toISOString().slice(0, 16).replaceAll(':', '');
  return `schoolgate-${plain(span.from)}Z-${plain(span.until)}Z`;
}
