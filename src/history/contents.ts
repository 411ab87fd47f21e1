import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../kernel/durable-file.ts';
import { filesOf, SEGMENT_ENDING } from './read-segments.ts';
import { CONTENTS_FILE, SUMS_FILE } from './segment.ts';

/** A file as it was written. */
export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
  /** Hex, of the file. */
  readonly sha256: string;
}

/** One Parquet file of a day: `<ulid>.parquet`, in the day's folder. */
export interface KeptFile extends WrittenFile {
  readonly rows: number;
  /** When its first and its last row began, ms since the epoch. */
  readonly from: number;
  readonly last: number;
  /** Names of the segments whose lines it holds. */
  readonly segments: readonly string[];
}

/** What is known of one day's folder. A segment named here is held by that file and is read, and taken in, no more. */
export interface Contents {
  readonly version: 1;
  readonly files: readonly KeptFile[];
  /** Names of files that one of the others has taken the place of: read no more, and still to be deleted. */
  readonly replaced?: readonly string[];
  readonly sums?: KeptSums;
}

/** What a day adds up to (`day-sums`), and of what it was made. */
export interface KeptSums extends WrittenFile {
  readonly of: string;
}

export const NO_CONTENTS: Contents = { version: 1, files: [] };
const PARQUET = /^[0-9A-Z]{26}\.parquet$/;

/** The contents of `<folder>/<day>`. Throws an Error that says why where they are missing or cannot be used. */
export function readContents(folder: string, day: string): Contents {
  const path = join(folder, day, CONTENTS_FILE);
  if (!existsSync(path)) {
    const orphans = orphansOf(folder, day);
    if (orphans.length === 0) return NO_CONTENTS;
    // Written while we looked.
    if (existsSync(path)) return readContents(folder, day);
    throw new Error(`it is missing, and nothing else says whether ${orphans.join(', ')} counts`);
  }
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!isContents(value)) throw new Error('it is not a list of Parquet files');
  return value;
}

/** Parquet files whose first segment is gone. A conversion that was killed before it wrote the contents leaves it there. */
function orphansOf(folder: string, day: string): string[] {
  const names = filesOf(folder, day);
  const isThere = (ulid: string): boolean => names.some((name) => name.endsWith(`${ulid}${SEGMENT_ENDING}`));
  return names.filter((name) => PARQUET.test(name) && !isThere(name.slice(0, 26)));
}

/** From here on the files named count and the segments they hold do not: the one instant at which a conversion happens. */
export function replaceContents(folder: string, day: string, contents: Contents): void {
  replaceFile(join(folder, day, CONTENTS_FILE), `${JSON.stringify(contents)}\n`);
}

export function isHeld(contents: Contents, segment: string): boolean {
  return contents.files.some(({ segments }) => segments.includes(segment));
}

function isContents(value: unknown): value is Contents {
  const { version, files, replaced = [], sums } = (value ?? {}) as Record<string, unknown>;
  return version === 1 && Array.isArray(files) && files.every(isKeptFile) && isNames(replaced) && isKeptSums(sums);
}

function isKeptFile(value: unknown): value is KeptFile {
  const file = (value ?? {}) as Record<string, unknown>;
  return (
    isNames([file['name']]) &&
    typeof file['sha256'] === 'string' &&
    ['rows', 'bytes', 'from', 'last'].every((name) => Number.isSafeInteger(file[name])) &&
    Array.isArray(file['segments']) &&
    file['segments'].every((name) => typeof name === 'string')
  );
}

function isKeptSums(value: unknown): boolean {
  if (value === undefined) return true;
  const sums = (value ?? {}) as Record<string, unknown>;
  return (
    sums['name'] === SUMS_FILE &&
    Number.isSafeInteger(sums['bytes']) &&
    typeof sums['sha256'] === 'string' &&
    typeof sums['of'] === 'string'
  );
}

/** Names of a day's own folder, and of nothing elsewhere. */
function isNames(names: unknown): boolean {
  return Array.isArray(names) && names.every((name) => typeof name === 'string' && PARQUET.test(name));
}
