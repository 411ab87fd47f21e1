import type { DocumentPath, YamlDocument } from '../config/yaml-document.ts';
import { type Compiling, type Reporting, report } from './compile-entries.ts';
import { DAYS, type TimesSetting } from './document.ts';
import type { DayWindow } from './snapshot.ts';

type Document = YamlDocument<unknown>;
type Explicit = Exclude<TimesSetting[number], string>;

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];

/** Compiles a list of times: words such as `lunch`, and days with times of day. `path` is where the list stands. */
export function compileWindows(
  to: Compiling,
  document: Document,
  path: DocumentPath,
  times: TimesSetting,
): DayWindow[] {
  return times.flatMap((time, i) =>
    typeof time === 'string'
      ? windowsOfWord(to, document, [...path, i], time)
      : explicitWindows(to, document, [...path, i], time),
  );
}

function windowsOfWord(to: Compiling, document: Document, at: DocumentPath, word: string): readonly DayWindow[] {
  const known = to.times.get(word);
  if (known === undefined)
    report(
      to,
      document,
      at,
      unknownWord(to, word, () => true),
    );
  return known?.windows ?? [];
}

/** Days and times of day; `on` leaves those of the windows of its words in which it lies. */
function explicitWindows(to: Compiling, document: Document, at: DocumentPath, time: Explicit): DayWindow[] {
  const days = daysOf(to, document, at, time.days) ?? EVERY_DAY;
  const minutes = explicitMinutes(to, document, at, time);
  if (minutes === null) return [];
  if (time.on === undefined) return [{ days, ...minutes }];
  if (time.on.length === 0) report(to, document, [...at, 'on'], '"on" names no days; leave it out for any');
  return time.on.flatMap((word, i) => {
    const known = to.times.get(word);
    if (known?.wholeDays !== true) {
      report(
        to,
        document,
        [...at, 'on', i],
        unknownWord(to, word, ({ wholeDays }) => wholeDays),
      );
      return [];
    }
    return known.windows.flatMap((window) => {
      const both = days.filter((day) => window.days.includes(day));
      return both.length === 0 ? [] : [{ days: both, ...minutes, ...(window.on !== undefined && { on: window.on }) }];
    });
  });
}

/** Both times or neither: days alone are whole days. */
function explicitMinutes(to: Reporting, document: Document, at: DocumentPath, time: Explicit): Minutes | null {
  const { from, to: until } = time;
  if (from !== undefined && until !== undefined) return minutesOf(to, document, at, from, until);
  if (from === undefined && until === undefined && Object.keys(time).length > 0) return { from: 0, to: 1440 };
  report(to, document, at, '"from" and "to" belong together; write both, or days alone for whole days');
  return null;
}

type Minutes = Pick<DayWindow, 'from' | 'to'>;

/** Minutes of `from` to `to`, which may go over midnight; null for what is no such thing, which is then reported. */
export function minutesOf(
  to: Reporting,
  document: Document,
  at: DocumentPath,
  fromText: string,
  toText: string,
): Minutes | null {
  const from = minuteOfDay(fromText);
  const until = minuteOfDay(toText);
  if (from === null || until === null || from === 1440) {
    report(to, document, at, 'times are written as "08:30", up to "24:00" for the end of the day');
    return null;
  }
  if (from === until) {
    report(to, document, at, '"to" is the same time as "from"; write "00:00" to "24:00" for the whole day');
    return null;
  }
  return { from, to: until < from ? until + 1440 : until };
}

/** Numbers of named weekdays; null where none are named at all. An empty list is reported. */
export function daysOf(
  to: Reporting,
  document: Document,
  at: DocumentPath,
  days: readonly (typeof DAYS)[number][] | undefined,
): number[] | null {
  if (days === undefined) return null;
  if (days.length === 0) report(to, document, [...at, 'days'], '"days" names no day');
  return [...new Set(days.map((day) => DAYS.indexOf(day)))].sort((a, b) => a - b);
}

/** Minutes after midnight of `08:30`, up to 1440 for `24:00`; null if the text is no time of day. */
export function minuteOfDay(text: string): number | null {
  const parts = /^(\d{2}):(\d{2})$/.exec(text);
  if (parts === null) return null;
  const [hour, minute] = [Number(parts[1]), Number(parts[2])];
  return minute < 60 && hour * 60 + minute <= 1440 ? hour * 60 + minute : null;
}

function unknownWord(
  { times }: Compiling,
  word: string,
  isMeant: (one: { readonly wholeDays: boolean }) => boolean,
): string {
  const known = [...times].filter(([, one]) => isMeant(one)).map(([name]) => name);
  const what = times.has(word) ? 'has times of its own and is no day' : 'is not a time this school knows';
  const hint = times.has('holidays')
    ? ''
    : '; lessons, terms and holidays are described under "calendar" in school.yaml';
  return `"${word}" ${what}; there are ${known.join(', ')}${hint}`;
}
