import { argon2, createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(argon2);

/** argon2id, RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes. An evidence password is typed a few times in a year. */
const PARAMETERS = { memory: 65_536, passes: 3, parallelism: 4 } as const;
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export function newSalt(): string {
  return randomBytes(16).toString('base64');
}

/** What an evidence password comes to. */
export function stretch(password: string, salt: string): Promise<Buffer> {
  const message = Buffer.from(password.normalize('NFC'), 'utf8');
  return derive('argon2id', { message, nonce: Buffer.from(salt, 'base64'), tagLength: KEY_BYTES, ...PARAMETERS });
}

/** Wraps a secret for two holders: neither of their keys alone opens it. `first` and `second` in the order of their ids. */
export function wrapForPair(secret: Uint8Array, first: Buffer, second: Buffer): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', pairKey(first, second), iv);
  const wrapped = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), wrapped]).toString('base64');
}

/** Null where one of the two keys is another than it was wrapped with. */
export function unwrapByPair(wrapped: string, first: Buffer, second: Buffer): Buffer | null {
  const bytes = Buffer.from(wrapped, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', pairKey(first, second), bytes.subarray(0, IV_BYTES));
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}

function pairKey(first: Buffer, second: Buffer): Buffer {
  const both = Buffer.concat([first, second]);
  return Buffer.from(hkdfSync('sha256', both, new Uint8Array(0), 'schoolgate evidence: pair', KEY_BYTES));
}
