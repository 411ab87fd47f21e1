import type { Who } from '../identity/who.ts';
import { DAY_ENDS, nextDayEnd } from '../identity/signed-in-devices.ts';

/** Somebody read a warning and went on: what it warned of is open to them for a while. */
export interface Pass {
  /** Canonical host; the pass holds for it and everything under it. */
  readonly site: string;
  /** The category that warned; null where a site on no list did. */
  readonly category: string | null;
  /** Canonical user name; null: whoever is at `client` and is not known. */
  readonly user: string | null;
  /** Canonical address of the device. */
  readonly client: string;
  /** Ms since the epoch, exclusive. */
  readonly until: number;
}

/** The passes in force, as `decide` asks for them. */
export interface Passes {
  has(who: Pick<Who, 'user' | 'client'>, host: string, category: string | null, now: number): boolean;
}

/** Nobody has passed anything. */
export const NO_PASSES: Passes = { has: () => false };

/** How long a pass holds, ms: a lesson's worth of looking something up, and not the whole day's. */
const PASS_MS = 15 * 60_000;

/** When a pass made now ends: after a quarter of an hour, at the end of the school's day at the latest. Ms since the epoch. */
export function passEnd(now: number, timeZone: string, schoolDayEnds = DAY_ENDS): number {
  return Math.min(now + PASS_MS, nextDayEnd(now, schoolDayEnds, timeZone));
}

const MOST = 5_000;

/** Passes in memory, bounded: beyond so many the oldest go, and whoever had them reads the warning again. */
export class KeptPasses implements Passes {
  readonly #most: number;
  readonly #byKey = new Map<string, Pass>();

  constructor(most = MOST) {
    this.#most = most;
  }

  add(pass: Pass): void {
    const key = keyOf(pass.user, pass.client, pass.category, pass.site);
    // Taken out and put back, so that the first one is the oldest.
    this.#byKey.delete(key);
    this.#byKey.set(key, pass);
    if (this.#byKey.size > this.#most) this.#byKey.delete(this.#byKey.keys().next().value!);
  }

  /** Asked where a decision was to warn, so that the walk over a host's parents is no part of the common path. */
  has({ user, client }: Pick<Who, 'user' | 'client'>, host: string, category: string | null, now: number): boolean {
    for (let site = host; ; site = site.slice(site.indexOf('.') + 1)) {
      const pass = this.#byKey.get(keyOf(user, client, category, site));
      if (pass !== undefined && now < pass.until) return true;
      if (!site.includes('.')) return false;
    }
  }

  /** Those that have not ended, oldest first. The others are forgotten. */
  inForce(now: number): readonly Pass[] {
    for (const [key, { until }] of this.#byKey) if (until <= now) this.#byKey.delete(key);
    return [...this.#byKey.values()];
  }
}

/** A person's passes go with them; those of somebody unknown stay with the device. A NUL is in none of the parts. */
function keyOf(user: string | null, client: string, category: string | null, site: string): string {
  return [user === null ? `at ${client}` : `by ${user}`, category ?? '', site].join('\0');
}
