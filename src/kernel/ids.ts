import { randomFillSync } from 'node:crypto';
import type { Clock } from './clock.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Both digits of a number below 1024: an id is made for every request, and two digits at a time is twice as fast as one. */
const PAIRS = Array.from({ length: 1024 }, (_, n) => ALPHABET[n >> 5]! + ALPHABET[n & 31]!);

/** Makes ULIDs (github.com/ulid/spec): 26 characters, sortable by time, and strictly rising within one maker. */
export type IdMaker = () => string;

export function createIdMaker(clock: Clock): IdMaker {
  const pool = new Uint8Array(4096);
  let used = pool.length;
  let lastMs = -1;
  let timePart = '';
  // The 80 random bits as eight pairs of base-32 digits, 10 bits each.
  const pairs = new Uint16Array(8);
  return () => {
    const ms = clock();
    if (ms > lastMs) {
      lastMs = ms;
      timePart = encodeTime(ms);
      if (used === pool.length) {
        randomFillSync(pool);
        used = 0;
      }
      for (let i = 0; i < 8; i++, used += 2) pairs[i] = (pool[used]! | (pool[used + 1]! << 8)) & 1023;
    } else {
      increment(pairs);
    }
    let id = timePart;
    for (let i = 0; i < 8; i++) id += PAIRS[pairs[i]!];
    return id;
  };
}

/** The instant a ULID was made, ms since the epoch; NaN if it is not a ULID. */
export function idTime(id: string): number {
  if (!/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id)) return Number.NaN;
  let ms = 0;
  for (let i = 0; i < 10; i++) ms = ms * 32 + ALPHABET.indexOf(id[i]!);
  return ms;
}

function encodeTime(ms: number): string {
  let text = '';
  let rest = ms;
  for (let i = 0; i < 10; i++) {
    text = ALPHABET[rest % 32]! + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function increment(pairs: Uint16Array): void {
  for (let i = pairs.length - 1; i >= 0; i--) {
    if (pairs[i]! < 1023) {
      pairs[i]!++;
      return;
    }
    pairs[i] = 0;
  }
}
