import type { AuditAction } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { RecordDatabase, Tx } from '../store/database.ts';
import { CONFIRMED_MS, type Person, SESSION_IDLE_MS, SESSION_MOST_MS, type SignedIn } from './accounts.ts';
import { type Tried, countAttempt, held, takeBackAttempt, takeBackOnce, tried } from './attempts.ts';
import type { Passwords } from './passwords.ts';
import { needsSecondFactor } from './permissions.ts';
import {
  type StoredSession,
  deleteEndedSessions,
  deleteSession,
  findById,
  findByUserKey,
  findSession,
  insertSession,
  listSessions,
  replaceSession,
  touchSession,
} from './repository.ts';
import type { SecretBox } from './staff/secret-box.ts';
import { asksCode, isSetUp, takeCode } from './staff/second-factor-service.ts';
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
  /** Of the authenticator app, or a recovery code; empty: none. */
  readonly code: string;
  /** Client address, or `local`. */
  readonly address: string;
}

/** Who is signed in to the console. */
export interface Sessions {
  /**
   * Opens a session. Throws a SchoolgateError: `sign_in_refused`, which never tells which part was wrong, `sign_in_held` after too
   * many failures, or `code_needed` where all that lacks is the code.
   */
  signIn(attempt: SignInAttempt): Promise<OpenedSession>;
  /** Who holds this token, or null. Counts as activity. */
  authenticate(token: string): SignedIn | null;
  /** The password once more: gives the session another token, with which dangerous acts can be done for a while. Throws as `signIn`. */
  confirm(signedIn: SignedIn, password: string, address: string): Promise<string>;
  /** Another token for the same session: its holder may more than before. */
  renew(signedIn: SignedIn): string;
  /** Whether this is somebody's password; counted and put on record as a sign-in. Throws as `signIn`. */
  prove(personId: string, password: string, address: string): Promise<void>;
  /** What somebody has open, the newest first. */
  of(personId: string): readonly StoredSession[];
  /** Ends one of somebody's sessions by the hash of its token; nothing where there is none. */
  end(signedIn: SignedIn, session: string, address: string): void;
  signOut(signedIn: SignedIn, address: string): void;
}

export interface SessionsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly clock: Clock;
}

export interface ConsoleSessionsOptions extends SessionsOptions {
  readonly secrets: SecretBox;
}

/** A session's last activity is written this often at most, ms, so that reading a page does not cost a disk write. */
const TOUCH_MS = 30_000;

export function createSessions(options: ConsoleSessionsOptions): Sessions {
  const { record, clock } = options;
  const end = ({ person }: SignedIn, session: string, address: string): void =>
    record.write((tx) => {
      deleteSession(tx, session, person.id);
      note(options, tx, 'session.closed', person, address);
    });
  return {
    signIn: (attempt) => signIn(options, attempt),
    authenticate: (token) => authenticate(options, tokenHash(token)),
    confirm: (signedIn, password, address) => confirm(options, signedIn, password, address),
    renew: ({ session }) => {
      const token = newToken();
      record.write((tx) => replaceSession(tx, session, tokenHash(token), clock() + CONFIRMED_MS));
      return token;
    },
    prove: (personId, password, address) => prove(options, personId, password, address),
    of: (personId) =>
      record.read((tx) => listSessions(tx, personId, clock() - SESSION_IDLE_MS, clock() - SESSION_MOST_MS)),
    end,
    signOut: (signedIn, address) => end(signedIn, signedIn.session, address),
  };
}

async function signIn(options: ConsoleSessionsOptions, attempt: SignInAttempt): Promise<OpenedSession> {
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
  return openSession(options, found.person, counted, attempt);
}

function openSession(
  options: ConsoleSessionsOptions,
  person: Person,
  counted: Tried,
  { code, address }: SignInAttempt,
): OpenedSession {
  const token = newToken();
  const now = options.clock();
  const outcome = options.record.write((tx) => {
    if (code.trim() === '' && asksCode(tx, person.id)) {
      // Only this attempt counts no more: whoever knows the password must not begin the count of wrong codes again.
      takeBackOnce(tx, counted);
      return 'needed';
    }
    const taken = takeCode(options, tx, person.id, code);
    if (taken === 'wrong') return 'wrong';
    takeBackAttempt(tx, counted);
    const times = { openedAt: now, seenAt: now, confirmedUntil: now + CONFIRMED_MS };
    insertSession(tx, { tokenHash: tokenHash(token), personId: person.id, address, ...times });
    if (taken === 'recovery') note(options, tx, 'second-factor.recovery-used', person, address);
    note(options, tx, 'session.opened', person, address);
    return 'open';
  });
  if (outcome === 'wrong') throw refuse(options, person, address);
  if (outcome === 'open') return { token, person };
  throw new SchoolgateError(
    'code_needed',
    'client',
    'Type the code that your authenticator app shows, and your password.',
  );
}

async function confirm(
  options: ConsoleSessionsOptions,
  { person, session }: SignedIn,
  password: string,
  address: string,
): Promise<string> {
  await prove(options, person.id, password, address);
  const token = newToken();
  options.record.write((tx) => {
    replaceSession(tx, session, tokenHash(token), options.clock() + CONFIRMED_MS);
    note(options, tx, 'session.confirmed', person, address);
  });
  return token;
}

async function prove(options: SessionsOptions, personId: string, password: string, address: string): Promise<void> {
  const { record, passwords, clock } = options;
  const found = record.read((tx) => findById(tx, personId, clock()));
  const counted = tried('console', address, canonicalUser(found?.person.userName ?? ''));
  record.write((tx) => {
    const heldFor = countAttempt(tx, counted, clock());
    if (heldFor > 0) throw held(heldFor);
  });
  const isRight = await passwords.verify(password, found?.hash ?? null);
  if (!isRight) throw refuse(options, found?.person ?? null, address);
  record.write((tx) => takeBackAttempt(tx, counted));
}

/** Puts the refusal on record. What was typed is not: people type their password into the wrong field. */
function refuse({ record, audit }: SessionsOptions, person: Person | null, address: string): SchoolgateError {
  const subject = person === null ? 'person:unknown' : `person:${person.id}`;
  record.write((tx) => audit.append(tx, { actor: 'console', action: 'session.refused', subject, address }));
  return new SchoolgateError('sign_in_refused', 'client', 'The user name, the password or the code is not right.');
}

function note(
  { audit }: SessionsOptions,
  tx: Tx,
  action: AuditAction,
  { id, userName }: Person,
  address: string,
): void {
  audit.append(tx, { actor: userName, action, subject: `person:${id}`, address });
}

function authenticate({ record, clock }: SessionsOptions, session: string): SignedIn | null {
  const now = clock();
  const found = record.read((tx) => {
    const one = findSession(tx, session, now - SESSION_IDLE_MS, now - SESSION_MOST_MS, now);
    if (one === null) return null;
    const lacksFactor = needsSecondFactor(one.person.roles) && !isSetUp(tx, one.person.id);
    return { ...one, lacksFactor };
  });
  if (found === null) return null;
  if (now - found.seenAt >= TOUCH_MS) record.write((tx) => touchSession(tx, session, now));
  const { person, confirmedUntil, lacksFactor } = found;
  return { person, session, isConfirmed: now < confirmedUntil, lacksFactor };
}
