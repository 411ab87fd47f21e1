import { dateAfter, localTime } from '../kernel/local-time.ts';
import type { Calendar, DayWindow, PolicySnapshot } from './snapshot.ts';

/** A date as the school's calendar sees it. */
interface SchoolDate {
  /** `2026-11-22`. */
  readonly date: string;
  /** 0 Monday … 6 Sunday. */
  readonly weekday: number;
  /** In a term, and no holiday in it. */
  readonly isTermTime: boolean;
}

/** One minute on the school's clock; the same object for every instant of the minute. */
export interface Moment {
  readonly today: SchoolDate;
  /** An evening that goes on after midnight belongs to it. */
  readonly yesterday: SchoolDate;
  /** Minutes since midnight. */
  readonly minute: number;
}

/** The minute of an instant in ms since the epoch. */
export type MomentAt = (now: number) => Moment;

const DAY_MINUTES = 1440;

/** A reader of the school's clock and calendar that thinks once a minute: nothing about time changes between. */
export function createMomentAt({ timeZone, calendar }: Pick<PolicySnapshot, 'timeZone' | 'calendar'>): MomentAt {
  let counted = Number.NaN;
  let moment: Moment | null = null;
  return (now) => {
    const minute = Math.floor(now / 60_000);
    if (moment !== null && minute === counted) return moment;
    counted = minute;
    moment = readMoment(now, timeZone, calendar);
    return moment;
  };
}

function readMoment(now: number, zone: string, calendar: Calendar | undefined): Moment {
  const { date, weekday, minute } = localTime(now, zone);
  const before = dateAfter(date, -1);
  return {
    today: { date, weekday, isTermTime: isTermTime(calendar, date) },
    yesterday: { date: before, weekday: (weekday + 6) % 7, isTermTime: isTermTime(calendar, before) },
    minute,
  };
}

/** ISO 8601 date on which the last term ends, in whatever order they are written; null: there is none. */
export function lastTermEnd(calendar: Pick<Calendar, 'terms'> | undefined): string | null {
  const ends = calendar?.terms.map(({ to }) => to).sort() ?? [];
  return ends.at(-1) ?? null;
}

/** Whether there is school on a date as far as terms and holidays say it. Never where the school has no calendar. */
export function isTermTime(calendar: Calendar | undefined, date: string): boolean {
  const holds = (range: { readonly from: string; readonly to: string }): boolean =>
    range.from <= date && date <= range.to;
  return calendar !== undefined && calendar.terms.some(holds) && !calendar.holidays.some(holds);
}

/**
 * Dates from one to another, both included, that a calendar says are without school. Before its first term and after its last it
 * says nothing: nobody may have written down what comes.
 */
export function datesWithoutSchool({ terms, holidays, slots }: Calendar, from: string, to: string): string[] {
  const first = terms.map((term) => term.from).sort()[0]!;
  const last = lastTermEnd({ terms })!;
  const dates: string[] = [];
  for (let date = from < first ? first : from; date <= to && date <= last; date = dateAfter(date, 1)) {
    if (!isTermTime({ terms, holidays, slots }, date)) dates.push(date);
  }
  return dates;
}

/** The window that a moment lies in, or undefined. */
export function windowAt(windows: readonly DayWindow[], moment: Moment): DayWindow | undefined {
  const { today, yesterday, minute } = moment;
  return windows.find(
    (window) =>
      (window.from <= minute && minute < window.to && mayBegin(window, today)) ||
      (minute + DAY_MINUTES < window.to && mayBegin(window, yesterday)),
  );
}

/** Whether a window may begin on a date; one over midnight belongs to the day on which it began. */
function mayBegin({ days, on }: DayWindow, { date, weekday, isTermTime }: SchoolDate): boolean {
  if (!days.includes(weekday)) return false;
  if (on === undefined) return true;
  if (on === 'term-time' || on === 'holidays') return isTermTime === (on === 'term-time');
  return on.some(({ from, to }) => from <= date && date <= to);
}
