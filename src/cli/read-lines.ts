import type { Readable } from 'node:stream';
import { SchoolgateError } from '../kernel/errors.ts';

/** A longer line is nothing that a command reads; without a bound one line could ask for all memory. */
const LONGEST_LINE = 1024 * 1024;

/**
 * The lines of UTF-8 text without their ends (LF or CRLF) and without a byte order mark; invalid bytes become U+FFFD. Rejects
 * with what the stream gives, or for a line longer than 1 MB.
 */
export async function* readLines(stream: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    if (rest.length > LONGEST_LINE) {
      throw new SchoolgateError(
        'line_too_long',
        'client',
        'A line is longer than 1 MB: this is not the expected file.',
      );
    }
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
