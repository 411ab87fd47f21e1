import type { AccessRecord } from '../events/access-record.ts';
import type { Clock } from '../kernel/clock.ts';

const KEPT_PER_CLIENT = 20;
const MAX_CLIENTS = 5_000;
const KEPT_MS = 3_600_000;

/** The last refusals of each client address, for its own "why was I blocked?"; in memory only, bounded. */
export interface RefusalLog {
  add(record: AccessRecord): void;
  /** Newest first, at most an hour old. */
  of(client: string): readonly AccessRecord[];
}

export function createRefusalLog(clock: Clock): RefusalLog {
  const byClient = new Map<string, AccessRecord[]>();
  return {
    add: (record) => {
      const own = byClient.get(record.client) ?? [];
      // Taken out and put back, so that the first key is the client that was refused least recently.
      byClient.delete(record.client);
      byClient.set(record.client, own);
      own.unshift(record);
      if (own.length > KEPT_PER_CLIENT) own.pop();
      if (byClient.size > MAX_CLIENTS) byClient.delete(byClient.keys().next().value!);
    },
    of: (client) => {
      const since = clock() - KEPT_MS;
      return (byClient.get(client) ?? []).filter((record) => Date.parse(record.at) > since);
    },
  };
}
