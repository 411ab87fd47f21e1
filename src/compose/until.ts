import type { Clock } from '../kernel/clock.ts';

const LOOK_MS = 20;

/** Resolves when the condition holds, or after `ms` whether it does or not. */
export async function until(condition: () => boolean, ms: number, clock: Clock): Promise<void> {
  const end = clock() + ms;
  while (!condition() && clock() < end) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
