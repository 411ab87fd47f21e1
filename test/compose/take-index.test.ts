import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadCurrentIndex } from '../../src/categories/current-index.ts';
import { describeIndex } from '../../src/categories/describe-index.ts';
import type { IndexSnapshot } from '../../src/categories/index-snapshot.ts';
import { IndexTaker } from '../../src/compose/take-index.ts';
import { createDataFolders, type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { putSmallInForce } from '../categories/index-in-force.ts';
import { until } from '../helpers/until.ts';

interface Taking {
  readonly taker: IndexTaker;
  readonly chunks: Map<string, Uint8Array>;
  readonly alarms: string[];
  readonly told: () => number;
  /** What a fetch waits for. */
  gate: Promise<void>;
  build(word: string): Promise<IndexSnapshot>;
  knows(word: string): boolean;
}

function taking(t: Test): Taking {
  const root = t.testdir();
  const layouts: DataLayout[] = ['console', 'gateway'].map((name) => dataLayout(join(root, name)));
  for (const layout of layouts) createDataFolders(layout);
  const [console, gateway] = layouts as [DataLayout, DataLayout];
  const chunks = new Map<string, Uint8Array>();
  const alarms: string[] = [];
  let told = 0;
  const one: Taking = {
    chunks,
    alarms,
    told: () => told,
    gate: Promise.resolve(),
    taker: new IndexTaker({
      layout: gateway,
      chunks: {
        async fetch(sha256) {
          await one.gate;
          return chunks.get(sha256) ?? null;
        },
        discard: async (sha256) => void chunks.delete(sha256),
        close: () => {},
      },
      onInForce: () => told++,
      onAlarm: (code, text) => alarms.push(`${code}: ${text}`),
      firstMs: 10,
    }),
    async build(word) {
      putSmallInForce(console, [{ id: 'l', category: 'games', entries: [`${word}.test`] }]);
      const snapshot = (await describeIndex(console))!;
      const [file] = snapshot.files;
      chunks.set(file!.chunks[0]!, readFileSync(join(console.index, file!.name)));
      return snapshot;
    },
    knows: (word) => loadCurrentIndex(gateway).match(`${word}.test`, null).lists.length === 1,
  };
  t.teardown(() => one.taker.close());
  return one;
}

void t.test('what cannot be had is tried again until it can, and said once', async (t) => {
  const one = taking(t);
  const snapshot = await one.build('first');
  const [chunk] = snapshot.files[0]!.chunks;
  const right = one.chunks.get(chunk!)!;
  one.chunks.set(chunk!, Buffer.from('something else'));
  one.taker.want(snapshot);
  await until('it is given back as damaged', () => !one.chunks.has(chunk!));
  await until('and then missed', () => one.alarms.length === 2);
  t.match(one.alarms, [
    /^index-not-taken: .*damaged on the bus.*stays in force; it is tried again/,
    /missing on the bus/,
  ]);
  one.chunks.set(chunk!, right);
  await until('it is in force', () => one.told() === 1);
  t.ok(one.knows('first'));
  t.equal(one.alarms.length, 2, 'no alarm for each attempt');
});

void t.test('a newer one takes the place of what is being fetched, without an alarm for the old', async (t) => {
  const one = taking(t);
  const [older, newer] = [await one.build('older'), await one.build('newer')];
  let open = (): void => {};
  one.gate = new Promise((resolve) => (open = resolve));
  one.taker.want(older);
  one.taker.want(newer);
  one.chunks.delete(older.files[0]!.chunks[0]!);
  open();
  await until('the newer is in force', () => one.told() === 1 && one.knows('newer'));
  t.same(one.alarms, []);
});

void t.test('where the files lie already it passes the news on, and touches nothing', async (t) => {
  const layout = dataLayout(join(t.testdir(), 'data'));
  createDataFolders(layout);
  putSmallInForce(layout, [{ id: 'l', category: 'games', entries: ['here.test'] }]);
  const snapshot = (await describeIndex(layout))!;
  putSmallInForce(layout, [{ id: 'l', category: 'games', entries: ['built-since.test'] }]);
  let told = 0;
  const taker = new IndexTaker({ layout, chunks: null, onInForce: () => told++, onAlarm: (_, text) => t.fail(text) });
  taker.want(snapshot);
  t.equal(told, 1);
  t.equal(loadCurrentIndex(layout).match('built-since.test', null).lists.length, 1);
  await taker.close();
});
