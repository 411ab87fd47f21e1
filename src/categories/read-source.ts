import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { CatalogueList } from './catalogue.ts';
import type { LineFormat } from './parse-list.ts';

/** One file of a list and how its lines are read; a squidGuard folder has several. */
export interface SourceFile {
  readonly path: string;
  readonly format: LineFormat | 'expressions';
}

const FOLDER_FILES = ['domains', 'urls', 'expressions'] as const;
const PACKINGS = ['', '.gz', '.zst'];
const MAX_LINE = 16_384;

/** The files of a list that are there; none when the source is missing or was never fetched. */
export function sourceFiles({ path: source, format: listFormat }: CatalogueList): readonly SourceFile[] {
  if (source === null) return [];
  if (listFormat !== 'ut1') return existsSync(source) ? [{ path: source, format: listFormat }] : [];
  return FOLDER_FILES.flatMap((format) => {
    const path = PACKINGS.map((packing) => join(source, format + packing)).find((candidate) => existsSync(candidate));
    return path === undefined ? [] : [{ path, format }];
  });
}

/** Hex SHA-256 of a file as it lies on disk. Rejects with what the file system says. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Given a line without its end, or null for one of more than 16,384 characters, which is no text; lines count from 1. */
export type OnLine = (line: string | null, number: number) => void;

/**
 * Streams the lines of a plain, .gz or .zst file, without a byte order mark. Resolves with the hex SHA-256 of the file as it was read;
 * rejects with what the file system or the decompressor says: a truncated archive is an error.
 */
export async function readLines(path: string, onLine: OnLine): Promise<string> {
  const hash = createHash('sha256');
  const split = lineSplitter(onLine);
  const packed = createReadStream(path, { highWaterMark: 1 << 18 });
  packed.on('data', (chunk) => hash.update(chunk));
  await pipeline(packed, decompressor(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) split.write(chunk);
  });
  split.end();
  return hash.digest('hex');
}

function decompressor(path: string): Transform {
  if (path.endsWith('.gz')) return createGunzip();
  return path.endsWith('.zst') ? createZstdDecompress() : new PassThrough();
}

/** Cuts bytes into lines, as `readLines` does; `end` gives the last one where nothing ends it. */
export function lineSplitter(onLine: OnLine): { write(chunk: Buffer): void; end(): void } {
  const decoder = new TextDecoder();
  let rest = '';
  let number = 0;
  const emit = (line: string): void => onLine(line.length > MAX_LINE ? null : line, ++number);
  const feed = (text: string): void => {
    const lines = text.split('\n');
    lines[0] = rest + lines[0]!;
    rest = lines.pop()!;
    for (const line of lines) emit(line);
    // One character over the limit is kept as the sign that there was more.
    if (rest.length > MAX_LINE) rest = rest.slice(0, MAX_LINE + 1);
  };
  return {
    write: (chunk) => feed(decoder.decode(chunk, { stream: true })),
    end: () => {
      feed(decoder.decode());
      if (rest !== '') emit(rest);
    },
  };
}
