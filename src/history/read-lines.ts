import { pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';

/** A line longer than this is no record; without a bound a few kilobytes of zstd could ask for all memory. */
const LONGEST_LINE = 1024 * 1024;

/** Lines are handed on by the block: a promise for each would cost more than parsing it. */
const BLOCK = 128 * 1024;

/**
 * The lines of a zstd-compressed NDJSON stream, as far as they can be read, a block of them at a time.
 * Rejects where the stream is torn or is not zstd; what came before has been given by then. A last line without its line
 * feed counts as torn.
 */
export async function* readLines(compressed: Readable): AsyncGenerator<string[]> {
  const plain = pipeline(compressed, createZstdDecompress({ chunkSize: BLOCK }), () => undefined);
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of plain as AsyncIterable<Buffer>) {
    const block = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = block.lastIndexOf(10) + 1;
    if (end > 0) yield block.toString('utf8', 0, end - 1).split('\n');
    rest = block.subarray(end);
    if (rest.length > LONGEST_LINE) throw new Error('a line is longer than 1 MB');
  }
  if (rest.length > 0) throw new Error('the last line is not complete');
}
