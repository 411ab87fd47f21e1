import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { replaceFile } from '../kernel/durable-file.ts';
import type { ListCounts } from './list-content.ts';

/**
 * The last content of a list that could be used, kept so that a bad file never empties a category. One file a list: the SHA-256 of all
 * that follows and a line feed, a line of JSON, and the entries packed with zstd.
 */
export interface LastGood extends ListCounts {
  readonly source: string;
  readonly format: string;
  /** When the source was read, ISO 8601. */
  readonly loadedAt: string;
}

export interface LastGoodCopy extends LastGood {
  /** Unpacks the entries, as `ListContent` has them. */
  readonly text: () => Buffer;
}

const LINE_FEED = 10;
const SHA256_HEX = 64;

export function lastGoodPath(folder: string, id: string): string {
  return join(folder, `${id}.last-good`);
}

export function saveLastGood(folder: string, id: string, facts: LastGood, text: Buffer): void {
  const body = Buffer.concat([Buffer.from(`${JSON.stringify(facts)}\n`), zstdCompressSync(text)]);
  replaceFile(lastGoodPath(folder, id), Buffer.concat([Buffer.from(`${sha256(body)}\n`), body]));
}

/** The copy, null if there is none, or `damaged` if it is not what was written. */
export function readLastGood(folder: string, id: string): LastGoodCopy | 'damaged' | null {
  let file: Buffer;
  try {
    file = readFileSync(lastGoodPath(folder, id));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : 'damaged';
  }
  const body = file.subarray(SHA256_HEX + 1);
  if (file[SHA256_HEX] !== LINE_FEED || sha256(body) !== file.toString('latin1', 0, SHA256_HEX)) return 'damaged';
  const end = body.indexOf(LINE_FEED);
  const facts = JSON.parse(body.toString('utf8', 0, end)) as LastGood;
  return { ...facts, text: () => zstdDecompressSync(body.subarray(end + 1)) };
}

/** Notes that a person wants this content although it lost so many entries. Throws what the file system throws. */
export function acceptContent(folder: string, id: string, contentSha256: string): void {
  replaceFile(acceptedPath(folder, id), `${contentSha256}\n`);
}

/** Hex SHA-256 of the content that a person accepted last; null: never any. */
export function acceptedContent(folder: string, id: string): string | null {
  try {
    return readFileSync(acceptedPath(folder, id), 'utf8').trim();
  } catch {
    return null;
  }
}

function acceptedPath(folder: string, id: string): string {
  return join(folder, `${id}.accepted`);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
