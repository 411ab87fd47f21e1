import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AccessRecord } from '../events/access-record.ts';
import { readLines } from './read-lines.ts';
import { daysAround, NO_END, parseLine, type SegmentLine, segmentTime } from './segment.ts';

/** A segment that could not be read, or not to its end. */
export interface UnreadableSegment {
  /** `2026-11-22/<file name>`. */
  readonly segment: string;
  /** Lines that were read and are part of the answer. */
  readonly read: number;
  readonly reason: string;
}

/**
 * Every record that began in [from, until), ms since the epoch, segment by segment in the order they were begun; within
 * a segment in the order the records ended. An opening whose record follows is dropped; one without is given at the end
 * as a record with `error` NO_END. What cannot be read is told to `onUnreadable`, once for each segment, and reading goes on.
 */
export async function* readRecords(
  folder: string,
  from: number,
  until: number,
  onUnreadable: (problem: UnreadableSegment) => void,
): AsyncGenerator<AccessRecord> {
  const tunnels = new Tunnels();
  for (const { file, begun } of daysAround(from, until).flatMap((day) => segmentsOf(folder, day))) {
    tunnels.segment(begun);
    for await (const lines of linesOf(folder, file, onUnreadable)) {
      for (const { kind, record } of lines) {
        if (!isWithin(record, from, until)) continue;
        if (kind === 'opening') {
          tunnels.opened(record);
        } else {
          tunnels.ended(record);
          yield record;
        }
      }
    }
  }
  for (const record of tunnels.open()) yield { ...record, error: record.error ?? NO_END };
}

/** A worker closes a segment after five minutes at the latest; a plain request is written when it ends. */
const SEGMENT_MS = 10 * 60_000;

/**
 * What began from `from` to `until` (both included, ms), from the segments of about that time alone: tunnels by their openings, too, so
 * that the end of a long one need not be looked for. One tunnel may come twice. What cannot be read is left out.
 */
export async function readNearRecords(folder: string, from: number, until: number): Promise<AccessRecord[]> {
  const found: AccessRecord[] = [];
  const near = daysAround(from, until)
    .flatMap((day) => segmentsOf(folder, day))
    .filter(({ begun }) => begun >= from - SEGMENT_MS && begun <= until + SEGMENT_MS);
  for (const { file } of near) {
    for await (const lines of linesOf(folder, file, () => undefined)) {
      found.push(...lines.map(({ record }) => record).filter((record) => isWithin(record, from, until + 1)));
    }
  }
  return found;
}

/** Openings whose records have not come. */
class Tunnels {
  readonly #open = new Map<string, AccessRecord>();
  /** Records of segments begun at one instant: parts of one that was too large, which may come in any order. */
  readonly #ended = new Set<string>();
  #begun = -1;

  segment(begun: number): void {
    if (begun !== this.#begun) this.#ended.clear();
    this.#begun = begun;
  }

  opened(record: AccessRecord): void {
    if (!this.#ended.has(record.id)) this.#open.set(record.id, record);
  }

  ended(record: AccessRecord): void {
    if (!this.#open.delete(record.id)) this.#ended.add(record.id);
  }

  open(): Iterable<AccessRecord> {
    return this.#open.values();
  }
}

/** The lines of a segment by the block, as far as it can be read. */
async function* linesOf(
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
    reason = `it breaks off: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (bad > 0) reason = `${bad} of its lines are not records${reason === null ? '' : `, and ${reason}`}`;
  if (reason !== null) onUnreadable({ segment, read, reason });
}

/** In the order of their ULIDs, so that a tunnel's opening comes before its record whatever its worker is called. */
function segmentsOf(folder: string, day: string): { file: string; begun: number }[] {
  let names: string[];
  try {
    names = readdirSync(join(folder, day));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => !name.startsWith('.'))
    .map((name) => ({ name, begun: segmentTime(name.replace(/\.ndjson\.zst$/, '')) ?? 0 }))
    .sort((a, b) => a.begun - b.begun || (a.name < b.name ? -1 : 1))
    .map(({ name, begun }) => ({ file: `${day}/${name}`, begun }));
}

function isWithin(record: AccessRecord, from: number, until: number): boolean {
  const at = Date.parse(record.at);
  return at >= from && at < until;
}
