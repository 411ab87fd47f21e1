// rows ──► .part.parquet ──► read back and compared ──► on disk ──► renamed
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AS_KEPT } from './columns.ts';
import type { KeptFile } from './contents.ts';
import type { Duck } from './duck.ts';
import { quoted } from './open-span.ts';
import { putInPlace } from './verify-file.ts';

/** Options of the form: the delta encodings of version 2 and zstd. */
const PARQUET = 'FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 6, ROW_GROUP_SIZE 122880';

/**
 * Writes the history rows of `source` (what stands after FROM), in order of time, to `name` in a day's folder; whatever had that name is replaced.
 * On disk when it resolves. Rejects where the file does not hold what was written to it.
 */
export async function writeParquet(
  duck: Duck,
  dayFolder: string,
  name: string,
  source: string,
): Promise<Omit<KeptFile, 'segments'>> {
  const beside = join(dayFolder, '.part.parquet');
  await duck.rows(`COPY (SELECT ${AS_KEPT} FROM ${source} ORDER BY "at") TO ${quoted(beside)} (${PARQUET})`);
  const held = await compare(duck, source, beside);
  return { ...held, ...(await putInPlace(beside, dayFolder, name)) };
}

/** Reads the file back and compares it with what it was made of. */
async function compare(duck: Duck, source: string, path: string): Promise<Pick<KeptFile, 'rows' | 'from' | 'last'>> {
  const sum =
    'count(*)::DOUBLE, coalesce(min("at"), 0)::DOUBLE, coalesce(max("at"), 0)::DOUBLE, bit_xor(hash(kept))::VARCHAR';
  const of = (rows: string): string => `SELECT ${sum} FROM (SELECT ${AS_KEPT} FROM ${rows}) AS kept`;
  const [[made], [read]] = [await duck.rows(of(source)), await duck.rows(of(`read_parquet(${quoted(path)})`))];
  if (JSON.stringify(made) !== JSON.stringify(read)) {
    rmSync(path, { force: true });
    throw new Error(
      'A Parquet file did not hold what was written to it; what it was made of stays. Look after the disk.',
    );
  }
  const [rows, from, last] = made as [number, number, number];
  return { rows, from, last };
}
