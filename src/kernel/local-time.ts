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
export function offsetAt(ms: number, zone: string): number {
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
