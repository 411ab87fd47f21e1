import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../kernel/durable-file.ts';

/** One Parquet file of a day. */
export interface KeptFile {
  /** `<ulid>.parquet`, in the day's folder. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  /** Hex, of the file. */
  readonly sha256: string;
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
}

export const NO_CONTENTS: Contents = { version: 1, files: [] };
const FILE = 'contents.json';

/** The contents of `<folder>/<day>`. Throws an Error that says why where the file is there and cannot be used. */
export function readContents(folder: string, day: string): Contents {
  const path = join(folder, day, FILE);
  if (!existsSync(path)) return NO_CONTENTS;
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!isContents(value)) throw new Error('it is not a list of Parquet files');
  return value;
}

/** From here on the files named count and the segments they hold do not: the one instant at which a conversion happens. */
export function replaceContents(folder: string, day: string, contents: Contents): void {
  replaceFile(join(folder, day, FILE), `${JSON.stringify(contents)}\n`);
}

export function isHeld(contents: Contents, segment: string): boolean {
  return contents.files.some(({ segments }) => segments.includes(segment));
}

function isContents(value: unknown): value is Contents {
  const { version, files } = (value ?? {}) as Record<string, unknown>;
  return version === 1 && Array.isArray(files) && files.every(isKeptFile);
}

function isKeptFile(value: unknown): value is KeptFile {
  const file = (value ?? {}) as Record<string, unknown>;
  return (
    typeof file['name'] === 'string' &&
    /^[0-9A-Z]{26}\.parquet$/.test(file['name']) &&
    typeof file['sha256'] === 'string' &&
    ['rows', 'bytes', 'from', 'last'].every((name) => Number.isSafeInteger(file[name])) &&
    Array.isArray(file['segments']) &&
    file['segments'].every((name) => typeof name === 'string')
  );
}
