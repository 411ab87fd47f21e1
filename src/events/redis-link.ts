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

export interface Resending {
  /** Whether commands whose answer was lost are sent again after a reconnect, or reject. */
  readonly resend: boolean;
}

/**
 * One connection that comes back by itself, with growing pauses, for as long as it takes; commands wait for it. `onReady`
 * runs after each (re)connect.
 */
export function connectRedis({ url, newPart }: RedisOptions, { resend }: Resending, onReady: () => void): Redis {
  const onState = newPart();
  const redis = new Redis(url.reveal(), {
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: resend,
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
}

export function redisKeys(prefix: string): RedisKeys {
  return {
    events: `${prefix}events`,
    segments: `${prefix}segments`,
    committed: `${prefix}committed`,
    sent: `${prefix}sent`,
    snapshot: (kind) => `${prefix}snapshot:${kind}`,
    changed: `${prefix}snapshots`,
  };
}
