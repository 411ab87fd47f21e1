import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Row, rowOf } from './columns.ts';
import { readLines } from './read-lines.ts';
import { CONTENTS_FILE, parseLine, type SegmentLine, segmentTime, SUMS_FILE } from './segment.ts';

export const SEGMENT_ENDING = '.ndjson.zst';

/** A part of the history that could not be read, or not to its end. */
export interface UnreadableSegment {
  /** `2026-11-22/<file name>`. */
  readonly segment: string;
  /** Lines that were read and are part of the answer. */
  readonly read: number;
  readonly reason: string;
}

/** A segment that lies in a day's folder. */
export interface StoredSegment {
  /** `2026-11-22/<file name>`. */
  readonly file: string;
  /** As its gateway called it. */
  readonly name: string;
  /** The instant in its name, ms; 0 where it has none. */
  readonly begun: number;
}

/** In the order of their ULIDs, so that a tunnel's opening comes before its record whatever its worker is called. */
export function segmentsOf(folder: string, day: string): StoredSegment[] {
  return filesOf(folder, day)
    .filter((file) => !file.endsWith('.parquet') && file !== CONTENTS_FILE && file !== SUMS_FILE)
    .map((file) => ({ file, name: file.replace(/\.ndjson\.zst$/, '') }))
    .map(({ file, name }) => ({ file: `${day}/${file}`, name, begun: segmentTime(name) ?? 0 }))
    .sort((a, b) => a.begun - b.begun || (a.name < b.name ? -1 : 1));
}

/** Names of the files of a day; none where there is no such day. What begins with a dot is half-written. */
export function filesOf(folder: string, day: string): string[] {
  try {
    return readdirSync(join(folder, day)).filter((name) => !name.startsWith('.'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The lines of a segment by the block, as far as it can be read. Throws ENOENT where the segment is not there any more. */
export async function* linesOf(
  folder: string,
  segment: string,
  onUnreadable: (problem: UnreadableSegment) => void,
): AsyncGenerator<SegmentLine[]> {
  let read = 0;
  let bad = 0;
  let reason: string | null = null;
  try {
    for await (const texts of readLines(createReadStream(join(folder, segment)))) {
      const lines = texts.map(parseLine).filter((line) => line !== null);
      read += lines.length;
      bad += texts.length - lines.length;
      yield lines;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
    reason = `it breaks off: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (bad > 0) reason = `${bad} of its lines are not records${reason === null ? '' : `, and ${reason}`}`;
  if (reason !== null) onUnreadable({ segment, read, reason });
}

/** Which lines of one segment after another become rows, and which tunnels are still open after the last. */
export class SegmentRows {
  readonly #keepIds: boolean;
  readonly #open = new Map<string, SegmentLine>();
  /** Records of segments begun at one instant: parts of one that was too large, which may come in any order. */
  readonly #ended = new Set<string>();
  #begun = -1;

  /** `keepIds` false: ids go where nothing refers to them. */
  constructor(keepIds: boolean) {
    this.#keepIds = keepIds;
  }

  segment(begun: number): void {
    if (begun !== this.#begun) this.#ended.clear();
    this.#begun = begun;
  }

  /** The row of a record. An opening waits for its record. */
  row(line: SegmentLine): Row | null {
    const { id, at } = line.record;
    if (line.kind === 'opening') {
      if (!this.#ended.has(id)) this.#open.set(id, line);
      return null;
    }
    if (this.#open.delete(id)) return rowOf(line, false, this.#keepIds);
    this.#ended.add(id);
    // An opening is written after its tunnel began: of what began in this segment, it would have come before.
    return rowOf(line, Date.parse(at) < this.#begun, this.#keepIds);
  }

  /** Openings whose records have not come. */
  open(): Row[] {
    return [...this.#open.values()].map((line) => rowOf(line, false, true));
  }
}
