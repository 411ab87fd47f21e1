// a day's many files ──► one ──► contents.json names it alone ──► half an hour later the many are deleted
import { createHash } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../kernel/durable-file.ts';
import { type Contents, readContents, replaceContents } from './contents.ts';
import { openDuck } from './duck.ts';
import { quoted } from './open-span.ts';
import { CONTENTS_FILE, dayEnded, SETTLED_MS } from './segment.ts';
import { isWhole } from './verify-file.ts';
import { writeParquet } from './write-parquet.ts';

/** So few are read as fast as one, and a late segment is no reason to write a whole day anew. */
const FEW = 3;
/** Longer than anybody reads who began with the files as they were. */
const READING_MS = 30 * 60_000;

/**
 * Makes one file of a day's files when the day is over and they are many, each found whole first, and deletes those that an earlier run has
 * replaced. Readers see the many or the one: `contents.json` says which count. Ended at any instant, the next run goes on. Not to be run twice at
 * once, nor beside a conversion. `now`, ms. Rejects where a file is damaged; nothing is changed then.
 */
export async function mergeDay(folder: string, day: string, now: number): Promise<void> {
  const contents = readContents(folder, day);
  if (contents.replaced !== undefined) return deleteReplaced(folder, day, contents, now);
  if (contents.files.length <= FEW || now < dayEnded(day) + SETTLED_MS) return;
  const dayFolder = join(folder, day);
  for (const file of contents.files) {
    const problem = await isWhole(dayFolder, file);
    if (problem !== null) throw new Error(`${file.name}: ${problem}`);
  }
  const names = contents.files.map(({ name }) => name);
  const duck = await openDuck(folder);
  try {
    const source = `read_parquet([${names.map((name) => quoted(join(dayFolder, name))).join(', ')}])`;
    const merged = await writeParquet(duck, dayFolder, mergedName(contents), source);
    const segments = contents.files.flatMap((file) => file.segments);
    replaceContents(folder, day, { version: 1, files: [{ ...merged, segments }], replaced: names });
  } finally {
    duck.close();
  }
}

/** The same files make the same name, and none of theirs. */
function mergedName({ files }: Contents): string {
  const hash = createHash('sha256');
  for (const { sha256 } of files) hash.update(sha256);
  return `${hash.digest('hex').toUpperCase().slice(0, 26)}.parquet`;
}

function deleteReplaced(folder: string, day: string, { replaced = [], ...left }: Contents, now: number): void {
  if (now < statSync(join(folder, day, CONTENTS_FILE)).mtimeMs + READING_MS) return;
  for (const name of replaced) rmSync(join(folder, day, name), { force: true });
  syncFolder(join(folder, day));
  replaceContents(folder, day, left);
}
