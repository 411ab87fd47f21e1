// a finished day's Parquet ──► what it adds up to, in a file beside it ──► contents.json says of which files it is
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readContents, replaceContents } from './contents.ts';
import { daysIn } from './convert-history.ts';
import { type Duck, DUCK_VERSION } from './duck.ts';
import { lookAtDay, type OnUnreadable, openSpans, quoted, reachesInto, type Span } from './open-span.ts';
import { dayBegan, dayEnded, daysAround, SETTLED_MS, SUMS_FILE, utcDay } from './segment.ts';
import { isWhole, putInPlace } from './verify-file.ts';

/** How requests are added up: known to whoever counts them. */
export interface Summing {
  /** Sums of another version are made anew. */
  readonly version: number;
  /** Makes the tables, all in a database `sums`. */
  readonly form: readonly string[];
  /** Their names. Rows of several spans may stand in them one after the other. */
  readonly tables: readonly string[];
  /** Adds the rows of the view `requests` that began in a span. */
  readonly add: (duck: Duck, span: Span) => Promise<void>;
}

/**
 * Adds up each day that has ended by `now` (ms) and has no sums of what it holds; a day that cannot be read in full is left alone. Ended
 * at any instant, the next run goes on. Not to be run twice at once, nor beside a conversion. What went wrong, a sentence each.
 */
export async function keepSums(folder: string, now: number, summing: Summing): Promise<string[]> {
  const problems: string[] = [];
  for (const day of daysIn(folder).toReversed()) {
    // What began before midnight may have been written after it.
    if (now < dayEnded(utcDay(dayEnded(day))) + SETTLED_MS) continue;
    const of = inputsOf(folder, day, summing);
    if (of === null || readContents(folder, day).sums?.of === of) continue;
    await keepDay(folder, day, of, summing).catch((error: Error) => {
      problems.push(`${day} is not added up: ${error.message}`);
    });
  }
  return problems;
}

/** A DuckDB in which `sums` holds the whole span once: kept days as they were added up, everything else added up now. To be closed. */
export async function openSums(
  folder: string,
  span: Span,
  summing: Summing,
  onUnreadable: OnUnreadable,
): Promise<Duck> {
  const { kept, rest } = await splitSpan(folder, span, summing);
  const { duck } = await openSpans(folder, rest, onUnreadable);
  try {
    await beginSums(duck, ':memory:', summing);
    for (const path of kept) {
      await duck.rows(`ATTACH ${quoted(path)} AS kept (READ_ONLY)`);
      for (const table of summing.tables) await duck.rows(`INSERT INTO sums.${table} SELECT * FROM kept.${table}`);
      await duck.rows('DETACH kept');
    }
    for (const part of rest) await summing.add(duck, part);
    return duck;
  } catch (error) {
    duck.close();
    throw error;
  }
}

/** The whole days of a span that have sums, and the rest of it. */
async function splitSpan(folder: string, span: Span, summing: Summing): Promise<{ kept: string[]; rest: Span[] }> {
  const kept: string[] = [];
  const rest: Span[] = [];
  let from = span.from;
  for (let day = utcDay(span.from); dayBegan(day) < span.until; day = utcDay(dayEnded(day))) {
    if (dayBegan(day) < span.from || dayEnded(day) > span.until) continue;
    const path = await sumsOf(folder, day, summing);
    if (path === null) continue;
    if (from < dayBegan(day)) rest.push({ from, until: dayBegan(day) });
    kept.push(path);
    from = dayEnded(day);
  }
  if (from < span.until) rest.push({ from, until: span.until });
  return { kept, rest };
}

/** The file with a day's sums; null where there is none of what the day holds now. */
async function sumsOf(folder: string, day: string, summing: Summing): Promise<string | null> {
  const of = inputsOf(folder, day, summing);
  if (of === null) return null;
  const { sums } = readContents(folder, day);
  if (sums === undefined || sums.of !== of || (await isWhole(join(folder, day), sums)) !== null) return null;
  return join(folder, day, SUMS_FILE);
}

/** Names everything that a day's sums are made of; null while some of it is not converted, or cannot be read. */
function inputsOf(folder: string, day: string, { version }: Summing): string | null {
  const span = spanOf(day);
  const inputs = [`${version} ${DUCK_VERSION}`];
  let isKnown = true;
  for (const other of daysAround(span.from, span.until)) {
    const { files, segments } = lookAtDay(folder, other, () => (isKnown = false));
    if (segments.length > 0) isKnown = false;
    inputs.push(...files.filter((file) => reachesInto(file, span)).map(({ sha256 }) => sha256));
  }
  return isKnown ? createHash('sha256').update(inputs.join('\n')).digest('hex') : null;
}

async function keepDay(folder: string, day: string, of: string, summing: Summing): Promise<void> {
  const beside = join(folder, day, '.sums.part');
  for (const left of [beside, `${beside}.wal`]) rmSync(left, { force: true });
  let isReadable = true;
  const span = spanOf(day);
  const { duck } = await openSpans(folder, [span], () => (isReadable = false));
  try {
    if (!isReadable) return;
    await beginSums(duck, beside, summing);
    await summing.add(duck, span);
    await duck.rows('CHECKPOINT sums');
    await duck.rows('DETACH sums');
  } finally {
    duck.close();
  }
  const written = await putInPlace(beside, join(folder, day), SUMS_FILE);
  replaceContents(folder, day, { ...readContents(folder, day), sums: { ...written, of } });
}

/** `where`: a file, or memory. */
async function beginSums(duck: Duck, where: string, { form }: Summing): Promise<void> {
  await duck.rows(`ATTACH ${quoted(where)} AS sums`);
  for (const sql of form) await duck.rows(sql);
}

function spanOf(day: string): Span {
  return { from: dayBegan(day), until: dayEnded(day) };
}
