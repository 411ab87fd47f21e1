import { canonicalUser } from '../user-name.ts';
import type { SchoolRole } from './roster.ts';

/** A day as `YYYY-MM-DD`; days compare as texts. */
export type Day = string;

/** Which of the two numbers of 3/4/2026 is the day. */
export type DayOrder = 'day-first' | 'month-first';

const SLASHED = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T].*)?$/;

/** Reads ISO 8601 (its day counts), or d/m/yyyy and m/d/yyyy as `order` says. Null: no day of the calendar. */
export function readDay(text: string, order: DayOrder): Day | null {
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[ T].*)?$/.exec(text);
  if (iso !== null) return dayOf(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const slashed = SLASHED.exec(text);
  if (slashed === null) return null;
  const [first, second, year] = slashed.slice(1).map(Number) as [number, number, number];
  return order === 'day-first' ? dayOf(year, second, first) : dayOf(year, first, second);
}

/** How the days of one file are written: the first that can be read in one way only says so; else as in Britain. */
export function orderOfDays(texts: Iterable<string>): DayOrder {
  for (const text of texts) {
    if (SLASHED.test(text) && readDay(text, 'day-first') === null && readDay(text, 'month-first') !== null)
      return 'month-first';
    if (SLASHED.test(text) && readDay(text, 'month-first') === null) return 'day-first';
  }
  return 'day-first';
}

function dayOf(year: number, month: number, day: number): Day | null {
  const at = new Date(Date.UTC(year, month - 1, day));
  const isReal = year > 1000 && at.getUTCMonth() === month - 1 && at.getUTCDate() === day;
  return isReal ? at.toISOString().slice(0, 10) : null;
}

/** The parts of a list in one value, without empty ones and doubles. */
export function readList(text: string, separator: RegExp): string[] {
  return [
    ...new Set(
      text
        .split(separator)
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    ),
  ];
}

const ROLES: Readonly<Record<string, SchoolRole>> = {
  student: 'pupil',
  pupil: 'pupil',
  learner: 'pupil',
  teacher: 'teacher',
  professor: 'teacher',
  lecturer: 'teacher',
  faculty: 'teacher',
  instructor: 'teacher',
  aide: 'staff',
  proctor: 'staff',
  counselor: 'staff',
  principal: 'staff',
  headteacher: 'staff',
  staff: 'staff',
  administrator: 'staff',
  districtadministrator: 'staff',
  siteadministrator: 'staff',
  systemadministrator: 'staff',
  parent: 'parent',
  guardian: 'parent',
  relative: 'parent',
  carer: 'parent',
};

/** What a roster's word for a role means here; null: it is not known. */
export function readRole(text: string): SchoolRole | null {
  const word = text.toLowerCase().replace(/[\s_-]/g, '');
  return Object.hasOwn(ROLES, word) ? ROLES[word]! : null;
}

/** Why a text cannot be a user name; null if it can. */
export function userNameFault(text: string): string | null {
  if (text === '') return 'has no user name; the person is left out';
  if (canonicalUser(text) !== null) return null;
  return `"${clean(text)}" is not a user name (at most 128 characters, no colon); the person is left out`;
}

/** For sentences: no control characters, and not longer than a line. */
export function clean(text: string): string {
  const plain = text.replace(/\p{Cc}+/gu, ' ');
  return plain.length > 60 ? `${plain.slice(0, 60)}…` : plain;
}

/** A name of a person or class as it is kept. */
export function readName(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 100);
}
