// front desk ── ticket or name and password, new password ──► console ──► every other sign-in of the person ends
import type { FieldProblem } from '../kernel/errors.ts';
import { passwordFault } from './accounts.ts';
import { accountState, keepsCard } from './account-state.ts';
import type { DeviceOptions } from './device-service.ts';
import { type Account, findById, storePassword } from './repository.ts';
import type { DeviceAnswer } from './signed-in-devices.ts';
import type { Tickets } from './tickets.ts';
import { checkPassword } from './verify-credentials.ts';

/** What somebody typed to have another password. */
export interface PasswordChange {
  /** Shows that they have just signed in; empty: `name` and `current` do. */
  readonly ticket: string;
  readonly name: string;
  readonly current: string;
  readonly next: string;
  readonly again: string;
  /** Canonical address of the device. */
  readonly address: string;
}

export interface ChangingOptions extends DeviceOptions {
  readonly tickets: Tickets;
  /** Ends everything the person has signed in to, and signs them in here as far as they may. */
  readonly enterAnew: (account: Account, address: string) => DeviceAnswer;
}

/** Gives somebody the password of their choice, unless it will not do or is not theirs to change. */
export async function changePassword(options: ChangingOptions, change: PasswordChange): Promise<DeviceAnswer> {
  const { record, passwords, policy, tickets } = options;
  const rules = policy();
  if (rules === null) return { state: 'no-answer' };
  const account = await prove(options, change);
  if ('state' in account) return account;
  const { person, passwordAt } = account;
  const state = record.read((tx) => accountState(tx, rules, person));
  // Whoever uses the console has a password that no page of the network may replace.
  if (keepsCard(rules, state) || person.roles.length > 0) return { state: 'password-stays' };
  const fault = await faultOf(options, account, change);
  if (fault !== null) {
    const ticket = tickets.make({ for: 'password', personId: person.id, address: change.address, passwordAt });
    return { state: 'password', userName: person.userName, fullName: person.fullName, ticket, fault };
  }
  return store(options, account, await passwords.hash(change.next), change.address);
}

async function faultOf(
  { passwords }: ChangingOptions,
  { person, hash }: Account,
  { next, again }: PasswordChange,
): Promise<FieldProblem | null> {
  const fault = passwordFault(next, [person.userName, person.fullName]);
  if (fault !== null) return { field: 'next', reason: fault };
  if (next !== again) return { field: 'again', reason: 'The two passwords are not the same; type them again.' };
  const isOld = await passwords.verify(next, hash);
  return isOld ? { field: 'next', reason: 'Choose a password that is not the one you have now.' } : null;
}

async function prove(options: ChangingOptions, change: PasswordChange): Promise<Account | DeviceAnswer> {
  const { ticket, name, current, address } = change;
  if (ticket === '') {
    const checked = await checkPassword(options, { name, password: current, address }, 'device.refused');
    if (checked === 'wrong') return { state: 'wrong' };
    return 'heldForMs' in checked ? { state: 'held', forMs: checked.heldForMs } : checked.account;
  }
  const facts = options.tickets.read(ticket, 'password', address);
  const account = facts === null ? null : options.record.read((tx) => findById(tx, facts.personId, options.clock()));
  // A password that was changed meanwhile, such as by new cards, is not the one that was proved.
  return account === null || account.hash === null || account.passwordAt !== facts!.passwordAt
    ? { state: 'stale' }
    : account;
}

function store(options: ChangingOptions, account: Account, hash: string, address: string): DeviceAnswer {
  const { record, audit, clock, publishing } = options;
  const { person } = account;
  const changed = record.write((tx) => {
    const now = findById(tx, person.id, clock());
    // Asked again: the password was hashed meanwhile.
    if (now === null || now.hash !== account.hash) return null;
    storePassword(tx, person.id, hash, clock());
    audit.append(tx, {
      actor: person.userName,
      action: 'person.password-changed',
      subject: `person:${person.id}`,
      address,
    });
    publishing.callFor(tx, 'live');
    return findById(tx, person.id, clock());
  });
  if (changed === null) return { state: 'stale' };
  void publishing.send();
  options.onPasswords();
  return options.enterAnew(changed, address);
}
