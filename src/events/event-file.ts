import { close, closeSync, fdatasync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { END_MARK } from './spool-files.ts';

/** write(2) as `fs.writeSync` does it: may write less than it was given. */
export type WriteBytes = (fd: number, bytes: Uint8Array, offset: number, length: number) => number;

const ignore = (): void => {};

/**
 * The event file a worker is writing: append-only, one at a time, begun at the first event, ended by a mark when it has
 * `maxBytes`. Every append is all or nothing, so that a reader never sees half a line in the middle of a file.
 */
export class EventFile {
  readonly #nextPath: () => string;
  readonly #maxBytes: number;
  readonly #write: WriteBytes;
  #fd: number | null = null;
  #size = 0;
  #dirty = false;

  constructor(nextPath: () => string, maxBytes: number, write: WriteBytes = writeSync) {
    this.#nextPath = nextPath;
    this.#maxBytes = maxBytes;
    this.#write = write;
  }

  /** Appends whole lines with completed writes. Throws what the file system throws; nothing of `bytes` then stands. */
  append(bytes: Uint8Array): void {
    if (this.#fd === null) {
      this.#fd = openSync(this.#nextPath(), 'a', 0o600);
      this.#size = 0;
    }
    try {
      this.#writeAll(this.#fd, bytes);
    } catch (error) {
      this.#undo(this.#fd);
      throw error;
    }
    this.#size += bytes.length;
    this.#dirty = true;
    if (this.#size >= this.#maxBytes) this.finish(ignore);
  }

  #writeAll(fd: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += this.#write(fd, bytes, done, bytes.length - done);
  }

  /** A descriptor that cannot be put right (a device that is gone) is left behind; recovery ends its file. */
  #undo(fd: number): void {
    try {
      ftruncateSync(fd, this.#size);
    } catch {
      this.#fd = null;
      close(fd, ignore);
    }
  }

  /** Brings what was appended to the disk; tells of a disk that could not. */
  sync(done: (error: Error | null) => void): void {
    if (this.#fd === null || !this.#dirty) return done(null);
    this.#dirty = false;
    fdatasync(this.#fd, done);
  }

  /** Ends the file with its mark, on the disk, and releases it. The next append begins another. */
  finish(done: () => void): void {
    const fd = this.#fd;
    if (fd === null) return done();
    this.#fd = null;
    try {
      this.#writeAll(fd, Buffer.from(END_MARK));
    } catch {
      // Without its mark the file is only kept longer: recovery ends it.
    }
    fdatasync(fd, () => {
      closeSync(fd);
      done();
    });
  }
}
