// segments ──► rows ──► .part.parquet ──► compared row by row ──► renamed ──► contents.json ──► segments deleted
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../kernel/durable-file.ts';
import { isHeld, type KeptFile, readContents, replaceContents } from './contents.ts';
import { type Duck, openDuck } from './duck.ts';
import { linesOf, SEGMENT_ENDING, segmentsOf, SegmentRows, type StoredSegment } from './read-segments.ts';
import { writeParquet } from './write-parquet.ts';

/** What a conversion did of one day. */
export interface Converted {
  readonly day: string;
  readonly files: readonly KeptFile[];
  /** Segments that stay as they are, because they cannot be read to their end, with the reason. */
  readonly damaged: readonly string[];
}

/** So many bytes of segments become one file: some two million requests, which are sorted in memory. */
const MOST_BYTES = 80 * 1024 * 1024;

/**
 * Makes Parquet of the segments of one day's folder that came before `arrivedBefore` (ms), and deletes them once it is known that the file
 * holds them. Segments that are damaged stay, and are read as they are. Ended at any instant, every record is there once: the next run
 * goes on from there. Not to be run twice at once. Throws where the day's `contents.json` cannot be used; nothing is changed then.
 */
export async function convertDay(folder: string, day: string, arrivedBefore: number): Promise<Converted> {
  const contents = readContents(folder, day);
  const stored = segmentsOf(folder, day);
  // A run before this one did not come to delete them.
  deleteSegments(
    folder,
    day,
    stored.filter(({ name }) => isHeld(contents, name)),
  );
  const waiting = stored.filter((segment) => segment.begun > 0 && !isHeld(contents, segment.name));
  const files: KeptFile[] = [];
  const damaged: string[] = [];
  for (const batch of batchesOf(folder, waiting, arrivedBefore)) {
    const { file, torn } = await convertBatch(folder, day, batch);
    damaged.push(...torn);
    if (file === null) continue;
    const before = readContents(folder, day);
    const others = before.files.filter(({ name }) => name !== file.name);
    replaceContents(folder, day, { ...before, files: [...others, file] });
    deleteSegments(
      folder,
      day,
      batch.filter(({ name }) => file.segments.includes(name)),
    );
    files.push(file);
  }
  return { day, files, damaged };
}

function batchesOf(folder: string, waiting: readonly StoredSegment[], arrivedBefore: number): StoredSegment[][] {
  const batches: StoredSegment[][] = [];
  let bytes = 0;
  for (const segment of waiting) {
    const { size, mtimeMs } = statSync(join(folder, segment.file));
    if (mtimeMs >= arrivedBefore) continue;
    if (batches.length === 0 || bytes + size > MOST_BYTES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)!.push(segment);
    bytes += size;
  }
  return batches;
}

async function convertBatch(
  folder: string,
  day: string,
  batch: readonly StoredSegment[],
): Promise<{ file: KeptFile | null; torn: string[] }> {
  const torn = await tornOf(folder, batch);
  const good = batch.filter(({ file }) => !torn.some((text) => text.startsWith(`${file}:`)));
  if (good.length === 0) return { file: null, torn };
  const duck = await openDuck(folder);
  try {
    await load(duck, folder, good);
    // The same segments make the same name, so that what a killed run has left is replaced.
    const name = `${good[0]!.name.slice(-26)}.parquet`;
    const written = await writeParquet(duck, join(folder, day), name, 'fresh');
    return { file: { ...written, segments: good.map((segment) => segment.name) }, torn };
  } finally {
    duck.close();
  }
}

/** What half of a segment would become is not known before its end was seen, so that each is read twice. */
async function tornOf(folder: string, batch: readonly StoredSegment[]): Promise<string[]> {
  const torn: string[] = [];
  for (const { file } of batch) {
    const lines = linesOf(folder, file, ({ segment, reason }) => torn.push(`${segment}: ${reason}`));
    for await (const block of lines) void block;
  }
  return torn;
}

async function load(duck: Duck, folder: string, segments: readonly StoredSegment[]): Promise<void> {
  const append = await duck.table('fresh');
  const rows = new SegmentRows(false);
  for (const { file, begun } of segments) {
    rows.segment(begun);
    for await (const lines of linesOf(folder, file, () => undefined)) {
      append(lines.map((line) => rows.row(line)).filter((row) => row !== null));
    }
  }
  append(rows.open());
}

function deleteSegments(folder: string, day: string, segments: readonly StoredSegment[]): void {
  for (const { name } of segments) rmSync(join(folder, day, `${name}${SEGMENT_ENDING}`), { force: true });
  if (segments.length > 0) syncFolder(join(folder, day));
}
