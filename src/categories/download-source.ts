import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { syncFolder } from '../kernel/durable-file.ts';
import { type SourceClient, SourceError, type SourceRequest } from './fetch-source.ts';
import type { KeyedCounts } from './illegal-content.ts';
import { readTar } from './read-tar.ts';
import { isPage, type Packing, packingOf, unpack } from './unpack-source.ts';

/** What is to be fetched, and what of it is here already. */
export interface DownloadRequest extends SourceRequest {
  readonly isFolder: boolean;
  /** Hex: this content and no other. */
  readonly sha256: string | null;
}

/** A source's content as it lies in the list's folder. */
export interface Download {
  /** Name of the file, or of the folder of a squidGuard archive. */
  readonly name: string;
  /** Hex, of what the source sent; of a list of a locked category the digest of its keyed file: none of its text is kept. */
  readonly sha256: string;
  readonly bytes: number;
  /** Of a list of a locked category hidden (`hide-version`): it may be a digest of its text. */
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Of a list of a locked category alone, whose keyed file does not say what was rejected. */
  readonly keyed?: KeyedCounts;
}

/** What was fetched is no list; `kept` says where it lies, for a person to look at, and is null when nothing was kept. */
export class UnfitError extends SourceError {
  readonly kept: string | null;

  constructor(text: string, kept: string | null) {
    super(text, false);
    this.kept = kept;
  }
}

const PART = 'fetching.part';
const SET_ASIDE = 'set-aside';
const WANTED: ReadonlySet<string> = new Set(['domains', 'urls', 'expressions']);

/**
 * Fetches a source into `folder`, under a name made of its content, synced and renamed; nothing that was there is touched. Rejects with
 * a SourceError when it cannot be had, and with an UnfitError when it came and is not a list that could be meant: a web page, other content
 * than the catalogue pins, an archive that breaks off. A SIGKILL in the middle leaves a part that the next download overwrites.
 */
export async function downloadSource(
  client: SourceClient,
  request: DownloadRequest,
  folder: string,
  signal: AbortSignal,
): Promise<Download | 'not-modified'> {
  const fetched = await client.fetch(request, signal);
  if (fetched.status === 'not-modified') return 'not-modified';
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const part = join(folder, PART);
  const { sha256, bytes, start } = await save(fetched.body, part);
  const refuse = (text: string): UnfitError => {
    renameSync(part, join(folder, SET_ASIDE));
    return new UnfitError(text, join(folder, SET_ASIDE));
  };
  if (request.sha256 !== null && request.sha256 !== sha256) {
    throw refuse(`its SHA-256 is ${sha256}, and the catalogue pins ${request.sha256}`);
  }
  if (isPage(fetched.contentType, start)) throw refuse('a web page came instead of a list');
  const { etag, lastModified } = fetched;
  try {
    const name = await place(part, folder, sha256, request);
    return { name, sha256, bytes, etag, lastModified };
  } catch (error) {
    throw refuse(
      error instanceof SourceError ? error.publicText : `it cannot be unpacked (${(error as Error).message})`,
    );
  }
}

async function save(
  body: NodeJS.ReadableStream,
  part: string,
): Promise<{ sha256: string; bytes: number; start: Buffer }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const tap = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(body, tap, createWriteStream(part, { mode: 0o600, flush: true }));
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
  return { sha256: hash.digest('hex'), bytes, start: firstBytes(part) };
}

function firstBytes(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const start = Buffer.alloc(1024);
    return start.subarray(0, readSync(fd, start));
  } finally {
    closeSync(fd);
  }
}

async function place(part: string, folder: string, sha256: string, request: DownloadRequest): Promise<string> {
  const packing = packingOf(firstBytes(part));
  if (!request.isFolder) {
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    await pipeline([createReadStream(part), ...unpack(packing, request.maxBytes), nowhere]);
    const name = `${sha256}${packing}`;
    renameSync(part, join(folder, name));
    syncFolder(folder);
    return name;
  }
  const beside = join(folder, `${PART}.folder`);
  rmSync(beside, { recursive: true, force: true });
  mkdirSync(beside, { mode: 0o700 });
  await unpackFolder(part, packing, request.maxBytes, beside);
  if (!existsSync(join(beside, 'domains')) && !existsSync(join(beside, 'urls'))) {
    rmSync(beside, { recursive: true });
    throw new SourceError('the archive holds neither "domains" nor "urls"', false);
  }
  rmSync(join(folder, sha256), { recursive: true, force: true });
  renameSync(beside, join(folder, sha256));
  syncFolder(folder);
  rmSync(part);
  return sha256;
}

/** The files of a squidGuard folder, wherever in the archive they lie; others are left in it. */
async function unpackFolder(part: string, packing: Packing, maxBytes: number, folder: string): Promise<void> {
  const seen = new Set<string>();
  const files = readTar((name) => {
    if (!WANTED.has(name)) return null;
    if (seen.has(name)) throw new Error(`it holds "${name}" twice: is it an archive of one category?`);
    seen.add(name);
    const fd = openSync(join(folder, name), 'wx', 0o600);
    return {
      write: (chunk) => void writeSync(fd, chunk),
      end: () => {
        fsyncSync(fd);
        closeSync(fd);
      },
    };
  });
  await pipeline([createReadStream(part), ...unpack(packing, maxBytes), files]);
}
