import type { UpwardConsumer } from './bus.ts';
import type { OnState } from './link-state.ts';
import { type Backoff, persist } from './pump.ts';
import { connectRedis, type Redis, type RedisKeys, type RedisOptions } from './redis-link.ts';
import { type RedisScripts, redisScripts } from './redis-scripts.ts';
import { parseSpoolName, SEGMENT_ENDING } from './spool-files.ts';
import { readGroup, type StreamEntry } from './stream-reader.ts';
import { trimStream } from './trim-stream.ts';

/** The console is the one consumer of this group; other programs may read the streams with groups of their own. */
const GROUP = 'console';
const EVENTS_AT_ONCE = 200;
const TRIM_MS = 1000;

type Handlers = Parameters<UpwardConsumer['start']>[0];

/** One unit of a spool file: an event line, or a segment as bytes 0 to 1. */
interface Unit {
  readonly stream: string;
  readonly entry: string;
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly handle: () => Promise<void>;
}

/** The console's end of the Redis adapter. */
export class RedisConsumer implements UpwardConsumer {
  readonly #options: RedisOptions;
  readonly #backoff: Backoff;
  readonly #keys: RedisKeys;
  readonly #redis: Redis;
  readonly #scripts: RedisScripts;
  readonly #readers: Redis[] = [];
  readonly #reading: Promise<void>[] = [];
  readonly #stop = new AbortController();
  /** How far this process has committed each file, whatever an older copy of the data set may say. */
  readonly #done = new Map<string, number>();
  readonly #toTrim = new Set<string>();
  #trimmer: NodeJS.Timeout | null = null;

  constructor(options: RedisOptions, backoff: Backoff, keys: RedisKeys) {
    this.#options = options;
    this.#backoff = backoff;
    this.#keys = keys;
    this.#redis = connectRedis(options, () => {});
    this.#scripts = redisScripts(this.#redis, keys);
  }

  async start(handlers: Handlers): Promise<void> {
    this.#read(this.#keys.events, EVENTS_AT_ONCE, (entry) => this.#eventUnit(entry, handlers));
    this.#read(this.#keys.segments, 1, (entry) => this.#segmentUnit(entry, handlers));
    this.#trimmer = setInterval(() => void this.#trim(), TRIM_MS);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#trimmer !== null) clearInterval(this.#trimmer);
    for (const redis of [this.#redis, ...this.#readers]) redis.disconnect();
    await Promise.all(this.#reading);
  }

  #read(stream: string, count: number, toUnit: (entry: StreamEntry) => Unit | null): void {
    const redis = connectRedis(this.#options, () => {});
    const onState: OnState = this.#options.newPart();
    const onEntries = (entries: readonly StreamEntry[]): Promise<void> => this.#take(stream, entries, toUnit);
    this.#readers.push(redis);
    this.#reading.push(
      readGroup({ redis, stream, group: GROUP, count, onEntries, onState, signal: this.#stop.signal }),
    );
  }

  /** Workers side by side, each worker's entries in order. */
  async #take(
    stream: string,
    entries: readonly StreamEntry[],
    toUnit: (entry: StreamEntry) => Unit | null,
  ): Promise<void> {
    const lanes = new Map<string, Unit[]>();
    for (const entry of entries) {
      const unit = toUnit(entry);
      const name = unit === null ? null : parseSpoolName(unit.file);
      // Not from a gateway's spool, or taken out of the stream meanwhile: there is nothing to deliver.
      if (unit === null || name === null) await this.#settle(() => this.#acknowledge(stream, entry.id));
      else addTo(lanes, `${name.gateway}-${name.worker}`, unit);
    }
    await Promise.all([...lanes.values()].map((units) => this.#takeInOrder(units)));
    this.#toTrim.add(stream);
  }

  async #takeInOrder(units: readonly Unit[]): Promise<void> {
    for (const unit of units) if (!(await this.#settle(() => this.#takeUnit(unit)))) return;
  }

  /** Repeats until Redis and the handler agreed to it; false when closing interrupted it. */
  #settle(attempt: () => Promise<void>): Promise<boolean> {
    return persist(attempt, this.#backoff, this.#stop.signal);
  }

  async #takeUnit({ stream, entry, file, start, end, handle }: Unit): Promise<void> {
    const done = this.#done.get(file) ?? (await this.#committed(file));
    if (start > done) {
      // Entries before this one were lost from the stream: have the gateway send again from what is committed.
      await this.#redis.hdel(this.#keys.sent, file);
      await this.#acknowledge(stream, entry);
      return;
    }
    if (end > done) {
      await handle();
      this.#done.set(file, end);
    }
    await this.#scripts.commit(stream, GROUP, entry, file, Math.max(end, done));
  }

  async #committed(file: string): Promise<number> {
    return Number(await this.#redis.hget(this.#keys.committed, file)) || 0;
  }

  async #acknowledge(stream: string, entry: string): Promise<void> {
    await this.#redis.xack(stream, GROUP, entry);
  }

  #eventUnit({ id, fields }: StreamEntry, handlers: Handlers): Unit | null {
    const [json, file] = [fields.get('json')?.toString(), fields.get('file')?.toString()];
    const [start, end] = [Number(fields.get('start')), Number(fields.get('end'))];
    if (json === undefined || file === undefined || !(start >= 0 && end > start)) return null;
    const handle = (): Promise<void> => handlers.event({ json, file, end });
    return { stream: this.#keys.events, entry: id, file, start, end, handle };
  }

  #segmentUnit({ id, fields }: StreamEntry, handlers: Handlers): Unit | null {
    const [name, bytes] = [fields.get('name')?.toString(), fields.get('bytes')];
    if (name === undefined || bytes === undefined) return null;
    const handle = (): Promise<void> => handlers.segment({ name, bytes });
    return { stream: this.#keys.segments, entry: id, file: name + SEGMENT_ENDING, start: 0, end: 1, handle };
  }

  async #trim(): Promise<void> {
    for (const stream of this.#toTrim) {
      this.#toTrim.delete(stream);
      // Not urgent: what stays now goes with the next entries.
      await trimStream(this.#redis, stream).catch(() => {});
    }
  }
}

function addTo(lanes: Map<string, Unit[]>, lane: string, unit: Unit): void {
  const units = lanes.get(lane);
  if (units === undefined) lanes.set(lane, [unit]);
  else units.push(unit);
}
