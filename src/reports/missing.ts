import { localText, localTime } from '../kernel/local-time.ts';
import type { SchoolTime, UnreadableStretch, WeekStatus } from './ports.ts';
import type { HourCount, WeekCounts } from './week-counts.ts';
import { stretchWords } from './words.ts';

/** One thing a reader must know before trusting the numbers. */
export interface Missing {
  /** Short, such as `Hours without a record`. */
  readonly what: string;
  readonly detail: string;
}

const HOUR_MINUTES = 60;

/** Everything known to be missing from a report made at `now`, most serious first. Nothing is left out for being usual. */
export function findMissing(
  counts: WeekCounts,
  status: WeekStatus,
  unreadable: readonly UnreadableStretch[],
  zone: string,
  now: number,
): Missing[] {
  const missing: Missing[] = [];
  const add = (what: string, detail: string): void => void missing.push({ what, detail });
  if (status.listsProblem !== null) {
    add('It is not known which lists are in force', status.listsProblem);
  } else if (!status.illegalListLoaded) {
    add(
      'No illegal-content list is loaded',
      'Known illegal addresses are refused only where another list or rule names them.',
    );
  }
  if (now < counts.span.until) add('The period is not over', `Counted up to ${localText(now, zone)}.`);
  for (const hours of silentSchoolHours(counts.hours, status.schoolTime, zone, now)) {
    add('School time without a single record', stretchWords(hours.from, hours.until, zone));
  }
  for (const gap of status.gaps) {
    add(
      'A worker was killed',
      `Gateway ${gap.gateway}, worker ${gap.worker}: requests may be missing: ${stretchWords(Date.parse(gap.from), Date.parse(gap.until), zone)}.`,
    );
  }
  for (const { segment, read, reason } of unreadable) {
    add('A part of the history cannot be read', `${segment}: ${reason}. ${read} of its requests were read.`);
  }
  for (const { id, loadedAt } of status.lists.filter((list) => list.fromLastGood)) {
    add('A list could not be renewed', `${id} is used as it was on ${localText(Date.parse(loadedAt), zone)}.`);
  }
  if (counts.withoutEnd > 0) {
    add(
      'Connections without a recorded end',
      `${counts.withoutEnd}: they are counted, but how much they carried is not known.`,
    );
  }
  return missing;
}

/** Whole hours of school time, up to `now`, in which nothing was recorded; neighbours joined. */
export function silentSchoolHours(
  hours: readonly HourCount[],
  schoolTime: SchoolTime,
  zone: string,
  now: number,
): { from: number; until: number }[] {
  const silent: { from: number; until: number }[] = [];
  for (const hour of hours) {
    const until = hour.from + HOUR_MINUTES * 60_000;
    if (hour.requests > 0 || until > now || !isSchoolHour(hour.from, schoolTime, zone)) continue;
    const last = silent.at(-1);
    if (last?.until === hour.from) last.until = until;
    else silent.push({ from: hour.from, until });
  }
  return silent;
}

/** True when the whole hour lies in school time: the edges of a school day are quiet by nature. */
function isSchoolHour(from: number, schoolTime: SchoolTime, zone: string): boolean {
  const local = localTime(from, zone);
  if (schoolTime.closed.some((days) => local.date >= days.from && local.date <= days.until)) return false;
  return schoolTime.windows.some(
    (window) =>
      window.days.includes(local.weekday) && local.minute >= window.from && local.minute + HOUR_MINUTES <= window.to,
  );
}
