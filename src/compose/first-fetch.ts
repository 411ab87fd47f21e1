import { join } from 'node:path';
import { listsToFetch, loadCatalogue } from '../categories/catalogue.ts';
import { CATALOGUE_FILE } from '../categories/catalogue-files.ts';
import { readManifest } from '../categories/current-index.ts';
import { withFetched } from '../categories/fetched-lists.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Problem } from '../kernel/errors.ts';

/**
 * Fetches the lists of locked categories that the catalogue names and that were never fetched nor enforced: nothing is served without
 * them, and the console, which fetches all others, starts later. Gives what stands in the way.
 */
export async function fetchNeverLoaded(
  environment: Environment,
  layout: DataLayout,
  clock: Clock = systemClock,
): Promise<readonly Problem[]> {
  const { illegal } = withFetched(loadCatalogue(environment.listsDir), layout.fetchedLists);
  const enforced = new Set(readManifest(layout)?.illegal?.lists.map(({ id }) => id));
  const missing = listsToFetch({ lists: [], illegal }).filter(({ id, path }) => path === null && !enforced.has(id));
  if (missing.length === 0) return [];
  // Not needed, with its client, at any other start.
  const { fetchPolitely } = await import('../categories/fetch-list.ts');
  const { openSources } = await import('./list-sources.ts');
  const sources = openSources(environment, layout);
  const { signal } = new AbortController();
  const options = { ...sources, root: layout.fetchedLists, clock, signal };
  try {
    const outcomes = await fetchPolitely(missing, options);
    const file = join(environment.listsDir, CATALOGUE_FILE);
    return outcomes.flatMap(({ id, problem }) =>
      problem === null ? [] : [{ file, line: missing.find((list) => list.id === id)!.line, reason: problem }],
    );
  } finally {
    await sources.client.close();
  }
}
