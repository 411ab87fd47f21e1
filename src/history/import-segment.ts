import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ArrivedSegment } from '../events/bus.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { readLines } from './read-lines.ts';
import { parseLine, segmentTime, utcDay, writtenAt } from './segment.ts';

/**
 * `stored`: it is on disk and survives a power cut. `known`: it was there already; nothing changed.
 * `refused`: its name is not one a gateway gives, so it is not ours to keep; the caller says so and goes on.
 */
export type ImportOutcome = 'stored' | 'known' | 'refused';

/**
 * Puts a committed segment under the UTC day its first line was written: `<folder>/2026-11-22/<name>.ndjson.zst`.
 * The same name twice is stored once. One whose first line cannot be read is kept under the day in its name, so that
 * reading reports it instead of losing it. Throws what the file system throws; nothing is then stored.
 */
export async function importSegment(folder: string, segment: ArrivedSegment): Promise<ImportOutcome> {
  const named = segmentTime(segment.name);
  if (named === null) return 'refused';
  const begun = (await firstLineTime(segment.bytes)) ?? named;
  const path = join(folder, utcDay(begun), `${segment.name}.ndjson.zst`);
  if (existsSync(path)) return 'known';
  replaceFile(path, segment.bytes);
  return 'stored';
}

async function firstLineTime(bytes: Uint8Array): Promise<number | null> {
  try {
    for await (const lines of readLines(Readable.from([bytes]))) {
      const line = lines.map(parseLine).find((parsed) => parsed !== null);
      if (line !== undefined) return writtenAt(line);
    }
  } catch {
    // Torn before its first whole line: reading reports it.
  }
  return null;
}
