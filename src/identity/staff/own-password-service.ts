import type { Actor } from '../../audit/entry.ts';
import type { Audit } from '../../audit/service.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type FieldProblem, InvalidFieldsError, SchoolgateError, wrongField } from '../../kernel/errors.ts';
import type { Publishing } from '../../publishing/service.ts';
import type { RecordDatabase } from '../../store/database.ts';
import { passwordFault } from '../accounts.ts';
import type { Passwords } from '../passwords.ts';
import { type Account, deleteSessionsOf, findById, storePassword } from '../repository.ts';
import type { Sessions } from '../session-service.ts';

/** What somebody types to have another password. */
export interface OwnPassword {
  readonly current: string;
  readonly next: string;
  readonly again: string;
}

export interface OwnPasswords {
  /** Ends every session of the person: they sign in anew. Throws an InvalidFieldsError, or `sign_in_held`. */
  change(actor: Actor, typed: OwnPassword): Promise<void>;
}

export interface OwnPasswordOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly passwords: Passwords;
  readonly publishing: Publishing;
  readonly sessions: Pick<Sessions, 'prove'>;
  /** The school's name, which no password is made of. */
  readonly school: () => string | null;
  /** Credentials that were wrong may be right now. */
  readonly onPasswords: () => void;
}

export function createOwnPasswords(options: OwnPasswordOptions): OwnPasswords {
  return { change: (actor, typed) => change(options, actor, typed) };
}

async function change(options: OwnPasswordOptions, actor: Actor, typed: OwnPassword): Promise<void> {
  const { record, audit, clock, passwords, publishing, sessions } = options;
  const { personId, userName, address } = actor;
  await proveCurrent(sessions, actor, typed.current);
  const before = record.read((tx) => findById(tx, personId, clock()))!;
  const problems = await faultsOf(options, before, typed);
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  const hash = await passwords.hash(typed.next);
  record.write((tx) => {
    // Asked again: the password was hashed meanwhile.
    if (findById(tx, personId, clock())!.hash !== before.hash) throw wrongCurrent();
    storePassword(tx, personId, hash, clock());
    deleteSessionsOf(tx, personId);
    audit.append(tx, { actor: userName, action: 'person.password-changed', subject: `person:${personId}`, address });
    // What gateways know of the old one counts no more.
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
  options.onPasswords();
}

async function proveCurrent(sessions: Pick<Sessions, 'prove'>, actor: Actor, current: string): Promise<void> {
  try {
    await sessions.prove(actor.personId, current, actor.address);
  } catch (error) {
    if (error instanceof SchoolgateError && error.code === 'sign_in_refused') throw wrongCurrent();
    throw error;
  }
}

function wrongCurrent(): InvalidFieldsError {
  return wrongField('current', 'This is not your password.');
}

async function faultsOf(
  { passwords, school }: OwnPasswordOptions,
  { person, hash }: Account,
  { next, again }: OwnPassword,
): Promise<FieldProblem[]> {
  const fault = passwordFault(next, [person.userName, person.fullName, school() ?? '']);
  if (fault !== null) return [{ field: 'next', reason: fault }];
  if (next !== again) return [{ field: 'again', reason: 'The two passwords are not the same; type them again.' }];
  const isOld = await passwords.verify(next, hash);
  return isOld ? [{ field: 'next', reason: 'Choose a password that is not the one you have now.' }] : [];
}
