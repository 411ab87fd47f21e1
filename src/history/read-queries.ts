import { Readable } from 'node:stream';
import type { AccessRecord } from '../events/access-record.ts';
import { readLines } from './read-lines.ts';
import { parseLine } from './segment.ts';

/**
 * Records of a segment that show what was asked: plain http with a query, and no event of its own. Few are, so most lines are passed by
 * unread. What cannot be read is left out; reading the history reports it.
 */
export async function readQueries(bytes: Uint8Array): Promise<AccessRecord[]> {
  const found: AccessRecord[] = [];
  try {
    for await (const lines of readLines(Readable.from([bytes]))) {
      for (const text of lines) {
        if (!QUERY.test(text)) continue;
        const line = parseLine(text);
        if (line?.kind === 'record' && !line.record.flagged) found.push(line.record);
      }
    }
  } catch {
    // Torn: what came before it counts.
  }
  return found;
}

const QUERY = /"target":"http:[^"]*\?/;
