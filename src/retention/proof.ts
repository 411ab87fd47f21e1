import { createHash } from 'node:crypto';
import { isoTime } from '../kernel/clock.ts';
import type { Erased } from '../kernel/erased.ts';

/** What one deletion took away. */
export interface Deleted {
  /** One line for each thing: its id, or its name and size; never what it said. */
  readonly lines: readonly string[];
  /** When the first and the last of them were from, ms. */
  readonly from: number;
  readonly until: number;
}

/** What the record of acts says of a deletion: that it happened, and of what. Times in ISO 8601 UTC. */
export interface Proof {
  /** What was older than this went. */
  readonly before: string;
  readonly count: number;
  readonly from: string;
  readonly until: string;
  /** Hex SHA-256 of the lines in order, each with a line end: whoever has a backup can compare. */
  readonly sha256: string;
}

/** `before`, ms. */
export function proveDeletion(before: number, { lines, from, until }: Deleted): Proof {
  const hash = createHash('sha256');
  for (const line of lines.toSorted()) hash.update(`${line}\n`);
  return {
    before: isoTime(before),
    count: lines.length,
    from: isoTime(from),
    until: isoTime(until),
    sha256: hash.digest('hex'),
  };
}

/** One thing that goes as a whole. */
export interface Going {
  readonly name: string;
  /** When what it holds begins and ends, ms. */
  readonly from: number;
  readonly until: number;
  readonly line: string;
}

/** Of at least one row. */
export function deletedOf(erased: readonly Erased[]): Deleted {
  return goneOf(erased.map(({ line, at }) => ({ line, from: at, until: at })));
}

/** Of at least one file. */
export function goneOf(going: readonly Pick<Going, 'from' | 'until' | 'line'>[]): Deleted {
  return {
    lines: going.map(({ line }) => line),
    from: going.reduce((first, one) => Math.min(first, one.from), Number.MAX_SAFE_INTEGER),
    until: going.reduce((last, one) => Math.max(last, one.until), 0),
  };
}
