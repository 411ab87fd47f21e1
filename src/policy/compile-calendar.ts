import type { DocumentPath, YamlDocument } from '../config/yaml-document.ts';
import { isDate } from '../kernel/local-time.ts';
import { type Compiling, type Reporting, type TimeWords, report } from './compile-entries.ts';
import { checkCidrs } from './compile-network.ts';
import { daysOf, minutesOf } from './compile-windows.ts';
import type { SchoolDocument } from './document.ts';
import type { Calendar, DateRange, DayWindow } from './snapshot.ts';

type Document = YamlDocument<SchoolDocument>;
type Dated = DateRange & { readonly name: string };

const WEEKDAYS = [0, 1, 2, 3, 4];
const EVERY_DAY = [...WEEKDAYS, 5, 6];
const ALL_DAY = { from: 0, to: 1440 };
const WEEK_MINUTES = 7 * 1440;

/** Compiles `calendar:`; undefined: the school has none. */
export function compileCalendar(to: Reporting, document: Document): Calendar | undefined {
  const { calendar } = document.value;
  if (calendar === undefined) return undefined;
  const terms = compileDated(to, document, 'terms', calendar.terms);
  for (const [i, term] of terms.entries()) {
    const other = terms.slice(0, i).find(({ from, to }) => from <= term.to && term.from <= to);
    if (other === undefined) continue;
    const reason = `"${term.name}" overlaps "${other.name}" (${other.from} to ${other.to}); a day is in one term`;
    report(to, document, ['calendar', 'terms', i], reason);
  }
  const holidays = compileDated(to, document, 'holidays', calendar.holidays ?? []);
  return { terms, holidays, slots: compileSlots(to, document) };
}

function compileDated(
  to: Reporting,
  document: Document,
  kind: 'terms' | 'holidays',
  written: readonly { readonly name: string; readonly from: string; readonly to?: string }[],
): Dated[] {
  return written.map(({ name, from, to: last = from }, i) => {
    const at = ['calendar', kind, i] as const;
    for (const [key, date] of [['from', from] as const, ['to', last] as const]) {
      if (isDate(date) || (key === 'to' && last === from)) continue;
      report(to, document, [...at, key], `"${date}" is not a date that exists; write it as 2026-09-01`);
    }
    if (isDate(from) && isDate(last) && last < from) {
      report(to, document, [...at, 'to'], `"${name}" ends (${last}) before it begins (${from})`);
    }
    return { name, from, to: last };
  });
}

function compileSlots(to: Reporting, document: Document): Calendar['slots'] {
  const slots: (DayWindow & { word: string })[] = [];
  for (const [i, { name, days, from, to: until }] of (document.value.calendar!.slots ?? []).entries()) {
    const at = ['calendar', 'slots', i] as const;
    const onDays = daysOf(to, document, at, days) ?? WEEKDAYS;
    const minutes = minutesOf(to, document, at, from, until);
    if (minutes === null) continue;
    const slot = { days: onDays, ...minutes, on: 'term-time', word: name } as const;
    const other = slots.find((earlier) => overlap(earlier, slot));
    if (other !== undefined) {
      report(to, document, at, `"${name}" overlaps "${other.word}" above on the same day; a minute is in one slot`);
    }
    slots.push(slot);
  }
  return slots;
}

/** Whether two windows share a minute of the week; one over midnight on Sunday goes on into Monday. */
function overlap(a: DayWindow, b: DayWindow): boolean {
  return a.days.some((one) =>
    b.days.some((other) => {
      const ahead = (((other * 1440 + b.from - one * 1440 - a.from) % WEEK_MINUTES) + WEEK_MINUTES) % WEEK_MINUTES;
      return ahead < a.to - a.from || WEEK_MINUTES - ahead < b.to - b.from;
    }),
  );
}

/** The words that rules may use for times. A slot's, term's and holiday's name may come several times, in one of the three. */
export function timeWords(to: Reporting, document: Document, calendar: Calendar | undefined): TimeWords {
  const words: [string, { windows: DayWindow[]; wholeDays: boolean }][] = [
    ['always', { windows: [{ days: EVERY_DAY, ...ALL_DAY, word: 'always' }], wholeDays: true }],
    ['weekends', { windows: [{ days: [5, 6], ...ALL_DAY, word: 'weekends' }], wholeDays: true }],
  ];
  if (calendar === undefined) return new Map(words);
  const dates = (kind: 'term-time' | 'holidays', days: readonly number[], word: string): DayWindow[] => [
    { days, ...ALL_DAY, on: kind, word },
  ];
  words.push(['school-days', { windows: dates('term-time', WEEKDAYS, 'school-days'), wholeDays: true }]);
  words.push(['holidays', { windows: dates('holidays', EVERY_DAY, 'holidays'), wholeDays: true }]);
  const all = new Map(words);
  for (const [kind, named] of namedTimes(calendar)) {
    const inKind = Map.groupBy(named, ([name]) => name);
    for (const [name, windows] of inKind) {
      if (all.has(name))
        report(to, document, pathOf(document, kind, name), `"${name}" means another time already; rename it`);
      else all.set(name, { windows: windows.map(([, window]) => window), wholeDays: kind !== 'slots' });
    }
  }
  return all;
}

type Kind = 'terms' | 'holidays' | 'slots';

function namedTimes({ terms, holidays, slots }: Calendar): [Kind, (readonly [string, DayWindow])[]][] {
  const dated = (ranges: readonly Dated[]): (readonly [string, DayWindow])[] =>
    ranges.map(
      ({ name, from, to }) => [name, { days: EVERY_DAY, ...ALL_DAY, on: [{ from, to }], word: name }] as const,
    );
  return [
    ['terms', dated(terms)],
    ['holidays', dated(holidays)],
    ['slots', slots.map((slot) => [slot.word, slot] as const)],
  ];
}

function pathOf(document: Document, kind: Kind, name: string): DocumentPath {
  return ['calendar', kind, document.value.calendar![kind]!.findIndex((one) => one.name === name)];
}

/** Compiles `places:`; the rooms that `identity.ranges` names are places, too. */
export function compilePlaces(to: Reporting, document: Document): Compiling['places'] {
  const places = new Map<string, string[]>();
  for (const { name, cidr } of document.value.identity.ranges ?? []) {
    places.set(name, [...(places.get(name) ?? []), cidr]);
  }
  for (const [name, cidrs] of Object.entries(document.value.places ?? {})) {
    checkCidrs(to, document, ['places', name], cidrs);
    if (places.has(name)) {
      report(to, document, ['places', name], `"${name}" is named under identity.ranges already; keep one of the two`);
    }
    if (cidrs.length === 0) report(to, document, ['places', name], `"${name}" has no address range; name at least one`);
    places.set(name, [...cidrs]);
  }
  return places;
}
