import type { EventFile } from './event-file.ts';
import { LineQueue } from './line-queue.ts';

const SLICE = 1 << 20;

/** Told when the disk refuses (with the reason) and when it takes lines again (null). */
export type OnDisk = (error: Error | null) => void;

/**
 * Event lines on their way into the event file. All lines of one event-loop turn go out in one write; when the disk
 * refuses they wait here, in order, and `retry` tries again.
 */
export class EventQueue {
  readonly #file: EventFile;
  readonly #onDisk: OnDisk;
  readonly #lines = new LineQueue();
  #turn: PromiseWithResolvers<void> | null = null;
  #refused = false;

  constructor(file: EventFile, onDisk: OnDisk) {
    this.#file = file;
    this.#onDisk = onDisk;
  }

  /** Lines and bytes that wait because the disk refused them. */
  get held(): { readonly lines: number; readonly bytes: number } {
    return this.#refused ? this.#lines : { lines: 0, bytes: 0 };
  }

  /** `line` ends with its newline. Resolves when it was written, or is held. */
  push(line: string): Promise<void> {
    this.#lines.push(line);
    if (this.#refused) return Promise.resolve();
    if (this.#turn === null) {
      this.#turn = Promise.withResolvers<void>();
      setImmediate(() => this.#endTurn());
    }
    return this.#turn.promise;
  }

  #endTurn(): void {
    const turn = this.#turn;
    this.#turn = null;
    this.#write();
    turn?.resolve();
  }

  /** Tries the disk again. */
  retry(): void {
    if (this.#refused) this.#write();
  }

  #write(): void {
    try {
      while (this.#lines.lines > 0) {
        this.#file.append(Buffer.from(this.#lines.first(SLICE)));
        this.#lines.dropFirst();
      }
    } catch (error) {
      this.#refused = true;
      this.#onDisk(error as Error);
      return;
    }
    this.#refused = false;
    this.#onDisk(null);
  }

  /** Writes what waits, if the disk takes it, and ends the file. */
  close(): Promise<void> {
    this.#endTurn();
    return new Promise((resolve) => this.#file.finish(resolve));
  }
}
