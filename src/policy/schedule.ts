import { offsetAt } from '../kernel/local-time.ts';
import type { DayWindow } from './snapshot.ts';

/** Minutes since Monday 00:00 on the school's clock, 0 to 10,079, at an instant in ms since the epoch. */
export type LocalMinute = (now: number) => number;

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
// Every zone's changes since 1972 fall on a quarter of an hour UTC, so an offset holds for the quarter it was asked in.
const QUARTER_MS = 15 * MINUTE_MS;

/** Whether this is an IANA zone that the runtime knows. */
export function isTimeZone(timeZone: string): boolean {
  try {
    Intl.DateTimeFormat('en-GB', { timeZone });
    return true;
  } catch {
    return false;
  }
}

/** A clock reader for one zone. The zone's offset is asked of Intl once a quarter of an hour; between, it is arithmetic. */
export function createLocalMinute(timeZone: string): LocalMinute {
  let quarter = Number.NaN;
  let offset = 0;
  return (now) => {
    const at = Math.floor(now / QUARTER_MS);
    if (at !== quarter) {
      offset = offsetAt(at * QUARTER_MS, timeZone);
      quarter = at;
    }
    const minutes = Math.floor((now + offset) / MINUTE_MS);
    // 1 January 1970 was a Thursday: three days after Monday.
    const sinceMonday = (minutes + 3 * DAY_MINUTES) % (7 * DAY_MINUTES);
    return sinceMonday < 0 ? sinceMonday + 7 * DAY_MINUTES : sinceMonday;
  };
}

/** Whether a minute of the week lies in one of the windows. */
export function isWithinWindows(windows: readonly DayWindow[], minuteOfWeek: number): boolean {
  const day = Math.floor(minuteOfWeek / DAY_MINUTES);
  const minute = minuteOfWeek - day * DAY_MINUTES;
  return windows.some((window) => window.days.includes(day) && window.from <= minute && minute < window.to);
}
