import type { Clock } from '../kernel/clock.ts';

/** Different listed targets that somebody may ask for within the window before it looks like trying out what is listed. */
const MOST_HITS = 5;
const WINDOW_MS = 600_000;
const PAUSE_MS = 600_000;
const MOST_ASKERS = 5_000;

/** What is done with somebody who asked for too many listed targets. */
export type ProbeAnswer = 'as-usual' | 'refuse-all' | 'hide-hits';

/**
 * Keeps the gateway from being an oracle: whoever tries names until they know what is listed would have read the list. Counted are
 * different entries, so that a browser's repeats and a page asked for again and again are one. Past the limit, for ten minutes:
 *
 * - a person who is known by name is refused everything, with the very page of a hit, so that nothing tells a hit from a miss;
 * - an address behind which several people may sit goes on as before, and only its hits look like sites that do not exist: one pupil
 *   must not be able to end a lesson for a class.
 *
 * Every hit is still refused and reported.
 */
export interface IllegalProbes {
  /** Somebody asked for what an entry lists. `asker` as `askerOf` has it. */
  hit(asker: string, hit: CountedHit): void;
  /** What holds for this asker now. */
  answerFor(asker: string): ProbeAnswer;
  /** Category of the last hit of an asker who is paused: a refusal looks like that one. */
  lastCategory(asker: string): string;
}

/** What is kept of a hit: the number of an entry, and its category. */
export interface CountedHit {
  readonly entry: number;
  readonly category: string;
}

/** A person by name, else the address. */
export function askerOf(user: string | null, client: string): string {
  return user === null ? `address ${client}` : `person ${user}`;
}

interface Asker {
  /** When each entry was last asked for, ms since the epoch. */
  readonly hits: Map<number, number>;
  pausedUntil: number;
  lastCategory: string;
}

/** `onHit` is told of each, for the gateway's other workers. */
export function createIllegalProbes(clock: Clock, onHit: (asker: string, hit: CountedHit) => void): IllegalProbes {
  const askers = new Map<string, Asker>();
  return {
    hit: (asker, hit) => {
      if (count(askers, asker, hit, clock())) onHit(asker, hit);
    },
    lastCategory: (asker) => askers.get(asker)?.lastCategory ?? '',
    answerFor: (asker) => {
      if (askers.size === 0) return 'as-usual';
      const found = askers.get(asker);
      if (found === undefined || clock() >= found.pausedUntil) return 'as-usual';
      return asker.startsWith('person ') ? 'refuse-all' : 'hide-hits';
    },
  };
}

/** False when this entry was counted within the second: the word of it came round. */
function count(askers: Map<string, Asker>, name: string, { entry, category }: CountedHit, now: number): boolean {
  const asker = askers.get(name) ?? { hits: new Map<number, number>(), pausedUntil: 0, lastCategory: category };
  asker.lastCategory = category;
  // Taken out and put back, so that the first is whoever was seen least recently.
  askers.delete(name);
  askers.set(name, asker);
  if (askers.size > MOST_ASKERS) askers.delete(askers.keys().next().value!);
  const isNew = now - (asker.hits.get(entry) ?? 0) > 1_000;
  asker.hits.set(entry, now);
  for (const [known, at] of asker.hits) if (now - at > WINDOW_MS) asker.hits.delete(known);
  if (asker.hits.size > MOST_HITS) asker.pausedUntil = now + PAUSE_MS;
  return isNew;
}
