/** SipHash's key: two 64-bit words as four 32-bit ones, low halves first. */
export type SipKey = Int32Array;

/** The key from its 16 bytes. */
export function sipKey(bytes: Uint8Array): SipKey {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return Int32Array.of(view.getInt32(0, true), view.getInt32(4, true), view.getInt32(8, true), view.getInt32(12, true));
}

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of the characters `from` (inclusive) to `to` (exclusive) of a text whose codes are all
 * below 256. Writes the hash's low and high word to `out`, unsigned. Allocates nothing: a part of a longer text needs no copy.
 */
export function sipHash(key: SipKey, text: string, from: number, to: number, out: Uint32Array): void {
  const length = to - from;
  const lastWord = length >>> 3;
  let v0l = key[0]! ^ 0x70736575;
  let v0h = key[1]! ^ 0x736f6d65;
  let v1l = key[2]! ^ 0x6e646f6d;
  let v1h = key[3]! ^ 0x646f7261;
  let v2l = key[0]! ^ 0x6e657261;
  let v2h = key[1]! ^ 0x6c796765;
  let v3l = key[2]! ^ 0x79746573;
  let v3h = key[3]! ^ 0x74656462;
  for (let word = 0; word <= lastWord + 1; word++) {
    let low = 0;
    let high = 0;
    let rounds = 2;
    const at = from + word * 8;
    if (word < lastWord) {
      low = fourBytes(text, at);
      high = fourBytes(text, at + 4);
    } else if (word === lastWord) {
      low = bytesUpTo(text, at, Math.min(to, at + 4));
      high = bytesUpTo(text, at + 4, to) | (length << 24);
    } else {
      v2l ^= 0xff;
      rounds = 4;
    }
    v3l ^= low;
    v3h ^= high;
    for (let round = 0; round < rounds; round++) {
      let sum = (v0l + v1l) | 0;
      v0h = (v0h + v1h + (sum >>> 0 < v0l >>> 0 ? 1 : 0)) | 0;
      v0l = sum;
      let kept = (v1l << 13) | (v1h >>> 19);
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
      v1l = kept ^ v0l;
      kept = v0l;
      v0l = v0h;
      v0h = kept;
      sum = (v2l + v3l) | 0;
      v2h = (v2h + v3h + (sum >>> 0 < v2l >>> 0 ? 1 : 0)) | 0;
      v2l = sum;
      kept = (v3l << 16) | (v3h >>> 16);
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
      v3l = kept ^ v2l;
      sum = (v0l + v3l) | 0;
      v0h = (v0h + v3h + (sum >>> 0 < v0l >>> 0 ? 1 : 0)) | 0;
      v0l = sum;
      kept = (v3l << 21) | (v3h >>> 11);
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
      v3l = kept ^ v0l;
      sum = (v2l + v1l) | 0;
      v2h = (v2h + v1h + (sum >>> 0 < v2l >>> 0 ? 1 : 0)) | 0;
      v2l = sum;
      kept = (v1l << 17) | (v1h >>> 15);
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
      v1l = kept ^ v2l;
      kept = v2l;
      v2l = v2h;
      v2h = kept;
    }
    v0l ^= low;
    v0h ^= high;
  }
  out[0] = v0l ^ v1l ^ v2l ^ v3l;
  out[1] = v0h ^ v1h ^ v2h ^ v3h;
}

function fourBytes(text: string, at: number): number {
  return (
    text.charCodeAt(at) |
    (text.charCodeAt(at + 1) << 8) |
    (text.charCodeAt(at + 2) << 16) |
    (text.charCodeAt(at + 3) << 24)
  );
}

function bytesUpTo(text: string, at: number, end: number): number {
  let word = 0;
  for (let i = at; i < end; i++) word |= text.charCodeAt(i) << ((i - at) * 8);
  return word;
}
