import type { ToldRecord } from '../gateway/told-refusal.ts';
import { type LeaseBook } from '../gateway/leases.ts';
import type { Clock } from '../kernel/clock.ts';
import { type MetricsReport, sumMetrics } from '../telemetry/metrics.ts';
import type { Pass } from '../policy/passes.ts';
import { Child, type ChildEnvironment } from './child.ts';
import type { Message, ProcessLink } from './process-link.ts';
import { until } from './until.ts';
import type { WorkerOrders, WorkerPulse } from './worker.ts';

/** What the pool needs of the gateway around it. */
export interface PoolOptions {
  readonly count: number;
  readonly env: ChildEnvironment;
  readonly clock: Clock;
  /** Who holds how many connections; shared by all workers. */
  readonly book: LeaseBook;
  /** What a worker is told at each start. */
  orders(worker: number): WorkerOrders;
  /** Everything a worker says or asks that is not the pool's own affair. */
  onMessage(message: Message, answer: (body: unknown) => void): void;
  /** A worker opened its doors, at these ports; the first one found them where any free ones were asked for. */
  onListening(port: number, tlsPort: number | null): void;
  /** A worker that is alive but gives no sign is about to be killed; the restart follows as after any death. */
  onStuck(worker: number): void;
  /** A worker died; `heard` is when it last gave a sign, ms since the epoch. The restart waits for it. */
  onDied(worker: number, how: string, heard: number): Promise<void>;
  onCrashLoop(worker: number, deaths: number): void;
}

interface Worker {
  readonly number: number;
  readonly child: Child;
  pulse: WorkerPulse | null;
  heard: number;
  /** Looks in a row, one a second, without a sign of it. Counted, not taken from a clock: that may be set, and we may have slept. */
  silent: number;
  listening: boolean;
}

const LOOK_MS = 1_000;
/** Workers give a sign each second; at its start one has a process to load and lists to read. */
const SILENT_LOOKS = 10;
const SILENT_LOOKS_AT_START = 30;
const START_MS = 15_000;
const ASK_MS = 2_000;

/** The workers of one gateway: started, restarted, drained, and asked as one. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #workers: Worker[] = [];
  #highest = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Resolves when the doors are open; rejects when no worker could open them. The first worker alone finds the ports. */
  async start(): Promise<void> {
    this.#watch = setInterval(() => this.#killSilent(), LOOK_MS);
    for (let number = 1; number <= this.#options.count; number++) {
      const worker = this.#newWorker(number);
      this.#workers.push(worker);
      worker.child.start();
      if (number === 1) await until(() => worker.listening, START_MS, this.#options.clock);
    }
    await until(() => this.#workers.every((worker) => worker.listening), START_MS, this.#options.clock);
    if (!this.isListening) throw new Error('no worker could open the proxy port');
  }

  get size(): number {
    return this.#workers.length;
  }

  get isListening(): boolean {
    return this.#workers.some((worker) => worker.listening);
  }

  /** Each worker's number and last sign of life; null while it is down. */
  get pulses(): readonly { readonly worker: number; readonly pulse: WorkerPulse | null }[] {
    return this.#workers.map(({ number, pulse }) => ({ worker: number, pulse }));
  }

  /** The highest instant any worker has seen, ms since the epoch. */
  get highestInstant(): number {
    return this.#highest;
  }

  tell(message: Message): void {
    for (const { child } of this.#workers) child.link?.tell(message);
  }

  /** Prometheus text, all workers summed. */
  async metrics(): Promise<string> {
    return sumMetrics(await this.#ask<MetricsReport>({ type: 'report-metrics' }));
  }

  /** Puts a pass in force on every worker; resolves once they all have it. */
  async pass(pass: Pass): Promise<void> {
    await this.#ask({ type: 'pass', pass });
  }

  /** What was refused to a client, newest first. */
  async refusalsOf(client: string): Promise<readonly ToldRecord[]> {
    const found = (await this.#ask<ToldRecord[]>({ type: 'refusals', client })).flat();
    return found.sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** Lets open connections end, cuts them after `deadlineMs`; gives how many were cut. */
  async drain(deadlineMs: number): Promise<number> {
    clearInterval(this.#watch);
    let cut = 0;
    await Promise.all(
      this.#workers.map(async ({ child }) => {
        child.link?.onMessage((message) => {
          if (message.type === 'drained') cut += message['cut'] as number;
        });
        child.link?.tell({ type: 'drain', deadlineMs });
        await child.stop(deadlineMs + 3_000);
      }),
    );
    return cut;
  }

  /** One that hangs still holds its share of the port: its clients would wait for ever. */
  #killSilent(): void {
    for (const worker of this.#workers) {
      if (worker.child.link === null) worker.silent = 0;
      const most = worker.listening ? SILENT_LOOKS : SILENT_LOOKS_AT_START;
      if (++worker.silent !== most) continue;
      this.#options.onStuck(worker.number);
      worker.child.kill();
    }
  }

  #newWorker(number: number): Worker {
    const { clock, env } = this.#options;
    const worker: Worker = {
      number,
      pulse: null,
      heard: clock(),
      silent: 0,
      listening: false,
      child: new Child({
        name: `worker ${number}`,
        module: new URL('./worker-process.ts', import.meta.url),
        env,
        clock,
        onStart: (link) => this.#onStart(worker, link),
        onDied: (how) => this.#onDied(worker, how),
        onCrashLoop: (deaths) => this.#options.onCrashLoop(number, deaths),
      }),
    };
    return worker;
  }

  #onStart(worker: Worker, link: ProcessLink): void {
    link.onMessage((message, answer) => {
      worker.heard = this.#options.clock();
      worker.silent = 0;
      this.#onMessage(worker, message, answer);
    });
    link.tell({ type: 'orders', orders: this.#options.orders(worker.number) });
  }

  #onMessage(worker: Worker, message: Message, answer: (body: unknown) => void): void {
    const { book } = this.#options;
    const [key, count] = [message['key'] as string, message['count'] as number];
    switch (message.type) {
      case 'pulse':
        worker.pulse = message as unknown as WorkerPulse;
        this.#highest = Math.max(this.#highest, worker.pulse.now);
        return;
      case 'listening':
        worker.listening = true;
        return this.#options.onListening(message['port'] as number, message['tlsPort'] as number | null);
      case 'lease':
        return answer(book.grant(worker.number, key, count));
      case 'lease-back':
        return book.giveBack(worker.number, key, count);
      case 'metrics':
        return void this.metrics().then(answer);
      default:
        return this.#options.onMessage(message, answer);
    }
  }

  async #onDied(worker: Worker, how: string): Promise<void> {
    worker.listening = false;
    worker.silent = 0;
    worker.pulse = null;
    this.#options.book.forget(worker.number);
    await this.#options.onDied(worker.number, how, worker.heard);
  }

  /** The answers of the workers that give one; a worker that is just being started again has none. */
  async #ask<T>(message: Message): Promise<T[]> {
    const links = this.#workers.flatMap(({ child }) => child.link ?? []);
    const answers = await Promise.allSettled(links.map((link) => link.ask(message, ASK_MS)));
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value as T] : []));
  }
}
