import { SchoolgateError } from '../kernel/errors.ts';
import { NAVIGATION_MS } from '../kernel/navigation.ts';
import type { ReportRecord, Span } from './ports.ts';

/** Every request of one person to one site that was answered alike: all tables are sums over these. */
export interface Visits {
  /** The person, or the client address where nobody is known. */
  readonly who: string;
  readonly host: string | null;
  readonly verdict: ReportRecord['verdict'];
  readonly identified: ReportRecord['identified'];
  readonly level: string;
  readonly reason: string;
  /** The category that decided; else the first that the lists know the site by; else null. */
  readonly category: string | null;
  readonly flagged: boolean;
  readonly locked: boolean;
  requests: number;
  /** Navigations that began with one of these requests. */
  navigations: number;
  bytes: number;
}

/** One person, site and verdict: what navigations are told apart by. */
interface Group {
  readonly index: number;
  readonly visits: Visits;
  /** The same with another level, reason or category: rare, so that most groups pay nothing for it. */
  others: Others | null;
}

interface Others {
  readonly visits: Visits[];
  /** Whose request it was, by instant, where it was one of `visits`. */
  readonly at: Map<number, Visits>;
}

/**
 * Counts records into visits, and navigations out of them whatever order they came in (a tunnel's record comes when it
 * ends). A navigation lasts NAVIGATION_MS from its first request; the next request begins another, and it counts for the
 * level, reason and category of its first request. Memory: 8 bytes a record, and about 300 a different visit.
 */
export class VisitCounter {
  readonly #groups = new Map<string, Group>();
  readonly #span: Span;
  readonly #stride: number;
  #times = new Float64Array(1 << 12);
  #count = 0;

  constructor(span: Span) {
    this.#span = span;
    this.#stride = span.until - span.from;
  }

  /** `at`: when the record began, ms, in the span. Throws a SchoolgateError when the report grows too large to count exactly. */
  add(record: ReportRecord, at: number): void {
    const group = this.#groupOf(record);
    const visits = visitsIn(group, record, at);
    visits.requests++;
    visits.bytes += record.up + record.down;
    // Group and instant in one number, so that the array sorts itself without a comparison function.
    const packed = group.index * this.#stride + (at - this.#span.from);
    if (!Number.isSafeInteger(packed)) throw tooLarge();
    if (this.#count === this.#times.length) this.#grow();
    this.#times[this.#count++] = packed;
  }

  /** All visits, their navigations counted, each told to `onNavigation` with its first instant. To be called once, at the end. */
  finish(onNavigation: (visits: Visits, at: number) => void): Visits[] {
    const groups = [...this.#groups.values()];
    let index = -1;
    let begun = 0;
    for (const packed of this.#times.subarray(0, this.#count).sort()) {
      const group = Math.floor(packed / this.#stride);
      const at = this.#span.from + packed - group * this.#stride;
      if (group === index && at - begun < NAVIGATION_MS) continue;
      index = group;
      begun = at;
      const visits = groups[group]!.others?.at.get(at) ?? groups[group]!.visits;
      visits.navigations++;
      onNavigation(visits, at);
    }
    const rare = groups.flatMap(({ others }) => others?.visits ?? []);
    return [...groups.map(({ visits }) => visits), ...rare];
  }

  #groupOf(record: ReportRecord): Group {
    const key = `${whoOf(record)}\n${record.host ?? ''}\n${record.verdict}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { index: this.#groups.size, visits: newVisits(record), others: null };
      this.#groups.set(key, group);
    }
    return group;
  }

  #grow(): void {
    const larger = new Float64Array(this.#times.length * 2);
    larger.set(this.#times);
    this.#times = larger;
  }
}

function visitsIn(group: Group, record: ReportRecord, at: number): Visits {
  if (isAlike(group.visits, record)) return group.visits;
  group.others ??= { visits: [], at: new Map() };
  let visits = group.others.visits.find((other) => isAlike(other, record));
  if (visits === undefined) group.others.visits.push((visits = newVisits(record)));
  group.others.at.set(at, visits);
  return visits;
}

function isAlike(visits: Visits, record: ReportRecord): boolean {
  return (
    visits.level === record.level &&
    visits.reason === record.reason &&
    visits.category === categoryOf(record) &&
    visits.identified === record.identified &&
    visits.flagged === record.flagged &&
    visits.locked === record.locked
  );
}

function newVisits(record: ReportRecord): Visits {
  const { host, verdict, identified, level, reason, flagged, locked } = record;
  const counts = { requests: 0, navigations: 0, bytes: 0 };
  const category = categoryOf(record);
  return { who: whoOf(record), host, verdict, identified, level, reason, category, flagged, locked, ...counts };
}

function whoOf(record: ReportRecord): string {
  return record.user ?? record.client;
}

function categoryOf(record: ReportRecord): string | null {
  return record.category ?? record.categories[0] ?? null;
}

function tooLarge(): SchoolgateError {
  const text = 'There is too much in this period to be counted exactly in one report: choose a shorter one.';
  return new SchoolgateError('report_too_large', 'client', text);
}
