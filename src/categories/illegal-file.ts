import { createHash } from 'node:crypto';
import { SchoolgateError } from '../kernel/errors.ts';
import { ENTRY_KINDS, type KeyedEntry } from './illegal-entry.ts';
import type { IllegalKeys } from './illegal-keys.ts';

/** One list as it is kept: nothing of its text. */
export interface KeyedList {
  readonly id: string;
  readonly category: string;
  readonly entries: readonly KeyedEntry[];
}

export interface IllegalFile {
  /** Hex, of the whole file. */
  readonly sha256: string;
  readonly lists: readonly KeyedList[];
}

const MAGIC = 0x4c494753; // "SGIL"
const VERSION = 1;
const HEADER_BYTES = 64;
const ENTRY_BYTES = 44;
const SHA256_BYTES = 32;

/** The bytes of the file; the same lists under the same key give the same bytes, in whatever order their entries came. */
export function encodeIllegal(keys: IllegalKeys, lists: readonly KeyedList[]): Buffer {
  const names = Buffer.from(
    JSON.stringify(lists.map(({ id, category, entries }) => ({ id, category, entries: entries.length }))),
  );
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(VERSION, 4);
  header.writeUInt32LE(names.length, 8);
  keys.check.copy(header, 16);
  const body = Buffer.concat([header, names, ...lists.map(({ entries }) => encodeEntries(entries))]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/** Hex SHA-256 of entries in their keyed form, in whatever order they came: whether a list changed, and nothing of what it holds. */
export function entriesDigest(entries: readonly KeyedEntry[]): string {
  return createHash('sha256').update(encodeEntries(entries)).digest('hex');
}

function encodeEntries(entries: readonly KeyedEntry[]): Buffer {
  const rows = entries.map(({ low, high, kind, seal }) => {
    const row = Buffer.alloc(ENTRY_BYTES);
    row.writeUInt32LE(low, 0);
    row.writeUInt32LE(high, 4);
    row.writeUInt32LE(ENTRY_KINDS.indexOf(kind), 8);
    row.set(seal, 12);
    return row;
  });
  return Buffer.concat(rows.sort((a, b) => a.compare(b)));
}

/** Reads the bytes of a file. Throws a SchoolgateError if it is damaged, of another version, or was made under another key. */
export function decodeIllegal(keys: IllegalKeys, bytes: Uint8Array): IllegalFile {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = file.length - SHA256_BYTES;
  if (end < HEADER_BYTES || file.readUInt32LE(0) !== MAGIC) throw unusable('is damaged');
  if (!createHash('sha256').update(file.subarray(0, end)).digest().equals(file.subarray(end))) {
    throw unusable('is damaged');
  }
  if (file.readUInt32LE(4) !== VERSION) throw unusable('is of another version');
  if (!file.subarray(16, 24).equals(keys.check)) throw unusable('was made under another key than keys/illegal.key');
  let at = HEADER_BYTES + file.readUInt32LE(8);
  const names = JSON.parse(file.toString('utf8', HEADER_BYTES, at)) as readonly {
    readonly id: string;
    readonly category: string;
    readonly entries: number;
  }[];
  const lists = names.map(({ id, category, entries: count }): KeyedList => {
    const entries = Array.from({ length: count }, (_, i) => decodeEntry(file, at + i * ENTRY_BYTES));
    at += count * ENTRY_BYTES;
    return { id, category, entries };
  });
  if (at !== end) throw unusable('is damaged');
  return { sha256: createHash('sha256').update(file).digest('hex'), lists };
}

function decodeEntry(file: Buffer, at: number): KeyedEntry {
  const kind = ENTRY_KINDS[file.readUInt32LE(at + 8)];
  if (kind === undefined) throw unusable('is damaged');
  const seal = file.subarray(at + 12, at + ENTRY_BYTES);
  return { low: file.readUInt32LE(at), high: file.readUInt32LE(at + 4), kind, seal };
}

function unusable(what: string): SchoolgateError {
  return new SchoolgateError(
    'illegal_unusable',
    'us',
    `The file of the illegal lists ${what}. Run "schoolgate lists build".`,
  );
}
