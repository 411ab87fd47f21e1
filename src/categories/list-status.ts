import { isoTime } from '../kernel/clock.ts';
import { addressText } from './address-text.ts';
import type { AnyList, Catalogue } from './catalogue.ts';
import type { IndexManifest } from './current-index.ts';
import type { FetchState } from './fetched-lists.ts';
import type { HeldUpdate } from './take-list.ts';
import { nextRefresh } from './refresh-times.ts';

/** How an enabled list stands. Times: ISO 8601 UTC. */
export interface ListStatus {
  readonly id: string;
  readonly category: string;
  readonly source: string;
  readonly licence: string | null;
  /** `in-force`: as its source has it; `last-good`: its last good copy stands in; `not-loaded`: nothing is filtered by it. */
  readonly health: 'in-force' | 'last-good' | 'not-loaded';
  readonly entries: number;
  /** When the content in force was read, or given by its source. Null: not loaded. */
  readonly loadedAt: string | null;
  /** Null: it is not fetched, but read where it lies. */
  readonly fetch: {
    readonly fetchedAt: string | null;
    readonly triedAt: string | null;
    readonly error: string | null;
    readonly next: string | null;
    /** Where lies what came at the last try and was no list. */
    readonly setAside: string | null;
  } | null;
  /** An update that waits for a person. */
  readonly held: HeldUpdate | null;
}

/** Every enabled list, in the order of the catalogue, those of locked categories last. `now` in ms. */
export function listStatuses(
  catalogue: Catalogue,
  manifest: IndexManifest | null,
  stateOf: (list: AnyList) => FetchState,
  now: number,
): ListStatus[] {
  // Most lists are fetched at the same time of day, and looking for the next is the work of some milliseconds.
  const next = new Map<string, string | null>();
  const nextText = (refresh: string): string | null => {
    if (!next.has(refresh)) {
      const at = nextRefresh(refresh, now);
      next.set(refresh, at === null ? null : isoTime(at));
    }
    return next.get(refresh)!;
  };
  const inForce = new Map(
    [...(manifest?.lists ?? []), ...(manifest?.illegal?.lists ?? [])].map((one) => [one.id, one]),
  );
  return [...catalogue.lists, ...catalogue.illegal].map((list): ListStatus => {
    const { id, category, licence } = list;
    const loaded = inForce.get(id);
    return {
      id,
      category,
      source: addressText(list.source),
      licence,
      health: loaded === undefined ? 'not-loaded' : loaded.fromLastGood ? 'last-good' : 'in-force',
      entries: loaded?.accepted ?? 0,
      loadedAt: loaded?.loadedAt ?? null,
      fetch: list.fetch === null ? null : fetchFacts(stateOf(list), nextText(list.fetch.refresh)),
      held: manifest?.held.find((one) => one.id === id) ?? null,
    };
  });
}

function fetchFacts(
  { fetchedAt, triedAt, error, setAside }: FetchState,
  next: string | null,
): NonNullable<ListStatus['fetch']> {
  return { fetchedAt, triedAt, error, next, setAside: error === null ? null : setAside };
}
