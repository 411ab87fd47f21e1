import { maskPart } from './address-range.ts';

/**
 * The index's 64-bit hash, as two 32-bit lanes that every character goes through. A host is hashed from its end, so that one pass
 * meets every parent on the way; a path from its start, so that one pass meets every prefix. Each step is a bijection of both lanes,
 * so texts of one length that differ in one place cannot collide.
 */

const HOST_A = 0x9e3779b1;
const HOST_B = 0x85ebca77;
const PATH_A = 0xc2b2ae3d;
const PATH_B = 0x27d4eb2f;
const RANGE_A = 0x165667b1;
const RANGE_B = 0x2545f491;

export function stepA(a: number, code: number): number {
  const mixed = Math.imul(a ^ code, HOST_A);
  return (mixed << 13) | (mixed >>> 19);
}

/** `a` is the first lane after its own step. */
export function stepB(b: number, a: number): number {
  const mixed = Math.imul((b + a) | 0, HOST_B);
  return (mixed << 17) | (mixed >>> 15);
}

/** The lanes of a URL entry, from those of its host and those of its path. */
export function joinA(hostA: number, pathA: number): number {
  return (Math.imul(hostA ^ 0x5bd1e995, PATH_A) + pathA) | 0;
}

export function joinB(hostB: number, pathB: number): number {
  return (Math.imul(hostB ^ 0x1b873593, PATH_B) + pathB) | 0;
}

/** The first word of a finished hash, unsigned: it chooses the bucket and gives 16 bits of the fingerprint. */
export function finishHigh(a: number, b: number): number {
  let x = (a + Math.imul(b, HOST_A)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The second word, unsigned: 32 bits of the fingerprint. `high` is the first word. */
export function finishLow(high: number, b: number): number {
  let y = b ^ Math.imul(high, PATH_A);
  y = Math.imul(y ^ (y >>> 16), 0x21f0aaad);
  y = Math.imul(y ^ (y >>> 15), 0x735a2d97);
  return (y ^ (y >>> 15)) >>> 0;
}

/** Lanes that a hash begins with: a path's differ from a host's, both depend on the seed. */
export interface Seed {
  readonly a: number;
  readonly b: number;
}

export function pathSeed(seed: Seed): Seed {
  return { a: seed.b ^ PATH_A, b: seed.a ^ PATH_B };
}

/** Both words of a finished hash. */
export interface Hash {
  readonly high: number;
  readonly low: number;
}

/** Of a host that stands in `text` from `start` to `end`. */
export function hashHost(text: string, seed: Seed, start = 0, end = text.length): Hash {
  const lanes = hostLanes(text, seed, start, end);
  return finish(lanes.a, lanes.b);
}

/** Of a host and, from `slash` on, its path as it stands in an entry; the case of ASCII letters makes no difference. */
export function hashUrl(text: string, seed: Seed, slash: number, start = 0, end = text.length): Hash {
  const below = hostLanes(text, seed, start, slash);
  let { a, b } = pathSeed(seed);
  for (let i = slash; i < end; i++) {
    a = stepA(a, foldCase(text.charCodeAt(i)));
    b = stepB(b, a);
  }
  return finish(joinA(below.a, a), joinB(below.b, b));
}

/**
 * Hashes ranges of addresses by their length and first address; they share the slots with the names. `parts` may hold any address of
 * the range. What it gives is one object, used again with the next call: a look-up allocates nothing.
 */
export function rangeHasher(seed: Seed): (parts: ArrayLike<number>, count: number, bits: number) => Hash {
  const hash = { high: 0, low: 0 };
  return (parts, count, bits) => {
    const family = (count << 8) | bits;
    let a = stepA(seed.a ^ RANGE_A, family);
    let b = stepB(seed.b ^ RANGE_B, a);
    for (let i = 0; i * 16 < bits; i++) {
      a = stepA(a, maskPart(parts[i]!, i, bits));
      b = stepB(b, a);
    }
    hash.high = finishHigh(a, b);
    hash.low = finishLow(hash.high, b);
    return hash;
  };
}

/** Lower-cases an ASCII letter. */
export function foldCase(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}

function hostLanes(text: string, seed: Seed, start: number, end: number): Seed {
  let { a, b } = seed;
  for (let i = end - 1; i >= start; i--) {
    a = stepA(a, text.charCodeAt(i));
    b = stepB(b, a);
  }
  return { a, b };
}

function finish(a: number, b: number): Hash {
  const high = finishHigh(a, b);
  return { high, low: finishLow(high, b) };
}
