import { randomFillSync } from 'node:crypto';
import type { Clock } from './clock.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Makes ULIDs (github.com/ulid/spec): 26 characters, sortable by time, and strictly rising within one maker. */
export type IdMaker = () => string;

export function createIdMaker(clock: Clock): IdMaker {
  const pool = new Uint8Array(1024);
  let used = pool.length;
  let lastMs = -1;
  let timePart = '';
  const random = new Uint8Array(16);
  return () => {
    const ms = clock();
    if (ms > lastMs) {
      lastMs = ms;
      timePart = encodeTime(ms);
      if (used + 16 > pool.length) {
        randomFillSync(pool);
        used = 0;
      }
      for (let i = 0; i < 16; i++) random[i] = pool[used++]! & 31;
    } else {
      increment(random);
    }
    let id = timePart;
    for (let i = 0; i < 16; i++) id += ALPHABET[random[i]!];
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

function increment(digits: Uint8Array): void {
  for (let i = digits.length - 1; i >= 0; i--) {
    if (digits[i]! < 31) {
      digits[i]!++;
      return;
    }
    digits[i] = 0;
  }
}
