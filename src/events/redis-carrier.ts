import { rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { watchBusyFolders } from '../kernel/watch-folders.ts';
import type { SpoolCarrier } from './bus.ts';
import { createPump, GATHER_MS, type Pump } from './pump.ts';
import { connectRedis, isReady, type Redis, type RedisKeys, type RedisOptions } from './redis-link.ts';
import { type Position, type RedisScripts, redisScripts } from './redis-scripts.ts';
import {
  byWorker,
  EVENT_FILE_ENDING,
  listSpool,
  parseSpoolName,
  readSpool,
  SEGMENT_ENDING,
  type SpoolLine,
} from './spool-files.ts';

const READ_BYTES = 256 << 10;
/** What one worker may have in Redis uncommitted, and all workers in segments: a console that is away must not fill its memory. */
const EVENTS_AHEAD_BYTES = 4 << 20;
const SEGMENTS_AHEAD = 8;

/**
 * A gateway's spool on its way into Redis. The files are the truth: where each stands is asked of Redis every time, all
 * after the committed position is sent (again), and a file goes only when all of it is committed.
 */
export class RedisCarrier implements SpoolCarrier {
  readonly #layout: DataLayout;
  readonly #gateway: string;
  readonly #keys: RedisKeys;
  readonly #redis: Redis;
  readonly #scripts: RedisScripts;
  readonly #pump: Pump;
  #isFresh = false;
  #unwatch: () => void = () => {};

  constructor(layout: DataLayout, gateway: string, options: RedisOptions, keys: RedisKeys) {
    this.#layout = layout;
    this.#gateway = gateway;
    this.#keys = keys;
    this.#redis = connectRedis(options, () => {
      this.#isFresh = true;
      this.#pump.poke();
    });
    this.#scripts = redisScripts(this.#redis, keys);
    this.#pump = createPump(() => this.#carry(), options.newPart());
  }

  async start(): Promise<void> {
    const { spoolEvents, spoolSegments } = this.#layout;
    this.#unwatch = watchBusyFolders([spoolEvents, spoolSegments], () => this.#pump.poke(), GATHER_MS);
    this.#pump.poke();
  }

  async close(): Promise<void> {
    this.#unwatch();
    this.#redis.disconnect();
    await this.#pump.stop();
  }

  async #carry(): Promise<void> {
    // Its own part of the state tells of a lost connection.
    if (!isReady(this.#redis)) return;
    if (this.#isFresh) await this.#forgetGoneFiles();
    await this.#carryEvents();
    await this.#carrySegments();
  }

  async #carryEvents(): Promise<void> {
    const files = this.#listOwn(this.#layout.spoolEvents, EVENT_FILE_ENDING);
    const positions = await this.#scripts.positions(this.#keys.events, files);
    const positionOf = new Map(files.map((file, i) => [file, positions[i]!]));
    for (const chain of byWorker(files).values()) {
      for (const file of chain) if (!(await this.#carryFile(file, positionOf.get(file)!))) break;
    }
  }

  /** Sends what is new in a file. True when all that it had is in the stream, so that the worker's next file may follow. */
  async #carryFile(file: string, { committed, sent }: Position): Promise<boolean> {
    let position = sent;
    for (;;) {
      const { lines, closed, more } = readSpool(this.#layout.spoolEvents, file, position, READ_BYTES);
      if (lines.length === 0) {
        if (closed && committed >= position) await this.#remove(this.#layout.spoolEvents, file);
        return true;
      }
      if (position - committed >= EVENTS_AHEAD_BYTES || !(await this.#sendLines(file, lines))) return false;
      position = lines.at(-1)!.end;
      if (!more) return true;
    }
  }

  #sendLines(file: string, lines: readonly SpoolLine[]): Promise<boolean> {
    return this.#scripts.send({
      stream: this.#keys.events,
      file,
      from: lines[0]!.start,
      end: lines.at(-1)!.end,
      entries: lines.map((line) => eventFields(file, line)),
    });
  }

  async #carrySegments(): Promise<void> {
    const files = this.#listOwn(this.#layout.spoolSegments, SEGMENT_ENDING).slice(0, SEGMENTS_AHEAD);
    const positions = await this.#scripts.positions(this.#keys.segments, files);
    for (const [i, file] of files.entries()) {
      if (positions[i]!.committed > 0) await this.#remove(this.#layout.spoolSegments, file);
      else if (positions[i]!.sent === 0) await this.#sendSegment(file);
    }
  }

  /** A segment counts as one unit: sent and committed are 0 or 1. */
  async #sendSegment(file: string): Promise<void> {
    const bytes = await readFile(join(this.#layout.spoolSegments, file));
    const entry = ['name', file.slice(0, -SEGMENT_ENDING.length), 'bytes', bytes];
    await this.#scripts.send({ stream: this.#keys.segments, file, from: 0, end: 1, entries: [entry] });
  }

  async #remove(folder: string, file: string): Promise<void> {
    rmSync(join(folder, file), { force: true });
    await this.#forget([file]);
  }

  async #forget(files: readonly string[]): Promise<void> {
    if (files.length === 0) return;
    await this.#redis.hdel(this.#keys.committed, ...files);
    await this.#redis.hdel(this.#keys.sent, ...files);
  }

  /** An older copy of the data set may hold positions of files that are long committed and gone. */
  async #forgetGoneFiles(): Promise<void> {
    this.#isFresh = false;
    const known = [...(await this.#redis.hkeys(this.#keys.committed)), ...(await this.#redis.hkeys(this.#keys.sent))];
    const isGone = (file: string): boolean => !isThere(join(this.#folderOf(file), file));
    await this.#forget(known.filter((file) => parseSpoolName(file)?.gateway === this.#gateway && isGone(file)));
  }

  #folderOf(file: string): string {
    return file.endsWith(SEGMENT_ENDING) ? this.#layout.spoolSegments : this.#layout.spoolEvents;
  }

  #listOwn(folder: string, ending: string): string[] {
    return listSpool(folder, ending).filter((file) => parseSpoolName(file)!.gateway === this.#gateway);
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The contract's fields, and where the line stands in its file. A line that cannot be read travels too: the console parks it. */
function eventFields(file: string, { json, start, end }: SpoolLine): string[] {
  const { id, type, v } = readHead(json);
  const place = ['file', file, 'start', String(start), 'end', String(end)];
  return ['id', String(id), 'type', String(type), 'v', String(v), 'json', json, ...place];
}

function readHead(json: string): { id?: unknown; type?: unknown; v?: unknown } {
  try {
    return (JSON.parse(json) ?? {}) as { id?: unknown; type?: unknown; v?: unknown };
  } catch {
    return {};
  }
}
