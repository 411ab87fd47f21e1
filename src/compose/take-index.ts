// manifest accepted ─► receiveIndex ─► in force: the workers hear of it
//                          └─ failed: the old one stays, alarm, again after a pause
import { setTimeout as pause } from 'node:timers/promises';
import type { IndexSnapshot } from '../categories/index-snapshot.ts';
import { receiveIndex } from '../categories/receive-index.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { ChunkSource } from '../events/bus.ts';
import type { AlarmCode } from '../events/catalogue.ts';

export interface IndexTakerOptions {
  readonly layout: DataLayout;
  /** Null: the files are in the data folder already. */
  readonly chunks: ChunkSource | null;
  /** Another index is in force from now on. */
  readonly onInForce: () => void;
  readonly onAlarm: (code: AlarmCode, text: string) => void;
  /** Pause before the next attempt, ms: doubled each time. */
  readonly firstMs?: number;
}

const FIRST_MS = 500;
const MOST_MS = 3_000;

/** Brings a gateway to the newest index it has accepted, for as long as it takes. */
export class IndexTaker {
  readonly #options: IndexTakerOptions;
  readonly #stop = new AbortController();
  #wanted: IndexSnapshot | null = null;
  #running: Promise<void> | null = null;
  /** Ends the pause when a newer one is wanted. */
  #hurry = new AbortController();
  #told = '';

  constructor(options: IndexTakerOptions) {
    this.#options = options;
  }

  /** This one and no older one is to be had from now on. */
  want(snapshot: IndexSnapshot): void {
    if (this.#options.chunks === null) return this.#options.onInForce();
    this.#wanted = snapshot;
    this.#hurry.abort();
    this.#running ??= this.#run(this.#options.chunks).finally(() => (this.#running = null));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#hurry.abort();
    this.#options.chunks?.close();
    await this.#running;
  }

  async #run(chunks: ChunkSource): Promise<void> {
    let ms = this.#options.firstMs ?? FIRST_MS;
    while (this.#wanted !== null && !this.#stop.signal.aborted) {
      const snapshot = this.#wanted;
      this.#hurry = new AbortController();
      if (await this.#try(chunks, snapshot)) {
        if (this.#wanted === snapshot) this.#wanted = null;
        continue;
      }
      if (this.#wanted !== snapshot) continue;
      await pause(ms, undefined, { signal: this.#hurry.signal }).catch(() => {});
      ms = Math.min(ms * 2, MOST_MS);
    }
  }

  async #try(chunks: ChunkSource, snapshot: IndexSnapshot): Promise<boolean> {
    const { layout, onInForce } = this.#options;
    try {
      const isNew = await receiveIndex({
        layout,
        snapshot,
        fetchChunk: (sha256) => chunks.fetch(sha256),
        onCorrupt: (sha256) => chunks.discard(sha256),
      });
      if (isNew) onInForce();
      this.#told = '';
      return true;
    } catch (error) {
      // One that has been replaced meanwhile may well have lost its chunks.
      if (!this.#stop.signal.aborted && this.#wanted === snapshot) this.#tell((error as Error).message);
      return false;
    }
  }

  #tell(why: string): void {
    if (why === this.#told) return;
    this.#told = why;
    this.#options.onAlarm('index-not-taken', `${why} The index before stays in force; it is tried again.`);
  }
}
