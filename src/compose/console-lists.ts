import { listsToFetch, loadCatalogue } from '../categories/catalogue.ts';
import { type Lists, type ListsOptions, createLists } from '../categories/service.ts';
import type { Environment } from '../config/environment.ts';
import { InvalidInputError } from '../kernel/errors.ts';
import { openSources } from './list-sources.ts';

/** The lists as the console looks after them. */
export function createConsoleLists(
  environment: Environment,
  base: Pick<ListsOptions, 'layout' | 'record' | 'audit' | 'clock' | 'rebuild' | 'raise'>,
): Lists {
  const sources = openSources(environment, base.layout);
  const lists = createLists({ ...base, ...sources, listsDir: environment.listsDir });
  return {
    ...lists,
    async stop() {
      await lists.stop();
      await sources.client.close();
    },
  };
}

/** The times at which lists are fetched; none while the catalogue cannot be read, which others tell of. */
export function refreshTimes(listsDir: string): readonly string[] {
  try {
    return [...new Set(listsToFetch(loadCatalogue(listsDir)).map(({ fetch }) => fetch!.refresh))];
  } catch (error) {
    if (error instanceof InvalidInputError) return [];
    throw error;
  }
}
