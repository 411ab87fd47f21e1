import type { IndexManifest } from './current-index.ts';

/** What a gateway needs to have the index that the console has: the facts of its build, and its files by their content. */
export interface IndexSnapshot {
  readonly current: IndexManifest;
  /** Length of every chunk but the last of a file, bytes; at most `MOST_CHUNK_BYTES`. */
  readonly chunkBytes: number;
  /** The index itself first. */
  readonly files: readonly ShippedFile[];
}

/** A file cut into chunks. */
export interface ShippedFile {
  /** `index-<sha256>.sgi` or `illegal-<sha256>.sgf`. */
  readonly name: string;
  /** Hex SHA-256 of all of it. */
  readonly sha256: string;
  readonly bytes: number;
  /** Hex SHA-256 of each chunk, in order. */
  readonly chunks: readonly string[];
}

export const MOST_CHUNK_BYTES = 1 << 20;

const SHIPPED_NAME = /^(?:index-([0-9a-f]{64})\.sgi|illegal-([0-9a-f]{64})\.sgf)$/;
const HEX = /^[0-9a-f]{64}$/;

/**
 * Whether a snapshot holds together: names that are those of its files and of nothing outside their folder, as many chunks as
 * its length takes. The console signed it, but it comes to a disk, and another release may have written it.
 */
export function isSoundSnapshot({ current, chunkBytes, files }: IndexSnapshot): boolean {
  if (!(chunkBytes > 0 && chunkBytes <= MOST_CHUNK_BYTES)) return false;
  return files.length > 0 && files[0]!.name === current.file && files.every((file) => isSoundFile(file, chunkBytes));
}

function isSoundFile({ name, sha256, bytes, chunks }: ShippedFile, chunkBytes: number): boolean {
  const named = SHIPPED_NAME.exec(name);
  return (
    named !== null &&
    (named[1] ?? named[2]) === sha256 &&
    chunks.length === Math.ceil(bytes / chunkBytes) &&
    chunks.every((chunk) => HEX.test(chunk))
  );
}

/** Where chunk `number` of a file lies in it, bytes. */
export function chunkRange(
  { bytes }: ShippedFile,
  chunkBytes: number,
  number: number,
): { readonly at: number; readonly length: number } {
  const at = number * chunkBytes;
  return { at, length: Math.min(chunkBytes, bytes - at) };
}
