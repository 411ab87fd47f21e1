import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { isoTime, neverBackwards } from '../../src/kernel/clock.ts';
import { createIdMaker, idTime } from '../../src/kernel/ids.ts';

void t.test(
  'a clock that is set back stands still until it has caught up, and says so once for each step',
  async (t) => {
    const steps: number[] = [];
    let wall = 100_000;
    const clock = neverBackwards(
      () => wall,
      0,
      (ms) => steps.push(ms),
    );
    t.equal(clock(), 100_000);
    wall = 99_500;
    t.equal(clock(), 100_000, 'less than a second is jitter');
    t.same(steps, []);
    wall = 40_000;
    t.equal(clock(), 100_000);
    t.equal(clock(), 100_000);
    t.same(steps, [60_000]);
    wall = 100_001;
    t.equal(clock(), 100_001);
    wall = 50_000;
    t.equal(clock(), 100_001);
    t.same(steps, [60_000, 50_001]);
  },
);

void t.test('an instant an earlier run has seen holds', async (t) => {
  const steps: number[] = [];
  const clock = neverBackwards(
    () => 5_000,
    1_000_000,
    (ms) => steps.push(ms),
  );
  t.equal(clock(), 1_000_000);
  t.same(steps, [995_000]);
});

void t.test('over any course of the wall clock it never goes back', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1 }), fc.nat(), (instants, highest) => {
      let i = 0;
      const clock = neverBackwards(
        () => instants[i]!,
        highest,
        () => {},
      );
      let last = highest;
      for (i = 0; i < instants.length; i++) {
        const now = clock();
        assert.equal(now, Math.max(last, instants[i]!));
        last = now;
      }
    }),
  );
});

void t.test('an instant as text', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 250_000_000_000_000 })), (instants) => {
      for (const ms of instants) assert.equal(isoTime(ms), new Date(ms).toISOString());
      for (const ms of instants)
        for (const by of [0, 1, 999]) assert.equal(isoTime(ms + by), new Date(ms + by).toISOString());
    }),
  );
});

void t.test('ids rise strictly within a maker, carry their time and do not meet another maker’s', async (t) => {
  let now = 1_700_000_000_000;
  const make = createIdMaker(() => now);
  const other = createIdMaker(() => now);
  const ids: string[] = [];
  for (let i = 0; i < 20_000; i++) {
    if (i % 7 === 0) now += i % 3;
    if (i % 1000 === 0) now -= 500;
    ids.push(make());
  }
  t.ok(
    ids.every((id) => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id)),
    'the form of a ULID',
  );
  t.same(ids, ids.toSorted());
  t.equal(new Set(ids).size, ids.length);
  t.equal(new Set([...ids, ...Array.from({ length: 20_000 }, other)]).size, 40_000);
  now = 1_800_000_000_123;
  t.equal(idTime(make()), now);
  for (const text of [
    '',
    '01',
    'x'.repeat(26),
    '8ZZZZZZZZZZZZZZZZZZZZZZZZZ',
    '01ARZ3NDEKTSV4RRFFQ69G5FAI',
    `${make()} `,
  ]) {
    t.ok(Number.isNaN(idTime(text)), text);
  }
});

void t.test('an id that has no room to rise still does', async (t) => {
  const make = createIdMaker(() => 5);
  const ids = Array.from({ length: 3000 }, make);
  t.equal(new Set(ids).size, 3000);
  t.same(ids, ids.toSorted());
});
