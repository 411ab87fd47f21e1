import { setTimeout as pause } from 'node:timers/promises';
import type { OnState } from './link-state.ts';

/** Runs one piece of work again whenever it was poked, never twice at once. */
export interface Pump {
  /** Have the work done from the start, now or right after the run that is under way. */
  poke(): void;
  /** No further run; resolves when the last has ended. */
  stop(): Promise<void>;
}

/** `onRun` hears how each run ended; one that throws is not repeated until the next poke. */
export function createPump(work: () => Promise<void>, onRun: OnState): Pump {
  let state: 'idle' | 'wanted' | 'stopped' = 'idle';
  let running: Promise<void> | null = null;
  const takeWish = (): boolean => {
    const isWanted = state === 'wanted';
    if (isWanted) state = 'idle';
    return isWanted;
  };
  const isStopped = (): boolean => state === 'stopped';
  const run = async (): Promise<void> => {
    while (takeWish()) {
      const error = await work().then(
        () => null,
        (thrown: Error) => thrown,
      );
      // What closing cut off is no trouble.
      if (!isStopped()) onRun(error);
    }
    running = null;
  };
  return {
    poke() {
      if (state === 'stopped') return;
      state = 'wanted';
      running ??= run();
    },
    async stop() {
      state = 'stopped';
      await running;
    },
  };
}

/** How long events may wait for others to come along, ms: each look at them and each commit has its price, many or few. */
export const GATHER_MS = 100;

/** How long to wait after a failed attempt: doubled each time. */
export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Repeats an attempt until it resolves (true), or until the signal ends it (false). */
export async function persist(attempt: () => Promise<void>, backoff: Backoff, signal: AbortSignal): Promise<boolean> {
  for (let ms = backoff.firstMs; !signal.aborted; ms = Math.min(ms * 2, backoff.mostMs)) {
    try {
      await attempt();
      return true;
    } catch {
      await pause(ms, undefined, { signal }).catch(() => {});
    }
  }
  return false;
}
