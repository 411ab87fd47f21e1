import { createHash } from 'node:crypto';
import { SchoolgateError } from '../kernel/errors.ts';
import { MAX_SETS, type EntryCounts, type EntryTable, type RangeLengths } from './entry-table.ts';
import type { Seed } from './hash.ts';
import { addEntry, tableSize, type SlotTable } from './slot-table.ts';

/** Raised with every change of the format or of what the same lists compile to. */
export const INDEX_VERSION = 3;

// The README of this room has the format as a table.
const MAGIC = 0x58494753;
const HEADER_BYTES = 64;
const CHECKSUM_BYTES = 32;
const URLS_BELOW = 0x8000;

/** A list as the index knows it; sets name lists by their position. */
export interface ListName {
  readonly id: string;
  readonly category: string;
  /** Not a list, but what the list at this position excepts: where both match, neither counts. */
  readonly excepts?: number;
  /** A list of addresses, which is also about the names that resolve to them. */
  readonly ofAddresses?: true;
}

/** A regular expression and the position of the list it stands in. */
export interface IndexedExpression {
  readonly list: number;
  readonly source: string;
}

/** What the index keeps as text. */
export interface IndexNames {
  readonly lists: readonly ListName[];
  readonly expressions: readonly IndexedExpression[];
}

/** A set of lists that some entry stands in. `hasUrlsBelow`: there are URL entries for the host as well. */
export interface ListSet {
  readonly lists: readonly number[];
  readonly hasUrlsBelow: boolean;
}

export interface IndexFile {
  /** Hex SHA-256 of the whole file. */
  readonly sha256: string;
  readonly seed: Seed;
  /** Lies where it did in the bytes of the file. */
  readonly table: SlotTable;
  /** By number; 0 is unused. */
  readonly sets: readonly ListSet[];
  readonly lists: readonly ListName[];
  readonly expressions: readonly IndexedExpression[];
  readonly rangeLengths: RangeLengths;
  readonly counts: EntryCounts;
}

/** The index as one file. Throws a SchoolgateError when the lists overlap in more ways than a slot can name. */
export function encodeIndex(entries: EntryTable, { lists, expressions }: IndexNames): Uint8Array {
  const used = collectSets(entries);
  const { filterWords, slotWords } = tableSize(used.entries);
  const sets = encodeSets(used.sets);
  const names = Buffer.from(JSON.stringify({ lists, expressions, rangeLengths: entries.rangeLengths }));
  const { a, b } = entries.seed;
  const { hosts, urls, ranges } = entries.counts;
  const header = [MAGIC, INDEX_VERSION, a, b, filterWords, slotWords, sets.length, names.length, hosts, urls, ranges];
  const setsAt = HEADER_BYTES + (filterWords + slotWords) * 4;
  const namesAt = setsAt + sets.byteLength;
  const file = Buffer.alloc(namesAt + names.length + CHECKSUM_BYTES);
  for (const [i, word] of header.entries()) file.writeUInt32LE(word >>> 0, i * 4);
  const table = tableAt(file, filterWords, slotWords);
  entries.forEach((hash, set, hasUrlsBelow) => {
    addEntry(table, hash.high, hash.low, used.numberOf(set, hasUrlsBelow));
  });
  file.set(new Uint8Array(sets.buffer, 0, sets.byteLength), setsAt);
  file.set(names, namesAt);
  const checksum = createHash('sha256').update(file.subarray(0, -CHECKSUM_BYTES)).digest();
  file.set(checksum, file.length - CHECKSUM_BYTES);
  return file;
}

function tableAt(file: Buffer, filterWords: number, slotWords: number): SlotTable {
  const at = file.byteOffset + HEADER_BYTES;
  return {
    filter: new Uint32Array(file.buffer, at, filterWords),
    slots: new Uint32Array(file.buffer, at + filterWords * 4, slotWords),
  };
}

function collectSets(table: EntryTable): {
  readonly entries: number;
  readonly sets: readonly ListSet[];
  numberOf(set: number, hasUrlsBelow: boolean): number;
} {
  const numbers = new Map<number, number>();
  const sets: ListSet[] = [{ lists: [], hasUrlsBelow: false }];
  const keyOf = (set: number, hasUrlsBelow: boolean): number => set * 2 + (hasUrlsBelow ? 1 : 0);
  let entries = 0;
  table.forEach((_hash, set, hasUrlsBelow) => {
    entries++;
    const key = keyOf(set, hasUrlsBelow);
    if (!numbers.has(key)) numbers.set(key, sets.push({ lists: table.sets[set]!, hasUrlsBelow }) - 1);
  });
  if (sets.length > MAX_SETS) {
    throw new SchoolgateError(
      'too_many_sets',
      'client',
      `The lists overlap in ${sets.length} different ways and the index can name ${MAX_SETS}; disable a list that repeats others.`,
    );
  }
  return { entries, sets, numberOf: (set, hasUrlsBelow) => numbers.get(keyOf(set, hasUrlsBelow))! };
}

function encodeSets(sets: readonly ListSet[]): Uint16Array {
  const words: number[] = [];
  for (const { lists, hasUrlsBelow } of sets.slice(1)) {
    words.push(lists.length | (hasUrlsBelow ? URLS_BELOW : 0), ...lists);
  }
  // A whole number of 32-bit words, so that nothing after it loses its alignment.
  if (words.length % 2 === 1) words.push(0);
  return Uint16Array.from(words);
}

/**
 * Reads an index; its tables stay where they are in `bytes`. `sha256`: their hex SHA-256, from whoever has taken and compared it
 * already. Throws a SchoolgateError for anything but a whole, unharmed file.
 */
export function decodeIndex(bytes: Uint8Array, sha256: string | null = null): IndexFile {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const whole = Buffer.from(aligned.buffer, aligned.byteOffset, aligned.length);
  if (whole.length < HEADER_BYTES + CHECKSUM_BYTES || whole.readUInt32LE(0) !== MAGIC) {
    throw unusable('it is not a category index');
  }
  const version = whole.readUInt32LE(4);
  if (version !== INDEX_VERSION) throw unusable(`its format is version ${version}, this is ${INDEX_VERSION}`);
  const hash = sha256 ?? verifyChecksum(whole);
  const [a, b, filterWords, slotWords, setWords, nameBytes, hosts, urls, ranges] = Array.from({ length: 9 }, (_, i) =>
    whole.readUInt32LE(8 + i * 4),
  ) as [number, number, number, number, number, number, number, number, number];
  const setsAt = HEADER_BYTES + (filterWords + slotWords) * 4;
  const namesAt = setsAt + setWords * 2;
  if (namesAt + nameBytes + CHECKSUM_BYTES !== whole.length) throw unusable('its parts do not add up to its length');
  const names = JSON.parse(whole.toString('utf8', namesAt, namesAt + nameBytes)) as IndexNames & {
    readonly rangeLengths: RangeLengths;
  };
  return {
    sha256: hash,
    seed: { a: a | 0, b: b | 0 },
    table: tableAt(whole, filterWords, slotWords),
    sets: decodeSets(new Uint16Array(whole.buffer, whole.byteOffset + setsAt, setWords)),
    ...names,
    counts: { hosts, urls, ranges },
  };
}

function verifyChecksum(file: Buffer): string {
  const hash = createHash('sha256').update(file.subarray(0, -CHECKSUM_BYTES));
  const stored = file.subarray(-CHECKSUM_BYTES);
  if (!hash.copy().digest().equals(stored)) throw unusable('its checksum is wrong');
  return hash.update(stored).digest('hex');
}

function decodeSets(words: Uint16Array): ListSet[] {
  const sets: ListSet[] = [{ lists: [], hasUrlsBelow: false }];
  for (let i = 0; i < words.length;) {
    const head = words[i]!;
    const length = head & ~URLS_BELOW;
    if (head === 0) break;
    sets.push({ lists: [...words.subarray(i + 1, i + 1 + length)], hasUrlsBelow: (head & URLS_BELOW) !== 0 });
    i += 1 + length;
  }
  return sets;
}

function unusable(why: string): SchoolgateError {
  return new SchoolgateError(
    'index_unusable',
    'us',
    `The category index cannot be used: ${why}. Run "schoolgate lists build".`,
  );
}
