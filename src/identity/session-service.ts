import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { RecordDatabase } from '../store/database.ts';
import { type Person, SESSION_IDLE_MS, SESSION_MOST_MS, type SignedIn } from './accounts.ts';
import { type Tried, countAttempt, takeBackAttempt, tried } from './attempts.ts';
import type { Passwords } from './passwords.ts';
import {
  deleteEndedSessions,
  deleteSession,
  findByUserKey,
  findSession,
  insertSession,
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

async function signIn(options: SessionsOptions, attempt: SignInAttempt): Promise<OpenedSession> {
  const { record, passwords, clock } = options;
  const userKey = canonicalUser(attempt.userName.trim());
  const counted = tried('console', attempt.address, userKey);
  const now = clock();
  const found = record.write((tx) => {
    deleteEndedSessions(tx, now - SESSION_IDLE_MS, now - SESSION_MOST_MS);
    const heldFor = countAttempt(tx, counted, now);
    if (heldFor > 0) throw held(heldFor);
    return userKey === null ? null : findByUserKey(tx, userKey, now);
  });
  const isRight = await passwords.verify(attempt.password, found?.hash ?? null);
  // Whoever has no role has nothing to do here: pupils have passwords too.
  if (!isRight || found === null || found.person.roles.length === 0)
    throw refuse(options, found?.person ?? null, attempt.address);
  return openSession(options, found.person, counted, attempt.address);
}

function openSession(options: SessionsOptions, person: Person, counted: Tried, address: string): OpenedSession {
  const { record, audit, clock } = options;
  const token = newToken();
  const now = clock();
  record.write((tx) => {
    takeBackAttempt(tx, counted);
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
  const found = record.read((tx) => findSession(tx, session, now - SESSION_IDLE_MS, now - SESSION_MOST_MS, now));
  if (found === null) return null;
  if (now - found.seenAt >= TOUCH_MS) record.write((tx) => touchSession(tx, session, now));
  return { person: found.person, session };
}

function held(ms: number): SchoolgateError {
  const minutes = Math.ceil(ms / 60_000);
  return new SchoolgateError(
    'sign_in_held',
    'client',
    `Too many attempts have failed. Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`,
  );
}
