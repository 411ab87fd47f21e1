import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { watchFolders } from '../kernel/watch-folders.ts';
import { type Bus, SNAPSHOT_KINDS, type SnapshotFeed, type SnapshotKind, type SnapshotPublisher } from './bus.ts';
import { FolderConsumer } from './folder-consumer.ts';
import type { OnState } from './link-state.ts';
import type { Backoff } from './pump.ts';

/** The bus between one gateway and the console on the same machine: the spool itself upward, a folder downward. */
export function folderBus(layout: DataLayout, backoff: Backoff, newPart: () => OnState): Bus {
  for (const folder of [layout.busDown, layout.spoolEvents, layout.spoolSegments]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  return {
    consumer: () => new FolderConsumer(layout, backoff, newPart),
    publisher: () => folderPublisher(layout),
    feed: () => new FolderFeed(layout),
    chunks: () => null,
    asker: () => null,
    answerer: () => null,
    // The console reads the spool where it lies, and removes from it what it has committed.
    carrier: () => ({ start: async () => {}, close: async () => {} }),
  };
}

function folderPublisher(layout: DataLayout): SnapshotPublisher {
  return {
    async publish(snapshot) {
      replaceFile(join(layout.busDown, `${snapshot.kind}.json`), JSON.stringify(snapshot));
    },
    close: async () => {},
  };
}

class FolderFeed implements SnapshotFeed {
  readonly #layout: DataLayout;
  readonly #told = new Map<SnapshotKind, string>();
  #unwatch: () => void = () => {};

  constructor(layout: DataLayout) {
    this.#layout = layout;
  }

  async start(onSnapshot: (kind: SnapshotKind, json: string) => void): Promise<void> {
    const look = (): void => {
      for (const kind of SNAPSHOT_KINDS) this.#tellIfNew(kind, onSnapshot);
    };
    this.#unwatch = watchFolders([this.#layout.busDown], look);
    look();
  }

  async close(): Promise<void> {
    this.#unwatch();
  }

  #tellIfNew(kind: SnapshotKind, onSnapshot: (kind: SnapshotKind, json: string) => void): void {
    let json: string;
    try {
      json = readFileSync(join(this.#layout.busDown, `${kind}.json`), 'utf8');
    } catch {
      return; // Not published yet, or gone: what is in force stays in force.
    }
    if (json === this.#told.get(kind)) return;
    this.#told.set(kind, json);
    onSnapshot(kind, json);
  }
}
