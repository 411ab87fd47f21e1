import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { ReadTx, RecordDatabase } from '../store/database.ts';
import {
  ADDRESS_BACK_OFF,
  FORGET_FAILURES_MS,
  NAME_BACK_OFF,
  type Person,
  SESSION_IDLE_MS,
  SESSION_MOST_MS,
  type SignedIn,
  heldUntil,
} from './accounts.ts';
import type { Passwords } from './passwords.ts';
import {
  addFailure,
  deleteEndedSessions,
  deleteSession,
  findByUserKey,
  findFailures,
  findSession,
  forgetFailures,
  forgetOldFailures,
  insertSession,
  takeBackFailure,
  touchSession,
} from './repository.ts';
import { newToken, tokenHash } from './token.ts';
import { canonicalUser } from './user-name.ts';

/** A session as its holder gets it; the record keeps only the token's hash. */
export interface OpenedSession {
  readonly token: string;
  readonly person: Person;
}

export interface SignInAttempt {
  readonly userName: string;
  readonly password: string;
  /** Client address, or `local`. */
  readonly address: string;
}

/** Who is signed in to the console. */
export interface Sessions {
  /**
   * Opens a session. Throws a SchoolgateError: `sign_in_refused`, which never tells whether name or password was wrong, or
   * `sign_in_held` after too many failures.
   */
  signIn(attempt: SignInAttempt): Promise<OpenedSession>;
  /** Who holds this token, or null. Counts as activity. */
  authenticate(token: string): SignedIn | null;
  signOut(signedIn: SignedIn, address: string): void;
}

export interface SessionsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly clock: Clock;
}

/** A session's last activity is written this often at most, ms, so that reading a page does not cost a disk write. */
const TOUCH_MS = 30_000;

export function createSessions(options: SessionsOptions): Sessions {
  const { record, audit } = options;
  return {
    signIn: (attempt) => signIn(options, attempt),
    authenticate: (token) => authenticate(options, tokenHash(token)),
    signOut: ({ person, session }, address) =>
      record.write((tx) => {
        deleteSession(tx, session);
        audit.append(tx, { actor: person.userName, action: 'session.closed', subject: `person:${person.id}`, address });
      }),
  };
}

interface Tried {
  readonly address: string;
  /** Null: what was typed cannot be a user name. */
  readonly name: string | null;
}

async function signIn(options: SessionsOptions, attempt: SignInAttempt): Promise<OpenedSession> {
  const { record, passwords, clock } = options;
  const userKey = canonicalUser(attempt.userName.trim());
  const tried: Tried = { address: `address:${attempt.address}`, name: userKey === null ? null : `name:${userKey}` };
  const now = clock();
  const found = record.write((tx) => {
    deleteEndedSessions(tx, now - SESSION_IDLE_MS, now - SESSION_MOST_MS);
    forgetOldFailures(tx, now - FORGET_FAILURES_MS);
    const until = heldTill(tx, tried);
    if (until > now) throw held(until - now);
    // Counted before the password is looked at: a hundred attempts at once must not all be the first.
    for (const key of keys(tried)) addFailure(tx, key, now);
    return userKey === null ? null : findByUserKey(tx, userKey);
  });
  const isRight = await passwords.verify(attempt.password, found?.hash ?? null);
  if (!isRight || found === null) throw refuse(options, found?.person ?? null, attempt.address);
  return openSession(options, found.person, tried, attempt.address);
}

function openSession(options: SessionsOptions, person: Person, tried: Tried, address: string): OpenedSession {
  const { record, audit, clock } = options;
  const token = newToken();
  const now = clock();
  record.write((tx) => {
    if (tried.name !== null) forgetFailures(tx, tried.name);
    // Only this attempt: what others failed from the same address still counts.
    takeBackFailure(tx, tried.address);
    insertSession(tx, { tokenHash: tokenHash(token), personId: person.id, openedAt: now, seenAt: now, address });
    audit.append(tx, { actor: person.userName, action: 'session.opened', subject: `person:${person.id}`, address });
  });
  return { token, person };
}

/** Puts the refusal on record. What was typed is not: people type their password into the wrong field. */
function refuse({ record, audit }: SessionsOptions, person: Person | null, address: string): SchoolgateError {
  const subject = person === null ? 'person:unknown' : `person:${person.id}`;
  record.write((tx) => audit.append(tx, { actor: 'console', action: 'session.refused', subject, address }));
  return new SchoolgateError('sign_in_refused', 'client', 'The user name or the password is not right.');
}

function authenticate({ record, clock }: SessionsOptions, session: string): SignedIn | null {
  const now = clock();
  const found = record.read((tx) => findSession(tx, session, now - SESSION_IDLE_MS, now - SESSION_MOST_MS));
  if (found === null) return null;
  if (now - found.seenAt >= TOUCH_MS) record.write((tx) => touchSession(tx, session, now));
  return { person: found.person, session };
}

function keys({ address, name }: Tried): string[] {
  return name === null ? [address] : [address, name];
}

function heldTill(tx: ReadTx, { address, name }: Tried): number {
  const byAddress = findFailures(tx, address);
  const byName = name === null ? { failures: 0, lastAt: 0 } : findFailures(tx, name);
  return Math.max(
    heldUntil(byAddress.failures, byAddress.lastAt, ADDRESS_BACK_OFF),
    heldUntil(byName.failures, byName.lastAt, NAME_BACK_OFF),
  );
}

function held(ms: number): SchoolgateError {
  const minutes = Math.ceil(ms / 60_000);
  return new SchoolgateError(
    'sign_in_held',
    'client',
    `Too many attempts have failed. Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`,
  );
}
