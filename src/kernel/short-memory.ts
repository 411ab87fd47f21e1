/** Keeps values until their end, and at most `most` of them: the oldest go first. Give all of one memory the same time to live. */
export class ShortMemory<V> {
  readonly #most: number;
  readonly #kept = new Map<string, { readonly value: V; readonly until: number }>();

  constructor(most: number) {
    this.#most = most;
  }

  /** `now` and `until` in ms since the epoch. */
  get(key: string, now: number): V | undefined {
    const found = this.#kept.get(key);
    if (found === undefined || now < found.until) return found?.value;
    this.#kept.delete(key);
    return undefined;
  }

  /** As `get`, and forgets it. */
  take(key: string, now: number): V | undefined {
    const found = this.get(key, now);
    this.#kept.delete(key);
    return found;
  }

  set(key: string, value: V, until: number): void {
    this.#kept.delete(key);
    if (this.#kept.size >= this.#most) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    this.#kept.set(key, { value, until });
  }

  clear(): void {
    this.#kept.clear();
  }
}
