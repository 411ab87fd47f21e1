import type { CategoryIndex } from '../categories/match.ts';
import { findAlongside } from '../history/find-alongside.ts';
import { readRecords } from '../history/read-records.ts';
import { may } from '../identity/permissions.ts';
import type { Role } from '../identity/roles.ts';
import type { Accounts } from '../identity/service.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { School } from '../lessons/reach.ts';
import { createSiteBlocking } from '../policy/block-service.ts';
import type { Drafts } from '../policy/draft-service.ts';
import type { PolicyService } from '../policy/service.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Publishing } from '../publishing/service.ts';
import type { RequestMail } from '../unblock/mail-service.ts';
import type { NeededWith } from '../unblock/routes.ts';
import { type Unblocks, createUnblocks } from '../unblock/service.ts';
import { type Wishes, createWishes } from '../unblock/wish-service.ts';
import type { ConsoleRecord } from './console-record.ts';

export interface ConsoleUnblocksOptions extends ConsoleRecord {
  readonly publishing: Publishing;
  readonly accounts: Accounts;
  readonly policy: PolicyService;
  readonly drafts: Drafts;
  readonly newId: IdMaker;
  readonly requestMail: RequestMail;
  readonly school: () => School;
  /** Null while there is none. */
  readonly openIndex: () => Promise<Pick<CategoryIndex, 'match'> | null>;
}

/** How far back what a page needs is looked for, ms. */
const LOOKED_BACK_MS = 7 * 86_400_000;

export interface ConsoleUnblocks {
  readonly unblocks: Unblocks;
  readonly wishes: Wishes;
  readonly neededWith: NeededWith;
}

/** Unblocks, and what pupils and staff would like, with what these must know of the school and of the lists. */
export function createConsoleUnblocks({
  accounts,
  policy,
  drafts,
  requestMail,
  openIndex,
  layout,
  ...options
}: ConsoleUnblocksOptions): ConsoleUnblocks {
  const inForce = (): PolicySnapshot | null => policy.published()?.snapshot ?? null;
  const rolesOf = (personId: string): readonly Role[] =>
    accounts.people().find(({ id }) => id === personId)?.roles ?? [];
  const wishes = createWishes({
    ...options,
    policy: inForce,
    blocking: createSiteBlocking(policy, drafts),
    mail: requestMail,
    people: () => accounts.people(),
    rightsOf: (personId) => {
      const roles = rolesOf(personId);
      const open = may(roles, 'unblock.decide') ? 'any' : may(roles, 'unblock.request') ? 'taught' : 'none';
      return { open, close: may(roles, 'policy.propose') };
    },
  });
  const unblocks = createUnblocks({
    ...options,
    policy: inForce,
    rolesOf,
    passOn: (actor, id) => wishes.passOn(actor, id),
    mail: requestMail,
    // What cannot be read is told by the report of its week.
    records: (from, until) => readRecords(layout.history, from, until, () => {}),
    openLists: async () => {
      const index = await openIndex();
      return index === null ? null : (host) => index.match(host, null).categories;
    },
  });
  const neededWith: NeededWith = (sites) => {
    const until = options.clock() + 1;
    const background = inForce()?.safeguarding?.background ?? [];
    return findAlongside(sites, { folder: layout.history, from: until - LOOKED_BACK_MS, until, background });
  };
  return { unblocks, wishes, neededWith };
}
