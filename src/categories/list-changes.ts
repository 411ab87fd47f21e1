import type { ListContentMark } from './repository.ts';

/** A list whose content in force is another than before; null: it was not in force, or is not any more. */
export interface ListChange {
  readonly id: string;
  readonly before: ListContentMark | null;
  readonly after: ListContentMark | null;
  /** What an adult should look at; null: nothing. */
  readonly warning: string | null;
}

/** A list that more than doubles at once, and by so many entries, may have become another. */
const MOST_GROWTH = 2;
const LEAST_GROWTH = 1_000;

/** What changed between the lists on record and those in force, by id. */
export function listChanges(
  before: ReadonlyMap<string, ListContentMark>,
  after: ReadonlyMap<string, ListContentMark>,
): readonly ListChange[] {
  const changed = [...after].flatMap(([id, mark]): ListChange[] => {
    const old = before.get(id) ?? null;
    if (old?.sha256 === mark.sha256) return [];
    return [{ id, before: old, after: mark, warning: growth(id, old, mark.entries) }];
  });
  const gone = [...before].filter(([id]) => !after.has(id));
  return [...changed, ...gone.map(([id, mark]) => ({ id, before: mark, after: null, warning: null }))];
}

function growth(id: string, old: ListContentMark | null, entries: number): string | null {
  if (old === null || entries <= old.entries * MOST_GROWTH || entries - old.entries < LEAST_GROWTH) return null;
  return `List "${id}" grew from ${old.entries} to ${entries} entries at once; look whether it still is the list you meant.`;
}
