/** Milliseconds since the Unix epoch, UTC. Time is always an argument: only `systemClock` reads the machine's clock. */
export type Clock = () => number;

/** Lengths of time that clocks and calendars do not change, ms. */
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
export const WEEK_MS = 7 * DAY_MS;

export const systemClock: Clock = () => Date.now();

/** What a clock that was set back is told, once for each step back: by how many ms. */
export type OnStepBack = (ms: number) => void;

/**
 * A clock that never goes back: `max(wall clock, highest instant seen)`, so that a clock set back cannot lengthen a grant.
 * `highest` is the highest instant persisted by an earlier run (ms since the epoch, 0 if none).
 */
export function neverBackwards(wall: Clock, highest: number, onStepBack: OnStepBack): Clock {
  let seen = highest;
  let toldAt = -1;
  return () => {
    const now = wall();
    if (now >= seen) {
      seen = now;
      return now;
    }
    if (seen - now > 1000 && toldAt !== seen) {
      toldAt = seen;
      onStepBack(seen - now);
    }
    return seen;
  };
}

let second = Number.NaN;
let secondText = '';

/** ISO 8601 in UTC with milliseconds. */
export function isoTime(ms: number): string {
  // Many requests begin in one second, and making the whole text anew costs more than most of what a record holds.
  const of = Math.floor(ms / 1000);
  if (of !== second) {
    secondText = new Date(of * 1000).toISOString().slice(0, 20);
    second = of;
  }
  return `${secondText}${String(ms - of * 1000).padStart(3, '0')}Z`;
}

/** An instant in ISO 8601 with its offset, ms since the epoch; null: it is none, or does not say which zone it means. */
export function readInstant(text: string): number | null {
  const ms = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
