import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import type { Problem } from '../kernel/errors.ts';
import { addressText } from './address-text.ts';
import type { Catalogue, IllegalList } from './catalogue.ts';
import { CATALOGUE_FILE } from './catalogue-files.ts';
import { loadOrCreateIllegalKeys } from './illegal-key-file.ts';
import type { IllegalKeys } from './illegal-keys.ts';
import { type IllegalFacts, hasIllegalFile, readEnforced, writeIllegal } from './illegal-store.ts';
import type { IndexedList } from './match.ts';
import { keepUncatalogued, takeIllegal, type TakenIllegal } from './take-illegal.ts';

export interface BuildIllegalOptions {
  readonly listsDir: string;
  readonly layout: DataLayout;
  /** What is enforced until now. */
  readonly inForce: IllegalFacts | null;
  /** ms since the epoch. */
  readonly now: number;
  readonly maxRejected: number;
}

/** What became of one illegal list, to be told: places of rejected lines, never their text. */
export interface IllegalSummary extends Omit<IndexedList, 'sha256'> {
  readonly rejectedSamples: readonly Problem[];
}

export interface IllegalBuild {
  readonly summaries: readonly IllegalSummary[];
  readonly alarms: readonly string[];
  /** Lists that never loaded: with any of these nothing may be served. */
  readonly problems: readonly Problem[];
  /** Writes the file; null when no list is enforced. To be called when `problems` is empty. */
  readonly write: () => IllegalFacts | null;
}

/** Reads the illegal lists of the catalogue, and keeps enforcing those that it does not name any more. */
export async function buildIllegal(catalogue: Catalogue, options: BuildIllegalOptions): Promise<IllegalBuild> {
  const { layout, inForce } = options;
  if (catalogue.illegal.length === 0 && inForce === null && !hasIllegalFile(layout)) {
    return { summaries: [], alarms: [], problems: [], write: () => null };
  }
  const keys = loadOrCreateIllegalKeys(layout.illegalKey);
  const taken = await takeAll(catalogue.illegal, keys, options);
  const enforced = taken.flatMap((one) => (one.enforced === null ? [] : [one.enforced]));
  return {
    summaries: taken.flatMap((one) => summaryOf(one, catalogue)),
    alarms: taken.flatMap(({ alarm }) => (alarm === null ? [] : [alarm])),
    problems: taken.flatMap(({ problems }) => problems),
    write: () => writeIllegal(layout, keys, enforced),
  };
}

async function takeAll(
  lists: readonly IllegalList[],
  keys: IllegalKeys,
  { listsDir, layout, inForce, now, maxRejected }: BuildIllegalOptions,
): Promise<TakenIllegal[]> {
  const before = readEnforced(layout, keys, inForce);
  const catalogueFile = join(listsDir, CATALOGUE_FILE);
  const options = { keys, catalogueFile, now, maxRejected };
  const taken: TakenIllegal[] = [];
  for (const list of lists) taken.push(await takeIllegal(list, before.lists.get(list.id) ?? null, options));
  const named = new Set(lists.map(({ id }) => id));
  for (const { id } of before.facts.filter((facts) => !named.has(facts.id))) {
    const kept = before.lists.get(id);
    taken.push(kept === undefined ? unreadable(id, catalogueFile) : keepUncatalogued(kept, options));
  }
  return taken;
}

function unreadable(id: string, catalogueFile: string): TakenIllegal {
  const reason = `list "${id}" was enforced, the catalogue does not name it any more, and what was kept of it cannot be read; put data/keys and data/gateway/index back from a backup, or name the list again`;
  return { enforced: null, rejectedLines: [], alarm: null, problems: [{ file: catalogueFile, reason }] };
}

function summaryOf({ enforced, rejectedLines }: TakenIllegal, catalogue: Catalogue): IllegalSummary[] {
  if (enforced === null) return [];
  const { id, category, entries, accepted, duplicates, rejected, loadedAt, fromLastGood } = enforced.facts;
  const file = addressText(catalogue.illegal.find((list) => list.id === id)?.source ?? id);
  const rejectedSamples = rejectedLines.map((line) => ({ file, line, reason: 'is not an entry' }));
  return [{ id, category, entries, accepted, duplicates, rejected, loadedAt, fromLastGood, rejectedSamples }];
}
