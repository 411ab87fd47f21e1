import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadCurrentIndex, readManifest } from '../../src/categories/current-index.ts';
import { describeIndex } from '../../src/categories/describe-index.ts';
import type { IndexSnapshot } from '../../src/categories/index-snapshot.ts';
import { receiveIndex } from '../../src/categories/receive-index.ts';
import { createDataFolders, type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { addIllegalFile, putSmallInForce } from './index-in-force.ts';

const CHUNK = 1000;

/** A console's folder, a gateway's, and the chunks on the bus between them. */
interface Shipping {
  readonly console: DataLayout;
  readonly gateway: DataLayout;
  readonly bus: Map<string, Uint8Array>;
  /** Every chunk that was asked for. */
  readonly asked: string[];
  readonly corrupt: string[];
  /** Builds an index of names with this word in them, with a second file beside it, and puts its chunks on the bus. */
  build(word: string): Promise<IndexSnapshot>;
  receive(snapshot: IndexSnapshot): Promise<boolean>;
  /** Whether the gateway's index in force knows the word. */
  knows(word: string): boolean;
}

function shipping(t: Test): Shipping {
  const root = t.testdir();
  const [console, gateway] = [dataLayout(join(root, 'console')), dataLayout(join(root, 'gateway'))];
  for (const layout of [console, gateway]) createDataFolders(layout);
  const bus = new Map<string, Uint8Array>();
  const [asked, corrupt]: [string[], string[]] = [[], []];
  return {
    console,
    gateway,
    bus,
    asked,
    corrupt,
    async build(word) {
      const entries = Array.from({ length: 500 }, (_, i) => `${word}${i}.test`);
      putSmallInForce(console, [{ id: 'l', category: 'games', entries }]);
      addIllegalFile(console, readManifest(console)!, Buffer.from(`${word} `.repeat(300)));
      const snapshot = (await describeIndex(console, CHUNK))!;
      for (const { name, chunks } of snapshot.files) {
        const bytes = readFileSync(join(console.index, name));
        for (const [i, sha256] of chunks.entries()) bus.set(sha256, bytes.subarray(i * CHUNK, (i + 1) * CHUNK));
      }
      return snapshot;
    },
    receive: (snapshot) =>
      receiveIndex({
        layout: gateway,
        snapshot,
        async fetchChunk(sha256) {
          asked.push(sha256);
          return bus.get(sha256) ?? null;
        },
        onCorrupt: async (sha256) => void corrupt.push(sha256),
      }),
    knows: (word) => loadCurrentIndex(gateway).match(`${word}7.test`, null).lists.length === 1,
  };
}

const chunksOf = ({ files }: IndexSnapshot): string[] => files.flatMap(({ chunks }) => chunks);
const visible = (layout: DataLayout): string[] => readdirSync(layout.index).sort();

void t.test('a gateway with nothing gets both files, byte for byte, and is not told of them twice', async (t) => {
  const s = shipping(t);
  const snapshot = await s.build('one');
  t.ok(chunksOf(snapshot).length > 6, 'several chunks');
  t.equal(snapshot.files.length, 2);
  t.equal(await s.receive(snapshot), true);
  t.same(visible(s.gateway), visible(s.console));
  for (const name of visible(s.console).filter((one) => one !== 'current.json')) {
    t.ok(readFileSync(join(s.gateway.index, name)).equals(readFileSync(join(s.console.index, name))), name);
  }
  t.same(readManifest(s.gateway), readManifest(s.console));
  t.ok(s.knows('one'));
  s.asked.length = 0;
  t.equal(await s.receive(snapshot), false, 'the same again');
  t.same(s.asked, []);
});

void t.test(
  'a chunk that is missing, cut off or wrong leaves the old index, and only what lacks is fetched again',
  async (t) => {
    const s = shipping(t);
    await s.receive(await s.build('old'));
    const snapshot = await s.build('new');
    const all = chunksOf(snapshot);
    const victim = all[3]!;
    const right = s.bus.get(victim)!;
    const damages: Record<string, Uint8Array | null> = {
      missing: null,
      'cut off': right.subarray(0, 500),
      'too long': Buffer.concat([right, right]),
      wrong: Buffer.alloc(right.length, 7),
    };
    for (const [what, bytes] of Object.entries(damages)) {
      if (bytes === null) s.bus.delete(victim);
      else s.bus.set(victim, bytes);
      s.corrupt.length = 0;
      await t.rejects(
        s.receive(snapshot),
        { code: 'index_not_taken', message: bytes === null ? /missing/ : /damaged/ },
        what,
      );
      t.same(s.corrupt, bytes === null ? [] : [victim], `${what}: told of what lies there`);
      t.ok(s.knows('old') && !s.knows('new'), `${what}: the old index is in force`);
      t.notOk(existsSync(join(s.gateway.index, snapshot.files[0]!.name)), `${what}: under its name lies nothing`);
    }
    s.bus.set(victim, right);
    s.asked.length = 0;
    t.equal(await s.receive(snapshot), true);
    t.ok(s.knows('new') && !s.knows('old'));
    t.same(s.asked, all.slice(3), 'what was there before it was kept');
    t.same(
      visible(s.gateway).filter((name) => name.startsWith('.')),
      [],
      'nothing half is left',
    );
  },
);

void t.test('a file that was damaged on the disk is mended with the chunk that is', async (t) => {
  const s = shipping(t);
  const snapshot = await s.build('one');
  await s.receive(snapshot);
  const path = join(s.gateway.index, snapshot.files[0]!.name);
  const bytes = readFileSync(path);
  bytes[CHUNK + 5]! ^= 1;
  writeFileSync(path, bytes);
  s.asked.length = 0;
  t.equal(await s.receive(snapshot), true);
  t.same(s.asked, [snapshot.files[0]!.chunks[1]]);
  t.ok(s.knows('one'));
});

void t.test(
  'what another process was writing when it was killed is swept away, and the files before are kept',
  async (t) => {
    const s = shipping(t);
    const [one, two, three] = [await s.build('one'), await s.build('two'), await s.build('three')];
    await s.receive(one);
    const name = `.${two.files[0]!.name}`;
    writeFileSync(join(s.gateway.index, `${name}.part`), 'half');
    writeFileSync(join(s.gateway.index, `${name}.999999999.1`), 'half');
    writeFileSync(join(s.gateway.index, `${name}.${process.pid}.1`), 'being written');
    await s.receive(three);
    // Of the one before, only the index: a second file could hold a list that was taken away.
    const names = [one.files[0]!, ...three.files].map((file) => file.name);
    t.same(visible(s.gateway), [`${name}.${process.pid}.1`, 'current.json', ...names].sort());
  },
);

void t.test('a description that does not hold together touches nothing', async (t) => {
  const s = shipping(t);
  const good = await s.build('one');
  const [index, illegal] = good.files as [IndexSnapshot['files'][0], IndexSnapshot['files'][0]];
  const other = createHash('sha256').update('other').digest('hex');
  const bad: Record<string, IndexSnapshot> = {
    'a name outside the folder': { ...good, files: [index, { ...illegal, name: '../../keys/console.pub' }] },
    'a name of another file': { ...good, files: [{ ...index, name: `index-${other}.sgi` }, illegal] },
    'too few chunks': { ...good, files: [{ ...index, chunks: index.chunks.slice(1) }, illegal] },
    'a chunk with a name of its own': { ...good, files: [{ ...index, chunks: index.chunks.map(() => '*') }, illegal] },
    'chunks without a length': { ...good, chunkBytes: 0 },
    'chunks of any length': { ...good, chunkBytes: 1 << 30 },
    'no file': { ...good, files: [] },
    'facts of another index': { ...good, current: { ...good.current, file: `index-${other}.sgi` } },
  };
  for (const [what, snapshot] of Object.entries(bad)) {
    await t.rejects(s.receive(snapshot), { code: 'index_not_taken' }, what);
  }
  const swapped = { ...index, chunks: [index.chunks[1]!, index.chunks[0]!, ...index.chunks.slice(2)] };
  await t.rejects(s.receive({ ...good, files: [swapped, illegal] }), /not what its chunks should come to/);
  t.same(visible(s.gateway), []);
});
