// manifest ─► which files are not here ─► .part file: own chunks, then fetched ones, each checked ─► rename ─► current.json
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { syncFolder } from '../kernel/durable-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { filesOf, putInForce, readManifest } from './current-index.ts';
import { readChunks } from './describe-index.ts';
import { chunkRange, type IndexSnapshot, isSoundSnapshot, type ShippedFile } from './index-snapshot.ts';

/** Gives the bytes that lie under a chunk's hex SHA-256, checked by nobody yet; null where there are none. */
export type FetchChunk = (sha256: string) => Promise<Uint8Array | null>;

export interface ReceiveOptions {
  readonly layout: DataLayout;
  readonly snapshot: IndexSnapshot;
  readonly fetchChunk: FetchChunk;
  /** Told of a chunk whose bytes are not what its name says. */
  readonly onCorrupt: (sha256: string) => Promise<void>;
}

/**
 * Brings this data folder to the index that the snapshot describes: what is missing is put together beside, checked chunk by chunk
 * and as a whole, and renamed; `current.json` comes last, so what was in force stays so until everything is here. What was
 * fetched of a file stays in its `.part` for the next attempt. True: another one is in force now. Rejects with a SchoolgateError
 * when a chunk is missing or wrong, with what `fetchChunk` rejects with, and with what the file system says.
 */
export async function receiveIndex(options: ReceiveOptions): Promise<boolean> {
  const { layout, snapshot } = options;
  if (!isSoundSnapshot(snapshot)) throw notTaken('its description does not hold together');
  const here = await lengthsOfSound(layout, snapshot);
  for (const file of snapshot.files) if (!here.has(file.name)) await assemble(options, file);
  const isInForce = JSON.stringify(readManifestOrNull(layout)) === JSON.stringify(snapshot.current);
  if (isInForce && here.size === snapshot.files.length) return false;
  putInForce(layout, snapshot.current);
  return true;
}

/** The files of the snapshot that are here, whole. */
async function lengthsOfSound(layout: DataLayout, { files, chunkBytes }: IndexSnapshot): Promise<Set<string>> {
  const sound = new Set<string>();
  for (const { name, sha256 } of files) {
    const path = join(layout.index, name);
    if (existsSync(path) && (await hashOf(path, chunkBytes)) === sha256) sound.add(name);
  }
  return sound;
}

async function hashOf(path: string, chunkBytes: number): Promise<string> {
  const hash = createHash('sha256');
  await readChunks(path, chunkBytes, (chunk) => hash.update(chunk));
  return hash.digest('hex');
}

async function assemble(options: ReceiveOptions, file: ShippedFile): Promise<void> {
  const { layout, snapshot } = options;
  const part = join(layout.index, `.${file.name}.part`);
  const known = await ownChunks(snapshot, [part, ...ownFiles(layout, file)]);
  {
    await using handle = await open(part, existsSync(part) ? 'r+' : 'wx+', 0o600);
    for (let number = 0; number < file.chunks.length; number++) {
      await writeChunk(options, file, { handle, part, number, own: known.get(file.chunks[number]!) });
    }
    await handle.truncate(file.bytes);
    await handle.sync();
  }
  if ((await hashOf(part, snapshot.chunkBytes)) !== file.sha256) {
    await rm(part, { force: true });
    throw notTaken(`${file.name} is not what its chunks should come to`);
  }
  await rename(part, join(layout.index, file.name));
  syncFolder(layout.index);
}

/** Files that may hold a chunk of this one: itself, damaged, and those in force. */
function ownFiles(layout: DataLayout, { name }: ShippedFile): string[] {
  const manifest = readManifestOrNull(layout);
  const names = new Set([name, ...(manifest === null ? [] : filesOf(manifest))]);
  return [...names].map((one) => join(layout.index, one));
}

interface Place {
  readonly path: string;
  readonly at: number;
}

/** Where on this disk each chunk lies that the snapshot names. */
async function ownChunks({ chunkBytes, files }: IndexSnapshot, paths: readonly string[]): Promise<Map<string, Place>> {
  const wanted = new Set(files.flatMap(({ chunks }) => chunks));
  const found = new Map<string, Place>();
  for (const path of paths.filter((one) => existsSync(one))) {
    await readChunks(path, chunkBytes, (chunk, number) => {
      const sha256 = createHash('sha256').update(chunk).digest('hex');
      if (wanted.has(sha256) && !found.has(sha256)) found.set(sha256, { path, at: number * chunkBytes });
    });
  }
  return found;
}

interface ToWrite {
  readonly handle: FileHandle;
  readonly part: string;
  readonly number: number;
  readonly own: Place | undefined;
}

async function writeChunk(
  options: ReceiveOptions,
  file: ShippedFile,
  { handle, part, number, own }: ToWrite,
): Promise<void> {
  const { at, length } = chunkRange(file, options.snapshot.chunkBytes, number);
  if (own?.path === part && own.at === at) return;
  const sha256 = file.chunks[number]!;
  const bytes =
    (own === undefined ? null : await readOwn(own, length, sha256)) ?? (await fetch(options, sha256, length));
  await handle.write(bytes, 0, length, at);
}

/** Checked again: the place may lie in the very file that is being written. */
async function readOwn({ path, at }: Place, length: number, sha256: string): Promise<Uint8Array | null> {
  await using file = await open(path);
  const bytes = new Uint8Array(length);
  await file.read(bytes, 0, length, at);
  return isChunk(bytes, sha256) ? bytes : null;
}

async function fetch({ fetchChunk, onCorrupt }: ReceiveOptions, sha256: string, length: number): Promise<Uint8Array> {
  const bytes = await fetchChunk(sha256);
  if (bytes === null) throw notTaken(`its chunk ${sha256.slice(0, 12)}… is missing on the bus`);
  if (bytes.length === length && isChunk(bytes, sha256)) return bytes;
  await onCorrupt(sha256);
  throw notTaken(`its chunk ${sha256.slice(0, 12)}… is damaged on the bus`);
}

function isChunk(bytes: Uint8Array, sha256: string): boolean {
  return createHash('sha256').update(bytes).digest('hex') === sha256;
}

/** One that cannot be read is as good as none: the new one takes its place. */
function readManifestOrNull(layout: DataLayout): ReturnType<typeof readManifest> {
  try {
    return readManifest(layout);
  } catch {
    return null;
  }
}

function notTaken(why: string): SchoolgateError {
  return new SchoolgateError('index_not_taken', 'us', `The console’s new index could not be taken: ${why}.`);
}
