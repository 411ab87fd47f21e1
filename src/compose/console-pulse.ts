import type { Clock } from '../kernel/clock.ts';

/** How often the console gives a sign, ms. */
export const PULSE_MS = 5_000;
const DOWN_MS = 10_000;
/** A console that is at work on something long may be silent for a while. */
const HUNG_MS = 30_000;
/** A busy machine may take a while to start it again: people are told when it is more than that. */
const MAIL_MS = 45_000;

/** What is to be done about a console that is away. */
export interface Absence {
  readonly act: 'alarm' | 'mail';
  readonly text: string;
}

/** Whether the console lives, as its supervisor knows it, and who is to hear when it does not. */
export class ConsolePulse {
  readonly #clock: Clock;
  #heardAt: number;
  #isUp = false;
  /** What has been done about this time. */
  #done: 'nothing' | Absence['act'] = 'nothing';
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
    this.#done = 'nothing';
  }

  get mailboxes(): readonly string[] {
    return this.#mailboxes;
  }

  /** It is not up, or gives no sign. */
  get isAway(): boolean {
    return !this.#isUp || this.#done !== 'nothing';
  }

  /** What is to be done now; each act once for each absence. Null: nothing. */
  look(): Absence | null {
    const act = this.#done === 'nothing' ? 'alarm' : 'mail';
    const limit = act === 'mail' ? MAIL_MS : this.#isUp ? HUNG_MS : DOWN_MS;
    if (this.#done === 'mail' || this.#clock() - this.#heardAt <= limit) return null;
    this.#done = act;
    const what = this.#isUp ? 'given no sign' : 'not been running';
    return { act, text: `The console has ${what} for ${limit / 1000} seconds; filtering goes on, alerts wait.` };
  }
}
