// front desk: sign-ins ──┐
// gateways: every minute ─┴─► used ──┬──► an account where it should not be ──► safeguarding
// wrong passwords ──────────► tried ─┘
import type { AccountMisplaced } from '../events/catalogue.ts';
import { addressRanges } from '../kernel/ip.ts';
import type { Tx } from '../store/database.ts';
import { accountState } from './account-state.ts';
import { AccountPlaces } from './account-places.ts';
import { findListed } from './directory/repository.ts';
import { type IdentityRules, rangeLookup } from './identify.ts';
import { type Account, findByUserKey, noteSituation } from './repository.ts';

/** That an account was in use at an address. */
export interface AccountUse {
  /** Canonical user name. */
  readonly user: string;
  /** Canonical. */
  readonly address: string;
}

/** What is needed of the policy in force. */
export interface WatchRules extends IdentityRules {
  readonly identity: IdentityRules['identity'] & { readonly shared?: readonly string[] };
}

export interface WatchOptions {
  /** Null before the first policy. */
  readonly policy: () => WatchRules | null;
  readonly isForPupils: (level: string) => boolean;
  /** Takes effect in the transaction of the use. */
  readonly raise: (tx: Tx, event: AccountMisplaced) => void;
}

/** Looks at where accounts are used. `at` in ms since the epoch. */
export interface AccountWatch {
  used(tx: Tx, uses: readonly AccountUse[], at: number): void;
  /** Somebody gave the name of an account, and a password that was wrong: whose name it is may matter, where they are in it does not. */
  tried(tx: Tx, use: AccountUse, at: number): void;
}

/** One that goes on is told of once: it is a new one when it was over for so long, ms. */
export const OVER_MS = 3_600_000;

type Look = (tx: Tx, rules: WatchRules, use: AccountUse, account: Account, at: number) => void;

export function createAccountWatch({ policy, isForPupils, raise }: WatchOptions): AccountWatch {
  const places = new AccountPlaces();
  const tell = (tx: Tx, at: number, event: AccountMisplaced, mark: string): void => {
    if (noteSituation(tx, `${event.what}:${event.user}${mark}`, at, OVER_MS)) raise(tx, event);
  };
  const lookAtRange: Look = (tx, rules, { user, address }, account, at) => {
    const range = rangeLookup(rules.identity.ranges)(address);
    if (range !== null && isForPupils(range) && isStaff(tx, account)) {
      tell(tx, at, { what: 'staff-name-among-pupils', user, addresses: [address], level: range }, `:${address}`);
    }
  };
  const lookAtPlaces: Look = (tx, rules, { user, address }, account, at) => {
    const isShared = addressRanges(rules.identity.shared ?? []).has(address);
    if (isShared || accountState(tx, rules, account.person).kind === 'class') return;
    const two = places.note(user, address, at);
    if (two !== null) tell(tx, at, { what: 'account-at-two-places', user, addresses: two, level: null }, '');
  };
  const look = (tx: Tx, use: AccountUse, at: number, looks: readonly Look[]): void => {
    const rules = policy();
    const account = rules === null ? null : findByUserKey(tx, use.user, at);
    if (account !== null) for (const one of looks) one(tx, rules!, use, account, at);
  };
  return {
    used: (tx, uses, at) => {
      for (const use of uses) look(tx, use, at, [lookAtRange, lookAtPlaces]);
    },
    tried: (tx, use, at) => look(tx, use, at, [lookAtRange]),
  };
}

/** Who teaches or works at the school, or has a role in the console, and is no pupil. */
function isStaff(tx: Tx, { person }: Account): boolean {
  const roles = findListed(tx, person.id)?.roles ?? [];
  if (roles.includes('pupil')) return false;
  return person.roles.length > 0 || roles.includes('teacher') || roles.includes('staff');
}
