import { createHash, randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { IndexSnapshot } from '../../src/categories/index-snapshot.ts';
import type { SignedSnapshot } from '../../src/events/bus.ts';
import { openBus } from '../../src/events/open-bus.ts';
import { loadOrCreateKeys, signSnapshot } from '../../src/events/signing.ts';
import { until } from '../helpers/until.ts';
import { PREFIX, redisRig } from './rigs.ts';
import { dataFolder } from './sample.ts';

const CHUNK = 1000;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A console with files in its folder, and a gateway, around one Redis. */
async function start(t: Test) {
  const { gatewayBus, redis, server } = await redisRig(t);
  const layout = dataFolder(t);
  const onState = (): void => {};
  const bus = await openBus({
    layout,
    redisUrl: server.url,
    redisPrefix: PREFIX,
    onState,
    backoff: { firstMs: 20, mostMs: 50 },
  });
  const keys = loadOrCreateKeys(layout);
  const publisher = bus.publisher();
  const chunks = gatewayBus.chunks()!;
  t.teardown(() => publisher.close());
  t.teardown(() => chunks.close());
  let serial = 0;
  /** Writes a file of so many bytes, and describes and signs it. */
  const make = (length: number): { snapshot: SignedSnapshot; parts: Map<string, Buffer>; path: string } => {
    const bytes = randomBytes(length);
    const file = { name: `index-${sha256(bytes)}.sgi`, sha256: sha256(bytes), bytes: length };
    const pieces = Array.from({ length: Math.ceil(length / CHUNK) }, (_, i) =>
      bytes.subarray(i * CHUNK, (i + 1) * CHUNK),
    );
    const parts = new Map(pieces.map((piece) => [sha256(piece), piece]));
    writeFileSync(join(layout.index, file.name), bytes);
    const body = { current: { file: file.name }, chunkBytes: CHUNK, files: [{ ...file, chunks: [...parts.keys()] }] };
    const snapshot = signSnapshot(keys.privateKey, {
      kind: 'index',
      serial: ++serial,
      at: '2026-11-23T10:00:00.000Z',
      body: JSON.stringify(body as unknown as IndexSnapshot),
    });
    return { snapshot, parts, path: join(layout.index, file.name) };
  };
  const onRedis = async (): Promise<string[]> =>
    (await redis.keys(`${PREFIX}chunk:*`)).map((name) => name.slice(`${PREFIX}chunk:`.length)).sort();
  return { gatewayBus, redis, server, publisher, chunks, make, onRedis };
}

void t.test('whoever hears of an index finds all of its chunks', async (t) => {
  const { gatewayBus, publisher, chunks, make, onRedis } = await start(t);
  const { snapshot, parts } = make(4500);
  const found: Promise<(Uint8Array | null)[]>[] = [];
  const feed = gatewayBus.feed();
  t.teardown(() => feed.close());
  await feed.start((kind) => {
    if (kind === 'index') found.push(Promise.all([...parts.keys()].map((name) => chunks.fetch(name))));
  });
  await publisher.publish(snapshot);
  await until('it is heard of', () => found.length > 0);
  t.same(await found[0], [...parts.values()]);
  t.same(await onRedis(), [...parts.keys()].sort());
  t.equal(await chunks.fetch('0'.repeat(64)), null);
});

void t.test('a chunk that is lost, cut off or given back comes again; those of an older index go', async (t) => {
  const { redis, publisher, chunks, make, onRedis } = await start(t);
  const older = make(3000);
  await publisher.publish(older.snapshot);
  const { snapshot, parts } = make(3500);
  await publisher.publish(snapshot);
  t.equal((await onRedis()).length, 3 + 4, 'whoever is fetching the older can go on');
  const [lost, cut, wrong] = [...parts.keys()] as [string, string, string];
  await redis.del(`${PREFIX}chunk:${lost}`);
  await redis.set(`${PREFIX}chunk:${cut}`, 'half');
  await redis.set(`${PREFIX}chunk:${wrong}`, randomBytes(CHUNK));
  await chunks.discard(wrong);
  const isWhole = async (): Promise<boolean> =>
    (
      await Promise.all([...parts].map(async ([name, part]) => part.equals((await chunks.fetch(name)) ?? Buffer.of())))
    ).every(Boolean);
  await until('the console has put them back', isWhole);
  await until('the older one’s are gone', async () => (await onRedis()).length === parts.size, 20_000);
  t.same(await onRedis(), [...parts.keys()].sort());
});

void t.test('a Redis that was emptied is filled again, and one that is away is waited for', async (t) => {
  const { redis, server, publisher, chunks, make, onRedis } = await start(t);
  const { snapshot, parts } = make(2500);
  await server.kill();
  await t.rejects(chunks.fetch('0'.repeat(64)), 'a fetch does not wait');
  const published = publisher.publish(snapshot);
  await server.start();
  await published;
  await until('it is there', async () => (await onRedis()).length === parts.size);
  await redis.flushall();
  await until('it is there again', async () => (await onRedis()).length === parts.size);
  await until('with what names it', async () => (await redis.get(`${PREFIX}snapshot:index`)) !== null);
});

void t.test('an index whose file is gone or damaged is not published', async (t) => {
  const { redis, publisher, make, onRedis } = await start(t);
  const gone = make(2500);
  rmSync(gone.path);
  await t.rejects(publisher.publish(gone.snapshot), { code: 'index_unusable' });
  const damaged = make(2500);
  writeFileSync(damaged.path, randomBytes(2500));
  await t.rejects(publisher.publish(damaged.snapshot), { code: 'index_unusable' });
  t.equal(await redis.get(`${PREFIX}snapshot:index`), null);
  t.same(await onRedis(), []);
  const good = make(2500);
  await publisher.publish(good.snapshot);
  t.same(await onRedis(), [...good.parts.keys()].sort(), 'the next one is');
});
