import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ArrivedSegment } from '../events/bus.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { isHeld, readContents } from './contents.ts';
import { readLines } from './read-lines.ts';
import { SEGMENT_ENDING } from './read-segments.ts';
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
  const day = utcDay(begun);
  const path = join(folder, day, `${segment.name}${SEGMENT_ENDING}`);
  if (existsSync(path) || isConverted(folder, day, segment.name)) return 'known';
  replaceFile(path, segment.bytes);
  return 'stored';
}

/** Where it is not known what was converted, a segment is better kept twice than lost: reading reports such a day. */
function isConverted(folder: string, day: string, name: string): boolean {
  try {
    return isHeld(readContents(folder, day), name);
  } catch {
    return false;
  }
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
