import { type Unblock, needsAgreement, stateAt } from './model.ts';
import { MINUTE_MS } from '../kernel/clock.ts';

/** How long people wait for an answer. Ms; null: nobody waits, or nothing was decided. */
export interface QueueFigures {
  readonly waiting: number;
  readonly oldest: number | null;
  /** Half of what was decided lately was decided sooner. */
  readonly median: number | null;
}

/** What counts as lately, ms. */
const LATELY_MS = 90 * 86_400_000;

export function queueFigures(unblocks: readonly Unblock[], now: number): QueueFigures {
  const ages = unblocks.filter((one) => stateAt(one, now) === 'requested').map(({ requested }) => now - requested.at);
  const took = unblocks
    .filter(({ requested }) => now - requested.at < LATELY_MS)
    .flatMap((one) => decisionTime(one) ?? []);
  return { waiting: ages.length, oldest: ages.length === 0 ? null : Math.max(...ages), median: medianOf(took) };
}

/** From asking to the last word, ms; null: there is none. */
export function decisionTime({ state, requested, decided, agreed }: Unblock): number | null {
  if (decided === null || state === 'requested' || state === 'withdrawn') return null;
  return Math.max(decided.at, agreed?.at ?? 0) - requested.at;
}

function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Whose word is still missing: an approver's, the safeguarding lead's, or both. */
export function missingWords(unblock: Unblock): ('approve' | 'agree')[] {
  return [
    ...(unblock.decided === null ? (['approve'] as const) : []),
    ...(needsAgreement(unblock) && unblock.agreed === null ? (['agree'] as const) : []),
  ];
}

const REMIND_MS = 30 * MINUTE_MS;
/** Whoever was told only now has not forgotten. */
const FRESH_MS = 10 * MINUTE_MS;

/** When those who could decide are reminded: half an hour before it begins, ms since the epoch. Null: it would be of no use. */
export function reminderAt({ from, until, requested }: Pick<Unblock, 'from' | 'until' | 'requested'>): number | null {
  const at = Math.max(from - REMIND_MS, requested.at + FRESH_MS);
  return at < until ? at : null;
}

/** `3 minutes`, `2 hours`, `4 days`: as people say it. */
export function waitText(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / MINUTE_MS));
  if (minutes === 0) return 'less than a minute';
  const [count, unit] =
    minutes < 60
      ? ([minutes, 'minute'] as const)
      : minutes < 48 * 60
        ? ([Math.floor(minutes / 60), 'hour'] as const)
        : ([Math.floor(minutes / 1440), 'day'] as const);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
