import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createSourceClient } from '../categories/fetch-source.ts';
import { loadCatalogue } from '../categories/catalogue.ts';
import { type Lists, type ListsOptions, createLists } from '../categories/service.ts';
import type { Environment } from '../config/environment.ts';
import { InvalidInputError } from '../kernel/errors.ts';

const DICE = 2 ** 32;

/** The lists as the console looks after them: over the network, by real dice, built in a process of their own. */
export function createConsoleLists(
  { listsDir, upstreamProxy }: Environment,
  base: Pick<ListsOptions, 'layout' | 'record' | 'audit' | 'clock' | 'rebuild' | 'raise'>,
): Lists {
  const parent = upstreamProxy && {
    host: upstreamProxy.host,
    port: upstreamProxy.port,
    authorization: upstreamProxy.authorization?.reveal() ?? null,
  };
  const client = createSourceClient({ parent });
  const lists = createLists({
    ...base,
    listsDir,
    client,
    retry: { random: () => randomInt(DICE) / DICE, wait: (ms, signal) => pause(ms, undefined, { signal }) },
  });
  return {
    ...lists,
    async stop() {
      await lists.stop();
      await client.close();
    },
  };
}

/** The times at which lists are fetched; none while the catalogue cannot be read, which others tell of. */
export function refreshTimes(listsDir: string): readonly string[] {
  try {
    return [...new Set(loadCatalogue(listsDir).lists.flatMap(({ fetch }) => fetch?.refresh ?? []))];
  } catch (error) {
    if (error instanceof InvalidInputError) return [];
    throw error;
  }
}
