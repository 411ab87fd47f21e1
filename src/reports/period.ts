import { SchoolgateError } from '../kernel/errors.ts';
import { dateAfter, instantOf, localTime } from '../kernel/local-time.ts';
import type { Span } from './ports.ts';

/** A span with the name that its report has: a week `2026-W47`, a day `2026-11-23`, a month `2026-11`. */
export interface NamedSpan extends Span {
  readonly name: string;
}

/**
 * Up to the minute that a digest is due, from where the one before it ended (ms): a weekend, or the hours by which its time was moved, are
 * left out by none. The first begins at the same time of the day before: 23 or 25 hours where the clocks change.
 */
export function digestSpan(due: number, zone: string, lastEnded: number | null): NamedSpan {
  const { date, minute } = localTime(due, zone);
  if (lastEnded !== null) return { name: date, from: lastEnded, until: due };
  const time = `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  const from = instantOf(`${dateAfter(date, -1)}T${time}`, zone) ?? due - 86_400_000;
  return { name: date, from, until: due };
}

/** The month that an instant lies in, on the school's clocks. */
export function monthOf(instant: number, zone: string): NamedSpan {
  return monthFrom(localTime(instant, zone).date.slice(0, 7), zone);
}

/** Reads `2026-11`. Throws a SchoolgateError (`no_such_month`). */
export function parseMonth(text: string, zone: string): NamedSpan {
  if (/^\d{4}-(?:0[1-9]|1[0-2])$/.test(text)) return monthFrom(text, zone);
  throw new SchoolgateError('no_such_month', 'client', `There is no month ${text}: write it as 2026-11.`);
}

function monthFrom(name: string, zone: string): NamedSpan {
  const [year, month] = name.split('-').map(Number) as [number, number];
  const next = month === 12 ? `${year + 1}-01` : `${year}-${String(month + 1).padStart(2, '0')}`;
  return { name, from: instantOf(`${name}-01T00:00`, zone)!, until: instantOf(`${next}-01T00:00`, zone)! };
}

/** Where the calendar quarter of an instant began a year before: from there on it is four whole quarters and that one. */
export function fifthQuarterBack(instant: number, zone: string): number {
  const [year, month] = localTime(instant, zone).date.split('-').map(Number) as [number, number];
  const first = String(Math.ceil(month / 3) * 3 - 2).padStart(2, '0');
  return instantOf(`${year - 1}-${first}-01T00:00`, zone)!;
}
