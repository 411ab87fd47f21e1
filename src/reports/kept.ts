import type { Digest } from './digest.ts';
import type { Report } from './report.ts';

/** The reports that a school gets, each with whom it is for in words. */
export const REPORT_KINDS = {
  weekly: { title: 'Web activity of a week', short: 'Weekly' },
  digest: { title: 'Concerns of a day', short: 'Daily' },
  governors: { title: 'For governors and school leaders', short: 'Governors' },
} as const;
export type ReportKind = keyof typeof REPORT_KINDS;

/** What is on record of every report. Instants are ms since the epoch. */
export interface KeptLine {
  /** Kind and period, such as `weekly:2026-W47`: there is one report of each. */
  readonly id: string;
  readonly kind: ReportKind;
  readonly title: string;
  readonly from: number;
  readonly until: number;
  readonly madeAt: number;
}

/** The numbers as they were when it was made. A digest is laid out anew for each reader. */
export type KeptBody = { readonly report: Report } | { readonly digest: Digest };

export interface KeptReport extends KeptLine {
  readonly body: KeptBody;
}

/** Good for a file: `schoolgate-weekly-2026-W47`. */
export function fileNameOf({ id }: Pick<KeptLine, 'id'>): string {
  return `schoolgate-${id.replaceAll(':', '-')}`;
}
