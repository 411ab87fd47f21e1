// Adds up days, counts a week, or looks at half an hour of one person, and prints what it took: a process of its own, as in the console.
import { countSpan, SUMMING } from '../../../src/compose/count-span.ts';
import { keepSums } from '../../../src/history/day-sums.ts';
import { findLines } from '../../../src/history/find-lines.ts';

/** What one task took; `found`: requests that were counted, or lines of the answer. */
export interface Taken {
  readonly ms: number;
  /** The longest-lived memory of the process, MB. */
  readonly peakMb: number;
  readonly found: number;
  /** The same question again, ms; 0: not asked. */
  readonly againMs: number;
}

const [task, folder, fromText] = process.argv.slice(2) as ['sums' | 'week' | 'half-hour', string, string];
const from = Number(fromText);
const WEEK_MS = 7 * 86_400_000;
const SETTINGS = {
  background: ['adverts', 'trackers'],
  circumvention: ['category-3'],
  years: Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`pupil-${i}`, `Year ${7 + (i % 7)}`])),
};
const fail = ({ segment, reason }: { segment: string; reason: string }): never => {
  throw new Error(`${segment}: ${reason}`);
};

const begun = performance.now();
const found = await { sums, week, 'half-hour': halfHour }[task]();
const ms = performance.now() - begun;
const again = performance.now();
if (task === 'half-hour') await halfHour();
const againMs = task === 'half-hour' ? performance.now() - again : 0;
const taken: Taken = { ms, againMs, peakMb: process.resourceUsage().maxRSS / 1024, found };
process.stdout.write(JSON.stringify(taken));

/** As in the nights after the days. */
async function sums(): Promise<number> {
  await keepSums(folder, from + 2 * WEEK_MS, SUMMING);
  return 0;
}

async function week(): Promise<number> {
  return (await countSpan(folder, { from, until: from + WEEK_MS }, SETTINGS, fail)).all.requests;
}

async function halfHour(): Promise<number> {
  const question = {
    user: 'pupil-700',
    address: null,
    site: null,
    category: null,
    verdict: null,
    from: from + 2 * 86_400_000 + 10 * 3_600_000,
    until: from + 2 * 86_400_000 + 10.5 * 3_600_000,
    context: false,
    background: true,
  };
  const looking = { folder, self: 'n.manager', background: [], skip: 0, take: 100, onUnreadable: fail };
  return (await findLines(question, looking)).found;
}
