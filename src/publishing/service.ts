import { setTimeout as pause } from 'node:timers/promises';
import type { SignedSnapshot, SnapshotBodies, SnapshotKind, SnapshotPublisher } from '../events/bus.ts';
import { type Clock, isoTime } from '../kernel/clock.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { currentSerial, insertWaiting, markSent, raiseSerial, waitingKinds } from './repository.ts';

/** Takes what was changed to the gateways: next serial, signature, bus. */
export interface Publishing {
  /** In the transaction of a change: gateways must be sent a new snapshot of this kind. Returns its serial. */
  callFor(tx: Tx, kind: SnapshotKind): number;
  /** After the commit: sends what waits. Resolves when that was tried once; what could not leave is tried again until it does. */
  send(): Promise<void>;
  /** Sends the newest snapshot of every kind again, for a bus that lost it. */
  resend(): Promise<void>;
  /** Whether something has been decided that gateways have not been sent. */
  isWaiting(): boolean;
  serial(kind: SnapshotKind): number;
  close(): Promise<void>;
}

/** What a snapshot of each kind holds, read from the record as it is now; null: there is nothing to send yet. */
export type SnapshotSources = {
  readonly [K in SnapshotKind]: (tx: ReadTx, now: number) => SnapshotBodies[K] | null;
};

export interface PublishingOptions {
  readonly record: RecordDatabase;
  readonly sources: SnapshotSources;
  readonly sign: (unsigned: Omit<SignedSnapshot, 'signature'>) => SignedSnapshot;
  readonly publisher: SnapshotPublisher;
  readonly clock: Clock;
  /** Told when the bus would not take a snapshot. */
  readonly onFailure: (error: unknown) => void;
  /** Pause before the next attempt, ms. */
  readonly retryMs?: number;
}

export function createPublishing(options: PublishingOptions): Publishing {
  return new Outbox(options);
}

class Outbox implements Publishing {
  readonly #options: PublishingOptions;
  readonly #stop = new AbortController();
  /** One sending at a time, so that a newer snapshot never overtakes an older one. */
  #last: Promise<void> = Promise.resolve();
  #retry: Promise<void> | null = null;

  constructor(options: PublishingOptions) {
    this.#options = options;
  }

  callFor(tx: Tx, kind: SnapshotKind): number {
    const serial = raiseSerial(tx, kind);
    insertWaiting(tx, kind, serial, isoTime(this.#options.clock()));
    return serial;
  }

  send(): Promise<void> {
    return this.#queue(() => this.#options.record.read(waitingKinds));
  }

  resend(): Promise<void> {
    return this.#queue(() => ['policy', 'live']);
  }

  isWaiting(): boolean {
    return this.#options.record.read(waitingKinds).length > 0;
  }

  serial(kind: SnapshotKind): number {
    return this.#options.record.read((tx) => currentSerial(tx, kind));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#last;
    await this.#retry;
  }

  #queue(kinds: () => SnapshotKind[]): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (this.#stop.signal.aborted) return;
      try {
        for (const kind of kinds()) await this.#sendOne(kind);
      } catch (error) {
        this.#options.onFailure(error);
        this.#retry ??= this.#sendLater();
      }
    });
    return this.#last;
  }

  async #sendLater(): Promise<void> {
    await pause(this.#options.retryMs ?? 1000, undefined, { signal: this.#stop.signal }).catch(() => {});
    this.#retry = null;
    if (!this.#stop.signal.aborted) await this.send();
  }

  async #sendOne(kind: SnapshotKind): Promise<void> {
    const { record, sources, sign, publisher, clock } = this.#options;
    const at = isoTime(clock());
    // Body and serial from one view of the record: a snapshot with serial n holds every change up to n.
    const found = record.read((tx) => ({ serial: currentSerial(tx, kind), body: sources[kind](tx, clock()) }));
    if (found.serial === 0 || found.body === null) return;
    await publisher.publish(sign({ kind, serial: found.serial, at, body: JSON.stringify(found.body) }));
    record.write((tx) => markSent(tx, kind, found.serial, isoTime(clock())));
  }
}
