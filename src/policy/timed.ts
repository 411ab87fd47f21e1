import { type AddressRanges, addressRanges } from '../kernel/ip.ts';
import { type Moment, type MomentAt, windowAt } from './schedule.ts';
import type { TimedRules } from './snapshot.ts';

/** What somebody's rules are with some of their timed rules in force, in their order. `outOfHours`: its `hours` shut it now. */
export type WithTimed<T> = (layers: readonly TimedRules[], outOfHours: boolean) => T;

/** Times of day at which a level may be used at all. */
export type OpeningHours = Pick<TimedRules, 'when'> | null;

/** Clients remembered with what holds for them at the moment. */
const REMEMBERED = 10_000;

interface Layer {
  readonly rules: TimedRules;
  /** Null: everywhere. */
  readonly places: AddressRanges | null;
}

/**
 * Somebody's rules as they are at an instant and a place. Which timed rules are in force is found once a minute, not for every request;
 * what comes of each set of them is worked out once and kept, so that the same time and place always give the same object.
 */
export class Timed<T> {
  readonly #layers: readonly Layer[];
  readonly #hours: OpeningHours;
  readonly #momentAt: MomentAt;
  readonly #make: WithTimed<T>;
  readonly #made = new Map<string, T>();
  readonly #byClient = new Map<string, T>();
  #moment: Moment | null = null;
  #outOfHours = false;
  /** Those of this moment, wherever. */
  #inForce: readonly Layer[] = [];
  /** What holds where no place makes a difference. */
  #now: T;
  #asksPlace = false;

  constructor(momentAt: MomentAt, rules: readonly TimedRules[], hours: OpeningHours, make: WithTimed<T>) {
    this.#momentAt = momentAt;
    this.#hours = hours;
    this.#make = make;
    this.#layers = rules.map((one) => ({ rules: one, places: one.where ? addressRanges(one.where.cidrs) : null }));
    this.#now = this.#madeOf([]);
  }

  /** What holds at an instant (ms since the epoch) for a canonical client address. */
  at(now: number, client: string): T {
    if (this.#layers.length === 0 && this.#hours === null) return this.#now;
    const moment = this.#momentAt(now);
    if (moment !== this.#moment) this.#turnTo(moment);
    return this.#asksPlace ? this.#atPlace(client) : this.#now;
  }

  #turnTo(moment: Moment): void {
    this.#moment = moment;
    this.#outOfHours = this.#hours !== null && windowAt(this.#hours.when, moment) === undefined;
    this.#inForce = this.#layers.filter(({ rules }) => windowAt(rules.when, moment) !== undefined);
    this.#asksPlace = this.#inForce.some(({ places }) => places !== null);
    this.#byClient.clear();
    this.#now = this.#madeOf(this.#inForce.filter(({ places }) => places === null));
  }

  #atPlace(client: string): T {
    const known = this.#byClient.get(client);
    if (known !== undefined) return known;
    const here = this.#madeOf(this.#inForce.filter(({ places }) => places === null || places.has(client)));
    if (this.#byClient.size >= REMEMBERED) this.#byClient.clear();
    this.#byClient.set(client, here);
    return here;
  }

  #madeOf(layers: readonly Layer[]): T {
    const key = `${this.#outOfHours}:${layers.map((layer) => this.#layers.indexOf(layer)).join()}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = this.#make(
      layers.map(({ rules }) => rules),
      this.#outOfHours,
    );
    this.#made.set(key, made);
    return made;
  }
}
