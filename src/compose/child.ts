import { type ChildProcess, fork } from 'node:child_process';
import type { Clock } from '../kernel/clock.ts';
import { processLink, type ProcessLink } from './process-link.ts';

export type ChildEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * For the C library of a child (mallopt(3)), bytes: what is large, such as an index, has pages of its own that go back when it does.
 * Left to itself it learns to take them from where small pieces lie, and keeps the holes: about one index more (after 100 swaps of
 * 13 MB among buffers that come and go 229 to 231 MB, so 211 to 217).
 */
const MEMORY = { MALLOC_MMAP_THRESHOLD_: String(1 << 20), MALLOC_TRIM_THRESHOLD_: String(4 << 20) };

/** One process that the supervisor keeps running. */
export interface ChildSpec {
  readonly name: string;
  /** The module it runs. */
  readonly module: URL;
  /** What it is given of the environment. */
  readonly env: ChildEnvironment;
  readonly clock: Clock;
  /** Called at every start, before the process can have said anything. */
  onStart(link: ProcessLink): void;
  /** Called when it died although it was not told to stop; the restart waits for it. */
  onDied(how: string): Promise<void>;
  /** Called once when it keeps dying. */
  onCrashLoop(deaths: number): void;
}

const LOOP_WINDOW_MS = 60_000;
const LOOP_DEATHS = 5;
const MAX_PAUSE_MS = 30_000;

/** Starts a process and starts it again when it dies: at once, and with a growing pause when it dies again and again. */
export class Child {
  readonly #spec: ChildSpec;
  readonly #deaths: number[] = [];
  #process: ChildProcess | null = null;
  #link: ProcessLink | null = null;
  #stopping = false;
  #restart: NodeJS.Timeout | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(spec: ChildSpec) {
    this.#spec = spec;
  }

  /** Null while the process is down. */
  get link(): ProcessLink | null {
    return this.#link;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  start(): void {
    const started = fork(this.#spec.module, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...this.#spec.env, ...MEMORY },
    });
    const link = processLink(started);
    this.#process = started;
    this.#link = link;
    this.#exited = new Promise((resolve) => {
      const onExit = (code: number | null, signal: string | null): void => {
        this.#process = null;
        this.#link = null;
        resolve();
        if (!this.#stopping) void this.#again(signal ?? `exit ${code}`);
      };
      started.once('exit', onExit);
      started.once('error', () => onExit(null, 'could not be started'));
    });
    this.#spec.onStart(link);
  }

  /** Ends it at once, as a crash would; it is started again. */
  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  /** Resolves when the process has gone; after `deadlineMs` it is killed. How it is told to go is the caller's affair. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const kill = setTimeout(() => this.#process?.kill('SIGKILL'), deadlineMs);
    await this.#exited;
    clearTimeout(kill);
  }

  async #again(how: string): Promise<void> {
    const now = this.#spec.clock();
    this.#deaths.push(now);
    while (this.#deaths[0]! < now - LOOP_WINDOW_MS) this.#deaths.shift();
    const deaths = this.#deaths.length;
    if (deaths === LOOP_DEATHS) this.#spec.onCrashLoop(deaths);
    await this.#spec.onDied(how);
    if (this.#stopping) return;
    const pause = deaths < LOOP_DEATHS ? 0 : Math.min(1000 * 2 ** (deaths - LOOP_DEATHS), MAX_PAUSE_MS);
    this.#restart = setTimeout(() => this.start(), pause);
  }
}
