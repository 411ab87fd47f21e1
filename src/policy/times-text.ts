import { timeOfDay } from '../identity/signed-in-devices.ts';
import { entryText } from './entry.ts';
import type { DayWindow, TimedRules } from './snapshot.ts';

const DAY_NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const DAY_MINUTES = 1440;

/** Opening hours as people write them, such as `lessons, Sat 08:30–16:00`. */
export function hoursText(windows: readonly DayWindow[] | null): string {
  if (windows === null) return 'at all times';
  return windows.length === 0 ? 'never' : windowsText(windows);
}

/** Times by their words, each once, and else by days and times of day. */
export function windowsText(windows: readonly DayWindow[]): string {
  return [...new Set(windows.map((window) => window.word ?? datedText(window)))].join(', ');
}

/** When and where timed rules hold: `lessons, after-school in Library (10.20.8.0/24)`. */
export function situationText({ when, where }: TimedRules): string {
  const place = where === undefined ? '' : ` in ${where.places.join(', ')} (${where.cidrs.join(', ')})`;
  return `${windowsText(when)}${place}`;
}

/** A window by its times, whatever word it was written as: `Mon Tue 08:30–16:00`. */
export function datedText(window: DayWindow): string {
  const { days, from, to, on } = window;
  const parts = [
    days.length === DAY_NAMES.length ? 'every day' : days.map((day) => DAY_NAMES[day]).join(' '),
    ...(to - from === DAY_MINUTES ? [] : [`${timeOfDay(from)}–${timeOfDay(to > DAY_MINUTES ? to - DAY_MINUTES : to)}`]),
  ];
  if (on === 'term-time') parts.push('in term time');
  else if (on === 'holidays') parts.push('in holidays');
  else if (on !== undefined) parts.push(on.map((range) => `from ${range.from} to ${range.to}`).join(' and '));
  return parts.join(' ');
}

/** What timed rules say, a line each: at which times what, the action, and where it stands. */
export function timesRows(times: readonly TimedRules[]): [what: string, action: string, rule: string][] {
  return times.flatMap((one) => {
    const row = (what: string, action: string, rule: string): [string, string, string] => [
      `${situationText(one)}: ${what}`,
      action,
      rule,
    ];
    return [
      ...(one.closed ? [row('(everything)', 'closed', one.rule)] : []),
      ...Object.entries(one.categories).map(([id, { action, rule }]) => row(id, action, rule)),
      ...(one.uncategorised ? [row('(sites on no list)', one.uncategorised.action, one.uncategorised.rule)] : []),
      ...one.entries.allow.map((entry) => row(entryText(entry), 'allow', entry.rule)),
      ...one.entries.block.map((entry) => row(entryText(entry), 'block', entry.rule)),
    ];
  });
}
