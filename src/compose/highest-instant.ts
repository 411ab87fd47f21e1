import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { replaceFile } from '../kernel/durable-file.ts';

/** The highest instant an earlier run saw, ms since the epoch; 0 if none is kept. A clock set back meanwhile lengthens no unblock. */
export function readHighestInstant(layout: DataLayout): number {
  const file = fileIn(layout);
  const kept = existsSync(file) ? Number(readFileSync(file, 'utf8').trim()) : 0;
  return Number.isSafeInteger(kept) ? kept : 0;
}

/** Throws what the file system throws. */
export function keepHighestInstant(layout: DataLayout, instant: number): void {
  replaceFile(fileIn(layout), `${instant}\n`);
}

function fileIn(layout: DataLayout): string {
  return join(layout.root, 'gateway', 'highest-instant');
}
