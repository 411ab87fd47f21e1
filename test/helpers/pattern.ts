const BLOCK = 65_521;

/** A stream of bytes without end that can be made and checked from any position, different for every seed. */
export class Pattern {
  readonly #block: Buffer;

  constructor(seed: number) {
    // Twice the period, so that every stretch of up to one period lies in one piece.
    this.#block = Buffer.allocUnsafe(2 * BLOCK);
    let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
    for (let i = 0; i < BLOCK; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      this.#block[i] = state & 255;
    }
    this.#block.copy(this.#block, BLOCK, 0, BLOCK);
  }

  /** At most 65,521 bytes from a position; not a copy. */
  piece(at: number, size: number): Buffer {
    const start = at % BLOCK;
    return this.#block.subarray(start, start + size);
  }

  /** Whether a chunk is what stands at a position. */
  fits(at: number, chunk: Buffer): boolean {
    for (let done = 0; done < chunk.length; done += BLOCK) {
      const part = chunk.subarray(done, done + BLOCK);
      if (!part.equals(this.piece(at + done, part.length))) return false;
    }
    return true;
  }
}
