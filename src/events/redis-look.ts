import type { Secret } from '../config/secret.ts';
import { openOnce } from './redis-link.ts';

/** How a Redis stands that is to carry the bus. */
export interface RedisLook {
  readonly version: string;
  /** Its clock, ms since the epoch. */
  readonly time: number;
  /** Null: our account may not ask. */
  readonly appendOnly: boolean | null;
  readonly eviction: string | null;
}

/** Connects once, looks, and goes. Rejects with what the connection says, also when nothing is answered within `ms`. */
export async function lookAtRedis(url: Secret, ms: number): Promise<RedisLook> {
  const redis = await openOnce(url, ms);
  try {
    const [seconds, micros] = (await redis.time()).map(Number) as [number, number];
    const info = await redis.info();
    const field = (name: string): string | null => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? null;
    const appendOnly = field('aof_enabled');
    return {
      version: field('redis_version') ?? 'of unknown version',
      time: seconds * 1000 + Math.floor(micros / 1000),
      appendOnly: appendOnly === null ? null : appendOnly === '1',
      eviction: field('maxmemory_policy'),
    };
  } finally {
    redis.disconnect();
  }
}
