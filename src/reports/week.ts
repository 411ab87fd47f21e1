import { SchoolgateError } from '../kernel/errors.ts';
import type { Span } from './ports.ts';

/** A school week: Monday 00:00 to the next Monday 00:00 on the school's clocks (167 or 169 hours where they change). */
export interface Week extends Span {
  /** ISO 8601 week, `2026-W47`. */
  readonly name: string;
}

/** What the school's clocks show at an instant. `weekday`: 0 Monday … 6 Sunday. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  /** `2026-11-22`. */
  readonly date: string;
}

const DAY_MS = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

export function localTime(instant: number, zone: string): LocalTime {
  const part: Record<string, number> = {};
  for (const { type, value } of format(zone).formatToParts(instant)) part[type] = Number(value);
  const { year, month, day, hour, minute, second } = part as unknown as LocalTime;
  const noon = Date.UTC(year, month - 1, day, 12);
  const weekday = (new Date(noon).getUTCDay() + 6) % 7;
  return { year, month, day, hour, minute, second, weekday, date: new Date(noon).toISOString().slice(0, 10) };
}

/** The instant a day begins on the school's clocks. A day of the month below 1 or above its length counts on. */
export function startOfDay(year: number, month: number, day: number, zone: string): number {
  const asUtc = Date.UTC(year, month - 1, day);
  // Twice: the offset at the guess may be the one from the other side of a clock change.
  let instant = asUtc - offset(asUtc, zone);
  instant = asUtc - offset(instant, zone);
  return instant;
}

/** The week that `instant` lies in. */
export function weekOf(instant: number, zone: string): Week {
  const { year, month, day, weekday } = localTime(instant, zone);
  return weekFromMonday(year, month, day - weekday, zone);
}

/** The last week that has ended by `now`. */
export function lastWeek(now: number, zone: string): Week {
  return weekOf(weekOf(now, zone).from - DAY_MS / 2, zone);
}

/** Reads `2026-W47`. Throws a SchoolgateError if there is no such week. */
export function parseWeek(text: string, zone: string): Week {
  const match = /^(\d{4})-W(\d\d)$/.exec(text);
  if (match !== null) {
    // 4 January lies in week 1 (ISO 8601).
    const fourth = new Date(Date.UTC(Number(match[1]), 0, 4));
    const monday = 4 - ((fourth.getUTCDay() + 6) % 7) + (Number(match[2]) - 1) * 7;
    const week = weekFromMonday(Number(match[1]), 1, monday, zone);
    if (week.name === text) return week;
  }
  throw new SchoolgateError(
    'no_such_week',
    'client',
    `There is no week ${text}: write it as year and ISO week, such as 2026-W47.`,
  );
}

function weekFromMonday(year: number, month: number, day: number, zone: string): Week {
  return {
    name: weekName(Date.UTC(year, month - 1, day)),
    from: startOfDay(year, month, day, zone),
    until: startOfDay(year, month, day + 7, zone),
  };
}

/** A week belongs to the year its Thursday lies in (ISO 8601). */
function weekName(mondayUtc: number): string {
  const thursday = new Date(mondayUtc + 3 * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

function offset(instant: number, zone: string): number {
  const { year, month, day, hour, minute, second } = localTime(instant, zone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}

function format(zone: string): Intl.DateTimeFormat {
  let made = formats.get(zone);
  if (made === undefined) {
    made = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, made);
  }
  return made;
}
