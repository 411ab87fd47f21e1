// a list changed ─► wish ─► current? ─ no ─► `lists build` in a child process ─► current.json ─► published
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isIndexCurrent, readManifest } from '../categories/current-index.ts';
import type { DataLayout } from '../config/data-layout.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
/** How often a build that somebody killed is started anew. */
const MOST_AGAIN = 2;

export interface RebuilderOptions {
  readonly listsDir: string;
  readonly layout: DataLayout;
  /** Called after each build, so that gateways are sent what is in force now. */
  readonly publish: () => Promise<void>;
}

/** The console's builder of the category index. */
export interface IndexRebuilder {
  /**
   * Looks whether lists or catalogue have changed, and if so builds the index and publishes it. Resolves with what an adult should
   * know, one sentence each; none when nothing had to be built. Never twice at once: a wish during a run makes one more run.
   */
  readonly rebuild: () => Promise<readonly string[]>;
  /** Ends a build that is under way; the index before it stays in force. */
  readonly close: () => Promise<void>;
}

export function createRebuilder({ listsDir, layout, publish }: RebuilderOptions): IndexRebuilder {
  const stop = new AbortController();
  let running: Promise<readonly string[]> | null = null;
  let next: Promise<readonly string[]> | null = null;

  const run = async (): Promise<readonly string[]> => {
    if (stop.signal.aborted || (await isCurrent(listsDir, layout))) return [];
    const before = builtAt(layout);
    let built = await buildLists(listsDir, layout, stop.signal);
    for (let again = 0; built.wasKilled && again < MOST_AGAIN && !stop.signal.aborted; again++) {
      built = await buildLists(listsDir, layout, stop.signal);
    }
    if (stop.signal.aborted) return [];
    await publish();
    if (builtAt(layout) !== before) return readManifest(layout)!.alarms;
    return [`The lists could not be built; the index built last stays in use. ${built.complaint}`];
  };
  const rebuild = (): Promise<readonly string[]> => {
    if (running === null) {
      running = run().finally(() => (running = null));
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null;
        return rebuild();
      });
    return next;
  };
  return {
    rebuild,
    async close() {
      stop.abort();
      await Promise.allSettled([running, next]);
    },
  };
}

/** A catalogue that is not valid is for the build to complain of. */
async function isCurrent(listsDir: string, layout: DataLayout): Promise<boolean> {
  return await isIndexCurrent(listsDir, layout).catch(() => false);
}

function builtAt(layout: DataLayout): string | null {
  try {
    return readManifest(layout)?.builtAt ?? null;
  } catch {
    return null;
  }
}

/** How `lists build` ended. */
export interface Built {
  /** What it complained of; empty when it did not. */
  readonly complaint: string;
  /** Somebody ended it, or the machine had no memory left for it. */
  readonly wasKilled: boolean;
}

/**
 * Runs `lists build` in a process that gives its memory back when it ends, and knows its two folders and no secret. Resolves when the
 * process has gone, also when `signal` ended it.
 */
export function buildLists(listsDir: string, layout: DataLayout, signal?: AbortSignal): Promise<Built> {
  const env = { SCHOOLGATE_LISTS_DIR: listsDir, SCHOOLGATE_DATA_DIR: layout.root };
  return new Promise((resolve) => {
    // Not by execFile's own `signal`: that tells of the end before the process has gone, which may still put an index in force until
    // then, and sends SIGTERM whatever `killSignal` says.
    const end = (): void => void child.kill('SIGKILL');
    const options = { env, maxBuffer: 1 << 26 };
    const child = execFile(process.execPath, [MAIN, 'lists', 'build'], options, (error, _stdout, stderr) => {
      signal?.removeEventListener('abort', end);
      const wasKilled = typeof error?.signal === 'string';
      const complaint = stderr.trim() || 'The build was ended; run npx schoolgate lists build.';
      resolve({ complaint: error === null ? '' : complaint, wasKilled });
    });
    signal?.addEventListener('abort', end);
    if (signal?.aborted === true) end();
  });
}
