import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { convertHistory } from '../../../src/history/convert-history.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { generateWeek } from '../../helpers/generated-week.ts';
import { storeSegments } from '../../helpers/history-segments.ts';
import type { Figures } from '../figures.ts';
import type { Sizes } from '../sizes.ts';
import type { Taken } from './history-process.ts';
import { makeHistory } from './made-history.ts';

const MONDAY = Date.UTC(2026, 10, 16);
/** About what a worker of a large school writes in five minutes. */
const SEGMENT_RECORDS = 10_000;
const ROUNDS = 3;
/** With so many requests everybody has opened a page in any half hour. */
const SURELY_FOUND = 10_000_000;
const MODULE = join(import.meta.dirname, 'history-process.ts');
const run = promisify(execFile);

/** What a request costs on disk, what the weekly report costs, and a look at half an hour of one person. */
export async function measureHistory(
  figures: Figures,
  sizes: Sizes,
  folder: string,
  say: (text: string) => void,
): Promise<void> {
  await measureBytes(figures, join(folder, 'history-bytes'), sizes.keptRequests);
  const made = join(folder, 'history');
  say(`making a history of ${sizes.historyRequests.toLocaleString('en-GB')} requests in a week`);
  await makeHistory(made, MONDAY, sizes.historyRequests);
  say('adding up its days');
  const sums = await take('sums', made);
  figures.add('history.sums', 'schoolgate', sums.ms / 1000 / (sizes.historyRequests / 1_000_000));
  figures.add('history.sums-memory', 'schoolgate', sums.peakMb);
  for (let round = 1; round <= ROUNDS; round++) {
    say(`weekly report, round ${round}`);
    const week = await take('week', made);
    if (week.found < sizes.historyRequests) throw new Error(`the weekly report counted ${week.found} requests`);
    figures.add('history.weekly', 'schoolgate', week.ms / 1000);
    figures.add('history.weekly-memory', 'schoolgate', week.peakMb);
    const half = await take('half-hour', made);
    if (half.found === 0 && sizes.historyRequests > SURELY_FOUND) throw new Error('nothing was found in half an hour');
    figures.add('history.first-look', 'schoolgate', half.ms / 1000);
    figures.add('history.look', 'schoolgate', half.againMs / 1000);
  }
}

async function measureBytes(figures: Figures, folder: string, count: number): Promise<void> {
  mkdirSync(folder);
  await storeSegments(folder, generateWeek(1, MONDAY, count), SEGMENT_RECORDS);
  figures.add('history.spool-bytes', 'schoolgate', bytesIn(folder) / count);
  await convertHistory(folder, systemClock() + 60_000);
  figures.add('history.parquet-bytes', 'schoolgate', bytesIn(folder) / count);
}

function bytesIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

async function take(task: 'sums' | 'week' | 'half-hour', folder: string): Promise<Taken> {
  const { stdout } = await run(process.execPath, [MODULE, task, folder, String(MONDAY)]);
  return JSON.parse(stdout) as Taken;
}
