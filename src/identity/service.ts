import type { Audit } from '../audit/service.ts';
import { type Clock, isoTime } from '../kernel/clock.ts';
import { SchoolgateError, wrongField } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { INVITATION_MS, type NewAccount, type Person, type PersonName, readNewAccount } from './accounts.ts';
import type { CredentialsAnswer, ProxyCredentials } from './credentials.ts';
import type { IdentityRules } from './identify.ts';
import type { Passwords } from './passwords.ts';
import { JUDGES, type Permission, haveTwo, rolesText } from './permissions.ts';
import { findUserName, insertPerson, listPeople, storePassword } from './repository.ts';
import { FIRST_ROLES, type Role } from './roles.ts';
import type { Announcements } from './staff/announcement-service.ts';
import type { Invitation } from './staff/model.ts';
import {
  deleteExpiredInvitations,
  deleteFirstLinksOf,
  deleteInvitation,
  findCandidate,
  findInvitation,
  insertInvitation,
  isHeld,
  renamePerson,
  storeRoles,
} from './staff/repository.ts';
import { objectionTo, standsBehind } from './staff/service.ts';
import { newToken, tokenHash } from './token.ts';
import { createVerification } from './verify-credentials.ts';
import type { AccountWatch } from './watch-accounts.ts';

/** For whoever reads the record beside a running console. */
export { findFullName, findPersonId, findUserName, listPeople as staffPeople } from './repository.ts';

/** A link that lets whoever has it make the first account of a role. The token is shown once and kept nowhere. */
export interface FirstLink {
  readonly role: Role;
  readonly token: string;
}

/** Accounts of the people who may use the console. */
export interface Accounts {
  /** At start: a fresh link for each of the two first roles that nobody holds yet; links that have run out are removed. */
  makeFirstLinks(): FirstLink[];
  /** What a link gives, and to whom; null if it was used, has run out or never was, or whoever made it may give this no more. */
  invitation(token: string): Invitation | null;
  /** Makes the account, or gives the roles to whom the link names, and uses the link up. Throws an InvalidFieldsError, or a SchoolgateError (`link_unusable`). */
  join(token: string, typed: NewAccount, address: string): Promise<Person>;
  /** Who has a role, or had one. */
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
  readonly announcements: Announcements;
  /** Told of names whose password was wrong. */
  readonly watch: Pick<AccountWatch, 'tried'>;
  /** The rules in force; null before the first. */
  readonly policy: () => (IdentityRules & { readonly school: string }) | null;
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { record, clock } = options;
  const verification = createVerification(options);
  return {
    makeFirstLinks: () => record.write((tx) => makeFirstLinks(options, tx)),
    invitation: (token) => record.read((tx) => usable(tx, tokenHash(token), clock())),
    join: async (token, typed, address) => {
      const person = await join(options, token, typed, address);
      verification.forget();
      return person;
    },
    people: () => record.read((tx) => listPeople(tx, clock())),
    userNameOf: (tx, personId) => findUserName(tx, personId) ?? personId,
    haveTwo: (first, second) =>
      haveTwo(
        record.read((tx) => listPeople(tx, clock())),
        first,
        second,
      ),
    verify: (credentials) => verification.verify(credentials),
    forgetWrong: () => verification.forget(),
  };
}

function makeFirstLinks({ audit, clock }: AccountsOptions, tx: Tx): FirstLink[] {
  const now = clock();
  deleteExpiredInvitations(tx, now);
  const open = FIRST_ROLES.filter((role) => !isHeld(tx, role, now));
  return open.map((role) => {
    const token = newToken();
    const nobody = { rolesEndAt: null, fullName: '', person: null, invitedBy: null };
    insertInvitation(tx, { ...nobody, tokenHash: tokenHash(token), roles: [role], expiresAt: now + INVITATION_MS });
    audit.append(tx, { actor: 'console', action: 'first-link.made', subject: `role:${role}` });
    return { role, token };
  });
}

function usable(tx: ReadTx, hash: string, now: number): Invitation | null {
  const found = findInvitation(tx, hash, now);
  return found !== null && standsBehind(tx, found, now) ? found : null;
}

async function join(options: AccountsOptions, token: string, typed: NewAccount, address: string): Promise<Person> {
  const { record, audit, passwords, clock, policy } = options;
  const link = tokenHash(token);
  const invited = record.read((tx) => usable(tx, link, clock()));
  if (invited === null) throw linkUnusable();
  const account = readNewAccount(
    { ...typed, userName: invited.person?.userName ?? typed.userName },
    policy()?.school ?? null,
  );
  const hash = await passwords.hash(account.password);
  return record.write((tx) => {
    const now = clock();
    // Asked again: while the password was hashed somebody else may have used the link or taken the name.
    const invitation = usable(tx, link, now);
    if (invitation === null) throw linkUnusable();
    const { roles, rolesEndAt } = invitation;
    const { id, userName } = whoJoins(options, tx, invitation, account);
    storeRoles(
      tx,
      id,
      roles.map((role) => ({ role, endsAt: rolesEndAt })),
      now,
    );
    storePassword(tx, id, hash, now);
    deleteInvitation(tx, link);
    if (invitation.invitedBy === null) deleteFirstLinksOf(tx, roles[0]!);
    const { fullName } = account;
    audit.append(tx, {
      actor: userName,
      action: 'person.joined',
      subject: `person:${id}`,
      after: { userName, fullName, roles, until: rolesEndAt === null ? null : isoTime(rolesEndAt) },
      address,
    });
    announce(options, tx, { id, userName, fullName, roles });
    return { id, userName, fullName, roles };
  });
}

/** The very first has nobody to tell. */
function announce({ announcements, clock }: AccountsOptions, tx: Tx, { id, userName, fullName, roles }: Person): void {
  const given = roles.filter((role) => JUDGES.includes(role));
  if (given.length === 0 || !listPeople(tx, clock()).some((other) => other.id !== id)) return;
  const text = `${fullName} (${userName}) has made an account as ${rolesText(given)}.`;
  announcements.tell(tx, 'everybody', 'an account that judges others', text);
}

/**
 * Somebody new; or, where the invitation names them or a first link's user types the name a roster knows them by, the person who is
 * there. Throws an InvalidFieldsError for a name that is somebody else's.
 */
function whoJoins(
  { clock, newId }: AccountsOptions,
  tx: Tx,
  { person, invitedBy }: Invitation,
  { userName, userKey, fullName }: ReturnType<typeof readNewAccount>,
): PersonName {
  const now = clock();
  const there = findCandidate(tx, userKey);
  if (there === null) {
    const made = { id: newId(), userName, fullName };
    insertPerson(tx, made, userKey, now);
    return made;
  }
  const isMeant = there.id === person?.id || (person === null && invitedBy === null);
  const reason = isMeant ? objectionTo(tx, there, now) : 'Somebody has this user name; choose another one.';
  if (reason !== null) throw wrongField('userName', reason);
  renamePerson(tx, there.id, fullName);
  return { id: there.id, userName: there.userName, fullName };
}

/** A first link comes anew with each start, an invitation from whoever made it. */
export const LINK_UNUSABLE =
  'This link was used or is older than a day. Ask whoever gave it to you for a new one; the two first links are made anew at each start of Schoolgate.';

function linkUnusable(): SchoolgateError {
  return new SchoolgateError('link_unusable', 'client', LINK_UNUSABLE);
}
