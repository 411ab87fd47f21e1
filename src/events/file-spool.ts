import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { AccessRecord } from './access-record.ts';
import type { AlarmCode, EventEnvelope } from './catalogue.ts';
import { EventFile } from './event-file.ts';
import { EventQueue } from './event-queue.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { Spool, SpoolHealth } from './spool.ts';
import { EVENT_FILE_ENDING, spoolName } from './spool-files.ts';

export interface SpoolLimits {
  /** How often, in ms, buffered records are written, events are brought to the disk, and a disk that refused is tried again. */
  readonly tickMs: number;
  /** An event file gets its end mark at this size. */
  readonly eventFileBytes: number;
  /** Held in memory while the disk refuses: above either the spool is `full`. Bytes count events and records. */
  readonly heldEvents: number;
  readonly heldBytes: number;
  /** Buffered records that are written without waiting for the tick. */
  readonly flushBytes: number;
  /** Raw size and age at which a segment is closed. */
  readonly segmentBytes: number;
  readonly segmentMs: number;
}

export const SPOOL_LIMITS: SpoolLimits = {
  tickMs: 1000,
  eventFileBytes: 8 << 20,
  heldEvents: 10_000,
  heldBytes: 16 << 20,
  flushBytes: 64 << 10,
  segmentBytes: 4 << 20,
  segmentMs: 300_000,
};

export interface SpoolOptions {
  readonly layout: DataLayout;
  /** This gateway's name; letters, digits, `.`, `_` and `-`. */
  readonly gateway: string;
  /** One process at a time per number. */
  readonly worker: number;
  readonly clock: Clock;
  readonly ids: IdMaker;
  /** `disk-refuses`, once each time the disk begins to refuse. */
  readonly onAlarm: (code: AlarmCode, text: string) => void;
  readonly limits?: Partial<SpoolLimits>;
}

type Part = 'events' | 'sync' | 'records';

/** Opens a worker's spool. The files are begun with the first line, so that opening cannot fail on a full disk. */
export function openSpool(options: SpoolOptions): Spool {
  spoolName(options.gateway, options.worker, options.ids());
  for (const folder of [options.layout.spoolEvents, options.layout.spoolOpen, options.layout.spoolSegments]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  return new FileSpool(options);
}

class FileSpool implements Spool {
  readonly #limits: SpoolLimits;
  readonly #onAlarm: SpoolOptions['onAlarm'];
  readonly #file: EventFile;
  readonly #events: EventQueue;
  readonly #records: SegmentWriter;
  readonly #refusing = new Set<Part>();
  readonly #openings = new Map<string, () => AccessRecord>();
  readonly #tick: NodeJS.Timeout;

  constructor({ layout, gateway, worker, clock, ids, onAlarm, limits }: SpoolOptions) {
    this.#limits = { ...SPOOL_LIMITS, ...limits };
    this.#onAlarm = onAlarm;
    const nextIn = (folder: string) => () => join(folder, spoolName(gateway, worker, ids()) + EVENT_FILE_ENDING);
    this.#file = new EventFile(nextIn(layout.spoolEvents), this.#limits.eventFileBytes);
    this.#events = new EventQueue(this.#file, (error) => this.#onDisk('events', error));
    this.#records = new SegmentWriter({
      ...this.#limits,
      nextPath: nextIn(layout.spoolOpen),
      segmentsFolder: layout.spoolSegments,
      clock,
      onDisk: (error) => this.#onDisk('records', error),
    });
    this.#tick = setInterval(() => this.#onTick(), this.#limits.tickMs).unref();
  }

  event(envelope: EventEnvelope): Promise<void> {
    return this.#events.push(`${JSON.stringify(envelope)}\n`);
  }

  record(record: AccessRecord): void {
    this.#openings.delete(record.id);
    this.#records.push(`${JSON.stringify(record)}\n`);
  }

  opening(id: string, record: () => AccessRecord): void {
    this.#openings.set(id, record);
  }

  get health(): SpoolHealth {
    if (this.#refusing.size === 0) return 'ok';
    const [events, records] = [this.#events.held, this.#records.held];
    const isFull = events.lines >= this.#limits.heldEvents || events.bytes + records.bytes >= this.#limits.heldBytes;
    return isFull ? 'full' : 'failing';
  }

  get held(): number {
    return this.#events.held.lines + this.#records.held.lines;
  }

  async close(): Promise<void> {
    clearInterval(this.#tick);
    this.#writeOpenings();
    await Promise.all([this.#events.close(), this.#records.close()]);
  }

  #onTick(): void {
    this.#events.retry();
    this.#file.sync((error) => this.#onDisk('sync', error));
    this.#writeOpenings();
    void this.#records.flush();
  }

  // Most tunnels end before the buffer is written at all: their record stands for both lines.
  #writeOpenings(): void {
    for (const record of this.#openings.values()) this.#records.push(`{"opening":${JSON.stringify(record())}}\n`);
    this.#openings.clear();
  }

  #onDisk(part: Part, error: Error | null): void {
    if (error === null) {
      this.#refusing.delete(part);
      return;
    }
    const isNews = this.#refusing.size === 0;
    this.#refusing.add(part);
    if (isNews) {
      this.#onAlarm(
        'disk-refuses',
        `The disk refuses what the gateway must keep (${error.message}). Make room or replace it.`,
      );
    }
  }
}
