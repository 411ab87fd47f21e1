import type { IndexSnapshot } from '../categories/index-snapshot.ts';
import type { DataLayout } from '../config/data-layout.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import {
  SNAPSHOT_KINDS,
  type SignedSnapshot,
  type SnapshotFeed,
  type SnapshotKind,
  type SnapshotPublisher,
} from './bus.ts';
import { type Backoff, createPump, persist, type Pump } from './pump.ts';
import { putChunks, sweepChunks } from './redis-chunks.ts';
import { connectRedis, isReady, type Redis, type RedisKeys, type RedisOptions } from './redis-link.ts';
import { SNAPSHOT_MAX_BYTES } from './snapshot-keeper.ts';

/** A notification can be lost, and the data set can go back: a gateway looks again so often, and the console less often. */
const LOOK_AGAIN_MS = 2000;
const RESTORE_MS = 5000;

/** The console's end, downward: each kind is a key; a message on the channel says that it changed. */
export class RedisPublisher implements SnapshotPublisher {
  readonly #folder: string;
  readonly #keys: RedisKeys;
  readonly #redis: Redis;
  readonly #pump: Pump;
  readonly #timer: NodeJS.Timeout;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  /** What should stand in Redis; put there again when it does not. */
  readonly #current = new Map<SnapshotKind, string>();
  /** What somebody else put there, when last looked: left for one more look, so that every gateway has seen it and raised its alarm. */
  readonly #strange = new Map<SnapshotKind, string>();
  /** Chunks that no index in force named at the last sweep; null: there is nothing to sweep. */
  #unnamed: Set<string> | null = null;

  constructor(layout: DataLayout, options: RedisOptions, backoff: Backoff, keys: RedisKeys) {
    this.#folder = layout.index;
    this.#keys = keys;
    this.#backoff = backoff;
    this.#redis = connectRedis(options, () => this.#pump.poke());
    this.#pump = createPump(() => this.#restore(), options.newPart());
    this.#timer = setInterval(() => this.#pump.poke(), RESTORE_MS);
  }

  async publish(snapshot: SignedSnapshot): Promise<void> {
    const json = JSON.stringify(snapshot);
    this.#current.set(snapshot.kind, json);
    let unreadable: unknown = null;
    const put = async (): Promise<void> => {
      try {
        // Whichever is the newest by then: an older one must not come after it.
        await this.#put(snapshot.kind, this.#current.get(snapshot.kind)!);
      } catch (error) {
        // Files that are gone do not come back: whoever publishes has another index by now.
        if (!(error instanceof SchoolgateError)) throw error;
        unreadable = error;
      }
    };
    const isOver = await persist(put, this.#backoff, this.#stop.signal);
    if (unreadable !== null) throw unreadable;
    if (isOver) return;
    throw new SchoolgateError('bus_closed', 'us', `The ${snapshot.kind} was not published: the console is stopping.`);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#timer);
    this.#redis.disconnect();
    await this.#pump.stop();
  }

  async #put(kind: SnapshotKind, json: string): Promise<void> {
    if (kind === 'index') await putChunks(this.#redis, this.#keys, this.#folder, indexOf(json));
    await this.#redis.set(this.#keys.snapshot(kind), json);
    await this.#redis.publish(this.#keys.changed, kind);
    if (kind === 'index') this.#unnamed ??= new Set();
  }

  async #restore(): Promise<void> {
    if (!isReady(this.#redis)) return;
    for (const kind of this.#current.keys()) {
      const found = await this.#redis.get(this.#keys.snapshot(kind));
      // Read after the answer, so that a newer one published meanwhile is not overwritten.
      const json = this.#current.get(kind)!;
      const isStrange = found !== null && found !== json;
      if (found === null || (isStrange && found === this.#strange.get(kind))) await this.#put(kind, json);
      else if (kind === 'index' && !isStrange) await this.#restoreChunks(indexOf(json));
      if (isStrange) this.#strange.set(kind, found);
    }
  }

  async #restoreChunks(snapshot: IndexSnapshot): Promise<void> {
    await putChunks(this.#redis, this.#keys, this.#folder, snapshot);
    if (this.#unnamed === null) return;
    const before = this.#unnamed;
    const found = await sweepChunks(this.#redis, this.#keys, snapshot, before);
    this.#unnamed = [...found].every((name) => before.has(name)) ? null : found;
  }
}

function indexOf(json: string): IndexSnapshot {
  return JSON.parse((JSON.parse(json) as SignedSnapshot).body) as IndexSnapshot;
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
    const redis = connectRedis(this.#options, look);
    const pump = createPump(() => this.#read(redis, onSnapshot), this.#options.newPart());
    const subscriber = connectRedis(this.#options, () => {
      // Where it fails, the connection is lost and comes back; until then the regular look is enough.
      subscriber.subscribe(this.#keys.changed).then(look, () => {});
    });
    subscriber.on('message', look);
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
    if (!isReady(redis)) return;
    for (const kind of SNAPSHOT_KINDS) {
      // A value that is too large comes cut off, and is refused as damaged.
      const json = await redis.getrange(this.#keys.snapshot(kind), 0, SNAPSHOT_MAX_BYTES);
      if (json === '' || json === this.#told.get(kind)) continue;
      this.#told.set(kind, json);
      onSnapshot(kind, json);
    }
  }
}
