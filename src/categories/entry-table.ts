import { hashHost, hashUrl, type Hash, type Seed } from './hash.ts';

/** One line of a list, canonical. `path` null: the host and everything under it. */
export interface Entry {
  readonly host: string;
  readonly path: string | null;
}

/** Highest number of different sets of lists that an index can hold. */
export const MAX_SETS = 0xffff;

/** Collects the entries of all lists, one list after the other, as hashes and the set of lists that each stands in. */
export interface EntryTable {
  /** Entries after this call belong to the list at this position. Positions must rise. */
  beginList(position: number): void;
  /** False if this list already holds it. */
  add(entry: Entry): boolean;
  readonly hosts: number;
  readonly urls: number;
  readonly seed: Seed;
  /** Positions of lists, rising, by set number. Set 0 is the empty one. */
  readonly sets: readonly (readonly number[])[];
  /** Every entry and every host that only has URL entries below it, in no particular order. */
  forEach(visit: (hash: Hash, set: number, hasUrlsBelow: boolean) => void): void;
}

const URLS_BELOW = 0x8000_0000;
const USED = 0x4000_0000;
const SET = 0x00ff_ffff;

/** An open-addressed table that grows: 12 bytes a slot, no string is kept. */
export function createEntryTable(seed: Seed): EntryTable {
  let mask = (1 << 12) - 1;
  let words = new Uint32Array((mask + 1) * 3);
  let used = 0;
  let hosts = 0;
  let urls = 0;
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

  return {
    seed,
    sets,
    get hosts() {
      return hosts;
    },
    get urls() {
      return urls;
    },
    beginList(position) {
      current = position;
      extended.clear();
    },
    add({ host, path }) {
      const at = claim(path === null ? hashHost(host, seed) : hashUrl(host, path, seed));
      const set = words[at + 2]! & SET;
      if (sets[set]!.at(-1) === current) return false;
      if (set === 0 && path === null) hosts++;
      else if (set === 0) urls++;
      words[at + 2] = (words[at + 2]! & ~SET) | withCurrent(set);
      if (path !== null) {
        const below = claim(hashHost(host, seed));
        words[below + 2]! |= URLS_BELOW;
      }
      return true;
    },
    forEach(visit) {
      for (let i = 0; i < words.length; i += 3) {
        const flags = words[i + 2]!;
        if (flags !== 0) visit({ high: words[i]!, low: words[i + 1]! }, flags & SET, (flags & URLS_BELOW) !== 0);
      }
    },
  };
}
