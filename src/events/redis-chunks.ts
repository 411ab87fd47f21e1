import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { IndexSnapshot, ShippedFile } from '../categories/index-snapshot.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { ChunkSource } from './bus.ts';
import { connectRedis, type Redis, type RedisKeys, type RedisOptions } from './redis-link.ts';

/** Nothing of ours is longer, bytes: a larger value is cut off, and then is not what its name says. */
const MOST_BYTES = 1 << 20;
const KEYS_AT_ONCE = 500;

/** A gateway's end: fetches chunks. */
export class RedisChunks implements ChunkSource {
  readonly #keys: RedisKeys;
  readonly #redis: Redis;

  constructor(options: RedisOptions, keys: RedisKeys) {
    this.#keys = keys;
    this.#redis = connectRedis(options, () => {});
  }

  async fetch(sha256: string): Promise<Uint8Array | null> {
    const bytes = await this.#redis.getrangeBuffer(this.#keys.chunk(sha256), 0, MOST_BYTES);
    return bytes.length === 0 ? null : bytes;
  }

  async discard(sha256: string): Promise<void> {
    await this.#redis.del(this.#keys.chunk(sha256));
  }

  close(): void {
    this.#redis.disconnect();
  }
}

/**
 * Puts the chunks of an index into Redis that are not there, or not as long as they should be. Rejects with a SchoolgateError
 * when a file is gone or is not what was described, and with what the client says.
 */
export async function putChunks(redis: Redis, keys: RedisKeys, folder: string, snapshot: IndexSnapshot): Promise<void> {
  for (const file of snapshot.files) {
    const lengths = await Promise.all(file.chunks.map((sha256) => redis.strlen(keys.chunk(sha256))));
    const missing = file.chunks.flatMap((_, number) =>
      lengths[number] === lengthOf(file, snapshot.chunkBytes, number) ? [] : [number],
    );
    if (missing.length === 0) continue;
    const read = await chunkReader(folder, file, snapshot.chunkBytes);
    try {
      for (const number of missing) await redis.set(keys.chunk(file.chunks[number]!), await read.chunk(number));
    } finally {
      await read.close();
    }
  }
}

function lengthOf({ bytes }: ShippedFile, chunkBytes: number, number: number): number {
  return Math.min(chunkBytes, bytes - number * chunkBytes);
}

interface ChunkReader {
  chunk(number: number): Promise<Buffer>;
  close(): Promise<void>;
}

async function chunkReader(folder: string, file: ShippedFile, chunkBytes: number): Promise<ChunkReader> {
  const handle = await open(join(folder, file.name)).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  return {
    async chunk(number) {
      const buffer = Buffer.alloc(lengthOf(file, chunkBytes, number));
      await handle.read(buffer, 0, buffer.length, number * chunkBytes);
      // What goes out under a name must be what the name says, whatever has happened to the disk meanwhile.
      if (createHash('sha256').update(buffer).digest('hex') !== file.chunks[number]) throw unreadable(file);
      return buffer;
    },
    close: () => handle.close(),
  };
}

function unreadable({ name }: ShippedFile, cause?: unknown): SchoolgateError {
  const text = `${name} is gone or damaged, so gateways cannot be sent it. Run "schoolgate lists build".`;
  return new SchoolgateError('index_unusable', 'us', text, { cause });
}

/**
 * Takes chunks out of Redis that `snapshot` does not name and that stand in `unnamed` since the sweep before: a gateway may be
 * fetching what was published until just now. Gives those it found for the next sweep.
 */
export async function sweepChunks(
  redis: Redis,
  keys: RedisKeys,
  snapshot: IndexSnapshot,
  unnamed: ReadonlySet<string>,
): Promise<Set<string>> {
  const named = new Set(snapshot.files.flatMap(({ chunks }) => chunks.map((sha256) => keys.chunk(sha256))));
  const found = new Set<string>();
  let cursor = '0';
  do {
    const [next, names] = await redis.scan(cursor, 'MATCH', keys.chunk('*'), 'COUNT', KEYS_AT_ONCE);
    for (const name of names) if (!named.has(name)) found.add(name);
    cursor = next;
  } while (cursor !== '0');
  const old = [...found].filter((name) => unnamed.has(name));
  if (old.length > 0) await redis.unlink(...old);
  return found;
}
