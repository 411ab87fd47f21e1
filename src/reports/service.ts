import type { Clock } from '../kernel/clock.ts';
import { compileReport } from './compile-report.ts';
import type { ReadRecords, ReadStatus, ReadUnblocks, Span, UnreadableStretch } from './ports.ts';
import { renderCsv } from './render-csv.ts';
import { renderHtml } from './render-html.ts';
import type { WeeklyReport } from './report.ts';
import { lastWeek, type Week } from './week.ts';
import { countWeek } from './weekly.ts';

export interface ReportPorts {
  readonly records: ReadRecords;
  readonly unblocks: ReadUnblocks;
  readonly status: ReadStatus;
  /** IANA zone of the school's clocks. */
  readonly zone: string;
  readonly clock: Clock;
}

/** A report in every form it leaves in. `name` is good for a file: `schoolgate-week-2026-W47`. */
export interface MadeReport {
  readonly name: string;
  readonly report: WeeklyReport;
  readonly html: string;
  readonly csv: string;
}

export interface WeeklyReports {
  /** Makes the report of a week or of any other span; without one, of the last week that is over. */
  make(span?: Week | Span): Promise<MadeReport>;
}

/** Reports are always made, also of a time in which nothing happened. Rejects with what a port throws. */
export function createWeeklyReports({ records, unblocks, status, zone, clock }: ReportPorts): WeeklyReports {
  return {
    async make(asked) {
      const now = clock();
      const span: Week | Span = asked ?? lastWeek(now, zone);
      const week = isWeek(span) ? span : null;
      const unreadable: UnreadableStretch[] = [];
      const counts = await countWeek(
        records(span, (problem) => unreadable.push(problem)),
        span,
      );
      const report = compileReport({
        week,
        counts,
        unblocks: await unblocks(span),
        status: await status(span),
        unreadable,
        zone,
        now,
      });
      return { name: fileName(week, span), report, html: renderHtml(report), csv: renderCsv(report) };
    },
  };
}

function isWeek(span: Week | Span): span is Week {
  return 'name' in span;
}

function fileName(week: Week | null, span: Span): string {
  if (week !== null) return `schoolgate-week-${week.name}`;
  const plain = (instant: number): string => new Date(instant).toISOString().slice(0, 16).replaceAll(':', '');
  return `schoolgate-${plain(span.from)}Z-${plain(span.until)}Z`;
}
