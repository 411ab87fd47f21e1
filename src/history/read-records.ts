import type { KeptRecord } from '../events/access-record.ts';
import { recordOf, type Row } from './columns.ts';
import { ALL_OF_THEM, type OnUnreadable, openSpan } from './open-span.ts';

/**
 * Every record that began in [from, until), ms since the epoch, each once, in no order that anybody may count on. The opening of a tunnel
 * whose record never came is given as a record with `error` NO_END. What cannot be read is told to `onUnreadable`, once for each
 * file, and reading goes on.
 */
export async function* readRecords(
  folder: string,
  from: number,
  until: number,
  onUnreadable: OnUnreadable,
): AsyncGenerator<KeptRecord> {
  const span = await openSpan(folder, from, until, onUnreadable);
  try {
    for await (const rows of span.duck.stream(ALL_OF_THEM)) {
      for (const row of rows) yield recordOf(row as Row);
    }
  } finally {
    span.close();
  }
}

/** A worker closes a segment after five minutes at the latest; a plain request is written when it ends. */
const SEGMENT_MS = 10 * 60_000;

/**
 * What began from `from` to `until` (both included, ms), of segments that are not converted yet only those of about that time: tunnels
 * by their openings, too, so that the end of a long one need not be looked for. What cannot be read is left out.
 */
export async function readNearRecords(folder: string, from: number, until: number): Promise<KeptRecord[]> {
  const span = await openSpan(
    folder,
    from,
    until + 1,
    () => undefined,
    ({ begun }) => begun >= from - SEGMENT_MS && begun <= until + SEGMENT_MS,
  );
  try {
    const rows = await span.duck.rows(`${ALL_OF_THEM} ORDER BY "at"`);
    return rows.map((row) => recordOf(row as Row));
  } finally {
    span.close();
  }
}
