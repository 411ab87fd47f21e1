import type { Redis } from './redis-link.ts';

/**
 * Takes out of a stream what every group has acknowledged, and nothing else: never by length, so that a reader that is
 * away loses nothing. Groups of other programs count; one that is no longer used must be destroyed (XGROUP DESTROY).
 */
export async function trimStream(redis: Redis, stream: string): Promise<void> {
  const groups = (await redis.xinfo('GROUPS', stream)) as unknown[][];
  let floor: string | null = null;
  for (const group of groups) {
    const needed = await firstNeeded(redis, stream, group);
    if (floor === null || isBefore(needed, floor)) floor = needed;
  }
  if (floor !== null) await redis.xtrim(stream, 'MINID', floor);
}

/** The oldest entry that a group may still want. */
async function firstNeeded(redis: Redis, stream: string, group: readonly unknown[]): Promise<string> {
  const name = String(group[group.indexOf('name') + 1]);
  const [, firstPending] = (await redis.xpending(stream, name)) as [number, string | null];
  if (firstPending !== null) return firstPending;
  const [ms, sequence] = String(group[group.indexOf('last-delivered-id') + 1]).split('-');
  return `${ms}-${BigInt(sequence!) + 1n}`;
}

function isBefore(a: string, b: string): boolean {
  const [msA, sequenceA] = a.split('-').map(BigInt) as [bigint, bigint];
  const [msB, sequenceB] = b.split('-').map(BigInt) as [bigint, bigint];
  return msA === msB ? sequenceA < sequenceB : msA < msB;
}
