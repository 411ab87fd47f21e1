/** Chance and waiting, handed in so that tests neither throw dice nor sleep. */
export interface RetryPorts {
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Rejects when the signal is given. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

const FIRST_PAUSE_MS = 2_000;
const FACTOR = 4;
const TRIES = 4;

/**
 * Tries up to four times, with pauses of about 2, 8 and 32 seconds, each half to one and a half times as long by chance: a thousand schools
 * whose fetch failed together do not come back together. Rejects with the last error, or the first that is not worth another try.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  isWorthAgain: (error: unknown) => boolean,
  { random, wait }: RetryPorts,
  signal: AbortSignal,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (tried === TRIES || signal.aborted || !isWorthAgain(error)) throw error;
    }
    await wait(FIRST_PAUSE_MS * FACTOR ** (tried - 1) * (0.5 + random()), signal);
  }
}
