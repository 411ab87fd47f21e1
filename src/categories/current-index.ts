import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { Catalogue } from './catalogue.ts';
import { CATALOGUE_FILE, CATEGORIES_FILE } from './catalogue-files.ts';
import { openIndex } from './category-index.ts';
import { withFetched } from './fetched-lists.ts';
import type { IllegalIndex } from './illegal-match.ts';
import { type IllegalFacts, loadIllegal } from './illegal-store.ts';
import { INDEX_VERSION } from './index-file.ts';
import { acceptedContent } from './last-good.ts';
import type { ExplainedIndex, IndexedList } from './match.ts';
import { hashFile, sourceFiles } from './read-source.ts';
import type { HeldUpdate } from './take-list.ts';

const INDEX_NAME = /^index-[0-9a-f]{64}\.sgi$/;
/** Files that `current.json` may name, and what a process that was killed has left of one. */
const OURS = /^(?:index-[0-9a-f]{64}\.sgi|illegal-[0-9a-f]{64}\.sgf)$/;
const PART = /^\.(?:index|illegal)-[0-9a-f]{64}\.sg[if]\.(?:part|(?<pid>\d+)\.\d+)$/;

/** `current.json`: which index file is in force and what the build that made it found. Times are here, so that they do not change the index. */
export interface IndexManifest {
  readonly file: string;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  /** Hex SHA-256 of everything that went in: catalogue, list files, format version. */
  readonly inputs: string;
  /** ISO 8601. */
  readonly builtAt: string;
  readonly bytes: number;
  /** Different hosts and URLs, each counted once however many lists name it. */
  readonly domains: number;
  readonly urls: number;
  readonly ranges: number;
  readonly expressions: number;
  /** In the order of the catalogue; without lists that could not be read and have no last good copy. */
  readonly lists: readonly IndexedList[];
  /** Updates that wait for a person. */
  readonly held: readonly HeldUpdate[];
  /** What an adult should know: one sentence each. */
  readonly alarms: readonly string[];
  /** Keyed fingerprints of locked lists, in a file of their own beside the index; absent where there are none. */
  readonly illegal?: IllegalFacts;
}

/** Every file that an index in force consists of, the index itself first. */
export function filesOf({ file, illegal }: IndexManifest): string[] {
  return illegal === undefined ? [file] : [file, illegal.file];
}

export interface Inputs {
  readonly fingerprint: string;
  /** The same without what people accepted, which is no part of what the lists say. */
  readonly contents: string;
  /** Hex SHA-256 of each list file by its path. */
  readonly files: ReadonlyMap<string, string>;
}

/** Reads every input once. A list file that cannot be read is `unreadable`, which is an input too; its list says why when it is taken. */
export async function readInputs(listsDir: string, layout: DataLayout, catalogue: Catalogue): Promise<Inputs> {
  const hash = createHash('sha256').update(`schoolgate index ${INDEX_VERSION}\n`);
  for (const name of [CATEGORIES_FILE, CATALOGUE_FILE]) {
    hash.update(
      createHash('sha256')
        .update(readFileSync(join(listsDir, name)))
        .digest(),
    );
  }
  const files = new Map<string, string>();
  for (const list of catalogue.lists) {
    hash.update(`list ${list.id}\n`);
    for (const file of sourceFiles(list)) {
      const sha256 = await hashFile(file.path).catch(() => 'unreadable');
      files.set(file.path, sha256);
      hash.update(`${file.format} ${sha256}\n`);
    }
  }
  for (const list of catalogue.illegal) {
    const sha256 = list.path === null ? 'not fetched' : await hashFile(list.path).catch(() => 'unreadable');
    hash.update(`list ${list.id}\n${list.format} ${sha256}\n`);
  }
  const contents = hash.copy().digest('hex');
  for (const { id } of catalogue.lists) {
    const accepted = acceptedContent(layout.lastGoodLists, id);
    if (accepted !== null) hash.update(`accepted ${id} ${accepted}\n`);
  }
  return { fingerprint: hash.digest('hex'), contents, files };
}

/**
 * True when the index in force is sound and was built from the catalogue and lists as they are now. Throws an InvalidInputError for a
 * bad catalogue.
 */
export async function isIndexCurrent(listsDir: string, layout: DataLayout): Promise<boolean> {
  // Not needed, with its YAML and schemas, by a gateway worker that only loads the index.
  const { loadCatalogue } = await import('./catalogue.ts');
  const inputs = await readInputs(listsDir, layout, withFetched(loadCatalogue(listsDir), layout.fetchedLists));
  try {
    return readManifest(layout)?.inputs === inputs.fingerprint && (await isIndexSound(layout));
  } catch {
    return false;
  }
}

/** Whether an index is in force and its files are, byte for byte, what was built. */
export async function isIndexSound(layout: DataLayout): Promise<boolean> {
  try {
    const manifest = readManifest(layout);
    if (manifest === null) return false;
    const hashes = await Promise.all(filesOf(manifest).map((name) => hashFile(join(layout.index, name))));
    return filesOf(manifest).every((name, i) => name.includes(hashes[i]!));
  } catch {
    return false;
  }
}

/** Null when no index was ever built here. Throws a SchoolgateError if it cannot be read. */
export function readManifest(layout: DataLayout): IndexManifest | null {
  const path = join(layout.index, 'current.json');
  if (!existsSync(path)) return null;
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Omit<IndexManifest, 'held'> & Partial<IndexManifest>;
    const manifest: IndexManifest = { ...read, held: read.held ?? [] };
    if (INDEX_NAME.test(manifest.file) && Array.isArray(manifest.lists)) return manifest;
    throw new TypeError('not a manifest');
  } catch (cause) {
    throw new SchoolgateError('index_unusable', 'us', `${path} cannot be read. Run "schoolgate lists build".`, {
      cause,
    });
  }
}

/** The index in force. Throws a SchoolgateError if there is none or if it is not, byte for byte, what was built. */
export function loadCurrentIndex(layout: DataLayout): ExplainedIndex {
  const manifest = readManifest(layout);
  if (manifest === null) throw noIndex();
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(layout.index, manifest.file));
  } catch (cause) {
    throw noIndex(cause);
  }
  const index = openIndex(bytes, manifest.lists);
  if (index.sha256 !== manifest.sha256) throw notWhatWasBuilt(manifest.file);
  return index;
}

/**
 * The illegal lists in force; null when there are none. Throws a SchoolgateError if there should be some and they cannot be loaded:
 * nothing may be served without them.
 */
export function loadCurrentIllegal(layout: DataLayout): IllegalIndex | null {
  const facts = readManifest(layout)?.illegal;
  return facts === undefined ? null : loadIllegal(layout, facts);
}

/**
 * Puts an index in force that was built here: its file first, then `current.json`. Gives the path of the file. Throws what the file
 * system throws; what was in force then stays so.
 */
export function publishIndex(layout: DataLayout, bytes: Uint8Array, facts: Omit<IndexManifest, 'file'>): string {
  const manifest: IndexManifest = { file: `index-${facts.sha256}.sgi`, ...facts };
  const path = join(layout.index, manifest.file);
  replaceFile(path, bytes);
  putInForce(layout, manifest);
  return path;
}

/**
 * Makes files in force that are there already; all others go but the index before, which a process may still be reading. An
 * illegal file before does not stay: it could hold a list that was taken away.
 */
export function putInForce(layout: DataLayout, manifest: IndexManifest): void {
  const keep = new Set([...filesOf(manifest), previousFile(layout)]);
  replaceFile(join(layout.index, 'current.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const name of readdirSync(layout.index)) {
    if (isAbandoned(name) || (OURS.test(name) && !keep.has(name))) rmSync(join(layout.index, name), { force: true });
  }
}

function previousFile(layout: DataLayout): string | null {
  try {
    return readManifest(layout)?.file ?? null;
  } catch {
    return null;
  }
}

/** Half a file, and nobody is writing it any more. */
function isAbandoned(name: string): boolean {
  const part = PART.exec(name);
  return part !== null && (part.groups!['pid'] === undefined || !isRunning(Number(part.groups!['pid'])));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

export function notWhatWasBuilt(file: string): SchoolgateError {
  return new SchoolgateError(
    'index_unusable',
    'us',
    `${file} is not the index that was built. Run "schoolgate lists build".`,
  );
}

export function noIndex(cause?: unknown): SchoolgateError {
  return new SchoolgateError('no_index', 'us', 'No category index has been built yet. Run "schoolgate lists build".', {
    cause,
  });
}
