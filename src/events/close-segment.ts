import { createHash } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { EVENT_FILE_ENDING, SEGMENT_ENDING } from './spool-files.ts';

/** No segment is larger than this as it travels; the bus may rely on it. */
export const SEGMENT_MAX_BYTES = 1 << 20;

const ULID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const compress = promisify(zstdCompress);

/**
 * Turns an open segment that nobody writes any more into closed ones, and removes it. A torn last line is dropped. What
 * does not compress to `SEGMENT_MAX_BYTES` becomes several, split at lines. Names and contents depend on the file
 * alone, so that doing it again after a crash makes the same segments and no second ones.
 */
export async function closeSegment(openPath: string, segmentsFolder: string): Promise<void> {
  const raw = await readFile(openPath);
  const parts = await compressParts(raw.subarray(0, raw.lastIndexOf(10) + 1));
  const name = basename(openPath, EVENT_FILE_ENDING);
  for (const [i, part] of parts.entries()) {
    await writeBeside(segmentsFolder, partName(name, i) + SEGMENT_ENDING, part);
  }
  await syncFolder(segmentsFolder);
  await rm(openPath);
}

/** The first part keeps the name; the others' ULIDs have its time and a digest of name and number for their chance. */
function partName(name: string, part: number): string {
  if (part === 0) return name;
  const digest = createHash('sha256').update(`${name} ${part}`).digest();
  const chance = Array.from(digest.subarray(0, 16), (byte) => ULID_ALPHABET[byte & 31]).join('');
  return name.slice(0, -16) + chance;
}

async function compressParts(lines: Buffer): Promise<Buffer[]> {
  if (lines.length === 0) return [];
  const whole = await compress(lines);
  const half = lines.indexOf(10, lines.length >> 1) + 1;
  if (whole.length <= SEGMENT_MAX_BYTES || half === lines.length) return [whole];
  return [...(await compressParts(lines.subarray(0, half))), ...(await compressParts(lines.subarray(half)))];
}

/** kernel/durable-file.ts without its waiting: a worker's event loop must not stand still for an fsync. */
async function writeBeside(folder: string, file: string, bytes: Uint8Array): Promise<void> {
  const beside = join(folder, `.${file}`);
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await rename(beside, join(folder, file));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
