import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { FetchOptions } from '../categories/fetch-list.ts';
import { createSourceClient } from '../categories/fetch-source.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import { fetchKeyedApart } from './fetch-keyed.ts';

const DICE = 2 ** 32;

/** How lists are fetched: over the network, through the authority's proxy if there is one, by real dice. `client` has to be closed. */
export function openSources(
  { upstreamProxy }: Environment,
  { illegalKey }: DataLayout,
): Pick<FetchOptions, 'client' | 'fetchKeyed' | 'retry'> {
  const parent = upstreamProxy && {
    host: upstreamProxy.host,
    port: upstreamProxy.port,
    authorization: upstreamProxy.authorization?.reveal() ?? null,
  };
  return {
    client: createSourceClient({ parent }),
    fetchKeyed: fetchKeyedApart({ illegalKey, parent }),
    retry: { random: () => randomInt(DICE) / DICE, wait: (ms, signal) => pause(ms, undefined, { signal }) },
  };
}
