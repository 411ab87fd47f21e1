import { once } from 'node:events';
import { Redis } from 'ioredis';
import type { Secret } from '../config/secret.ts';
import type { OnState } from './link-state.ts';

export type { Redis } from 'ioredis';

/** A command without an answer for this long means a dead connection; a blocking read waits less. */
const ANSWER_MS = 10_000;
const RECONNECT_MOST_MS = 2000;

export interface RedisOptions {
  readonly url: Secret;
  /** Stands before every key. */
  readonly prefix: string;
  readonly newPart: () => OnState;
}

/**
 * One connection that comes back by itself, with growing pauses, for as long as it takes; `onReady` runs after each
 * (re)connect. Without a connection every command rejects at once, and one whose connection is lost rejects then: whoever
 * sent it knows what to ask again. (The client's own queues would pass by what a lost answer had delivered, and leave
 * commands unsettled when it is closed during an outage.)
 */
export function connectRedis({ url, newPart }: RedisOptions, onReady: () => void): Redis {
  const onState = newPart();
  const redis = new Redis(url.reveal(), {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    socketTimeout: ANSWER_MS,
    retryStrategy: (attempt) => Math.min(attempt * 50, RECONNECT_MOST_MS),
  });
  redis.on('ready', () => {
    onState(null);
    onReady();
  });
  redis.on('error', (error: Error) => onState(error));
  redis.on('reconnecting', () => onState(new Error('the connection to Redis was lost')));
  return redis;
}

/** A connection for a few commands, which does not come back. Rejects with why there is none within `ms`. */
export async function openOnce(url: Secret, ms: number): Promise<Redis> {
  const redis = new Redis(url.reveal(), {
    lazyConnect: true,
    connectTimeout: ms,
    socketTimeout: ms,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let why: Error | null = null;
  redis.on('error', (error: Error) => (why = error));
  await redis.connect().catch((error: Error) => {
    redis.disconnect();
    // The client says that the connection was closed; the event says why.
    throw why ?? error;
  });
  return redis;
}

export function isReady(redis: Redis): boolean {
  return redis.status === 'ready';
}

/** Resolves when the connection stands; rejects when the signal ends the waiting. */
export async function whenReady(redis: Redis, signal: AbortSignal): Promise<void> {
  if (!isReady(redis)) await once(redis, 'ready', { signal });
}

export interface RedisKeys {
  /** Streams. */
  readonly events: string;
  readonly segments: string;
  /** Hashes by spool file: what the console committed (bytes), and `<bytes>:<entry id>` of what was last put into the stream. */
  readonly committed: string;
  readonly sent: string;
  /** The signed snapshot of a kind, and the channel that names the kind when it changes. */
  snapshot(kind: string): string;
  readonly changed: string;
  /** A piece of a file, by its hex SHA-256. */
  chunk(sha256: string): string;
  /** The key to which questions are sealed at the moment; the channel they go by; and an asker's own, for the answers. */
  readonly questionKey: string;
  readonly questions: string;
  answers(from: string): string;
}

export function redisKeys(prefix: string): RedisKeys {
  return {
    events: `${prefix}events`,
    segments: `${prefix}segments`,
    committed: `${prefix}committed`,
    sent: `${prefix}sent`,
    snapshot: (kind) => `${prefix}snapshot:${kind}`,
    changed: `${prefix}snapshots`,
    chunk: (sha256) => `${prefix}chunk:${sha256}`,
    questionKey: `${prefix}question-key`,
    questions: `${prefix}questions`,
    answers: (from) => `${prefix}answers:${from}`,
  };
}
