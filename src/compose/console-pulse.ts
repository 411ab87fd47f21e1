import type { Clock } from '../kernel/clock.ts';

/** How often the console gives a sign, ms. */
export const PULSE_MS = 5_000;
const DOWN_MS = 10_000;
/** A console that is at work on something long may be silent for a while. */
const HUNG_MS = 30_000;

/** Whether the console lives, as its supervisor knows it, and who is to hear when it does not. */
export class ConsolePulse {
  readonly #clock: Clock;
  #heardAt: number;
  #isUp = false;
  #isTold = false;
  #mailboxes: readonly string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#heardAt = clock();
  }

  /** Its process is started; where it was up before, it has died. */
  started(): void {
    if (this.#isUp) this.#heardAt = this.#clock();
    this.#isUp = false;
  }

  /** It is at work. `mailboxes`: where people are to be told of its absence, from now on. */
  beat(mailboxes: readonly string[]): void {
    this.#heardAt = this.#clock();
    this.#mailboxes = mailboxes;
    this.#isUp = true;
    this.#isTold = false;
  }

  get mailboxes(): readonly string[] {
    return this.#mailboxes;
  }

  /** It has been told that it is away, and it is not back. */
  get isAway(): boolean {
    return !this.#isUp || this.#isTold;
  }

  /** What is to be said of its absence, once for each time; null: nothing. */
  look(): string | null {
    const limit = this.#isUp ? HUNG_MS : DOWN_MS;
    if (this.#isTold || this.#clock() - this.#heardAt <= limit) return null;
    this.#isTold = true;
    const what = this.#isUp ? 'given no sign' : 'not been running';
    return `The console has ${what} for ${limit / 1000} seconds; filtering goes on, alerts wait.`;
  }
}
