import type { ReadTx } from '../store/database.ts';
import type { PersonName } from './accounts.ts';
import type { DirectoryPerson } from './directory-snapshot.ts';
import { findListed } from './directory/repository.ts';
import { CARDS_KEPT, type IdentityRules, givenLevel, guestLevel, isGuest } from './identify.ts';
import { canonicalUser } from './user-name.ts';

/** What an account is, as its duties go by it. */
export interface AccountState {
  /** `class`: one that a class shares. */
  readonly kind: 'person' | 'class' | 'guest';
  /** As gateways give it; null: nothing says one, so its owner gets the strictest. */
  readonly level: string | null;
}

/** What somebody's account is by the rules in force and the directory. */
export function accountState(tx: ReadTx, rules: IdentityRules, { id, userName }: PersonName): AccountState {
  if (isGuest(userName)) return { kind: 'guest', level: guestLevel(rules) };
  const listed = findListed(tx, id);
  if (listed !== null) return listedState(rules, listed, userName);
  const name = canonicalUser(userName)!;
  return { kind: 'person', level: Object.hasOwn(rules.people, name) ? rules.people[name]!.level : null };
}

/** The same of somebody whom a roster names. */
export function listedState(
  rules: IdentityRules,
  { kind, roles, year }: Pick<DirectoryPerson, 'kind' | 'roles' | 'year'>,
  userName: string,
): AccountState {
  return { kind, level: givenLevel(rules, { kind, roles, year, name: canonicalUser(userName)! }).level };
}

/** Whether the password on the account's log-in card goes on: a class's is for all of the class, and young children's stay with their teacher. */
export function keepsCard({ identity }: IdentityRules, { kind, level }: AccountState): boolean {
  return kind === 'class' || (level !== null && (identity.keepCards ?? CARDS_KEPT).includes(level));
}
