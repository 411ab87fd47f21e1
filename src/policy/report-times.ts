/** When reports are made and mailed, on the school's clock: `at` in minutes after midnight, days of the week from 0, Monday. */
export interface ReportTimes {
  /** `days` left out: every day. A digest begins where the one before it ended, so that none leaves out a day. */
  readonly digest: { readonly at: number; readonly days?: readonly number[] };
  /** Of the last whole week, Monday to Sunday. */
  readonly weekly: { readonly at: number; readonly day: number };
  /** Of the month before; `day` of the month, 1 to 28. */
  readonly governors: { readonly at: number; readonly day: number };
}

/**
 * Where `school.yaml` says nothing. The governors' report comes after the weekly one, whose numbers are in it where a month begins on a
 * Monday.
 */
export const SHIPPED_REPORT_TIMES: ReportTimes = {
  digest: { at: 435 },
  weekly: { at: 420, day: 0 },
  governors: { at: 450, day: 1 },
};

/** The same as five-field cron. */
export function reportCrons({ digest, weekly, governors }: ReportTimes): Record<keyof ReportTimes, string> {
  return {
    digest: `${timeOf(digest)} * * ${digest.days?.map(cronDay).join(',') ?? '*'}`,
    weekly: `${timeOf(weekly)} * * ${cronDay(weekly.day)}`,
    governors: `${timeOf(governors)} ${governors.day} * *`,
  };
}

function timeOf({ at }: { readonly at: number }): string {
  return `${at % 60} ${Math.floor(at / 60)}`;
}

/** Cron counts from Sunday, we from Monday. */
function cronDay(day: number): number {
  return (day + 1) % 7;
}
