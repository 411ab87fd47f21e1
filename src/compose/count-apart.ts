// a report ── orders ──► a process of its own: DuckDB over Parquet and segments ──► a few kilobytes of counts
import type { CountSpan, CountedSpan, Span } from '../reports/ports.ts';
import type { CountSettings } from '../reports/week-counts.ts';
import { runApart } from './run-apart.ts';

const MODULE = new URL('./count-process.ts', import.meta.url);

export interface CountOrders {
  /** The history folder. */
  readonly folder: string;
  readonly span: Span;
  readonly settings: CountSettings;
}

export type CountAnswer = { readonly type: 'counted' } & CountedSpan;

/** Counts in a process that gives its memory back when it ends and never keeps a page waiting. Rejects when it ended without an answer; `signal` ends it. */
export function countApart(folder: string, signal: AbortSignal = new AbortController().signal): CountSpan {
  return async (span, settings) => {
    const orders: CountOrders = { folder, span, settings };
    const { answer, how } = await runApart(MODULE, orders, { signal, stderr: 'inherit' });
    if (answer !== null) return answer as unknown as CountAnswer;
    throw new Error(`the count of the access history ended without an answer (${how})`);
  };
}
