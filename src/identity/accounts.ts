import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';
import { isCommonPassword } from './common-passwords.ts';
import type { Role } from './roles.ts';
import { canonicalUser } from './user-name.ts';

/** How somebody is called. */
export interface PersonName {
  /** Stable: stays when the user name changes. */
  readonly id: string;
  readonly userName: string;
  readonly fullName: string;
}

/** Somebody with an account, and the roles they hold now. */
export interface Person extends PersonName {
  readonly roles: readonly Role[];
}

/** Who is signed in, and the session by its hash. */
export interface SignedIn {
  readonly person: Person;
  readonly session: string;
  /** Their password was given within the last minutes. */
  readonly isConfirmed: boolean;
  /** Their roles need an authenticator app, and none is set up: nothing can be done but that. */
  readonly lacksFactor: boolean;
}

export const MIN_PASSWORD = 12;
const MAX_PASSWORD = 256;
const MAX_NAME = 100;

/** What the page of such a link asks for, as typed. */
export interface NewAccount {
  readonly userName: string;
  readonly fullName: string;
  readonly password: string;
}

/** The account as it will be kept; `school`: its name, which no password is made of. Throws an InvalidFieldsError with every field that is wrong. */
export function readNewAccount(typed: NewAccount, school: string | null): NewAccount & { readonly userKey: string } {
  const problems: FieldProblem[] = [];
  const userName = typed.userName.trim();
  const fullName = typed.fullName.replace(/\p{Cc}+/gu, ' ').trim();
  const userKey = canonicalUser(userName);
  if (fullName === '' || fullName.length > MAX_NAME) {
    problems.push({ field: 'fullName', reason: `Give your name, in at most ${MAX_NAME} characters.` });
  }
  if (userKey === null || !/^[^\s]{2,64}$/.test(userName)) {
    problems.push({ field: 'userName', reason: 'Choose a user name of 2 to 64 characters without spaces or colons.' });
  }
  const fault = passwordFault(typed.password, [userName, fullName, school ?? '']);
  if (fault !== null) problems.push({ field: 'password', reason: fault });
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return { userName, fullName, password: typed.password, userKey: userKey! };
}

/** Why a password will not do; null if it will. Length counts and that nobody guesses it, not kinds of characters. `names`: the owner's and the school's. */
export function passwordFault(password: string, names: readonly string[]): string | null {
  const characters = Array.from(password).length;
  if (characters < MIN_PASSWORD)
    return `Choose a password of at least ${MIN_PASSWORD} characters; three random words do well.`;
  if (characters > MAX_PASSWORD) return `Choose a password of at most ${MAX_PASSWORD} characters.`;
  const plain = (text: string): string => text.normalize('NFC').toLowerCase().replace(/\s+/g, '');
  if (names.some((name) => plain(name) === plain(password))) return 'Choose a password that is not your name.';
  if (isCommonPassword(password, names)) {
    return 'Choose a password that is harder to guess: not of common words, names, years and rows of keys alone.';
  }
  if (new Set(plain(password)).size < 4) return 'Choose a password that is not one character again and again.';
  return null;
}

/** Failed sign-ins in a row that are free, and how long one must then wait: doubled each time, up to `mostMs`. */
interface BackOff {
  readonly free: number;
  readonly firstMs: number;
  readonly mostMs: number;
}

// A name is held for a quarter of an hour at most, so that a stranger cannot keep its owner out for long; an address may be a
// whole staff room behind one router, so it has more tries.
export const NAME_BACK_OFF: BackOff = { free: 5, firstMs: 30_000, mostMs: 900_000 };
export const ADDRESS_BACK_OFF: BackOff = { free: 20, firstMs: 30_000, mostMs: 900_000 };

/** Until when (ms since the epoch) no further attempt counts, after `failures` in a row, the last at `lastAt`; 0: it is free. */
export function heldUntil(failures: number, lastAt: number, { free, firstMs, mostMs }: BackOff): number {
  if (failures < free) return 0;
  return lastAt + Math.min(firstMs * 2 ** Math.min(failures - free, 30), mostMs);
}

/** A row of failures is forgotten after this long without another, ms. */
export const FORGET_FAILURES_MS = 86_400_000;

/** A session ends when nothing was asked for this long, and in any case this long after it was opened, ms. */
export const SESSION_IDLE_MS = 15 * 60_000;
export const SESSION_MOST_MS = 8 * 3_600_000;

/** How long a password that was given once more holds, ms. */
export const CONFIRMED_MS = 5 * 60_000;

/** How long a link that makes an account can be used, ms. */
export const INVITATION_MS = 24 * 3_600_000;
