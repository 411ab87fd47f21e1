import { createHash } from 'node:crypto';

// Bodies that both ends know, so that every response can be checked byte for byte without sending it twice.
// Made from hashes: a pattern that no proxy can compress, the same in every run.

/** The small page: 1 KB. */
export const PAGE = noise(1024);

/** Bulk bodies repeat these 64 KB. */
export const PIECE = noise(64 * 1024);

/** True when `chunk` is what a bulk body holds at `offset`. */
export function isBulkAt(offset: number, chunk: Buffer): boolean {
  for (let at = 0; at < chunk.length;) {
    const from = (offset + at) % PIECE.length;
    const size = Math.min(PIECE.length - from, chunk.length - at);
    if (chunk.compare(PIECE, from, from + size, at, at + size) !== 0) return false;
    at += size;
  }
  return true;
}

function noise(size: number): Buffer {
  const parts = Array.from({ length: Math.ceil(size / 32) }, (_, i) =>
    createHash('sha256').update(`bench ${i}`).digest(),
  );
  return Buffer.concat(parts, size);
}
