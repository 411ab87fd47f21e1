import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Clock } from '../kernel/clock.ts';
import { closeSegment } from './close-segment.ts';
import type { OnDisk } from './event-queue.ts';
import { LineQueue } from './line-queue.ts';

const SLICE = 1 << 20;

export interface SegmentWriterOptions {
  /** Path for the next open segment. */
  readonly nextPath: () => string;
  readonly segmentsFolder: string;
  readonly clock: Clock;
  /** Buffered bytes that are written without waiting for the next `flush`. */
  readonly flushBytes: number;
  /** Raw bytes and age in ms at which a segment is closed. */
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly onDisk: OnDisk;
}

interface OpenSegment {
  readonly handle: FileHandle;
  readonly path: string;
  /** When it was begun, ms since the epoch. */
  readonly since: number;
  size: number;
}

/** History lines: buffered, appended in order to the open segment, which is closed and compressed when it is full or old. */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  readonly #lines = new LineQueue();
  /** Segments that are full and wait to be compressed. */
  readonly #full = new Set<string>();
  #open: OpenSegment | null = null;
  #writing: Promise<void> | null = null;
  #refused = false;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
  }

  /** Lines and bytes that wait because the disk refused them. */
  get held(): { readonly lines: number; readonly bytes: number } {
    return this.#refused ? this.#lines : { lines: 0, bytes: 0 };
  }

  /** `line` ends with its newline. */
  push(line: string): void {
    this.#lines.push(line);
    if (this.#lines.bytes >= this.#options.flushBytes && !this.#refused) void this.flush();
  }

  /** Writes what is buffered and closes the segment if it is time. Never rejects; call it every second. */
  flush(): Promise<void> {
    this.#writing ??= this.#step().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #step(): Promise<void> {
    try {
      do await this.#appendLines();
      while (this.#lines.bytes >= this.#options.flushBytes);
      if (this.#isOld()) await this.#release();
      await this.#closeFull();
      this.#refused = false;
      this.#options.onDisk(null);
    } catch (error) {
      this.#refused = true;
      this.#options.onDisk(error as Error);
    }
  }

  async #appendLines(): Promise<void> {
    while (this.#lines.lines > 0) {
      const segment = (this.#open ??= await this.#begin());
      const bytes = Buffer.from(this.#lines.first(SLICE));
      try {
        await writeAll(segment.handle, bytes);
      } catch (error) {
        await this.#undo(segment);
        throw error;
      }
      segment.size += bytes.length;
      this.#lines.dropFirst();
      if (segment.size >= this.#options.segmentBytes) await this.#release();
    }
  }

  async #begin(): Promise<OpenSegment> {
    const [path, since] = [this.#options.nextPath(), this.#options.clock()];
    return { handle: await open(path, 'a', 0o600), path, since, size: 0 };
  }

  /** Half a line must not stay in the middle of a segment; where it cannot be cut off, the next begins another file. */
  async #undo(segment: OpenSegment): Promise<void> {
    try {
      await segment.handle.truncate(segment.size);
    } catch {
      await this.#release();
    }
  }

  #isOld(): boolean {
    return this.#open !== null && this.#options.clock() - this.#open.since >= this.#options.segmentMs;
  }

  async #release(): Promise<void> {
    const segment = this.#open;
    if (segment === null) return;
    this.#open = null;
    if (segment.size > 0) this.#full.add(segment.path);
    await segment.handle.close();
    if (segment.size === 0) await rm(segment.path, { force: true });
  }

  async #closeFull(): Promise<void> {
    for (const path of this.#full) {
      await closeSegment(path, this.#options.segmentsFolder);
      this.#full.delete(path);
    }
  }

  /** Writes what is buffered, closes and compresses the segment. What the disk refuses now stays for recovery. */
  async close(): Promise<void> {
    await this.flush();
    await this.#release();
    await this.flush();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
}
