/**
 * Values under host names, found for a host and for everything under it. Built once, then asked for every request: `has`
 * allocates nothing, so that a request no written rule is about pays one walk over its host's letters.
 */
export class HostTable<T> {
  readonly #buckets = new Map<number, { readonly host: string; readonly values: T[] }[]>();

  /** `pairs` of canonical host and value; a host may come several times. */
  constructor(pairs: Iterable<readonly [string, T]>) {
    for (const [host, value] of pairs) this.#add(host, value);
  }

  /** Whether any value stands under the host or a parent of it. */
  has(host: string): boolean {
    return this.#buckets.size > 0 && this.#walk(host, null);
  }

  /** All values under the host and its parents, those of the longest name first. */
  find(host: string): readonly T[] {
    const found: T[][] = [];
    this.#walk(host, found);
    return found.toReversed().flat();
  }

  #add(host: string, value: T): void {
    const hash = hashOf(host);
    const bucket = this.#buckets.get(hash) ?? [];
    const node = bucket.find((one) => one.host === host);
    if (node === undefined) bucket.push({ host, values: [value] });
    else node.values.push(value);
    this.#buckets.set(hash, bucket);
  }

  // From the right, because then the hash of each parent is met on the way to the whole name.
  #walk(host: string, found: T[][] | null): boolean {
    let hash = 0;
    for (let i = host.length - 1; i >= 0; i--) {
      hash = (Math.imul(hash, 31) + host.charCodeAt(i)) | 0;
      if (i > 0 && host.charCodeAt(i - 1) !== 46) continue;
      const bucket = this.#buckets.get(hash);
      if (bucket === undefined) continue;
      for (const node of bucket) {
        if (node.host.length !== host.length - i || !host.endsWith(node.host)) continue;
        if (found === null) return true;
        found.push(node.values);
      }
    }
    return found !== null && found.length > 0;
  }
}

function hashOf(host: string): number {
  let hash = 0;
  for (let i = host.length - 1; i >= 0; i--) hash = (Math.imul(hash, 31) + host.charCodeAt(i)) | 0;
  return hash;
}
