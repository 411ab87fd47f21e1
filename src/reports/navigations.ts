import { SchoolgateError } from '../kernel/errors.ts';
import type { ReportRecord, Span } from './ports.ts';

/** The same person (or device), site and answer within this time count as one navigation (contract, "A verdict"). */
export const NAVIGATION_MS = 10_000;

/** Every request of one person to one site that got one answer: all tables are sums over these. */
export interface Visits {
  /** The person, or the client address where nobody is known. */
  readonly who: string;
  readonly identified: ReportRecord['identified'];
  readonly level: string;
  readonly host: string | null;
  readonly verdict: ReportRecord['verdict'];
  readonly reason: string;
  /** The category that decided; else the first that the lists know the site by; else null. */
  readonly category: string | null;
  readonly flagged: boolean;
  readonly locked: boolean;
  requests: number;
  navigations: number;
  bytes: number;
}

/**
 * Counts records into visits, and navigations out of them whatever order they came in (a tunnel's record comes when it
 * ends). A navigation lasts NAVIGATION_MS from its first request; the next request begins another.
 * Memory: 8 bytes a record, and about 300 a different visit.
 */
export class VisitCounter {
  readonly #visits = new Map<string, { readonly index: number; readonly visits: Visits }>();
  readonly #span: Span;
  readonly #stride: number;
  #times = new Float64Array(1 << 12);
  #count = 0;

  constructor(span: Span) {
    this.#span = span;
    this.#stride = span.until - span.from;
  }

  add(record: ReportRecord, at: number): void {
    const { index, visits } = this.#visitsOf(record);
    visits.requests++;
    visits.bytes += record.up + record.down;
    // Visit and instant in one number, so that the array sorts itself without a comparison function.
    const packed = index * this.#stride + (at - this.#span.from);
    if (!Number.isSafeInteger(packed))
      throw new SchoolgateError(
        'report_too_large',
        'client',
        'There is too much in this period for one report: choose a shorter one.',
      );
    if (this.#count === this.#times.length) this.#grow();
    this.#times[this.#count++] = packed;
  }

  /** All visits with their navigations, and each navigation's first instant told to `onNavigation`. Call once, at the end. */
  finish(onNavigation: (visits: Visits, at: number) => void): Visits[] {
    const all = [...this.#visits.values()].map(({ visits }) => visits);
    const times = this.#times.subarray(0, this.#count).sort();
    let index = -1;
    let begun = 0;
    for (const packed of times) {
      const thisIndex = Math.floor(packed / this.#stride);
      const at = packed - thisIndex * this.#stride;
      if (thisIndex === index && at - begun < NAVIGATION_MS) continue;
      index = thisIndex;
      begun = at;
      all[index]!.navigations++;
      onNavigation(all[index]!, at + this.#span.from);
    }
    return all;
  }

  #visitsOf(record: ReportRecord): { readonly index: number; readonly visits: Visits } {
    const who = record.user ?? record.client;
    const category = record.category ?? record.categories[0] ?? null;
    const { identified, level, host, verdict, reason, flagged, locked } = record;
    const key = [who, identified, level, host, verdict, reason, category, flagged, locked].join('\n');
    let known = this.#visits.get(key);
    if (known === undefined) {
      const visits = {
        who,
        identified,
        level,
        host,
        verdict,
        reason,
        category,
        flagged,
        locked,
        requests: 0,
        navigations: 0,
        bytes: 0,
      };
      known = { index: this.#visits.size, visits };
      this.#visits.set(key, known);
    }
    return known;
  }

  #grow(): void {
    const larger = new Float64Array(this.#times.length * 2);
    larger.set(this.#times);
    this.#times = larger;
  }
}
