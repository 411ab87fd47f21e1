import { SchoolgateError } from '../kernel/errors.ts';
import { instantOf, localTime } from '../kernel/local-time.ts';
import type { Span } from './ports.ts';
import { DAY_MS } from '../kernel/clock.ts';

/** A school week: Monday 00:00 to the next Monday 00:00 on the school's clocks (167 or 169 hours where they change). */
export interface Week extends Span {
  /** ISO 8601 week, `2026-W47`. */
  readonly name: string;
}

/** The week that `instant` lies in. */
export function weekOf(instant: number, zone: string): Week {
  const { date, weekday } = localTime(instant, zone);
  return weekFromMonday(Date.parse(date) - weekday * DAY_MS, zone);
}

/** The last week that has ended by `now`. */
export function lastWeek(now: number, zone: string): Week {
  return weekOf(weekOf(now, zone).from - DAY_MS / 2, zone);
}

/** Weeks that end in a span, at its end at the latest, oldest first. */
export function weeksEnding({ from, until }: Span, zone: string): Week[] {
  const weeks: Week[] = [];
  for (let week = weekOf(from, zone); week.until <= until; week = weekOf(week.until, zone)) weeks.push(week);
  return weeks;
}

/** Reads `2026-W47`. Throws a SchoolgateError if there is no such week. */
export function parseWeek(text: string, zone: string): Week {
  const match = /^(\d{4})-W(\d\d)$/.exec(text);
  if (match !== null) {
    // 4 January lies in week 1 (ISO 8601).
    const fourth = Date.parse(`${match[1]}-01-04`);
    const firstMonday = fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * DAY_MS;
    const week = weekFromMonday(firstMonday + (Number(match[2]) - 1) * 7 * DAY_MS, zone);
    if (week.name === text) return week;
  }
  throw new SchoolgateError(
    'no_such_week',
    'client',
    `There is no week ${text}: write it as year and ISO week, such as 2026-W47.`,
  );
}

/** `monday`: the day as midnight UTC. */
function weekFromMonday(monday: number, zone: string): Week {
  return { name: weekName(monday), from: startOfDay(monday, zone), until: startOfDay(monday + 7 * DAY_MS, zone) };
}

function startOfDay(day: number, zone: string): number {
  return instantOf(`${new Date(day).toISOString().slice(0, 10)}T00:00`, zone)!;
}

/** A week belongs to the year its Thursday lies in (ISO 8601). */
function weekName(monday: number): string {
  const thursday = new Date(monday + 3 * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}
