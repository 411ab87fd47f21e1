import { canonicalUser } from './user-name.ts';

/** A name and a password, as RFC 7617 carries them. */
export interface BasicCredentials {
  readonly name: string;
  readonly password: string;
}

/** Credentials that somebody sent to the proxy, and from which canonical address. */
export interface ProxyCredentials extends BasicCredentials {
  readonly address: string;
}

/** Whose credentials were found right, and what was known of the account then. */
export interface Proof {
  /** Canonical user name. */
  readonly user: string;
  /** When the console looked, ms since the epoch by its clock: what changes later makes this void (`Renewal`). */
  readonly at: number;
  /** The password is one of a log-in card, and its owner must choose another one first. */
  readonly mustChange: boolean;
  /** Version of the agreement that they accepted last, as far as it counts; null: none. */
  readonly agreed: string | null;
}

/** Something about an account has changed: what was proved before or at this instant (ms, the console's clock) counts no more. */
export interface Renewal {
  /** Canonical user name. */
  readonly user: string;
  readonly at: number;
}

/**
 * What is known of them: whose they are; `wrong`, without telling which part; or `no-answer`, because the console could not be
 * asked.
 */
export type CredentialsAnswer = Proof | 'wrong' | 'no-answer';

/** Longest value that is read, characters; a name and password that people can have fit in a third of it. */
const MAX_VALUE = 1024;
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/**
 * Reads the value of a Proxy-Authorization field strictly: Basic, canonical base64, UTF-8, no control characters, a name that can
 * be a user name (RFC 7617 §2). Null for everything else.
 */
export function readBasic(value: string): BasicCredentials | null {
  if (value.length > MAX_VALUE) return null;
  const encoded = BASIC.exec(value)?.[1];
  if (encoded === undefined) return null;
  const bytes = Buffer.from(encoded, 'base64');
  // Node's decoder forgives; what two readers could decode differently is not read at all.
  if (bytes.toString('base64') !== encoded) return null;
  const text = decodeUtf8(bytes);
  const colon = text?.indexOf(':') ?? -1;
  if (text === null || colon < 0 || /\p{Cc}/u.test(text)) return null;
  const name = text.slice(0, colon);
  return canonicalUser(name) === null ? null : { name, password: text.slice(colon + 1) };
}

function decodeUtf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
