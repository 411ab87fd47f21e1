import type { CategoryIndex } from '../categories/match.ts';
import type { Accounts } from '../identity/service.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { School } from '../lessons/reach.ts';
import type { PolicyService } from '../policy/service.ts';
import type { Publishing } from '../publishing/service.ts';
import { type Unblocks, createUnblocks } from '../unblock/service.ts';
import type { ConsoleRecord } from './console-rooms.ts';

export interface ConsoleUnblocksOptions extends Omit<ConsoleRecord, 'layout'> {
  readonly publishing: Publishing;
  readonly accounts: Accounts;
  readonly policy: PolicyService;
  readonly newId: IdMaker;
  readonly school: () => School;
  /** Null while there is none. */
  readonly openIndex: () => Promise<Pick<CategoryIndex, 'match'> | null>;
}

/** Unblocks, with what they must know of the school and of the lists. */
export function createConsoleUnblocks({ accounts, policy, openIndex, ...options }: ConsoleUnblocksOptions): Unblocks {
  return createUnblocks({
    ...options,
    policy: () => policy.published()?.snapshot ?? null,
    rolesOf: (personId) => accounts.people().find(({ id }) => id === personId)?.roles ?? [],
    openLists: async () => {
      const index = await openIndex();
      return index === null ? null : (host) => index.match(host, null).categories;
    },
  });
}
