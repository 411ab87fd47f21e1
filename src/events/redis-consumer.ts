import { type ArrivedEvent, type ArrivedSegment, MOST_AT_ONCE, type UpwardConsumer } from './bus.ts';
import type { OnState } from './link-state.ts';
import { type Backoff, persist } from './pump.ts';
import { connectRedis, type Redis, type RedisKeys, type RedisOptions } from './redis-link.ts';
import { type RedisScripts, redisScripts } from './redis-scripts.ts';
import { parseSpoolName, SEGMENT_ENDING } from './spool-files.ts';
import { readGroup, type StreamEntry } from './stream-reader.ts';
import { trimStream } from './trim-stream.ts';

/** The console is the one consumer of this group; other programs may read the streams with groups of their own. */
const GROUP = 'console';
const TRIM_MS = 1000;

type Handlers = Parameters<UpwardConsumer['start']>[0];

/** One unit of a spool file: an event line, or a segment as bytes 0 to 1. */
interface Unit<T> {
  readonly entry: string;
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly item: T;
}

/** A stream, and what is done with what comes on it. */
interface Source<T> {
  readonly stream: string;
  /** At most so many entries at once. */
  readonly count: number;
  /** Null for what no gateway has put there. */
  readonly toUnit: (entry: StreamEntry) => Unit<T> | null;
  /** Items that follow each other in one file. */
  readonly handle: (items: readonly T[]) => Promise<void>;
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
    this.#read({
      stream: this.#keys.events,
      count: MOST_AT_ONCE,
      toUnit: eventUnit,
      handle: (events) => handlers.events(events),
    });
    this.#read({
      stream: this.#keys.segments,
      count: 1,
      toUnit: segmentUnit,
      handle: async (segments) => {
        for (const segment of segments) await handlers.segment(segment);
      },
    });
    this.#trimmer = setInterval(() => void this.#trim(), TRIM_MS);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#trimmer !== null) clearInterval(this.#trimmer);
    for (const redis of [this.#redis, ...this.#readers]) redis.disconnect();
    await Promise.all(this.#reading);
  }

  #read<T>(source: Source<T>): void {
    const { stream, count } = source;
    const redis = connectRedis(this.#options, () => {});
    const onState: OnState = this.#options.newPart();
    const onEntries = (entries: readonly StreamEntry[]): Promise<void> => this.#take(source, entries);
    this.#readers.push(redis);
    this.#reading.push(
      readGroup({ redis, stream, group: GROUP, count, onEntries, onState, signal: this.#stop.signal }),
    );
  }

  /** Workers side by side, each worker's entries in order. */
  async #take<T>(source: Source<T>, entries: readonly StreamEntry[]): Promise<void> {
    const lanes = new Map<string, Unit<T>[]>();
    const strangers: string[] = [];
    for (const entry of entries) {
      const unit = source.toUnit(entry);
      const name = unit === null ? null : parseSpoolName(unit.file);
      // Not from a gateway's spool, or taken out of the stream meanwhile: there is nothing to deliver.
      if (unit === null || name === null) strangers.push(entry.id);
      else addTo(lanes, `${name.gateway}-${name.worker}`, unit);
    }
    await this.#settle(() => this.#acknowledge(source.stream, strangers));
    await Promise.all([...lanes.values()].map((units) => this.#takeInOrder(source, units)));
    this.#toTrim.add(source.stream);
  }

  async #takeInOrder<T>(source: Source<T>, units: readonly Unit<T>[]): Promise<void> {
    for (const batch of byFile(units)) if (!(await this.#settle(() => this.#takeBatch(source, batch)))) return;
  }

  /** Repeats until Redis and the handler agreed to it; false when closing interrupted it. */
  #settle(attempt: () => Promise<void>): Promise<boolean> {
    return persist(attempt, this.#backoff, this.#stop.signal);
  }

  /** Units of one file. */
  async #takeBatch<T>({ stream, handle }: Source<T>, batch: readonly Unit<T>[]): Promise<void> {
    const { file } = batch[0]!;
    const { news, end } = follow(batch, this.#done.get(file) ?? (await this.#committed(file)));
    if (news.length > 0) {
      await handle(news);
      this.#done.set(file, end);
    }
    const entries = batch.filter((unit) => unit.end <= end).map(({ entry }) => entry);
    if (entries.length > 0) await this.#scripts.commit({ stream, group: GROUP, file, end, entries });
    const beyond = batch.filter((unit) => unit.end > end).map(({ entry }) => entry);
    if (beyond.length === 0) return;
    // Entries before these were lost from the stream: have the gateway send again from what is committed.
    await this.#redis.hdel(this.#keys.sent, file);
    await this.#acknowledge(stream, beyond);
  }

  async #committed(file: string): Promise<number> {
    return Number(await this.#redis.hget(this.#keys.committed, file)) || 0;
  }

  async #acknowledge(stream: string, entries: readonly string[]): Promise<void> {
    if (entries.length > 0) await this.#redis.xack(stream, GROUP, ...entries);
  }

  async #trim(): Promise<void> {
    for (const stream of this.#toTrim) {
      this.#toTrim.delete(stream);
      // Not urgent: what stays now goes with the next entries.
      await trimStream(this.#redis, stream).catch(() => {});
    }
  }
}

function eventUnit({ id, fields }: StreamEntry): Unit<ArrivedEvent> | null {
  const [json, file] = [fields.get('json')?.toString(), fields.get('file')?.toString()];
  const [start, end] = [Number(fields.get('start')), Number(fields.get('end'))];
  if (json === undefined || file === undefined || !(start >= 0 && end > start)) return null;
  return { entry: id, file, start, end, item: { json, file, end } };
}

function segmentUnit({ id, fields }: StreamEntry): Unit<ArrivedSegment> | null {
  const [name, bytes] = [fields.get('name')?.toString(), fields.get('bytes')];
  if (name === undefined || bytes === undefined) return null;
  return { entry: id, file: name + SEGMENT_ENDING, start: 0, end: 1, item: { name, bytes } };
}

/** What is new after `done` without a hole, and up to where it goes. What stands beyond a hole is left out. */
function follow<T>(batch: readonly Unit<T>[], done: number): { readonly news: readonly T[]; readonly end: number } {
  const news: T[] = [];
  let reached = done;
  for (const { start, end, item } of batch) {
    if (start > reached || end <= reached) continue;
    news.push(item);
    reached = end;
  }
  return { news, end: reached };
}

/** Neighbours that are of one file together, in their order. */
function byFile<T>(units: readonly Unit<T>[]): Unit<T>[][] {
  const batches: Unit<T>[][] = [];
  for (const unit of units) {
    const batch = batches.at(-1);
    if (batch !== undefined && batch[0]!.file === unit.file) batch.push(unit);
    else batches.push([unit]);
  }
  return batches;
}

function addTo<T>(lanes: Map<string, Unit<T>[]>, lane: string, unit: Unit<T>): void {
  const units = lanes.get(lane);
  if (units === undefined) lanes.set(lane, [unit]);
  else units.push(unit);
}
