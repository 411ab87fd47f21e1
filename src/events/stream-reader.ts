import { setTimeout as pause } from 'node:timers/promises';
import type { OnState } from './link-state.ts';
import { GATHER_MS } from './pump.ts';
import { type Redis, whenReady } from './redis-link.ts';

export interface StreamEntry {
  readonly id: string;
  /** Empty for an entry that was taken out of the stream before it was acknowledged. */
  readonly fields: ReadonlyMap<string, Buffer>;
}

export interface StreamReading {
  /** A connection of its own: reading blocks it. */
  readonly redis: Redis;
  readonly stream: string;
  readonly group: string;
  /** At most so many entries at once. */
  readonly count: number;
  /** Resolves when all of them are acknowledged or given up; only then is more read. Must not reject. */
  readonly onEntries: (entries: readonly StreamEntry[]) => Promise<void>;
  readonly onState: OnState;
  readonly signal: AbortSignal;
}

const BLOCK_MS = 2000;
const AGAIN_MS = 250;

/**
 * Reads a stream as the one consumer of a group until the signal ends it: first what was delivered and not acknowledged,
 * then what is new; and so again after every error, since a lost answer may have delivered something. The group is made at
 * the start of the stream, also when it vanished with the data.
 */
export async function readGroup(reading: StreamReading): Promise<void> {
  const { redis, stream, group, count, onEntries, onState, signal } = reading;
  let from = '0';
  while (!signal.aborted) {
    try {
      await whenReady(redis, signal);
      const entries = await readOnce(reading, from);
      onState(null);
      await onEntries(entries);
      if (from !== '>') from = entries.at(-1)?.id ?? '>';
      if (entries.length > 0 && entries.length < count) await pause(GATHER_MS, undefined, { signal });
    } catch (error) {
      from = '0';
      if (signal.aborted) return;
      if (isMissingGroup(error)) await createGroup(redis, stream, group, onState);
      else onState(error as Error);
      await pause(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }
}

async function readOnce({ redis, stream, group, count }: StreamReading, from: string): Promise<StreamEntry[]> {
  const head = ['GROUP', group, group, 'COUNT', count, 'BLOCK', BLOCK_MS, 'STREAMS', stream, from] as const;
  const answer = await redis.xreadgroupBuffer(...head);
  return parseAnswer(answer);
}

function parseAnswer(answer: unknown): StreamEntry[] {
  if (answer === null) return [];
  const [[, entries]] = answer as [[Buffer, [Buffer, Buffer[] | null][]]];
  return entries.map(([id, values]) => {
    const fields = new Map<string, Buffer>();
    for (let i = 0; i + 1 < (values?.length ?? 0); i += 2) fields.set(values![i]!.toString(), values![i + 1]!);
    return { id: id.toString(), fields };
  });
}

function isMissingGroup(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOGROUP');
}

async function createGroup(redis: Redis, stream: string, group: string, onState: OnState): Promise<void> {
  try {
    await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
  } catch (error) {
    onState(error as Error);
  }
}
