import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { replaceFile } from '../kernel/durable-file.ts';
import type { Download } from './download-source.ts';
import { type SourceClient, SourceError } from './fetch-source.ts';
import { readKeyedFile } from './fetched-lists.ts';
import { hideVersion, showVersion } from './hide-version.ts';
import { type IllegalContent, illegalReader } from './illegal-content.ts';
import { encodeIllegal } from './illegal-file.ts';
import type { IllegalFormat } from './illegal-format.ts';
import type { IllegalKeys } from './illegal-keys.ts';
import { lineSplitter } from './read-source.ts';
import { readCredentials } from './source-credentials.ts';
import { isPage, packingOf, unpack } from './unpack-source.ts';

/** A list of a locked category that is to be fetched, and what of it is here already. Travels between processes as JSON. */
export interface KeyedRequest {
  readonly id: string;
  readonly category: string;
  readonly format: IllegalFormat;
  readonly url: string;
  readonly maxBytes: number;
  /** Hex: this content and no other. */
  readonly sha256: string | null;
  /** Path of the file with what the publisher wants to know; null: it gives the list to anybody. */
  readonly credentials: string | null;
  /** The list's own folder. */
  readonly folder: string;
  /** Name of the keyed file that `etag` and `lastModified` are of; null: there is none. */
  readonly content: string | null;
  /** As it is kept: hidden. */
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** Fetches such a list. Rejects with a SourceError that says nothing of what the list holds. */
export type FetchKeyed = (request: KeyedRequest, signal: AbortSignal) => Promise<Download | 'not-modified'>;

const MAX_REJECTED = 20;
/** So many bytes are looked at to tell a page from a list. */
const START = 1024;

/**
 * Fetches a list of a locked category straight into its keyed form: its text goes from the connection through the decompressor to the
 * reader, line by line, and never to a disk. What comes and is no list is not kept for anybody to look at. The keyed file lies in the
 * list's folder under the name of its own content. Rejects with a SourceError, or with what the file system says.
 */
export async function downloadKeyed(
  client: SourceClient,
  request: KeyedRequest,
  keys: IllegalKeys,
  signal: AbortSignal,
): Promise<Download | 'not-modified'> {
  const { id, category, url, maxBytes, credentials, folder } = request;
  // What was keyed by another key is as good as none: it has to come whole.
  const here = isHere(request, keys) ? request : { etag: null, lastModified: null };
  const { lastModified } = here;
  const etag = here.etag === null ? null : showVersion(keys, here.etag);
  const authorization = credentials === null ? {} : { authorization: readCredentials(credentials) };
  const fetched = await client.fetch({ url, maxBytes, etag, lastModified, ...authorization }, signal);
  if (fetched.status === 'not-modified') return 'not-modified';
  const { content, bytes } = await readStream(fetched.body, fetched.contentType, request, keys);
  const { entries, ...keyed } = content;
  if (keyed.accepted === 0) throw new SourceError('what came has no usable entry', false);
  if (keyed.rejected > keyed.accepted + keyed.duplicates) {
    throw new SourceError('most lines of what came are no entries', false);
  }
  const file = encodeIllegal(keys, [{ id, category, entries }]);
  const sha256 = createHash('sha256').update(file).digest('hex');
  const name = `${sha256}.sgf`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replaceFile(join(folder, name), file);
  const hidden = fetched.etag === null ? null : hideVersion(keys, fetched.etag);
  return { name, sha256, bytes, etag: hidden, lastModified: fetched.lastModified, keyed };
}

function isHere({ folder, content }: KeyedRequest, keys: IllegalKeys): boolean {
  if (content === null || !existsSync(join(folder, content))) return false;
  try {
    readKeyedFile(join(folder, content), keys);
    return true;
  } catch {
    return false;
  }
}

async function readStream(
  body: Readable,
  contentType: string | null,
  { format, maxBytes, sha256 }: KeyedRequest,
  keys: IllegalKeys,
): Promise<{ content: IllegalContent; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const reader = illegalReader(keys, format, MAX_REJECTED);
  const chunks = body[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>;
  try {
    const start = await firstBytes(chunks);
    const whole = Readable.from(joined(start, chunks), { objectMode: false }).on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    await pipeline([whole, ...unpack(packingOf(start), maxBytes), lineSink(reader.line, contentType)]);
  } catch (error) {
    throw error instanceof SourceError ? error : unreadable(error);
  } finally {
    body.on('error', () => {}).destroy();
  }
  if (sha256 !== null && sha256 !== hash.digest('hex')) {
    throw new SourceError('what came is not the content that the catalogue pins', false);
  }
  return { content: reader.end(), bytes };
}

async function firstBytes(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let start = Buffer.alloc(0);
  while (start.length < 4) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    start = Buffer.concat([start, value]);
  }
  return start;
}

async function* joined(start: Buffer, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (start.length > 0) yield start;
  yield* chunks;
}

/** Reads lines; fails as soon as it sees that they are a web page's. */
function lineSink(line: (text: string | null, number: number) => void, contentType: string | null): Writable {
  const split = lineSplitter(line);
  let start = Buffer.alloc(0);
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      const isLooking = start.length < START;
      if (isLooking) start = Buffer.concat([start, chunk]);
      if (isLooking && isPage(contentType, start)) {
        return done(new SourceError('a web page came instead of a list', false));
      }
      split.write(chunk);
      done();
    },
    final: (done) => {
      split.end();
      done();
    },
  });
}

/** A decompressor's own words are told; others could be about a line of the list. */
function unreadable(error: unknown): SourceError {
  const { code = '', message } = error as Error & { code?: string };
  const why = /^(?:Z_|ZSTD_)/.test(code) ? ` (${message})` : '';
  return new SourceError(`what came cannot be unpacked or read${why}`, false);
}
