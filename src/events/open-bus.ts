import type { DataLayout } from '../config/data-layout.ts';
import type { Secret } from '../config/secret.ts';
import type { Bus } from './bus.ts';
import { folderBus } from './folder-bus.ts';
import { combineStates, type OnState } from './link-state.ts';
import type { Backoff } from './pump.ts';

export interface BusOptions {
  readonly layout: DataLayout;
  /** `Environment.redisUrl`; null: the folder adapter. */
  readonly redisUrl: Secret | null;
  readonly redisPrefix: string;
  /** Told when the bus cannot be reached or read (why), and when it can again (null); once for each change. */
  readonly onState: OnState;
  /** Pause before a handler that rejected is called again, and before Redis is asked again. */
  readonly backoff?: Backoff;
}

const BACKOFF: Backoff = { firstMs: 500, mostMs: 5000 };

/** The adapter that the environment asks for. Resolves also while Redis is down: each end connects when it can. */
export async function openBus(options: BusOptions): Promise<Bus> {
  const { layout, redisUrl, redisPrefix, backoff = BACKOFF } = options;
  const newPart = combineStates(options.onState);
  if (redisUrl === null) return folderBus(layout, backoff, newPart);
  // Loaded only here, so that a school without Redis does not carry its client in memory.
  const { redisBus } = await import('./redis-bus.ts');
  return redisBus(layout, { url: redisUrl, prefix: redisPrefix, newPart }, backoff);
}
