import { VisitCounter, type Visits } from './navigations.ts';
import type { ReportRecord, Span } from './ports.ts';

const HOUR_MS = 3_600_000;

/** What happened in the hour that begins `from` (ms), counted from the span's begin. */
export interface HourCount {
  readonly from: number;
  requests: number;
  navigations: number;
  refused: number;
}

/** Faults of our own that refused requests, by worker. */
export interface FaultCount {
  readonly gateway: string;
  readonly worker: number;
  requests: number;
  /** ISO 8601 UTC. */
  first: string;
  last: string;
}

/** One span of the access history, counted. Every table of a report is a sum over `visits` or `hours`. */
export interface WeekCounts {
  readonly span: Span;
  readonly visits: readonly Visits[];
  readonly hours: readonly HourCount[];
  readonly faults: readonly FaultCount[];
  /** Requests of which nothing but the site's name was visible. */
  readonly tunnels: number;
  /** Tunnels whose end was never recorded: their bytes are not in any sum. */
  readonly withoutEnd: number;
}

/**
 * Counts every record once. All must have begun in the span. `refused` in an hour counts navigations.
 * Rejects with what `records` throws; a period too large for one report is a SchoolgateError.
 */
export async function countWeek(records: AsyncIterable<ReportRecord>, span: Span): Promise<WeekCounts> {
  const counter = new VisitCounter(span);
  const hours = hoursOf(span);
  const faults = new Map<string, FaultCount>();
  let tunnels = 0;
  let withoutEnd = 0;
  for await (const record of records) {
    const at = Date.parse(record.at);
    counter.add(record, at);
    hourOf(hours, span, at).requests++;
    if (record.method === 'CONNECT') tunnels++;
    if (record.error === 'no_end_recorded') withoutEnd++;
    if (record.reason === 'fault') countFault(faults, record);
  }
  const visits = counter.finish((visit, at) => {
    const hour = hourOf(hours, span, at);
    hour.navigations++;
    if (visit.verdict === 'block') hour.refused++;
  });
  return { span, visits, hours, faults: [...faults.values()], tunnels, withoutEnd };
}

function hoursOf(span: Span): HourCount[] {
  const hours: HourCount[] = [];
  for (let from = span.from; from < span.until; from += HOUR_MS) {
    hours.push({ from, requests: 0, navigations: 0, refused: 0 });
  }
  return hours;
}

function hourOf(hours: readonly HourCount[], span: Span, at: number): HourCount {
  const hour = hours[Math.floor((at - span.from) / HOUR_MS)];
  if (hour === undefined) throw new RangeError('a record lies outside the period of its report');
  return hour;
}

function countFault(faults: Map<string, FaultCount>, { gateway, worker, at }: ReportRecord): void {
  const key = `${gateway}/${worker}`;
  const known = faults.get(key);
  if (known === undefined) {
    faults.set(key, { gateway, worker, requests: 1, first: at, last: at });
    return;
  }
  known.requests++;
  if (at < known.first) known.first = at;
  if (at > known.last) known.last = at;
}
