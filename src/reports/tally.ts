import type { Visits } from './navigations.ts';

/** What one row of a table adds up. `allowed` and `refused` are navigations. */
export interface Tally {
  readonly name: string;
  allowed: number;
  refused: number;
  requests: number;
  bytes: number;
  /** People, or devices where nobody is known. */
  readonly who: Set<string>;
}

function emptyTally(name: string): Tally {
  return { name, allowed: 0, refused: 0, requests: 0, bytes: 0, who: new Set() };
}

/** Sums visits by name: most navigations first, then most requests, then the alphabet. */
export function tallyBy(visits: Iterable<Visits>, nameOf: (visit: Visits) => string): Tally[] {
  const tallies = new Map<string, Tally>();
  for (const visit of visits) {
    const name = nameOf(visit);
    let tally = tallies.get(name);
    if (tally === undefined) tallies.set(name, (tally = emptyTally(name)));
    addVisits(tally, visit);
  }
  return [...tallies.values()].sort(
    (a, b) => b.allowed + b.refused - (a.allowed + a.refused) || b.requests - a.requests || (a.name < b.name ? -1 : 1),
  );
}

function addVisits(tally: Tally, visit: Visits): void {
  if (visit.verdict === 'allow') tally.allowed += visit.navigations;
  else tally.refused += visit.navigations;
  tally.requests += visit.requests;
  tally.bytes += visit.bytes;
  tally.who.add(visit.who);
}

/** One tally of several, such as all sites below the first 25. Somebody in two of them is one person. */
export function mergeTallies(name: string, tallies: readonly Tally[]): Tally {
  const merged = emptyTally(name);
  for (const tally of tallies) {
    merged.allowed += tally.allowed;
    merged.refused += tally.refused;
    merged.requests += tally.requests;
    merged.bytes += tally.bytes;
    for (const who of tally.who) merged.who.add(who);
  }
  return merged;
}
