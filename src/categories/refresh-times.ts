import { slotAfter, slotBefore } from '../jobs/cron.ts';
import { REFRESH_ZONE } from './catalogue.ts';
import { DAY_MS } from '../kernel/clock.ts';

const LEAST_STALE_MS = 3 * DAY_MS;
const MISSED_REFRESHES = 3;

/** When a source is fetched next after `now`, ms; null: not within five weeks. */
export function nextRefresh(refresh: string, now: number): number | null {
  return slotAfter(refresh, REFRESH_ZONE, now);
}

/** Whether a source was to be fetched between `fetchedAt` (ms; null: never) and `now`. */
export function isDue(refresh: string, fetchedAt: number | null, now: number): boolean {
  if (fetchedAt === null) return true;
  const last = slotBefore(refresh, REFRESH_ZONE, now);
  return last !== null && last > fetchedAt;
}

/** How old a fetched list may get before somebody must look, ms: three times its interval, and three days at least. */
export function staleAfter(refresh: string, now: number): number {
  const first = nextRefresh(refresh, now);
  const second = first === null ? null : nextRefresh(refresh, first);
  if (first === null || second === null) return MISSED_REFRESHES * 5 * 7 * DAY_MS;
  return Math.max(LEAST_STALE_MS, MISSED_REFRESHES * (second - first));
}
