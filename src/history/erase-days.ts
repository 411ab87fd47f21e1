// a day's folder ──► put aside under a name nobody reads ──► its files deleted ──► the folder gone, each step on disk
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../kernel/durable-file.ts';
import { daysIn } from './convert-history.ts';
import { dayBegan, utcDay } from './segment.ts';

/** A day of the history as it lies on disk. */
export interface StoredDay {
  /** `2026-11-22`. */
  readonly day: string;
  readonly files: number;
  readonly bytes: number;
  /** Hex SHA-256 of a line `name bytes` for each file, in order of names. */
  readonly sha256: string;
}

/** The days that had ended by `before` (ms), oldest first. */
export function daysBefore(folder: string, before: number): StoredDay[] {
  return daysIn(folder)
    .filter((day) => day < utcDay(before))
    .map((day) => storedDay(folder, day));
}

/** When the oldest day began, ms; null: there is none. */
export function oldestDay(folder: string): number | null {
  const [first] = daysIn(folder);
  return first === undefined ? null : dayBegan(first);
}

function storedDay(folder: string, day: string): StoredDay {
  const path = join(folder, day);
  const sizes = readdirSync(path)
    .sort()
    .map((name) => ({ name, bytes: statSync(join(path, name)).size }));
  const lines = sizes.map(({ name, bytes }) => `${name} ${bytes}\n`);
  return {
    day,
    files: sizes.length,
    bytes: sizes.reduce((sum, one) => sum + one.bytes, 0),
    sha256: createHash('sha256').update(lines.join('')).digest('hex'),
  };
}

/**
 * Deletes a day with everything in it. A reader sees all of it or nothing; ended at any instant, doing it again finishes it. Not while a
 * conversion runs.
 */
export function eraseDay(folder: string, day: string): void {
  const [path, aside] = [join(folder, day), join(folder, `.gone-${day}`)];
  rmSync(aside, { recursive: true, force: true });
  if (existsSync(path)) renameSync(path, aside);
  syncFolder(folder);
  rmSync(aside, { recursive: true, force: true });
  syncFolder(folder);
}
