// Counts a week, or looks at half an hour of one person, and prints what it took: a process of its own, as in the console.
import { findLines } from '../../../src/history/find-lines.ts';
import { openSpan } from '../../../src/history/open-span.ts';
import { type Ask, countWeek } from '../../../src/reports/count-week.ts';
import { searchTerm } from '../../../src/safeguarding/concerns/search-terms.ts';

/** What one task took; `found`: requests that were counted, or lines of the answer. */
export interface Taken {
  readonly ms: number;
  /** The longest-lived memory of the process, MB. */
  readonly peakMb: number;
  readonly found: number;
  /** The same question again, ms; 0: not asked. */
  readonly againMs: number;
}

const [task, folder, fromText] = process.argv.slice(2) as [string, string, string];
const from = Number(fromText);
const WEEK_MS = 7 * 86_400_000;
const SETTINGS = { background: ['adverts', 'trackers'], circumvention: ['category-3'] };
const fail = ({ segment, reason }: { segment: string; reason: string }): never => {
  throw new Error(`${segment}: ${reason}`);
};

const begun = performance.now();
const found = task === 'week' ? await week() : await halfHour();
const ms = performance.now() - begun;
const again = performance.now();
if (task !== 'week') await halfHour();
const againMs = task === 'week' ? 0 : performance.now() - again;
const taken: Taken = { ms, againMs, peakMb: process.resourceUsage().maxRSS / 1024, found };
process.stdout.write(JSON.stringify(taken));

async function week(): Promise<number> {
  const span = { from, until: from + WEEK_MS };
  const history = await openSpan(folder, span.from, span.until, fail);
  const counts = await countWeek(((sql) => history.duck.rows(sql)) as Ask, span, SETTINGS, searchTerm);
  history.close();
  return counts.all.requests;
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
