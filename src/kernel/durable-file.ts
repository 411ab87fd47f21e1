import {
  closeSync,
  createWriteStream,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

let counter = 0;

/**
 * Replaces a file so that a reader or a power cut sees the old bytes or the new ones, never half of either:
 * written beside, fsync, rename, fsync of the folder. Throws what the file system throws; the old file then stands.
 */
export function replaceFile(path: string, bytes: Uint8Array | string, mode = 0o600): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const beside = join(folder, `.${basename(path)}.${process.pid}.${++counter}`);
  try {
    const fd = openSync(beside, 'wx', mode);
    try {
      writeFileSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  syncFolder(folder);
}

/** The same for what comes as a stream. Rejects with what the stream or the file system says; the old file then stands. */
export async function replaceFileFrom(path: string, source: Readable, mode = 0o600): Promise<void> {
  const folder = dirname(path);
  const beside = join(folder, `.${basename(path)}.${process.pid}.${++counter}`);
  try {
    await pipeline(source, createWriteStream(beside, { flags: 'wx', mode, flush: true }));
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  syncFolder(folder);
}

/** Waits until what was written to a file is on disk. */
export function syncFile(path: string): void {
  sync(path, 'r+');
}

/** Makes renames and new names in a folder survive a power cut. */
export function syncFolder(folder: string): void {
  sync(folder, 'r');
}

function sync(path: string, flags: 'r' | 'r+'): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
