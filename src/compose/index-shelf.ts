import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describeIndex } from '../categories/describe-index.ts';
import type { IndexSnapshot } from '../categories/index-snapshot.ts';
import type { DataLayout } from '../config/data-layout.ts';

/** Changes whenever another index is in force on disk; empty before the first. */
export function indexMark(layout: DataLayout): string {
  try {
    const { mtimeMs, ino } = statSync(join(layout.index, 'current.json'));
    return `${ino} ${mtimeMs}`;
  } catch {
    return '';
  }
}

/** The console's index, ready to be sent: the sums of its chunks take a while and are taken once. */
export class IndexShelf {
  readonly #layout: DataLayout;
  #snapshot: IndexSnapshot | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(layout: DataLayout) {
    this.#layout = layout;
  }

  /** Null until `look` has found one. */
  get snapshot(): IndexSnapshot | null {
    return this.#snapshot;
  }

  /** Looks which index is in force on disk; true: another than at the last look. Rejects as `describeIndex`; the last one then stays. */
  look(): Promise<boolean> {
    const look = this.#last.then(() => this.#look());
    this.#last = look.catch(() => {});
    return look;
  }

  async #look(): Promise<boolean> {
    const found = await describeIndex(this.#layout);
    if (found === null || JSON.stringify(found) === JSON.stringify(this.#snapshot)) return false;
    this.#snapshot = found;
    return true;
  }
}
