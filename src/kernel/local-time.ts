/** A wall clock's date and time as the parts a zone shows. */
interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})$/;

/**
 * The instant (ms since the epoch) at which a clock in `zone` shows `YYYY-MM-DDTHH:MM` (or with a space); null if the text is
 * no such time. A time that a clock change leaves out counts as much later as the clock jumps; one it shows twice is the first.
 */
export function instantOf(text: string, zone: string): number | null {
  const match = LOCAL.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute] = match.slice(1).map(Number) as [number, number, number, number, number];
  const wall = Date.UTC(year, month - 1, day, hour, minute);
  if (new Date(wall).toISOString().slice(0, 16) !== `${text.slice(0, 10)}T${text.slice(11)}`) return null;
  // The offset a day before and a day after are the only two it can be: try the earlier instant first.
  const offsets = [offsetAt(wall - 86_400_000, zone), offsetAt(wall + 86_400_000, zone)];
  const instants = offsets.map((offset) => wall - offset).sort((a, b) => a - b);
  return instants.find((instant) => instant + offsetAt(instant, zone) === wall) ?? wall - offsets[0]!;
}

/** `YYYY-MM-DDTHH:MM` as a clock in `zone` shows an instant: what a form's date and time field takes. */
export function localInput(ms: number, zone: string): string {
  const { year, month, day, hour, minute } = partsAt(ms, zone);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}

/** What a zone's clock and calendar show at an instant. */
export interface LocalTime {
  /** `2026-11-22`. */
  readonly date: string;
  /** 0 Monday … 6 Sunday. */
  readonly weekday: number;
  /** Minutes since midnight as the clock shows them: those that a clock change leaves out never come, others come twice. */
  readonly minute: number;
}

export function localTime(ms: number, zone: string): LocalTime {
  const { year, month, day, hour, minute } = partsAt(ms, zone);
  const date = new Date(Date.UTC(year, month - 1, day));
  return { date: date.toISOString().slice(0, 10), weekday: (date.getUTCDay() + 6) % 7, minute: hour * 60 + minute };
}

/** The date so many days after `2026-11-22`, by the calendar alone: a day of 23 or 25 hours does not lead to the wrong one. */
export function dateAfter(date: string, days: number): string {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Whether a text is a date that exists, as `2026-11-22`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = Date.parse(text);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** Whether this is an IANA zone that the runtime knows. */
export function isTimeZone(zone: string): boolean {
  try {
    Intl.DateTimeFormat('en-GB', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** An instant for people: `Mon 23 Nov 2026, 10:00`. */
export function localText(ms: number, zone: string): string {
  const { year, month, day } = partsAt(ms, zone);
  const at = new Date(Date.UTC(year, month - 1, day));
  const weekday = WEEKDAYS[at.getUTCDay()]!;
  return `${weekday} ${day} ${MONTHS[month - 1]!} ${year}, ${localInput(ms, zone).slice(11)}`;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** What the zone's clock is ahead of UTC at an instant, ms, to the minute. */
function offsetAt(ms: number, zone: string): number {
  const { year, month, day, hour, minute } = partsAt(ms, zone);
  return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(ms / 60_000) * 60_000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function partsAt(ms: number, zone: string): Parts {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  return {
    year: part['year']!,
    month: part['month']!,
    day: part['day']!,
    hour: part['hour']!,
    minute: part['minute']!,
  };
}
