import { type Clock, MINUTE_MS } from '../kernel/clock.ts';
import { everyMinute, type Heartbeat, readSlots, type Slots } from './cron.ts';

/** One line of the timetable. */
export interface Job {
  /** Stands in the record as the name of its last run: it never changes. */
  readonly name: string;
  /** Five-field cron, read on the clocks of `zone` (IANA). */
  readonly cron: string;
  readonly zone: string;
  /** What runs missed while the process was down do: `each` is made up in order; only the `latest` is. */
  readonly missed: 'each' | 'latest';
  /** How long after a start the first run waits, ms: for what came in while the process was down. */
  readonly settleMs: number;
  /** The use case. `due`: the minute it was due, ms since the epoch. Rejecting means: try again later. */
  run(due: number): Promise<unknown>;
}

/** Where last runs are kept. `get` null: never ran. */
export interface LastRuns {
  get(job: string): number | null;
  set(job: string, due: number): void;
}

export interface TimetablePorts {
  readonly clock: Clock;
  readonly lastRuns: LastRuns;
  /** Told of every run that failed, and when it is tried again (ms). */
  onFailure(job: string, error: unknown, nextTry: number): void;
  readonly heartbeat?: Heartbeat;
}

export interface Timetable {
  /**
   * Puts these jobs in the place of all others; one that is there with the same name, time and zone goes on as it is. Throws a
   * SchoolgateError if a job's time is not usable; nothing changes then.
   */
  replace(jobs: readonly Job[]): void;
  /** No run begins any more; resolves when those that had begun have ended. */
  stop(): Promise<void>;
}

/** A month of reports is worth making up; looking further back would take seconds. */
const LOOK_BACK_MS = 35 * 24 * 60 * MINUTE_MS;
const LONGEST_PAUSE_MS = 60 * MINUTE_MS;

/**
 * Runs each job when it is due, at least once for each time, one run of a job at a time: a run counts when it has ended
 * well, and one that fails is tried again after 1, 2, 4 … 60 minutes. What was missed is made up after the start. A job that never
 * ran has missed nothing. Throws a SchoolgateError if a job's time is not usable; nothing runs then.
 */
export function startTimetable(jobs: readonly Job[], ports: TimetablePorts): Timetable {
  let lines = jobs.map((job) => new Line(job, ports));
  const ending: Promise<void>[] = [];
  const beat = (): void => {
    for (const line of lines) line.look();
  };
  const heart = (ports.heartbeat ?? everyMinute)(beat);
  beat();
  return {
    replace(next) {
      const before = lines;
      lines = next.map((job) => before.find((line) => line.isFor(job)) ?? new Line(job, ports));
      ending.push(...before.filter((line) => !lines.includes(line)).map((line) => line.stop()));
      beat();
    },
    async stop() {
      heart.stop();
      await Promise.all([...ending, ...lines.map((line) => line.stop())]);
    },
  };
}

class Line {
  readonly #job: Job;
  readonly #ports: TimetablePorts;
  readonly #slots: Slots;
  #running: Promise<void> | null = null;
  #stopped = false;
  /** Nothing was due from the last run to here: no minute is looked at twice, which would cost a failing job dearly. */
  #lookedUntil = 0;
  #failures = 0;
  #nextTry: number;

  constructor(job: Job, ports: TimetablePorts) {
    this.#job = job;
    this.#ports = ports;
    this.#nextTry = ports.clock() + job.settleMs;
    this.#slots = readSlots(job.name, job.cron, job.zone);
  }

  isFor({ name, cron, zone }: Job): boolean {
    return this.#job.name === name && this.#job.cron === cron && this.#job.zone === zone;
  }

  look(): void {
    if (this.#stopped || this.#running !== null || this.#ports.clock() < this.#nextTry) return;
    this.#running = this.#runDue().finally(() => (this.#running = null));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#slots.close();
  }

  async #runDue(): Promise<void> {
    try {
      for (let due = this.#nextDue(); due !== null && !this.#stopped; due = this.#nextDue()) {
        await this.#job.run(due);
        this.#ports.lastRuns.set(this.#job.name, due);
        this.#failures = 0;
      }
    } catch (error) {
      const pause = Math.min(LONGEST_PAUSE_MS, MINUTE_MS * 2 ** this.#failures++);
      this.#nextTry = this.#ports.clock() + pause;
      this.#ports.onFailure(this.#job.name, error, this.#nextTry);
    }
  }

  /** The first minute that is due (`each`), or the last (`latest`); null: none up to now. */
  #nextDue(): number | null {
    const now = Math.floor(this.#ports.clock() / MINUTE_MS) * MINUTE_MS;
    const last = this.#ports.lastRuns.get(this.#job.name);
    if (last === null) {
      this.#ports.lastRuns.set(this.#job.name, now);
      return null;
    }
    const from = Math.max(last, this.#lookedUntil, now - LOOK_BACK_MS) + MINUTE_MS;
    const due = this.#job.missed === 'each' ? this.#firstDue(from, now) : this.#lastDue(from, now);
    if (due === null) this.#lookedUntil = Math.max(now, this.#lookedUntil);
    return due;
  }

  #firstDue(from: number, until: number): number | null {
    for (let at = from; at <= until; at += MINUTE_MS) {
      if (this.#slots.includes(at)) return at;
      this.#lookedUntil = at;
    }
    return null;
  }

  #lastDue(from: number, until: number): number | null {
    for (let at = until; at >= from; at -= MINUTE_MS) if (this.#slots.includes(at)) return at;
    return null;
  }
}
