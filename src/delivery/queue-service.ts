// caller's transaction ──► deliveries (a row per recipient) ──► claim ──► send ──► sent | try again later
import type { Clock } from '../kernel/clock.ts';
import { InvalidInputError } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { type Channel, nextTry, type Outgoing, type QueuedDelivery } from './outgoing.ts';
import {
  deliveriesAbout,
  dueDeliveries,
  insertDelivery,
  markFailed,
  markSending,
  markSent,
  nextDue,
  releaseClaims,
  unsentBefore,
} from './repository.ts';

/** For data whose time has come. */
export { eraseDone, oldestDone } from './repository.ts';

/** What has to leave, on record: at least once for each recipient, whatever is killed when. */
export interface DeliveryQueue {
  /**
   * Part of the caller's transaction: what is due and what tells of it are kept together, or neither. Leaves after the commit. Gives the
   * delivery's id: of the one that stands already, where the same was queued before.
   */
  add(tx: Tx, outgoing: Outgoing): string;
  /** What became of it, oldest first. */
  about(tx: ReadTx, about: string): QueuedDelivery[];
  /** What was to leave before an instant (ms since the epoch) and has not. */
  waitingSince(tx: ReadTx, before: number): QueuedDelivery[];
  /** Begins to send. What a killed run had under way goes out again under the same id. */
  start(): void;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export interface DeliveryQueueOptions {
  readonly record: RecordDatabase;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** Each rejects when it did not leave. */
  readonly senders: Readonly<Record<Channel, (delivery: QueuedDelivery) => Promise<unknown>>>;
  /** A try failed. `nextTryAt` null: given up. */
  readonly onFailure: (delivery: QueuedDelivery, error: unknown, nextTryAt: number | null) => void;
}

/** Under way at once over each channel: a server that hangs holds up neither the others nor the other channels for long. */
const AT_ONCE = 8;
/** The longest that the queue sleeps: the clock may be set meanwhile, ms. */
const NAP_MS = 30_000;

export function createDeliveryQueue(options: DeliveryQueueOptions): DeliveryQueue {
  return new Queue(options);
}

class Queue implements DeliveryQueue {
  readonly #options: DeliveryQueueOptions;
  readonly #underWay = new Map<Channel, Set<Promise<void>>>();
  #timer: NodeJS.Timeout | undefined;
  #wake: NodeJS.Immediate | undefined;
  #isRunning = false;

  constructor(options: DeliveryQueueOptions) {
    this.#options = options;
    for (const channel of Object.keys(options.senders) as Channel[]) this.#underWay.set(channel, new Set());
  }

  add(tx: Tx, outgoing: Outgoing): string {
    const { clock, newId } = this.#options;
    const id = insertDelivery(tx, newId(), outgoing, clock());
    // Transactions are over before anything else of the process runs.
    if (this.#isRunning) this.#wake ??= setImmediate(() => this.#pump());
    return id;
  }

  about(tx: ReadTx, about: string): QueuedDelivery[] {
    return deliveriesAbout(tx, about);
  }

  waitingSince(tx: ReadTx, before: number): QueuedDelivery[] {
    return unsentBefore(tx, before);
  }

  start(): void {
    const { record, clock } = this.#options;
    record.write((tx) => releaseClaims(tx, clock()));
    this.#isRunning = true;
    this.#pump();
  }

  async close(): Promise<void> {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    clearImmediate(this.#wake);
    await Promise.all(Array.from(this.#underWay.values(), (sends) => Promise.all(sends)));
  }

  #pump(): void {
    this.#wake = undefined;
    clearTimeout(this.#timer);
    if (!this.#isRunning) return;
    for (const channel of this.#underWay.keys()) this.#fill(channel);
    const { record, clock } = this.#options;
    const due = record.read(nextDue);
    // What is due and found no room goes when a place falls free.
    const pause = due === null || due <= clock() ? NAP_MS : Math.min(NAP_MS, due - clock());
    this.#timer = setTimeout(() => this.#pump(), pause).unref();
  }

  #fill(channel: Channel): void {
    const { record, clock } = this.#options;
    const sends = this.#underWay.get(channel)!;
    const room = AT_ONCE - sends.size;
    if (room === 0) return;
    const due = record.read((tx) => dueDeliveries(tx, channel, clock(), room));
    if (due.length === 0) return;
    record.write((tx) => due.forEach(({ id }) => markSending(tx, id)));
    for (const delivery of due) {
      const send = this.#send(delivery).finally(() => {
        sends.delete(send);
        this.#pump();
      });
      sends.add(send);
    }
  }

  async #send(delivery: QueuedDelivery): Promise<void> {
    const { clock, senders, onFailure } = this.#options;
    try {
      await senders[delivery.channel](delivery);
    } catch (error) {
      // What must not be sent is no better later.
      const isRefused = error instanceof InvalidInputError;
      const next = isRefused ? null : nextTry(delivery.queuedAt, delivery.tries + 1, clock());
      this.#note(delivery, (tx) => markFailed(tx, delivery.id, (error as Error).message, next));
      onFailure(delivery, error, next);
      return;
    }
    this.#note(delivery, (tx) => markSent(tx, delivery.id, clock()));
  }

  /** A record that cannot be written leaves the claim, which the next start releases: never a second mail from this run. */
  #note(delivery: QueuedDelivery, work: (tx: Tx) => void): void {
    try {
      this.#options.record.write(work);
    } catch (error) {
      this.#options.onFailure(delivery, error, null);
    }
  }
}
