// front desk ── name, password, address ──► signIn ── live ──► gateways ── addresses in use ──► seen
import { randomBytes } from 'node:crypto';
import type { Actor } from '../audit/entry.ts';
import { addressRanges } from '../kernel/ip.ts';
import type { Publishing } from '../publishing/service.ts';
import type { ReadTx, Tx } from '../store/database.ts';
import { acceptedSince } from './agreements/repository.ts';
import type { Agreements } from './agreements/service.ts';
import type { PersonName } from './accounts.ts';
import { accountState, keepsCard } from './account-state.ts';
import { countAttempt, takeBackAttempt, tried } from './attempts.ts';
import { type PasswordChange, changePassword } from './change-password.ts';
import type { ProxyCredentials, Renewal } from './credentials.ts';
import { findListed, isSuspendedAt } from './directory/repository.ts';
import { type IdentityRules, isGuest } from './identify.ts';
import {
  type Account,
  type DeviceSignIn,
  deleteDevice,
  findById,
  findDevice,
  findVoucherByCode,
  listDevices,
  renewedSince,
  replaceDevice,
  touchDevice,
} from './repository.ts';
import type { SessionsOptions } from './session-service.ts';
import { DAY_ENDS, type DeviceAnswer, nextDayEnd } from './signed-in-devices.ts';
import { type Tickets, createTickets } from './tickets.ts';
import { canonicalUser } from './user-name.ts';
import { tokenHash } from './token.ts';
import { checkPassword } from './verify-credentials.ts';
import type { AccountUse, AccountWatch } from './watch-accounts.ts';
import { readTypedCode } from './typed-code.ts';
import { type Voucher, voucherState } from './vouchers.ts';

/** For `live`. */
export { standingDevices } from './repository.ts';

/** For `live`: accounts of which something has changed since an instant, each with the last. */
export function renewalsSince(tx: ReadTx, since: number): Renewal[] {
  const last = new Map<string, number>();
  for (const { user, at } of [...renewedSince(tx, since), ...acceptedSince(tx, since)]) {
    last.set(user, Math.max(at, last.get(user) ?? 0));
  }
  return Array.from(last, ([user, at]) => ({ user, at }));
}

/** Who is signed in at which address of the network. */
export interface DeviceSessions {
  /** Binds a person to their device's address, until they sign out, leave it alone, or the school day ends. */
  signIn(credentials: ProxyCredentials): Promise<DeviceAnswer>;
  /** The same for a guest, by the code of their voucher; never longer than that is good. */
  signInGuest(code: string, address: string): DeviceAnswer;
  /** Nothing where nobody is signed in. */
  signOut(address: string): void;
  /** Gives somebody another password. What they had signed in to elsewhere ends, and here they are signed in anew. */
  changePassword(change: PasswordChange): Promise<DeviceAnswer>;
  /** They accept what they were shown; `ticket`: from an answer `agreement`. */
  accept(ticket: string, version: string, address: string): DeviceAnswer;
  at(address: string): DeviceAnswer;
  /** Looking is put on record. */
  list(actor: Actor): DeviceSignIn[];
  /** Signs a person out at an address; nothing where somebody else, or nobody, is signed in there by now. */
  endAt(actor: Actor, address: string, personId: string): void;
  /** Whoever is signed in at an address; null: nobody, or nobody can be. */
  personAt(address: string): PersonName | null;
  /** In the transaction of an event: a gateway tells which devices were in use at an instant (ms since the epoch). */
  seen(tx: Tx, addresses: readonly string[], at: number): void;
  /** Ends what is over: idle, past its time, or at an address that is shared now. Gives how many. */
  endOld(): number;
  /** Ends every session of a person, such as when their password changes. */
  endOf(personId: string, why: EndReason): void;
}

export type EndReason =
  | 'idle'
  | 'school day over'
  | 'left the school'
  | 'address shared'
  | 'another person signed in'
  | 'password changed'
  | 'voucher withdrawn';

/** What is needed of the policy in force. */
export interface DeviceRules extends IdentityRules {
  readonly timeZone: string;
  readonly people: Readonly<
    Record<
      string,
      IdentityRules['people'][string] & {
        readonly rules: { readonly suspended: { readonly until: number | null } | null } | null;
      }
    >
  >;
  readonly identity: IdentityRules['identity'] & {
    readonly shared?: readonly string[];
    readonly schoolDayEnds?: number;
  };
}

export interface DeviceOptions extends SessionsOptions {
  readonly publishing: Publishing;
  /** Null before the first policy. */
  readonly policy: () => DeviceRules | null;
  /** Somebody has another password: credentials that were wrong may be right now. */
  readonly onPasswords: () => void;
  readonly agreements: Agreements;
  /** Told of each sign-in, and of each device that was in use. */
  readonly watch: AccountWatch;
}

type Entering = DeviceOptions & { readonly tickets: Tickets };

/** A device that nobody has used for this long may be somebody else's by now, ms. */
export const DEVICE_IDLE_MS = 15 * 60_000;

export function createDeviceSessions(given: DeviceOptions): DeviceSessions {
  const { clock } = given;
  const options: Entering = { ...given, tickets: createTickets(randomBytes(32), clock) };
  const startedAt = clock();
  const endOf = (personId: string, why: EndReason): void =>
    void endWhere(options, ({ person }) => (person.id === personId ? why : null));
  const enterAnew = (account: Account, address: string): DeviceAnswer => {
    endOf(account.person.id, 'password changed');
    return enter(options, account, address);
  };
  // Idle time is counted in what gateways told: one that is cut off, or a console that was down, makes nobody idle.
  let heardAt = 0;
  return {
    signIn: (credentials) => signIn(options, credentials),
    signInGuest: (code, address) => signInGuest(options, code, address),
    signOut: (address) => signOut(options, address),
    changePassword: (change) => changePassword({ ...options, enterAnew }, change),
    accept: (ticket, version, address) => accept(options, ticket, version, address),
    at: (address) => stateAt(options, address),
    list: (actor) => list(options, actor),
    endAt: (actor, address, personId) => endAt(options, actor, address, personId),
    personAt: (address) => standingAt(options, address)?.person ?? null,
    seen(tx, addresses, at) {
      heardAt = Math.max(heardAt, Math.min(at, clock()));
      for (const address of addresses) touchDevice(tx, address, at);
      given.watch.used(tx, usesOf(tx, addresses), at);
    },
    endOld: () =>
      endWhere(options, (device) => {
        const quietSince = Math.max(device.seenAt, startedAt);
        return whyOver(options, device) ?? (heardAt - quietSince >= DEVICE_IDLE_MS ? 'idle' : null);
      }),
    endOf,
  };
}

async function signIn(options: Entering, credentials: ProxyCredentials): Promise<DeviceAnswer> {
  if (options.policy() === null) return { state: 'no-answer' };
  const checked = await checkPassword(options, credentials, 'device.refused');
  if (checked === 'wrong') return { state: 'wrong' };
  if ('heldForMs' in checked) return { state: 'held', forMs: checked.heldForMs };
  return enter(options, checked.account, credentials.address);
}

/** Lets somebody in who has just proved who they are: only they learn that they are suspended, or have a password to change. */
function enter(options: Entering, account: Account, address: string): DeviceAnswer {
  const { record, clock, policy, tickets } = options;
  const { person, passwordAt, isTemporary } = account;
  const [rules, now] = [policy()!, clock()];
  if (isSuspended(rules, person, now) || record.read((tx) => isSuspendedAt(tx, person.id, now)))
    return { state: 'suspended' };
  if (
    isTemporary &&
    !keepsCard(
      rules,
      record.read((tx) => accountState(tx, rules, person)),
    )
  ) {
    const ticket = tickets.make({ for: 'password', personId: person.id, address, passwordAt });
    return { state: 'password', userName: person.userName, fullName: person.fullName, ticket, fault: null };
  }
  if (isShared(rules, address)) return toState(options, { address, person, until: null });
  const until = nextDayEnd(now, rules.identity.schoolDayEnds ?? DAY_ENDS, rules.timeZone);
  return open(options, { address, person, since: now, seenAt: now, until });
}

function accept(options: Entering, ticket: string, version: string, address: string): DeviceAnswer {
  const { record, agreements, tickets, policy } = options;
  const facts = tickets.read(ticket, 'agreement', address);
  const account = facts === null ? null : record.read((tx) => findById(tx, facts.personId, options.clock()));
  if (policy() === null) return { state: 'no-answer' };
  if (account === null || account.passwordAt !== facts!.passwordAt) return { state: 'stale' };
  agreements.accept(account.person, version, address);
  const device = record.read((tx) => findDevice(tx, address));
  const until = device?.person.id === account.person.id ? device.until : null;
  return toState(options, { address, person: account.person, until });
}

/** Counted by address alone: a code names nobody, and 60 random bits are not guessed at twenty tries a time. */
function signInGuest(options: Entering, code: string, address: string): DeviceAnswer {
  const { record, audit, clock, policy } = options;
  const [rules, now] = [policy(), clock()];
  if (rules === null) return { state: 'no-answer' };
  if (isShared(rules, address)) return { state: 'shared' };
  const plain = readTypedCode(code);
  const attempt = tried('proxy', address, null);
  const found = record.write((tx): Voucher | { readonly heldForMs: number } | null => {
    const heldForMs = countAttempt(tx, attempt, now);
    if (heldForMs > 0) return { heldForMs };
    const voucher = plain === null ? null : findVoucherByCode(tx, tokenHash(plain));
    if (voucher !== null && voucherState(voucher, now) === 'good') {
      takeBackAttempt(tx, attempt);
      return voucher;
    }
    audit.append(tx, { actor: 'console', action: 'device.refused', subject: 'person:unknown', address });
    return null;
  });
  if (found === null) return { state: 'wrong' };
  if ('heldForMs' in found) return { state: 'held', forMs: found.heldForMs };
  const dayEnd = nextDayEnd(now, rules.identity.schoolDayEnds ?? DAY_ENDS, rules.timeZone);
  return open(options, { address, person: found.guest, since: now, seenAt: now, until: Math.min(dayEnd, found.until) });
}

function open(options: Entering, device: DeviceSignIn): DeviceAnswer {
  const { record, audit, publishing } = options;
  const { address, person } = device;
  record.write((tx) => {
    const before = findDevice(tx, address);
    if (before !== null && before.person.id !== person.id) end({ audit }, tx, before, 'another person signed in');
    replaceDevice(tx, device);
    options.watch.used(tx, usesOf(tx, [address]), device.since);
    audit.append(tx, { ...actBy(person, address), action: 'device.signed-in' });
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
  return toState(options, device);
}

function signOut({ record, audit, publishing }: DeviceOptions, address: string): void {
  record.write((tx) => {
    const found = findDevice(tx, address);
    if (found === null) return;
    deleteDevice(tx, address);
    audit.append(tx, { ...actBy(found.person, address), action: 'device.signed-out' });
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
}

function stateAt(options: Entering, address: string): DeviceAnswer {
  const rules = options.policy();
  if (rules === null) return { state: 'no-answer' };
  if (isShared(rules, address)) return { state: 'shared' };
  const found = standingAt(options, address);
  return found === null ? { state: 'nobody' } : toState(options, found);
}

function standingAt({ record, policy, clock }: DeviceOptions, address: string): DeviceSignIn | null {
  const rules = policy();
  if (rules === null || isShared(rules, address)) return null;
  const found = record.read((tx) => findDevice(tx, address));
  return found === null || found.until <= clock() ? null : found;
}

function list({ record, audit, clock }: DeviceOptions, actor: Actor): DeviceSignIn[] {
  return record.write((tx) => {
    const now = clock();
    const found = listDevices(tx).filter(({ until }) => until > now);
    const { userName, address } = actor;
    const after = { found: found.length };
    audit.append(tx, { actor: userName, action: 'devices.listed', subject: 'people', after, address });
    return found;
  });
}

function endAt({ record, audit, publishing }: DeviceOptions, actor: Actor, address: string, personId: string): void {
  record.write((tx) => {
    if (findDevice(tx, address)?.person.id !== personId) return;
    deleteDevice(tx, address);
    audit.append(tx, {
      actor: actor.userName,
      action: 'device.ended',
      subject: `person:${personId}`,
      before: { device: address },
      reason: 'signed out by staff',
      address: actor.address,
    });
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
}

/** Ends every session for which there is a reason, in one transaction; most of the time there is none, and nothing is written. */
function endWhere(options: DeviceOptions, why: (device: DeviceSignIn) => EndReason | null): number {
  const { record, publishing } = options;
  const isOver = (tx: ReadTx): [DeviceSignIn, EndReason][] =>
    listDevices(tx).flatMap((device) => {
      const reason = why(device);
      return reason === null ? [] : [[device, reason]];
    });
  if (record.read(isOver).length === 0) return 0;
  const ended = record.write((tx) => {
    // Asked again: somebody may have come back between the two.
    const over = isOver(tx);
    for (const [device, reason] of over) end(options, tx, device, reason);
    publishing.callFor(tx, 'live');
    return over.length;
  });
  void publishing.send();
  return ended;
}

function end(
  { audit }: Pick<DeviceOptions, 'audit'>,
  tx: Tx,
  { address, person }: DeviceSignIn,
  reason: EndReason,
): void {
  deleteDevice(tx, address);
  audit.append(tx, { actor: 'console', action: 'device.ended', subject: `person:${person.id}`, reason, address });
}

/** The reasons that need no word from a gateway. */
function whyOver({ policy, clock }: DeviceOptions, { address, until }: DeviceSignIn): EndReason | null {
  const [rules, now] = [policy(), clock()];
  if (until <= now) return 'school day over';
  if (rules === null) return null;
  return isShared(rules, address) ? 'address shared' : null;
}

function isShared({ identity }: DeviceRules, address: string): boolean {
  return identity.shared !== undefined && addressRanges(identity.shared).has(address);
}

function isSuspended({ people }: DeviceRules, { userName }: PersonName, now: number): boolean {
  const key = canonicalUser(userName);
  const suspended = key !== null && Object.hasOwn(people, key) ? people[key]!.rules?.suspended : null;
  return suspended !== null && suspended !== undefined && (suspended.until === null || now < suspended.until);
}

function usesOf(tx: ReadTx, addresses: readonly string[]): AccountUse[] {
  return addresses.flatMap((address) => {
    const user = canonicalUser(findDevice(tx, address)?.person.userName ?? '');
    return user === null ? [] : [{ user, address }];
  });
}

/** What somebody is told who is known at an address: what they owe first. `until` null: they are not signed in there, because it is shared. */
function toState(
  { record, agreements, tickets, clock }: Entering,
  { address, person, until }: Pick<DeviceSignIn, 'address' | 'person'> & { readonly until: number | null },
): DeviceAnswer {
  const { id, userName, fullName } = person;
  const { agreement, passwordAt, staff } = record.read((tx) => ({
    agreement: agreements.owed(tx, person),
    passwordAt: findById(tx, id, clock())!.passwordAt,
    staff: isStaff(tx, person),
  }));
  if (agreement?.by === 'parent') return { state: 'consent', userName, fullName, until };
  if (agreement !== null) {
    const ticket = tickets.make({ for: 'agreement', personId: id, address, passwordAt });
    const { version, title, text } = agreement;
    return { state: 'agreement', userName, fullName, until, agreement: { version, title, text }, ticket };
  }
  if (until === null) return { state: 'shared' };
  return { state: 'signed-in', userName, fullName, until, ...(staff && { isStaff: true as const }) };
}

/** Whom no roster names has an account of the console, unless they are a guest. */
function isStaff(tx: ReadTx, { id, userName }: PersonName): boolean {
  const listed = findListed(tx, id);
  if (listed === null) return !isGuest(userName);
  return listed.roles.some((role) => role === 'teacher' || role === 'staff') && !listed.roles.includes('pupil');
}

function actBy({ id, userName }: PersonName, address: string): { actor: string; subject: string; address: string } {
  return { actor: userName, subject: `person:${id}`, address };
}
