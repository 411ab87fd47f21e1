import type { AddressRange } from './address-range.ts';
import { hashHost, hashUrl, rangeHasher, type Hash, type Seed } from './hash.ts';

/** Highest number of different sets of lists that an index can hold. */
export const MAX_SETS = 0xffff;

/** How many different entries of each kind there are, each counted once however many lists name it. */
export interface EntryCounts {
  readonly hosts: number;
  readonly urls: number;
  readonly ranges: number;
}

/** Lengths of the ranges that are there, rising: a look-up tries no others. */
export interface RangeLengths {
  readonly ipv4: readonly number[];
  readonly ipv6: readonly number[];
}

/** Collects the entries of all lists, one list after the other, as hashes and the set of lists that each stands in. */
export interface EntryTable {
  /** Entries after this call belong to the list at this position. Positions must rise. */
  beginList(position: number): void;
  /**
   * A canonical host, which means it and everything under it, or a host and its path: what stands in `text` from `start` to `end`.
   * False if this list already holds it.
   */
  add(text: string, start?: number, end?: number): boolean;
  /** The same for a range of more than one address. */
  addRange(range: AddressRange): boolean;
  readonly counts: EntryCounts;
  readonly rangeLengths: RangeLengths;
  readonly seed: Seed;
  /** Positions of lists, rising, by set number. Set 0 is the empty one. */
  readonly sets: readonly (readonly number[])[];
  /** Every entry and every host that only has URL entries below it, in no particular order. */
  forEach(visit: (hash: Hash, set: number, hasUrlsBelow: boolean) => void): void;
}

const URLS_BELOW = 0x8000_0000;
const USED = 0x4000_0000;
const SET = 0x00ff_ffff;
const SLASH = 0x2f;

/** An open-addressed table that grows: 12 bytes a slot, no string is kept. */
export function createEntryTable(seed: Seed): EntryTable {
  let mask = (1 << 12) - 1;
  let words = new Uint32Array((mask + 1) * 3);
  let used = 0;
  const counts = { hosts: 0, urls: 0, ranges: 0 };
  const lengths = { ipv4: new Set<number>(), ipv6: new Set<number>() };
  const hashRange = rangeHasher(seed);
  let current = 0;
  const sets: number[][] = [[]];
  const extended = new Map<number, number>();

  function slotOf(high: number, low: number): number {
    let slot = high & mask;
    while (words[slot * 3 + 2] !== 0 && (words[slot * 3] !== high || words[slot * 3 + 1] !== low)) {
      slot = (slot + 1) & mask;
    }
    return slot * 3;
  }

  function claim(hash: Hash): number {
    if ((used + 1) * 4 > (mask + 1) * 3) grow();
    const at = slotOf(hash.high, hash.low);
    if (words[at + 2] === 0) {
      words[at] = hash.high;
      words[at + 1] = hash.low;
      words[at + 2] = USED;
      used++;
    }
    return at;
  }

  function grow(): void {
    const old = words;
    mask = mask * 2 + 1;
    words = new Uint32Array((mask + 1) * 3);
    for (let i = 0; i < old.length; i += 3) {
      if (old[i + 2] === 0) continue;
      const at = slotOf(old[i]!, old[i + 1]!);
      words[at] = old[i]!;
      words[at + 1] = old[i + 1]!;
      words[at + 2] = old[i + 2]!;
    }
  }

  function withCurrent(set: number): number {
    const known = extended.get(set);
    if (known !== undefined) return known;
    const made = sets.push([...sets[set]!, current]) - 1;
    extended.set(set, made);
    return made;
  }

  /** False if the list at hand already holds it. */
  function enter(hash: Hash, kind: keyof EntryCounts): boolean {
    const at = claim(hash);
    const set = words[at + 2]! & SET;
    if (sets[set]!.at(-1) === current) return false;
    if (set === 0) counts[kind]++;
    words[at + 2] = (words[at + 2]! & ~SET) | withCurrent(set);
    return true;
  }

  return {
    seed,
    sets,
    counts,
    get rangeLengths() {
      return { ipv4: rising(lengths.ipv4), ipv6: rising(lengths.ipv6) };
    },
    beginList(position) {
      current = position;
      extended.clear();
    },
    add(text, start = 0, end = text.length) {
      const slash = slashIn(text, start, end);
      if (slash === end) return enter(hashHost(text, seed, start, end), 'hosts');
      if (!enter(hashUrl(text, seed, slash, start, end), 'urls')) return false;
      const below = claim(hashHost(text, seed, start, slash));
      words[below + 2]! |= URLS_BELOW;
      return true;
    },
    addRange({ parts, bits }) {
      (parts.length === 2 ? lengths.ipv4 : lengths.ipv6).add(bits);
      return enter(hashRange(parts, parts.length, bits), 'ranges');
    },
    forEach(visit) {
      for (let i = 0; i < words.length; i += 3) {
        const flags = words[i + 2]!;
        if (flags !== 0) visit({ high: words[i]!, low: words[i + 1]! }, flags & SET, (flags & URLS_BELOW) !== 0);
      }
    },
  };
}

/** Where the path begins; `end` where there is none. `indexOf` would run on through all the lines that follow. */
function slashIn(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== SLASH) at++;
  return at;
}

function rising(numbers: ReadonlySet<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}
