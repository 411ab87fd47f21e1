import { createHash } from 'node:crypto';
import { createReadStream, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { syncFile, syncFolder } from '../kernel/durable-file.ts';
import type { WrittenFile } from './contents.ts';

/** Files found whole, by path: how they were then. A file of the history never changes, but disks do. */
const found = new Map<string, string>();

/** What is wrong with a file; null if it is the one that was written. Its bytes are read once in the life of a process. */
export async function isWhole(dayFolder: string, file: WrittenFile): Promise<string | null> {
  const path = join(dayFolder, file.name);
  try {
    const { size, mtimeMs, ino } = statSync(path);
    const mark = `${file.sha256} ${size} ${mtimeMs} ${ino}`;
    if (found.get(path) === mark) return null;
    if (size !== file.bytes) return `it has ${size} bytes and had ${file.bytes}; restore it from a backup`;
    if ((await sha256Of(path)) !== file.sha256) return 'it is not what was written; restore it from a backup';
    found.set(path, mark);
    return null;
  } catch (error) {
    return `it cannot be read: ${(error as Error).message}`;
  }
}

/** Gives a file that was written beside its name: on disk when it resolves. */
export async function putInPlace(beside: string, dayFolder: string, name: string): Promise<WrittenFile> {
  syncFile(beside);
  const written = { name, bytes: statSync(beside).size, sha256: await sha256Of(beside) };
  renameSync(beside, join(dayFolder, name));
  syncFolder(dayFolder);
  return written;
}

/** Hex. */
async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
