import { DAYS, type TimesSetting } from './document.ts';

// Times of a document as lines that a person can read and type: `school-days`, `mon tue 07:30-18:00`, `on holidays 08:00-22:00`.

type Time = TimesSetting[number];

export function timeLines(times: TimesSetting): string[] {
  return times.map(timeLine);
}

function timeLine(time: Time): string {
  if (typeof time === 'string') return time;
  const { days = [], on = [], from, to } = time;
  const parts = [days.join(' '), on.length === 0 ? '' : `on ${on.join(', ')}`];
  const clock = from === undefined && to === undefined ? '' : `${from ?? ''}-${to ?? ''}`;
  return [...parts, clock].filter((part) => part !== '').join(' ');
}

/** Lines as they were typed; empty ones count for nothing. What is no days and times is taken for a word. */
export function readTimeLines(lines: readonly string[]): TimesSetting {
  return lines
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '')
    .map(readLine);
}

const DAY = `(?:${DAYS.join('|')})`;
const DAYS_FIRST = new RegExp(`^${DAY}(?:[ ,]+${DAY})*(?= |$)`, 'i');
const CLOCK_LAST = /(?:^| )(\d\d?:\d\d)? ?[-–] ?(\d\d?:\d\d)?$/;

function readLine(line: string): Time {
  const [clock = '', from, to] = CLOCK_LAST.exec(line) ?? [];
  const dates = line.slice(0, line.length - clock.length);
  const days = DAYS_FIRST.exec(dates)?.[0] ?? '';
  const [, on] = /^on (.+)$/i.exec(dates.slice(days.length).trim()) ?? [];
  if (on === undefined && dates !== days) return line;
  if (clock === '' && days === '' && on === undefined) return line;
  return {
    ...(days !== '' && { days: days.toLowerCase().split(/[ ,]+/) as (typeof DAYS)[number][] }),
    ...(on !== undefined && { on: on.split(/ ?, ?/) }),
    ...(from !== undefined && { from: clockText(from) }),
    ...(to !== undefined && { to: clockText(to) }),
  };
}

function clockText(text: string): string {
  return text.padStart(5, '0');
}
