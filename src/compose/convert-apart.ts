// timetable ── orders ──► a process of its own, of low priority ── segments become Parquet
import type { ConversionReport } from '../history/convert-history.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import { runApart } from './run-apart.ts';

const MODULE = new URL('./history-process.ts', import.meta.url);

export interface ConvertOrders {
  /** The history folder. */
  readonly folder: string;
  /** Segments that came later wait for the next run, ms since the epoch. */
  readonly arrivedBefore: number;
}

export type ConvertAnswer = { readonly type: 'converted' } & ConversionReport;

/**
 * Converts in a process that gives its memory back when it ends and never keeps a page waiting. Rejects when it ended without an
 * answer; what it had done by then counts, and the next run goes on from there. `signal` ends it.
 */
export async function convertApart(orders: ConvertOrders, signal: AbortSignal): Promise<ConversionReport> {
  const { answer, how } = await runApart(MODULE, orders, { signal, stderr: 'inherit' });
  if (answer !== null) return answer as unknown as ConvertAnswer;
  throw new Error(`the conversion of the access history ended without an answer (${how})`);
}

/** What came less than so long ago waits: the parts of one segment that was too large arrive together. */
const SETTLE_MS = 2 * 60_000;

/** The conversion as a job, and whatever else changes the history's files: one at a time. */
export interface HistoryUpkeep {
  convert(): Promise<void>;
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** Ends a conversion that is under way. */
  stop(): void;
}

export function historyUpkeep(folder: string, clock: Clock, log: Logger): HistoryUpkeep {
  const ending = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };
  return {
    alone,
    convert: () =>
      alone(async () => {
        const { problems } = await convertApart({ folder, arrivedBefore: clock() - SETTLE_MS }, ending.signal);
        for (const problem of problems) log.warn({ problem }, 'a part of the access history stays as it is');
      }),
    stop: () => ending.abort(),
  };
}
