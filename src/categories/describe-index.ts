import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { filesOf, notWhatWasBuilt, readManifest } from './current-index.ts';
import { type IndexSnapshot, MOST_CHUNK_BYTES, type ShippedFile } from './index-snapshot.ts';

/**
 * The index in force as it is sent to gateways; null if none was ever built. Reads a chunk at a time, so that the process can go
 * on. Rejects with a SchoolgateError when a file is not what was built, and with what the file system says.
 */
export async function describeIndex(layout: DataLayout, chunkBytes = MOST_CHUNK_BYTES): Promise<IndexSnapshot | null> {
  const current = readManifest(layout);
  if (current === null) return null;
  const files: ShippedFile[] = [];
  for (const name of filesOf(current)) {
    const file = await describeFile(join(layout.index, name), name, chunkBytes);
    if (!name.includes(file.sha256)) throw notWhatWasBuilt(name);
    files.push(file);
  }
  return { current, chunkBytes, files };
}

async function describeFile(path: string, name: string, chunkBytes: number): Promise<ShippedFile> {
  const whole = createHash('sha256');
  const chunks: string[] = [];
  let bytes = 0;
  await readChunks(path, chunkBytes, (chunk) => {
    whole.update(chunk);
    chunks.push(createHash('sha256').update(chunk).digest('hex'));
    bytes += chunk.length;
  });
  return { name, sha256: whole.digest('hex'), bytes, chunks };
}

/** Calls back for each chunk of a file, in order; its bytes are overwritten by the next. Rejects with what the file system says. */
export async function readChunks(
  path: string,
  chunkBytes: number,
  onChunk: (chunk: Uint8Array, number: number) => void,
): Promise<void> {
  await using file = await open(path);
  const buffer = new Uint8Array(chunkBytes);
  for (let number = 0; ; number++) {
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, number * chunkBytes);
    if (bytesRead > 0) onChunk(buffer.subarray(0, bytesRead), number);
    if (bytesRead < chunkBytes) return;
  }
}
