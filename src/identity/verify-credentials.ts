import { createHmac, randomBytes } from 'node:crypto';
import type { AuditAction } from '../audit/entry.ts';
import { ShortMemory } from '../kernel/short-memory.ts';
import { accountState, keepsCard } from './account-state.ts';
import { currentAcceptance } from './agreements/repository.ts';
import { countAttempt, takeBackAttempt, tried, triedForClass } from './attempts.ts';
import type { CredentialsAnswer, ProxyCredentials } from './credentials.ts';
import { findListed } from './directory/repository.ts';
import { type Account, findByUserKey } from './repository.ts';
import type { AccountsOptions } from './service.ts';
import { canonicalUser } from './user-name.ts';

/** Checks credentials that were sent to a gateway. */
export interface Verification {
  verify(credentials: ProxyCredentials): Promise<CredentialsAnswer>;
  /** Somebody has another password: what was wrong may be right now. */
  forget(): void;
}

/** How long credentials that were wrong stay so without a look, ms. */
const WRONG_MS = 15 * 60_000;
const MOST_KEPT = 10_000;

/**
 * Held back after failures as sign-ins to the console are, but what was tried counts once: a browser sends the same mistake to
 * every worker, and a telephone with an old password goes on for hours. Kept by a keyed digest only.
 */
export function createVerification(options: AccountsOptions): Verification {
  const digestKey = randomBytes(32);
  const checking = new Map<string, Promise<CredentialsAnswer>>();
  const wrong = new ShortMemory<true>(MOST_KEPT);

  const settle = async (digest: string, credentials: ProxyCredentials): Promise<CredentialsAnswer> => {
    try {
      const answer = await check(options, credentials);
      if (answer === 'wrong') wrong.set(digest, true, options.clock() + WRONG_MS);
      // Whoever is held back is told what everybody is told, though nobody looked.
      return answer === 'held' ? 'wrong' : answer;
    } finally {
      checking.delete(digest);
    }
  };
  return {
    verify: async (credentials) => {
      const { name, password } = credentials;
      const digest = createHmac('sha256', digestKey)
        .update(`${canonicalUser(name)}:${password}`)
        .digest('base64');
      if (wrong.get(digest, options.clock()) === true) return 'wrong';
      const running = checking.get(digest) ?? settle(digest, credentials);
      checking.set(digest, running);
      return running;
    },
    forget: () => wrong.clear(),
  };
}

/** Successes are not put on record: gateways ask anew every quarter of an hour, and each request carries the name. */
async function check(
  options: AccountsOptions,
  credentials: ProxyCredentials,
): Promise<Exclude<CredentialsAnswer, 'no-answer'> | 'held'> {
  const checked = await checkPassword(options, credentials, 'proxy-auth.refused');
  if (checked === 'wrong') return checked;
  if ('heldForMs' in checked) return 'held';
  const { account, at } = checked;
  const { person, isTemporary } = account;
  const rules = options.policy();
  return options.record.read((tx) => ({
    user: canonicalUser(person.userName)!,
    at,
    mustChange: isTemporary && (rules === null || !keepsCard(rules, accountState(tx, rules, person))),
    agreed: currentAcceptance(tx, person.id, at)?.version ?? null,
  }));
}

/** Whose credentials these were at an instant; `heldForMs`: nobody looked, because too many attempts have failed. */
export type CheckedPassword =
  | { readonly account: Account; readonly at: number }
  | { readonly heldForMs: number }
  | 'wrong';

/**
 * Checks credentials from the network, counted by name (a class's at each address apart) and by address; proxy and front desk count together, so that neither
 * gives a guesser more tries. A refusal is put on record as `refusedAs`; what was typed is not: people type their password
 * into the wrong field.
 */
export async function checkPassword(
  {
    record,
    audit,
    passwords,
    clock,
    watch,
  }: Pick<AccountsOptions, 'record' | 'audit' | 'passwords' | 'clock' | 'watch'>,
  { name, password, address }: ProxyCredentials,
  refusedAs: AuditAction,
): Promise<CheckedPassword> {
  const userKey = canonicalUser(name);
  const at = clock();
  const { attempt, heldForMs, found } = record.write((tx) => {
    const found = userKey === null ? null : findByUserKey(tx, userKey, at);
    const isClass = found !== null && findListed(tx, found.person.id)?.kind === 'class';
    const attempt = isClass ? triedForClass(address, userKey!) : tried('proxy', address, userKey);
    return { attempt, heldForMs: countAttempt(tx, attempt, at), found };
  });
  if (heldForMs > 0) return { heldForMs };
  const isRight = await passwords.verify(password, found?.hash ?? null);
  return record.write((tx) => {
    if (isRight && found !== null) {
      takeBackAttempt(tx, attempt);
      return { account: found, at };
    }
    const subject = found === null ? 'person:unknown' : `person:${found.person.id}`;
    audit.append(tx, { actor: 'console', action: refusedAs, subject, address });
    if (userKey !== null) watch.tried(tx, { user: userKey, address }, at);
    return 'wrong';
  });
}
