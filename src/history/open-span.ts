// Parquet files of the days ─┐
//                            ├── one view, "requests": each request and tunnel once
// segments not yet converted ┘
import { join } from 'node:path';
import { AS_KEPT, AS_TRAVELLED } from './columns.ts';
import { isHeld, type KeptFile, readContents } from './contents.ts';
import { type Duck, openDuck } from './duck.ts';
import {
  filesOf,
  linesOf,
  segmentsOf,
  SegmentRows,
  type StoredSegment,
  type UnreadableSegment,
} from './read-segments.ts';
import { daysAround, NO_END } from './segment.ts';
import { isWhole } from './verify-file.ts';

/** Records of a span, ready to be asked. To be closed. */
export interface OpenSpan {
  /** Has a view `requests` with the columns of COLUMNS; `at` is ms since the epoch. */
  readonly duck: Duck;
  close(): void;
}

export type OnUnreadable = (problem: UnreadableSegment) => void;

/** A tunnel's opening counts where its record has not come: was its worker killed, or does it go on? Two parts, as one would ask every row. */
const REQUESTS = `
  CREATE VIEW requests AS SELECT * FROM lines WHERE tunnel IS DISTINCT FROM 'opening'
  UNION ALL SELECT * REPLACE (coalesce(error, '${NO_END}') AS error)
  FROM lines WHERE tunnel = 'opening' AND id NOT IN (SELECT id FROM lines WHERE tunnel = 'late')`;

/** How often a span is opened anew because a conversion took segments away under our hands. */
const MOST_AGAIN = 3;

/**
 * Opens what began in [from, until), ms. What cannot be read is told to `onUnreadable`, once for each file, and the rest is read.
 * `only`: of segments that are not converted yet, which to look at (default: all of the days around).
 */
export function openSpan(
  folder: string,
  from: number,
  until: number,
  onUnreadable: OnUnreadable,
  only: (segment: StoredSegment) => boolean = () => true,
): Promise<OpenSpan> {
  return openSpans(folder, [{ from, until }], onUnreadable, only);
}

/** Opens what began in any of the spans, as `openSpan` does. */
export async function openSpans(
  folder: string,
  spans: readonly Span[],
  onUnreadable: OnUnreadable,
  only: (segment: StoredSegment) => boolean = () => true,
): Promise<OpenSpan> {
  for (let again = 0; ; again++) {
    const problems: UnreadableSegment[] = [];
    const duck = await openDuck(folder);
    try {
      await makeView(duck, folder, spans, only, (problem) => problems.push(problem));
      for (const problem of problems) onUnreadable(problem);
      return { duck, close: () => duck.close() };
    } catch (error) {
      duck.close();
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || again === MOST_AGAIN) throw error;
    }
  }
}

/** `from` inclusive, `until` exclusive, ms since the epoch. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

async function makeView(
  duck: Duck,
  folder: string,
  spans: readonly Span[],
  only: (segment: StoredSegment) => boolean,
  onUnreadable: OnUnreadable,
): Promise<void> {
  const files: string[] = [];
  const segments: StoredSegment[] = [];
  for (const day of new Set(spans.flatMap(({ from, until }) => daysAround(from, until)))) {
    const found = lookAtDay(folder, day, onUnreadable);
    for (const file of found.files.filter((file) => spans.some((span) => reachesInto(file, span)))) {
      const problem = await isWhole(join(folder, day), file);
      if (problem === null) files.push(join(folder, day, file.name));
      else onUnreadable({ segment: `${day}/${file.name}`, read: 0, reason: problem });
    }
    segments.push(...found.segments.filter(only));
  }
  await loadSegments(duck, folder, spans, segments, onUnreadable);
  const fresh = `SELECT ${AS_KEPT} FROM fresh`;
  const within = spans.map(({ from, until }) => `("at" >= ${from} AND "at" < ${until})`).join(' OR ');
  const kept = `SELECT ${AS_KEPT} FROM read_parquet([${files.map(quoted).join(', ')}]) WHERE ${within}`;
  await duck.rows(`CREATE VIEW lines AS ${files.length === 0 ? fresh : `${kept} UNION ALL ${fresh}`}`);
  await duck.rows(REQUESTS);
}

/** Whether a file holds what may have begun in the span. */
export function reachesInto(file: KeptFile, { from, until }: Span): boolean {
  return file.last >= from && file.from < until;
}

/** The Parquet files of a day, and the segments that none of them holds. */
export function lookAtDay(
  folder: string,
  day: string,
  onUnreadable: OnUnreadable,
): { files: readonly KeptFile[]; segments: StoredSegment[] } {
  // The segments first: what a conversion holds a moment later is then left out by the contents it wrote before.
  const segments = segmentsOf(folder, day);
  try {
    const contents = readContents(folder, day);
    return { files: contents.files, segments: segments.filter(({ name }) => !isHeld(contents, name)) };
  } catch (error) {
    const lost = filesOf(folder, day).filter((name) => name.endsWith('.parquet'));
    const reason = `what ${lost.length} Parquet files of this day hold is not known: ${(error as Error).message}`;
    onUnreadable({ segment: `${day}/contents.json`, read: 0, reason });
    return { files: [], segments };
  }
}

async function loadSegments(
  duck: Duck,
  folder: string,
  spans: readonly Span[],
  segments: readonly StoredSegment[],
  onUnreadable: OnUnreadable,
): Promise<void> {
  const append = await duck.table('fresh');
  const rows = new SegmentRows(true);
  for (const { file, begun } of segments) {
    rows.segment(begun);
    for await (const lines of linesOf(folder, file, onUnreadable)) {
      const within = lines.filter(({ record }) => isWithin(record.at, spans));
      append(within.map((line) => rows.row(line)).filter((row) => row !== null));
    }
  }
  append(rows.open());
}

function isWithin(text: string, spans: readonly Span[]): boolean {
  const at = Date.parse(text);
  return spans.some(({ from, until }) => at >= from && at < until);
}

/** A text as SQL has it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** All columns of `requests`, for `recordOf`. */
export const ALL_OF_THEM = `SELECT ${AS_TRAVELLED} FROM requests`;
