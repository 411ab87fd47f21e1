/** Lines that wait to be written, in order. They leave in slices: taken with `first`, gone only with `dropFirst`. */
export class LineQueue {
  #waiting: string[] = [];
  #bytes = 0;
  #slice = 0;
  #sliceBytes = 0;

  get lines(): number {
    return this.#waiting.length;
  }

  /** In UTF-16 units: exact for ASCII, which nearly every line is. */
  get bytes(): number {
    return this.#bytes;
  }

  push(line: string): void {
    this.#waiting.push(line);
    this.#bytes += line.length;
  }

  /** The oldest lines as one text: at least one, and no more than fit `bytes`. They stay until `dropFirst`. */
  first(bytes: number): string {
    this.#slice = 0;
    this.#sliceBytes = 0;
    for (const line of this.#waiting) {
      if (this.#slice > 0 && this.#sliceBytes + line.length > bytes) break;
      this.#slice++;
      this.#sliceBytes += line.length;
    }
    return this.#waiting.slice(0, this.#slice).join('');
  }

  dropFirst(): void {
    this.#waiting = this.#waiting.slice(this.#slice);
    this.#bytes -= this.#sliceBytes;
    this.#slice = 0;
    this.#sliceBytes = 0;
  }
}
