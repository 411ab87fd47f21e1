import {
  SNAPSHOT_KINDS,
  type SignedSnapshot,
  type SnapshotFeed,
  type SnapshotKind,
  type SnapshotPublisher,
} from './bus.ts';
import { createPump, type Pump } from './pump.ts';
import { connectRedis, type Redis, type RedisKeys, type RedisOptions } from './redis-link.ts';
import { SNAPSHOT_MAX_BYTES } from './snapshot-keeper.ts';

/** A notification can be lost, and the data set can go back: both ends look again so often. */
const LOOK_AGAIN_MS = 2000;

/** The console's end, downward: each kind is a key; a message on the channel says that it changed. */
export class RedisPublisher implements SnapshotPublisher {
  readonly #keys: RedisKeys;
  readonly #redis: Redis;
  readonly #pump: Pump;
  readonly #timer: NodeJS.Timeout;
  /** What should stand in Redis; put there again when it does not. */
  readonly #current = new Map<SnapshotKind, string>();

  constructor(options: RedisOptions, keys: RedisKeys) {
    this.#keys = keys;
    this.#redis = connectRedis(options, { resend: true }, () => this.#pump.poke());
    this.#pump = createPump(() => this.#restore(), options.newPart());
    this.#timer = setInterval(() => this.#pump.poke(), LOOK_AGAIN_MS);
  }

  async publish(snapshot: SignedSnapshot): Promise<void> {
    const json = JSON.stringify(snapshot);
    this.#current.set(snapshot.kind, json);
    await this.#put(snapshot.kind, json);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#redis.disconnect();
    await this.#pump.stop();
  }

  async #put(kind: SnapshotKind, json: string): Promise<void> {
    await this.#redis.set(this.#keys.snapshot(kind), json);
    await this.#redis.publish(this.#keys.changed, kind);
  }

  async #restore(): Promise<void> {
    for (const kind of this.#current.keys()) {
      const found = await this.#redis.get(this.#keys.snapshot(kind));
      // Read after the answer, so that a newer one published meanwhile is not overwritten.
      const json = this.#current.get(kind)!;
      if (found !== json) await this.#put(kind, json);
    }
  }
}

/** A gateway's end, downward. */
export class RedisFeed implements SnapshotFeed {
  readonly #options: RedisOptions;
  readonly #keys: RedisKeys;
  readonly #told = new Map<SnapshotKind, string>();
  #connections: Redis[] = [];
  #pump: Pump | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RedisOptions, keys: RedisKeys) {
    this.#options = options;
    this.#keys = keys;
  }

  async start(onSnapshot: (kind: SnapshotKind, json: string) => void): Promise<void> {
    const look = (): void => pump.poke();
    const redis = connectRedis(this.#options, { resend: true }, look);
    const pump = createPump(() => this.#read(redis, onSnapshot), this.#options.newPart());
    const subscriber = connectRedis(this.#options, { resend: true }, look);
    subscriber.on('message', look);
    // Made again by the client after each reconnect; until it stands, the regular look is enough.
    subscriber.subscribe(this.#keys.changed).catch(() => {});
    this.#connections = [redis, subscriber];
    this.#pump = pump;
    this.#timer = setInterval(look, LOOK_AGAIN_MS);
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const redis of this.#connections) redis.disconnect();
    await this.#pump?.stop();
  }

  async #read(redis: Redis, onSnapshot: (kind: SnapshotKind, json: string) => void): Promise<void> {
    for (const kind of SNAPSHOT_KINDS) {
      // A value that is too large comes cut off, and is refused as damaged.
      const json = await redis.getrange(this.#keys.snapshot(kind), 0, SNAPSHOT_MAX_BYTES);
      if (json === '' || json === this.#told.get(kind)) continue;
      this.#told.set(kind, json);
      onSnapshot(kind, json);
    }
  }
}
