import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { convertApart } from '../../src/compose/convert-apart.ts';
import { convertHistory } from '../../src/history/convert-history.ts';
import { generateWeek, seededRandom } from '../helpers/generated-week.ts';
import { countIn } from '../helpers/made-reports.ts';
import { readHistory, storeSegments, textsOf } from '../helpers/history-segments.ts';

const MONDAY = Date.UTC(2026, 10, 16);
const WEEK_MS = 7 * 86_400_000;
const WEEK = { from: MONDAY, until: MONDAY + WEEK_MS };
const SETTINGS = { background: ['adverts'], circumvention: ['proxies'], years: {} };
const ARRIVED_BEFORE = Date.UTC(2100, 0, 1);

/** Kills runs at instants that are spread over all of one, and looks after each whether every request is there once; gives how many were killed. */
async function killOften(
  t: Test,
  folder: string,
  { from, expected, seed }: { readonly from: number; readonly expected: readonly string[]; readonly seed: number },
): Promise<number> {
  const random = seededRandom(seed);
  let killed = 0;
  // A run takes a few hundred ms from its start on an idle machine.
  for (let wait = 60; killed < 6 && wait < 5000; wait = wait * 1.4 + random() * 60) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), wait);
    const ended = await convertApart({ folder, arrivedBefore: ARRIVED_BEFORE }, stop.signal).then(
      () => true,
      () => false,
    );
    clearTimeout(timer);
    if (!ended) killed++;
    const { texts, unreadable } = await readHistory(folder, from, from + WEEK_MS);
    t.strictSame(texts, expected, `killed after ${Math.round(wait)} ms`);
    t.same(unreadable, []);
  }
  return killed;
}

await t.test('killed with SIGKILL at any instant, every request is there once, and the next run goes on', async (t) => {
  const folder = t.testdir({});
  const week = generateWeek(5, MONDAY, 4000);
  await storeSegments(folder, week, 100);
  const expected = textsOf(week);
  const counted = await countIn(folder)(WEEK, SETTINGS);
  const killed = await killOften(t, folder, { from: MONDAY, expected, seed: 7 });
  t.ok(killed > 0);
  t.strictSame(await countIn(folder)(WEEK, SETTINGS), counted, 'a half-made sum of a day is not taken for one');
  t.match(await convertApart({ folder, arrivedBefore: ARRIVED_BEFORE }, new AbortController().signal), {
    problems: [],
  });
  for (const day of readdirSync(folder)) {
    const names = readdirSync(join(folder, day)).map((name) => (name.endsWith('.parquet') ? '*.parquet' : name));
    t.strictSame([...new Set(names)].sort(), ['*.parquet', 'contents.json', 'sums.duckdb'], day);
  }
  t.strictSame(await countIn(folder)(WEEK, SETTINGS), counted, 'the days’ sums count as their requests did');
  t.strictSame((await readHistory(folder, MONDAY, MONDAY + WEEK_MS)).texts, expected);
});

await t.test(
  'killed while the files of days become one, every request is there once, and the next run goes on',
  async (t) => {
    const folder = t.testdir({});
    const monday = Date.UTC(2099, 10, 16);
    const week = generateWeek(6, monday, 4000);
    for (let part = 0; part < 5; part++) {
      await storeSegments(
        folder,
        week.filter((_, i) => i % 5 === part),
        100,
      );
      // As of today none of these days is over.
      await convertHistory(folder, Date.now() + 60_000);
    }
    const days = readdirSync(folder);
    const filesOf = (day: string): number => readdirSync(join(folder, day)).length;
    t.ok(days.filter((day) => filesOf(day) === 6).length > 3, 'five files a day, and what says so');
    const expected = textsOf(week);
    const killed = await killOften(t, folder, { from: monday, expected, seed: 9 });
    t.ok(killed > 0);
    for (let run = 0; run < 2; run++)
      await convertApart({ folder, arrivedBefore: ARRIVED_BEFORE }, new AbortController().signal);
    t.same(
      days.map(filesOf),
      days.map(() => 3),
      'one file a day, what it adds up to, and what says so',
    );
    t.strictSame((await readHistory(folder, monday, monday + WEEK_MS)).texts, expected);
  },
);
