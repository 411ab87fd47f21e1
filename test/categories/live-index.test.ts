import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readManifest } from '../../src/categories/current-index.ts';
import { openLiveIndex } from '../../src/categories/live-index.ts';
import { createDataFolders, type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { putSmallInForce } from './index-in-force.ts';

function folder(t: Test): DataLayout {
  const layout = dataLayout(join(t.testdir(), 'data'));
  createDataFolders(layout);
  return layout;
}

const list = (...entries: string[]): Parameters<typeof putSmallInForce>[1] => [
  { id: 'bets', category: 'gambling', entries },
];
const inForce = (layout: DataLayout): string => join(layout.index, readManifest(layout)!.file);

void t.test('what stands behind the index is replaced, and whoever holds it sees the new one', async (t) => {
  const layout = folder(t);
  await t.rejects(openLiveIndex(layout), { code: 'no_index' });
  putSmallInForce(layout, list('old.test', 'both.test'));
  const live = await openLiveIndex(layout);
  const held = live.index;
  const first = held.sha256;
  t.equal(await live.renew(), false, 'nothing new');
  t.same(held.match('www.old.test', null).lists, ['bets']);
  putSmallInForce(layout, list('new.test', 'both.test'));
  t.same(held.match('old.test', null).lists, ['bets'], 'until it is told to look');
  t.equal(await live.renew(), true);
  t.not(held.sha256, first);
  t.same(held.match('old.test', null).lists, []);
  t.same(held.match('new.test', null).categories, ['gambling']);
  t.same(held.match('both.test', null).lists, ['bets']);
});

void t.test('one that is damaged is never served, and the one before goes on', async (t) => {
  const layout = folder(t);
  putSmallInForce(layout, list('old.test'));
  const live = await openLiveIndex(layout);
  const damages: Record<string, (path: string) => void> = {
    'one bit': (path) => {
      const bytes = readFileSync(path);
      bytes[100]! ^= 1;
      writeFileSync(path, bytes);
    },
    'half of it': (path) => truncateSync(path, 200),
    'all of it': (path) => rmSync(path),
    'another file': (path) => writeFileSync(path, 'x'.repeat(500)),
  };
  for (const [what, damage] of Object.entries(damages)) {
    putSmallInForce(layout, list('new.test', `${Object.keys(damages).indexOf(what)}.test`));
    damage(inForce(layout));
    await t.rejects(live.renew(), /index/, what);
    t.same(live.index.match('old.test', null).lists, ['bets'], `${what}: the old one answers`);
    await t.rejects(openLiveIndex(layout), /index/, `${what}: nor is it opened at a start`);
  }
  putSmallInForce(layout, list('new.test'));
  t.equal(await live.renew(), true, 'the next good one is taken');
});

void t.test('a build that takes away the file at hand is no fault', async (t) => {
  const layout = folder(t);
  putSmallInForce(layout, list('old.test'));
  const live = await openLiveIndex(layout);
  putSmallInForce(layout, list('gone.test'));
  rmSync(inForce(layout));
  const renewing = live.renew();
  putSmallInForce(layout, list('new.test'));
  t.equal(await renewing, true);
  t.same(live.index.match('new.test', null).lists, ['bets']);
});

// Cause: buffers lie outside the heap, and the garbage collector let four of fourteen megabytes pile up before it looked.
void t.test('the memory of those before does not pile up', async (t) => {
  const layout = folder(t);
  const names = Array.from({ length: 200_000 }, (_, i) => `n${i}.test`);
  const size = (n: number): void =>
    putSmallInForce(layout, [{ id: 'bets', category: 'gambling', entries: names }], { a: n, b: 5 });
  size(1);
  const live = await openLiveIndex(layout);
  const index = readFileSync(inForce(layout)).length;
  // What the test itself writes is kept out of the sums: it is encoded once, then only current.json goes back and forth.
  const manifests = [1, 2].map((n) => (size(n), readFileSync(join(layout.index, 'current.json'), 'utf8')));
  const after: number[] = [];
  for (let swap = 0; swap < 20; swap++) {
    writeFileSync(join(layout.index, 'current.json'), manifests[(swap + 1) % 2]!);
    t.equal(await live.renew(), true);
    after.push(process.memoryUsage().arrayBuffers);
  }
  const growth = Math.max(...after) - after[0]!;
  t.ok(growth < index, `${growth} bytes more in twenty swaps of ${index}`);
});
