import { SchoolgateError } from '../kernel/errors.ts';
import type { ReadTx, Tx } from '../store/database.ts';
import { ADDRESS_BACK_OFF, FORGET_FAILURES_MS, NAME_BACK_OFF, heldUntil } from './accounts.ts';
import { addFailure, findFailures, forgetFailures, forgetOldFailures, takeBackFailure } from './repository.ts';

/**
 * Where somebody tries a password. Attempts at each door are counted apart: everybody can reach the proxy, and nobody there must
 * be able to hold a member of staff out of the console.
 */
export type Door = 'console' | 'proxy';

/** Under what an attempt is counted. */
export interface Tried {
  readonly address: string;
  /** Null: what was typed cannot be a user name. */
  readonly name: string | null;
}

/** `userKey`: the canonical user name, or null. */
export function tried(door: Door, address: string, userKey: string | null): Tried {
  const prefix = door === 'console' ? '' : `${door}-`;
  return { address: `${prefix}address:${address}`, name: userKey === null ? null : `${prefix}name:${userKey}` };
}

/**
 * The same for an account that a class shares: its name is held back at one address, not for all of the class. Its password is a
 * card's, 43 random bits: at five tries and then one a quarter of an hour, a thousand addresses would guess for millennia.
 */
export function triedForClass(address: string, userKey: string): Tried {
  const { address: byAddress, name } = tried('proxy', address, userKey);
  // No user name holds a colon.
  return { address: byAddress, name: `${name}:${address}` };
}

/**
 * Counts an attempt, before the password is looked at: a hundred at once must not all be the first. Gives for how many ms no
 * further one is taken, 0 when this one is; one that is not taken does not count.
 */
export function countAttempt(tx: Tx, { address, name }: Tried, now: number): number {
  forgetOldFailures(tx, now - FORGET_FAILURES_MS);
  const until = heldTill(tx, { address, name });
  if (until > now) return until - now;
  addFailure(tx, address, now);
  if (name !== null) addFailure(tx, name, now);
  return 0;
}

/** How somebody at a door is told that no attempt is taken for so many ms. */
export function held(ms: number): SchoolgateError {
  const minutes = Math.ceil(ms / 60_000);
  return new SchoolgateError(
    'sign_in_held',
    'client',
    `Too many attempts have failed. Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`,
  );
}

/** The attempt was right: it counts no more, nor do others of the name. What others failed from the same address still counts. */
export function takeBackAttempt(tx: Tx, { address, name }: Tried): void {
  if (name !== null) forgetFailures(tx, name);
  takeBackFailure(tx, address);
}

/** This attempt counts no more; the others of the name still do. */
export function takeBackOnce(tx: Tx, { address, name }: Tried): void {
  takeBackFailure(tx, address);
  if (name !== null) takeBackFailure(tx, name);
}

function heldTill(tx: ReadTx, { address, name }: Tried): number {
  const byAddress = findFailures(tx, address);
  const byName = name === null ? { failures: 0, lastAt: 0 } : findFailures(tx, name);
  return Math.max(
    heldUntil(byAddress.failures, byAddress.lastAt, ADDRESS_BACK_OFF),
    heldUntil(byName.failures, byName.lastAt, NAME_BACK_OFF),
  );
}
