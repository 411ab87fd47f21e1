import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { FIRST_LINK_MS, type NewAccount, type Person, readNewAccount } from './accounts.ts';
import { type Permission, haveTwo } from './permissions.ts';
import type { CredentialsAnswer, ProxyCredentials } from './credentials.ts';
import type { IdentityRules } from './identify.ts';
import type { Passwords } from './passwords.ts';
import {
  deleteExpiredLinks,
  deleteLinksOf,
  findByUserKey,
  findUserName,
  firstLinkRole,
  hasRole,
  insertFirstLink,
  insertPerson,
  listPeople,
  storePassword,
} from './repository.ts';
import { FIRST_ROLES, type Role } from './roles.ts';
import { newToken, tokenHash } from './token.ts';
import { createVerification } from './verify-credentials.ts';

/** For whoever reads the record beside a running console. */
export { findUserName } from './repository.ts';

/** A link that lets whoever has it make the first account of a role. The token is shown once and kept nowhere. */
export interface FirstLink {
  readonly role: Role;
  readonly token: string;
}

/** Accounts of the people who may use the console. */
export interface Accounts {
  /** At start: a fresh link for each of the two first roles that nobody holds yet; links that have run out are removed. */
  makeFirstLinks(): FirstLink[];
  /** The role a first link gives; null if it was used, has run out or never was. */
  roleOfLink(token: string): Role | null;
  /** Makes the account and uses the link up. Throws an InvalidFieldsError, or a SchoolgateError (`link_unusable`). */
  join(token: string, typed: NewAccount, address: string): Promise<Person>;
  people(): Person[];
  /** For the record, inside the transaction of an act; the id itself where there is no such person. */
  userNameOf(tx: ReadTx, personId: string): string;
  /** Whether there are two different people of whom one may do the first and the other the second. */
  haveTwo(first: Permission, second: Permission): boolean;
  /** Whose credentials these are, for a gateway. Never tells which part was wrong, neither by words nor by time. */
  verify(credentials: ProxyCredentials): Promise<CredentialsAnswer>;
  /** Somebody has another password: credentials that were wrong may be right now. */
  forgetWrong(): void;
}

export interface AccountsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** The rules in force; null before the first. */
  readonly policy: () => IdentityRules | null;
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { record, clock } = options;
  const verification = createVerification(options);
  return {
    makeFirstLinks: () => record.write((tx) => makeFirstLinks(options, tx)),
    roleOfLink: (token) => record.read((tx) => firstLinkRole(tx, tokenHash(token), clock())),
    join: async (token, typed, address) => {
      const person = await join(options, token, typed, address);
      verification.forget();
      return person;
    },
    people: () => record.read(listPeople),
    userNameOf: (tx, personId) => findUserName(tx, personId) ?? personId,
    haveTwo: (first, second) => haveTwo(record.read(listPeople), first, second),
    verify: (credentials) => verification.verify(credentials),
    forgetWrong: () => verification.forget(),
  };
}

function makeFirstLinks({ audit, clock }: AccountsOptions, tx: Tx): FirstLink[] {
  const now = clock();
  deleteExpiredLinks(tx, now);
  const open = FIRST_ROLES.filter((role) => !hasRole(tx, role));
  return open.map((role) => {
    const token = newToken();
    insertFirstLink(tx, tokenHash(token), role, now + FIRST_LINK_MS);
    audit.append(tx, { actor: 'console', action: 'first-link.made', subject: `role:${role}` });
    return { role, token };
  });
}

async function join(options: AccountsOptions, token: string, typed: NewAccount, address: string): Promise<Person> {
  const { record, audit, passwords, clock, newId } = options;
  const link = tokenHash(token);
  if (record.read((tx) => firstLinkRole(tx, link, clock())) === null) throw linkUnusable();
  const account = readNewAccount(typed);
  const hash = await passwords.hash(account.password);
  return record.write((tx) => {
    const now = clock();
    // Asked again: while the password was hashed somebody else may have used the link or taken the name.
    const role = firstLinkRole(tx, link, now);
    if (role === null) throw linkUnusable();
    if (findByUserKey(tx, account.userKey) !== null) {
      throw new InvalidFieldsError([{ field: 'userName', reason: 'Somebody has this user name; choose another one.' }]);
    }
    const person = { id: newId(), userName: account.userName, fullName: account.fullName, roles: [role] };
    insertPerson(tx, person, account.userKey, now);
    storePassword(tx, person.id, hash, now);
    deleteLinksOf(tx, role);
    audit.append(tx, {
      actor: person.userName,
      action: 'person.joined',
      subject: `person:${person.id}`,
      after: { userName: person.userName, fullName: person.fullName, roles: person.roles },
      address,
    });
    return person;
  });
}

function linkUnusable(): SchoolgateError {
  return new SchoolgateError(
    'link_unusable',
    'client',
    'This link was used or is older than a day. Restart Schoolgate to get a new one.',
  );
}
