import type { AccessRecord } from '../events/access-record.ts';
import { NAVIGATION_MS } from '../kernel/navigation.ts';
import type { Unblock } from './model.ts';

/** How an unblock was used. */
export interface Outcome {
  /** Who opened something by it; a device counts where nobody is known. */
  readonly people: number;
  /** Navigations that it let in. */
  readonly visits: number;
  /** Navigations of the same people that were flagged while it was in force, to whatever site. */
  readonly flags: number;
}

/** The history comes in pieces of five minutes, and from a gateway that was cut off later, ms. */
export const SETTLES_MS = 15 * 60_000;

/** From when until when an unblock was in force, ms; null: it never was, or it is not over for long enough to be counted. */
export function countedSpan(unblock: Unblock, now: number): { readonly from: number; readonly until: number } | null {
  const { decided, agreed, ended } = unblock;
  const isApproved = unblock.state === 'approved' || unblock.state === 'expired' || unblock.state === 'revoked';
  if (!isApproved || decided === null) return null;
  const from = Math.max(unblock.from, decided.at, agreed?.at ?? 0);
  const until = unblock.state === 'revoked' ? Math.min(unblock.until, ended?.at ?? unblock.until) : unblock.until;
  return from < until && now >= until + SETTLES_MS ? { from, until } : null;
}

/** What of a record is counted. */
export type Counted = Pick<AccessRecord, 'at' | 'client' | 'user' | 'host' | 'rule' | 'verdict' | 'flagged'>;

/** Counts the records of a span, in whatever order they come. */
export async function countOutcome(records: AsyncIterable<Counted> | Iterable<Counted>, id: string): Promise<Outcome> {
  const [opened, flagged] = [new Navigations(), new Navigations()];
  for await (const record of records) {
    if (record.rule === `unblock:${id}`) opened.add(record);
    else if (record.flagged) flagged.add(record);
  }
  const people = opened.people();
  return { people: people.size, visits: opened.count(() => true), flags: flagged.count((who) => people.has(who)) };
}

/** Instants by person, and by site and verdict: within ten seconds of one another they are one navigation. */
class Navigations {
  readonly #times = new Map<string, Map<string, number[]>>();

  add({ at, client, user, host, verdict }: Counted): void {
    const who = user ?? client;
    const ofPerson = this.#times.get(who) ?? new Map<string, number[]>();
    const key = `${verdict} ${host}`;
    const times = ofPerson.get(key) ?? [];
    times.push(Date.parse(at));
    ofPerson.set(key, times);
    this.#times.set(who, ofPerson);
  }

  people(): ReadonlySet<string> {
    return new Set(this.#times.keys());
  }

  count(counts: (who: string) => boolean): number {
    let count = 0;
    for (const [who, sites] of this.#times) {
      if (counts(who)) for (const times of sites.values()) count += begins(times);
    }
    return count;
  }
}

function begins(times: readonly number[]): number {
  let began = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const at of times.toSorted((a, b) => a - b)) {
    if (at - began < NAVIGATION_MS) continue;
    began = at;
    count++;
  }
  return count;
}

/** `12 people, 40 visits, 1 flagged`. */
export function outcomeText({ people, visits, flags }: Outcome): string {
  const many = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;
  return `${many(people, 'person', 'people')}, ${many(visits, 'visit', 'visits')}, ${flags} flagged`;
}
