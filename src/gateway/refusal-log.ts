import type { AccessRecord } from '../events/access-record.ts';
import type { Clock } from '../kernel/clock.ts';
import { themeOf } from './words/theme.ts';

const KEPT_PER_CLIENT = 20;
const MAX_CLIENTS = 5_000;
const KEPT_MS = 3_600_000;
const REPEAT_MS = 10_000;

/** The last refusals of each client address, for its own "why was I blocked?"; in memory only, bounded. */
export interface RefusalLog {
  add(record: AccessRecord): void;
  /** Newest first, at most an hour old. */
  of(client: string): readonly AccessRecord[];
}

/** True when `later` asks again for what was just refused: browsers do so by themselves, up to three times. */
export function isRepeat(later: AccessRecord, earlier: AccessRecord): boolean {
  const isSame = later.host === earlier.host && later.reason === earlier.reason && later.locked === earlier.locked;
  return isSame && Date.parse(later.at) - Date.parse(earlier.at) <= REPEAT_MS;
}

export function createRefusalLog(clock: Clock): RefusalLog {
  const byClient = new Map<string, AccessRecord[]>();
  return {
    add: (record) => {
      const own = byClient.get(record.client) ?? [];
      // Taken out and put back, so that the first key is the client that was refused least recently.
      byClient.delete(record.client);
      byClient.set(record.client, own);
      const repeated = own.findIndex((earlier) => isRepeat(record, earlier));
      if (repeated >= 0) own.splice(repeated, 1);
      own.unshift(record);
      if (own.length > KEPT_PER_CLIENT) own.splice(leastWanted(own), 1);
      if (byClient.size > MAX_CLIENTS) byClient.delete(byClient.keys().next().value!);
    },
    of: (client) => {
      const since = clock() - KEPT_MS;
      return (byClient.get(client) ?? []).filter((record) => Date.parse(record.at) > since);
    },
  };
}

/** The oldest advert or tracker, else the oldest: one page full of adverts must not push out what a person asked for. */
function leastWanted(own: readonly AccessRecord[]): number {
  const advert = own.findLastIndex((record) => themeOf(record) === 'adverts');
  return advert < 0 ? own.length - 1 : advert;
}
