import { readFileSync, rmSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { DataLayout } from '../config/data-layout.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { watchBusyFolders } from '../kernel/watch-folders.ts';
import { type ArrivedEvent, MOST_AT_ONCE, type UpwardConsumer } from './bus.ts';
import type { OnState } from './link-state.ts';
import { type Backoff, createPump, GATHER_MS, persist, type Pump } from './pump.ts';
import { byWorker, EVENT_FILE_ENDING, listSpool, readSpool, SEGMENT_ENDING } from './spool-files.ts';

const READ_BYTES = 512 << 10;
const SAVE_MS = 1000;

type Handlers = Parameters<UpwardConsumer['start']>[0];

/** The console's end of the folder adapter: takes events and segments from the spool of the gateway beside it. */
export class FolderConsumer implements UpwardConsumer {
  readonly #layout: DataLayout;
  readonly #backoff: Backoff;
  readonly #newPart: () => OnState;
  readonly #positions: Positions;
  /** One for each worker, so that order holds in each and none waits for another's trouble. */
  readonly #lanes = new Map<string, Pump>();
  readonly #stop = new AbortController();
  #handlers: Handlers | null = null;
  #segments: Pump | null = null;
  #unwatch: () => void = () => {};

  constructor(layout: DataLayout, backoff: Backoff, newPart: () => OnState) {
    this.#layout = layout;
    this.#backoff = backoff;
    this.#newPart = newPart;
    this.#positions = new Positions(join(layout.spoolEvents, 'committed.json'));
  }

  async start(handlers: Handlers): Promise<void> {
    this.#handlers = handlers;
    this.#segments = createPump(() => this.#takeSegments(), this.#newPart());
    this.#unwatch = watchBusyFolders(
      [this.#layout.spoolEvents, this.#layout.spoolSegments],
      () => this.#look(),
      GATHER_MS,
    );
    this.#look();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#unwatch();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
    await this.#segments?.stop();
    this.#positions.save();
  }

  #look(): void {
    for (const worker of byWorker(listSpool(this.#layout.spoolEvents, EVENT_FILE_ENDING)).keys()) {
      let lane = this.#lanes.get(worker);
      if (lane === undefined)
        this.#lanes.set(worker, (lane = createPump(() => this.#takeEvents(worker), this.#newPart())));
      lane.poke();
    }
    this.#segments?.poke();
    this.#positions.saveSoon();
  }

  async #takeEvents(worker: string): Promise<void> {
    // A worker begins a file only after its last write to the one before, so what was listed before the newest is complete.
    for (const file of byWorker(listSpool(this.#layout.spoolEvents, EVENT_FILE_ENDING)).get(worker) ?? []) {
      if (!(await this.#takeFile(file))) return;
    }
  }

  /** False when closing interrupted it. */
  async #takeFile(file: string): Promise<boolean> {
    for (;;) {
      const { lines, closed, more } = readSpool(this.#layout.spoolEvents, file, this.#positions.of(file), READ_BYTES);
      for (let first = 0; first < lines.length; first += MOST_AT_ONCE) {
        const batch = lines.slice(first, first + MOST_AT_ONCE).map(({ json, end }) => ({ json, file, end }));
        if (!(await this.#deliver(batch))) return false;
        this.#positions.set(file, batch.at(-1)!.end);
        // A commit does not wait for anything: without this nobody else would have a turn until the last event is taken.
        await turn();
      }
      if (closed) {
        rmSync(join(this.#layout.spoolEvents, file), { force: true });
        this.#positions.forget(file);
      }
      // What is written meanwhile waits for the next look, and comes together.
      if (!more) return true;
    }
  }

  #deliver(batch: readonly ArrivedEvent[]): Promise<boolean> {
    return persist(async () => this.#handlers!.events(batch), this.#backoff, this.#stop.signal);
  }

  async #takeSegments(): Promise<void> {
    for (const file of listSpool(this.#layout.spoolSegments, SEGMENT_ENDING)) {
      const path = join(this.#layout.spoolSegments, file);
      const name = file.slice(0, -SEGMENT_ENDING.length);
      const take = async (): Promise<void> => {
        await this.#handlers!.segment({ name, bytes: await readFile(path) });
        await rm(path);
      };
      if (!(await persist(take, this.#backoff, this.#stop.signal))) return;
    }
  }
}

/**
 * How far each event file was committed, in bytes. Saved once a second at most: after a crash a few events come twice,
 * and their ids tell.
 */
class Positions {
  readonly #path: string;
  readonly #ends: Map<string, number>;
  #dirty = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(path: string) {
    this.#path = path;
    this.#ends = new Map(readPositions(path));
  }

  of(file: string): number {
    return this.#ends.get(file) ?? 0;
  }

  set(file: string, end: number): void {
    this.#ends.set(file, end);
    this.#dirty = true;
  }

  forget(file: string): void {
    this.#dirty = this.#ends.delete(file) || this.#dirty;
  }

  saveSoon(): void {
    if (this.#dirty) this.#timer ??= setTimeout(() => this.save(), SAVE_MS);
  }

  save(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#dirty) return;
    try {
      replaceFile(this.#path, JSON.stringify(Object.fromEntries(this.#ends)));
      this.#dirty = false;
    } catch {
      // A full disk: tried again at the next look. Until then more would come twice after a crash, nothing less.
    }
  }
}

function readPositions(path: string): [string, number][] {
  try {
    const found = Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>);
    return found.filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1]));
  } catch {
    // None yet, or damaged: everything that is still there comes again, and ids tell what is known.
    return [];
  }
}
