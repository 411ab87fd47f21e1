/**
 * Limits that hold over all workers of a gateway although each worker counts alone: the supervisor keeps the budget, workers
 * hold leases on parts of it. A worker serves from its lease without asking; only when it runs out must a connection wait for
 * the supervisor's answer.
 */

/** How many slots are asked for, and given back, at a time. */
const CHUNK = 16;

/** What is limited: a client address, or the whole gateway. */
export type LeaseKey = string;
export const WHOLE_GATEWAY: LeaseKey = '*';

/** Asks the supervisor for `count` more slots (gives how many were granted, 0 to count), or gives some back. */
export interface LeaseOffice {
  ask(key: LeaseKey, count: number): Promise<number>;
  giveBack(key: LeaseKey, count: number): void;
}

interface Lease {
  held: number;
  used: number;
  asking: Promise<void> | null;
}

/** A worker's end. */
export class Leases {
  readonly #office: LeaseOffice;
  readonly #leases = new Map<LeaseKey, Lease>();

  constructor(office: LeaseOffice) {
    this.#office = office;
  }

  /** Takes a slot: true or false at once where the lease suffices, else when the supervisor has answered. */
  take(key: LeaseKey): boolean | Promise<boolean> {
    let lease = this.#leases.get(key);
    if (lease === undefined) {
      lease = { held: 0, used: 0, asking: null };
      this.#leases.set(key, lease);
    }
    if (lease.used < lease.held) {
      lease.used++;
      return true;
    }
    return this.#takeWhenAsked(key, lease);
  }

  /** Gives a taken slot back. */
  free(key: LeaseKey): void {
    const lease = this.#leases.get(key);
    if (lease === undefined) return;
    lease.used--;
    if (lease.used === 0 && lease.asking === null) {
      this.#leases.delete(key);
      this.#office.giveBack(key, lease.held);
    } else if (lease.held - lease.used >= 2 * CHUNK) {
      lease.held -= CHUNK;
      this.#office.giveBack(key, CHUNK);
    }
  }

  /** What this worker holds, for a supervisor that counts anew. */
  held(): [LeaseKey, number][] {
    return Array.from(this.#leases, ([key, lease]) => [key, lease.held]);
  }

  async #takeWhenAsked(key: LeaseKey, lease: Lease): Promise<boolean> {
    // Several connections may wait for one answer, and take more than it brings.
    while (lease.used >= lease.held) {
      const before = lease.held;
      lease.asking ??= this.#office.ask(key, CHUNK).then((granted) => {
        lease.held += granted;
        lease.asking = null;
      });
      await lease.asking;
      if (lease.held === before && lease.used >= lease.held) {
        if (lease.used === 0 && lease.asking === null) this.#leases.delete(key);
        return false;
      }
    }
    lease.used++;
    return true;
  }
}

/** The supervisor's end: who holds how much of what. */
export class LeaseBook {
  /** The limit of a key. */
  readonly #limit: (key: LeaseKey) => number;
  readonly #granted = new Map<LeaseKey, number>();
  readonly #byWorker = new Map<number, Map<LeaseKey, number>>();

  constructor(limit: (key: LeaseKey) => number) {
    this.#limit = limit;
  }

  grant(worker: number, key: LeaseKey, count: number): number {
    const taken = this.#granted.get(key) ?? 0;
    const granted = Math.max(0, Math.min(count, this.#limit(key) - taken));
    this.#change(worker, key, granted);
    return granted;
  }

  giveBack(worker: number, key: LeaseKey, count: number): void {
    this.#change(worker, key, -count);
  }

  /** A worker is gone, and its connections with it. */
  forget(worker: number): void {
    for (const [key, count] of this.#byWorker.get(worker) ?? []) this.#change(worker, key, -count);
    this.#byWorker.delete(worker);
  }

  #change(worker: number, key: LeaseKey, by: number): void {
    if (by === 0) return;
    addTo(this.#granted, key, by);
    let own = this.#byWorker.get(worker);
    if (own === undefined) {
      own = new Map();
      this.#byWorker.set(worker, own);
    }
    addTo(own, key, by);
  }
}

function addTo(counts: Map<LeaseKey, number>, key: LeaseKey, by: number): void {
  const sum = (counts.get(key) ?? 0) + by;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}
