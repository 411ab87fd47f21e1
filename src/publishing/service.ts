import { setTimeout as pause } from 'node:timers/promises';
import {
  SNAPSHOT_KINDS,
  type SignedSnapshot,
  type SnapshotBodies,
  type SnapshotKind,
  type SnapshotPublisher,
} from '../events/bus.ts';
import { type Clock, isoTime } from '../kernel/clock.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { currentSerial, insertWaiting, markSent, raiseSerial, raiseSerials, waitingKinds } from './repository.ts';

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

export interface SentSnapshot<K extends SnapshotKind> {
  readonly serial: number;
  readonly body: SnapshotBodies[K];
  /** Ms since the epoch. */
  readonly at: number;
}

export interface PublishingOptions {
  readonly record: RecordDatabase;
  readonly sources: SnapshotSources;
  readonly sign: (unsigned: Omit<SignedSnapshot, 'signature'>) => SignedSnapshot;
  readonly publisher: SnapshotPublisher;
  readonly clock: Clock;
  /** Told of what has left, in the transaction that notes it; of the same serial again when it is sent again. */
  readonly onSent: <K extends SnapshotKind>(tx: Tx, kind: K, sent: SentSnapshot<K>) => void;
  /** Told when the bus would not take a snapshot. */
  readonly onFailure: (error: unknown) => void;
  /** Pause before the next attempt, ms. */
  readonly retryMs?: number;
}

/**
 * What changes at once leaves in one snapshot: at 8:50 a whole school signs in, and each snapshot costs every gateway a signature, a
 * file and a look at its open connections.
 */
const LEAST_BETWEEN_MS = 200;

/** More than a school publishes between a backup and its restoring. */
const SKIPPED = 1_000_000;

/**
 * For a record that was restored: gateways may have had serials that it knows nothing of, and take no snapshot with one that is not
 * higher.
 */
export function skipSerials(tx: Tx): void {
  raiseSerials(tx, SKIPPED);
}

export function createPublishing(options: PublishingOptions): Publishing {
  return new Outbox(options);
}

class Outbox implements Publishing {
  readonly #options: PublishingOptions;
  readonly #stop = new AbortController();
  /**
   * One sending of a kind at a time, so that a newer snapshot never overtakes an older one. Kinds do not wait for each other: a
   * suspension must not stand behind the megabytes of an index, or behind a bus that has no room for them.
   */
  readonly #last = new Map<SnapshotKind, Promise<void>>();
  /** Until when the next of a kind waits. */
  readonly #calm = new Map<SnapshotKind, Promise<void>>();
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
    return this.#sendEach((kind) => this.#options.record.read(waitingKinds).includes(kind));
  }

  resend(): Promise<void> {
    return this.#sendEach(() => true);
  }

  isWaiting(): boolean {
    return this.#options.record.read(waitingKinds).length > 0;
  }

  serial(kind: SnapshotKind): number {
    return this.#options.record.read((tx) => currentSerial(tx, kind));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#last.values());
    await this.#retry;
  }

  async #sendEach(isWanted: (kind: SnapshotKind) => boolean): Promise<void> {
    await Promise.all(SNAPSHOT_KINDS.map((kind) => this.#queue(kind, isWanted)));
  }

  #queue(kind: SnapshotKind, isWanted: (kind: SnapshotKind) => boolean): Promise<void> {
    const sending = (this.#last.get(kind) ?? Promise.resolve()).then(async () => {
      if (this.#stop.signal.aborted) return;
      try {
        if (!isWanted(kind)) return;
        await this.#calm.get(kind);
        await this.#sendOne(kind);
        this.#calm.set(kind, this.#pause(LEAST_BETWEEN_MS));
      } catch (error) {
        this.#options.onFailure(error);
        this.#retry ??= this.#sendLater();
      }
    });
    this.#last.set(kind, sending);
    return sending;
  }

  async #sendLater(): Promise<void> {
    await this.#pause(this.#options.retryMs ?? 1000);
    this.#retry = null;
    // Not waited for: each kind is tried again by itself.
    if (!this.#stop.signal.aborted) void this.send();
  }

  /** Ends early when the outbox is closed. */
  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  async #sendOne(kind: SnapshotKind): Promise<void> {
    const { record, sources, sign, publisher, clock, onSent } = this.#options;
    const at = isoTime(clock());
    // Body and serial from one view of the record: a snapshot with serial n holds every change up to n.
    const found = record.read((tx) => ({ serial: currentSerial(tx, kind), body: sources[kind](tx, clock()) }));
    const { serial, body } = found;
    if (serial === 0 || body === null) return;
    await publisher.publish(sign({ kind, serial, at, body: JSON.stringify(body) }));
    record.write((tx) => {
      markSent(tx, kind, serial, isoTime(clock()));
      onSent(tx, kind, { serial, body, at: clock() });
    });
  }
}
