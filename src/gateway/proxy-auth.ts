// Proxy-Authorization ──► this worker's memory ──► (only when it knows nothing) the console
import { createHmac } from 'node:crypto';
import {
  type BasicCredentials,
  type CredentialsAnswer,
  type Proof,
  type ProxyCredentials,
  readBasic,
} from '../identity/credentials.ts';
import { canonicalUser } from '../identity/user-name.ts';
import type { Clock } from '../kernel/clock.ts';
import type { RawHeaders } from './headers.ts';
import { ShortMemory } from '../kernel/short-memory.ts';

/** Who signed in at the proxy (RFC 9110 §11.7.2, RFC 7617). */
export interface ProxyAuth {
  /**
   * Of whom the credentials are that these fields carry; null when there are none, or none that hold. A promise, which never
   * rejects, only where the console has to be asked.
   */
  proofOf(rawHeaders: RawHeaders, client: string): Proof | null | Promise<Proof | null>;
}

export interface ProxyAuthOptions {
  readonly clock: Clock;
  /** Random, and this worker's alone: what it remembers is of no use to anybody else. */
  readonly key: Buffer;
  readonly verify: (credentials: ProxyCredentials) => Promise<CredentialsAnswer>;
  /** Whether nothing has changed about the account since. */
  readonly holds: (proof: Proof) => boolean;
  /** Whether a canonical name is of an account that a class shares: who mistypes it must not hold the others out. */
  readonly isClass: (user: string) => boolean;
}

const FIELD = 'proxy-authorization';

/** How long verified credentials are taken as they are, ms, unless `holds` says otherwise. */
export const VERIFIED_MS = 15 * 60_000;
/** How long a refusal is repeated without asking, ms: a browser repeats a wrong password at once, for every part of a page. */
export const WRONG_MS = 5_000;
/** Failed attempts within `WINDOW_MS` after which the console is no longer asked. An address may be a whole room. */
export const FAILURES = { name: 10, address: 20 } as const;
export const WINDOW_MS = 60_000;
/** How many credentials may wait for the console's answer at once. */
const MOST_ASKED = 64;
const MOST_KEPT = 10_000;

/** Remembers credentials by a keyed digest only; whose they are, and never passwords, is kept beside it. */
export function createProxyAuth({ clock, key, verify, holds, isClass }: ProxyAuthOptions): ProxyAuth {
  const verified = new ShortMemory<Proof>(MOST_KEPT);
  const wrong = new ShortMemory<true>(MOST_KEPT);
  const asked = new Map<string, Promise<Proof | null>>();
  const attempts = new Attempts(isClass);

  const settle = async (digest: string, credentials: ProxyCredentials, takeBack: () => void): Promise<Proof | null> => {
    const answer = await verify(credentials).catch(() => 'no-answer' as const);
    asked.delete(digest);
    if (answer === 'wrong') wrong.set(digest, true, clock() + WRONG_MS);
    else takeBack();
    if (typeof answer === 'string') return null;
    verified.set(digest, answer, clock() + VERIFIED_MS);
    return answer;
  };
  const ask = (digest: string, credentials: ProxyCredentials, now: number): Promise<Proof | null> | null => {
    const takeBack = asked.size >= MOST_ASKED ? null : attempts.take(credentials, now);
    if (takeBack === null) return null;
    const answer = settle(digest, credentials, takeBack);
    asked.set(digest, answer);
    return answer;
  };
  return {
    proofOf: (rawHeaders, client) => {
      const credentials = sentCredentials(rawHeaders);
      if (credentials === null) return null;
      const { name, password } = credentials;
      const now = clock();
      const digest = createHmac('sha256', key).update(`${name}:${password}`).digest('base64');
      const proof = verified.get(digest, now);
      if (proof !== undefined && holds(proof)) return proof;
      if (wrong.get(digest, now) === true) return null;
      return asked.get(digest) ?? ask(digest, { name, password, address: client }, now);
    },
  };
}

/** Of several fields none counts: two readers could pick different ones. Without one, this is all that is done. */
function sentCredentials(rawHeaders: RawHeaders): BasicCredentials | null {
  let found: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length !== FIELD.length || name.toLowerCase() !== FIELD) continue;
    if (found !== null) return null;
    found = rawHeaders[i + 1]!;
  }
  return found === null ? null : readBasic(found);
}

interface Count {
  tried: number;
}

/** Attempts of this worker that failed or are not answered yet, by name and by address, within a window of time. */
class Attempts {
  readonly #counts = new ShortMemory<Count>(MOST_KEPT);
  readonly #isClass: ProxyAuthOptions['isClass'];

  constructor(isClass: ProxyAuthOptions['isClass']) {
    this.#isClass = isClass;
  }

  /**
   * Counts an attempt before its answer, so that a hundred at once are not all the first, and gives what takes it back. Null when
   * the name's or the address's are used up.
   */
  take({ name, address }: ProxyCredentials, now: number): (() => void) | null {
    const user = canonicalUser(name)!;
    const byName = this.#count(this.#isClass(user) ? `name:${user}:${address}` : `name:${user}`, now);
    const byAddress = this.#count(`address:${address}`, now);
    if (byName.tried >= FAILURES.name || byAddress.tried >= FAILURES.address) return null;
    const both = [byName, byAddress];
    for (const one of both) one.tried++;
    return () => {
      for (const one of both) one.tried--;
    };
  }

  #count(key: string, now: number): Count {
    const found = this.#counts.get(key, now);
    if (found !== undefined) return found;
    const count: Count = { tried: 0 };
    this.#counts.set(key, count, now + WINDOW_MS);
    return count;
  }
}
