import { HOUR_MS } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { Span } from './ports.ts';
import { batchQueries, CLASHES, COMPACT, hoursQuery, INTO_SUMS, prepareQueries, type Query } from './sum-queries.ts';

export type Value = string | number | boolean | null;
/** Answers statements about `requests`, the access history of a span, and `sums` (see `sum-queries`). */
export type Ask = (sql: string) => Promise<readonly (readonly Value[])[]>;

/** So many requests are sorted in memory at a time. */
const MOST_REQUESTS = 1_000_000;
/** Each time leaves a row for each visit; they are added up before they fill the memory. */
const MOST_VISITS = 2_000_000;

/** Adds every request of the span to `sums` once, exactly and in bounded memory, whatever order they were recorded in. */
export async function sumRequests(ask: Ask, span: Span): Promise<void> {
  for (const { sql } of prepareQueries(span)) await ask(sql);
  if ((await ask(CLASHES)).length > 0) throw clash();
  const requests = new Map((await ask(hoursQuery(span).sql)) as readonly (readonly [number, number])[]);
  for (const batch of batchesOf(span, requests)) {
    for (const { sql } of batchQueries(batch)) await ask(sql);
    const [[rows]] = (await ask('SELECT count(*)::DOUBLE FROM visits')) as [[number]];
    if (rows > MOST_VISITS) await ask(COMPACT.sql);
  }
  for (const { sql } of INTO_SUMS) await ask(sql);
}

/** Every statement a span is summed with, in order. */
export function explainedSums(span: Span): readonly Query[] {
  const [first, ...rest] = batchQueries(span);
  return [
    ...prepareQueries(span),
    hoursQuery(span),
    { title: `${first!.title} (here all; a large school’s a few at a time, one after the other)`, sql: first!.sql },
    ...rest,
    ...INTO_SUMS,
  ];
}

/** Hours with requests, as many together as are not too many requests (`most`); one that has more in equal parts. */
export function batchesOf(span: Span, requests: ReadonlyMap<number, number>, most = MOST_REQUESTS): Span[] {
  const batches: (Span & { readonly requests: number })[] = [];
  for (const [hour, count] of requests) {
    const from = span.from + hour * HOUR_MS;
    const until = Math.min(from + HOUR_MS, span.until);
    const last = batches.at(-1);
    if (last !== undefined && last.requests + count <= most) {
      batches[batches.length - 1] = { from: last.from, until, requests: last.requests + count };
      continue;
    }
    const parts = Math.max(1, Math.ceil(count / most));
    const border = (part: number): number => from + Math.floor(((until - from) * part) / parts);
    for (let part = 0; part < parts; part++) {
      batches.push({ from: border(part), until: border(part + 1), requests: Math.ceil(count / parts) });
    }
  }
  return batches.map(({ from, until }) => ({ from, until }));
}

/** Two names with one number: refused, never miscounted. */
export function clash(): SchoolgateError {
  const text = 'Two names of this period cannot be told apart in a count: make the report of a shorter period.';
  return new SchoolgateError('report_clash', 'us', text);
}
