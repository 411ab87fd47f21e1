import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { convertDay } from './convert-day.ts';
import { mergeDay } from './merge-day.ts';

/** What one run has done. */
export interface ConversionReport {
  readonly files: number;
  readonly rows: number;
  /** What stays as it is and why, one sentence each: damaged segments, days whose contents cannot be used. */
  readonly problems: readonly string[];
}

/**
 * Converts every day that has segments which came before `arrivedBefore` (ms), oldest first, and makes one file of a day that is over. A day
 * that fails leaves the others alone.
 */
export async function convertHistory(folder: string, arrivedBefore: number): Promise<ConversionReport> {
  removeSpills(folder);
  const problems: string[] = [];
  let files = 0;
  let rows = 0;
  for (const day of daysIn(folder)) {
    try {
      const converted = await convertDay(folder, day, arrivedBefore);
      problems.push(...converted.damaged);
      files += converted.files.length;
      rows += converted.files.reduce((sum, file) => sum + file.rows, 0);
      await mergeDay(folder, day, arrivedBefore);
    } catch (error) {
      problems.push(`${day}: ${(error as Error).message}`);
    }
  }
  return { files, rows, problems };
}

/** The days the history has a folder of, oldest first. */
export function daysIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d{4}-\d\d-\d\d$/.test(name))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** What a killed process could not put away any more. */
function removeSpills(folder: string): void {
  for (const name of filesIn(folder)) {
    const pid = Number(/^\.spill-(\d+)-/.exec(name)?.[1]);
    if (Number.isInteger(pid) && !isAlive(pid)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
