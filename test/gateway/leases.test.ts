import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { LeaseBook, type LeaseOffice, Leases } from '../../src/gateway/leases.ts';

/** A worker's way to the book, with answers that come in a later turn, as over a process boundary; `false`: they never come. */
function officeOf(book: LeaseBook, worker: number, answers: () => boolean = () => true): LeaseOffice {
  return {
    ask: async (key, count) => {
      const granted = book.grant(worker, key, count);
      for (let turns = 0; turns < 3; turns++) await Promise.resolve();
      return answers() ? granted : 0;
    },
    giveBack: (key, count) => book.giveBack(worker, key, count),
  };
}

async function takeMany(leases: Leases, key: string, count: number): Promise<number> {
  const taken = await Promise.all(Array.from({ length: count }, async () => await leases.take(key)));
  return taken.filter(Boolean).length;
}

void t.test('a limit holds exactly, whoever asks, however many at once', async (t) => {
  for (const limit of [0, 1, 15, 16, 17, 100]) {
    const book = new LeaseBook(() => limit);
    const leases = [1, 2].map((worker) => new Leases(officeOf(book, worker)));
    const taken = await Promise.all(leases.map((one) => takeMany(one, 'client', 80)));
    t.equal(taken[0]! + taken[1]!, Math.min(limit, 160), `limit ${limit}`);
  }
});

void t.test('a key does not take from another, and what is freed can be taken elsewhere', async (t) => {
  const book = new LeaseBook((key) => (key === 'a' ? 5 : 7));
  const first = new Leases(officeOf(book, 1));
  const second = new Leases(officeOf(book, 2));
  t.equal(await takeMany(first, 'a', 10), 5);
  t.equal(await takeMany(first, 'b', 10), 7);
  t.equal(await takeMany(second, 'a', 10), 0);
  for (let i = 0; i < 5; i++) first.free('a');
  t.equal(await takeMany(second, 'a', 10), 5);
  t.same(first.held(), [['b', 7]], 'nothing is kept of a key that is not used');
});

void t.test('a worker that is gone gives back what it held', async (t) => {
  const book = new LeaseBook(() => 20);
  t.equal(await takeMany(new Leases(officeOf(book, 1)), 'a', 20), 20);
  const second = new Leases(officeOf(book, 2));
  t.equal(await takeMany(second, 'a', 20), 0);
  book.forget(1);
  book.forget(1);
  t.equal(await takeMany(second, 'a', 30), 20);
});

void t.test('most slots are taken without asking', async (t) => {
  let asked = 0;
  const book = new LeaseBook(() => 1000);
  const office = officeOf(book, 1, () => ++asked > 0);
  const leases = new Leases(office);
  for (let i = 0; i < 500; i++) t.equal(await leases.take('a'), true);
  t.ok(asked <= 40, `asked ${asked} times`);
  for (let i = 0; i < 100; i++) {
    leases.free('a');
    t.equal(leases.take('a'), true, 'at once');
  }
});

/** What may happen to one of two workers. */
type Step = { readonly worker: 0 | 1; readonly do: 'take' | 'free' | 'die' };

void t.test('over any course of events the sum never passes the limit, and nothing is lost', async () => {
  const step = fc.record<Step>({
    worker: fc.constantFrom(0, 1),
    do: fc.oneof(
      { weight: 6, arbitrary: fc.constant('take' as const) },
      { weight: 4, arbitrary: fc.constant('free' as const) },
      { weight: 1, arbitrary: fc.constant('die' as const) },
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.array(step, { maxLength: 300 }), async (limit, steps) => {
      const book = new LeaseBook(() => limit);
      const used = [0, 0];
      const make = (worker: number): Leases => new Leases(officeOf(book, worker + 1));
      const leases = [make(0), make(1)];
      const pending: Promise<void>[] = [];
      for (const { worker, do: what } of steps) {
        const own = leases[worker]!;
        if (what === 'take') {
          pending.push(
            Promise.resolve(own.take('k')).then((taken) => {
              if (!taken) return;
              if (leases[worker] === own) used[worker]!++;
              assert.ok(used[0]! + used[1]! <= limit, `${used[0]} + ${used[1]} of ${limit}`);
            }),
          );
        } else if (what === 'free' && used[worker]! > 0) {
          used[worker]!--;
          own.free('k');
        } else if (what === 'die' && pending.length % 3 === 0) {
          await Promise.all(pending);
          book.forget(worker + 1);
          leases[worker] = make(worker);
          used[worker] = 0;
        }
        if (pending.length % 5 === 0) await Promise.resolve();
      }
      await Promise.all(pending);
      for (const worker of [0, 1]) for (; used[worker]! > 0; used[worker]!--) leases[worker]!.free('k');
      assert.deepEqual([leases[0]!.held(), leases[1]!.held()], [[], []], 'all is given back');
      assert.equal(await takeMany(leases[0]!, 'k', limit + 5), limit, 'and can be taken again');
    }),
    { numRuns: 150 },
  );
});

void t.test('a supervisor that does not answer refuses; it does not hang or leak', async (t) => {
  const book = new LeaseBook(() => 10);
  let isUp = false;
  const leases = new Leases(officeOf(book, 1, () => isUp));
  t.equal(await takeMany(leases, 'a', 5), 0);
  t.same(leases.held(), []);
  isUp = true;
  book.forget(1);
  t.equal(await takeMany(leases, 'a', 20), 10);
});
