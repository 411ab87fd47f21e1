import { readParts } from './address-range.ts';
import { rangeHasher } from './hash.ts';
import type { IndexFile } from './index-file.ts';
import { findEntry } from './slot-table.ts';

/** Looks addresses up among the ranges of an index: one search for each length that a range there has. Allocates nothing. */
export interface RangeLookup {
  /** How many ranges hold this canonical host, none unless it is an address. What was found stays until the next call. */
  find(host: string): number;
  /** Set numbers of the ranges found, and the lengths of those ranges. */
  readonly sets: Uint16Array;
  readonly lengths: Uint8Array;
}

/** Null for an index without ranges. */
export function createRangeLookup({ table, seed, rangeLengths }: IndexFile): RangeLookup | null {
  const ipv4 = Uint8Array.from(rangeLengths.ipv4);
  const ipv6 = Uint8Array.from(rangeLengths.ipv6);
  const most = Math.max(ipv4.length, ipv6.length);
  if (most === 0) return null;
  const hash = rangeHasher(seed);
  const parts = new Uint16Array(8);
  const sets = new Uint16Array(most);
  const lengths = new Uint8Array(most);
  return {
    sets,
    lengths,
    find(host) {
      const count = readParts(host, parts);
      if (count === 0) return 0;
      const tried = count === 2 ? ipv4 : ipv6;
      let found = 0;
      for (let i = 0; i < tried.length; i++) {
        const { high, low } = hash(parts, count, tried[i]!);
        const set = findEntry(table, high, low);
        if (set === 0) continue;
        sets[found] = set;
        lengths[found++] = tried[i]!;
      }
      return found;
    },
  };
}
