import { createHmac, hash, hkdfSync } from 'node:crypto';
import { sipKey, type SipKey } from './sip-hash.ts';

/** What is made of the installation's secret, each for one use. */
export interface IllegalKeys {
  readonly sip: SipKey;
  readonly seal: Buffer;
  /** Hides what a publisher calls the version of its list. */
  readonly version: Buffer;
  /** Tells a file of another installation; says nothing of the secret. 8 bytes. */
  readonly check: Buffer;
}

const PURPOSE = 'schoolgate illegal lists: ';

/** `secret`: the 32 bytes of `keys/illegal.key`. */
export function deriveIllegalKeys(secret: Uint8Array): IllegalKeys {
  const derive = (use: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), PURPOSE + use, bytes));
  return {
    sip: sipKey(derive('fingerprint', 16)),
    seal: derive('seal', 32),
    version: derive('version', 32),
    check: derive('check', 8),
  };
}

/** SHA-256 of an expression, as 32 characters of one byte each: what a list of format `illegal-hashes` holds in hexadecimal. */
export function digestOf(expression: string): string {
  return hash('sha256', expression, 'binary');
}

/** What is kept of an expression: HMAC-SHA-256 over its digest, so that entries of both formats are of one kind. 32 bytes. */
export function sealOf(keys: IllegalKeys, digest: string): Buffer {
  return createHmac('sha256', keys.seal).update(digest, 'latin1').digest();
}

/** The made-up name that every enforced list holds besides its entries, to see that it is refused. Nobody without the key can guess it. */
export function canaryName(keys: IllegalKeys, listId: string): string {
  return `canary-${createHmac('sha256', keys.seal).update(`canary ${listId}`).digest('hex').slice(0, 24)}.invalid`;
}

/** What an event keeps of a target that must not be written down, hex: two hits of one target have the same. */
export function targetMark(keys: IllegalKeys, target: string): string {
  return createHmac('sha256', keys.seal).update(`target ${target}`).digest('hex');
}
