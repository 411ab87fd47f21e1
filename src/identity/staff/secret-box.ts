import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SchoolgateError } from '../../kernel/errors.ts';
import { ensureKeyFile, readKeyFile } from '../../kernel/key-file.ts';

/** Keeps the secrets of authenticator apps from whoever has the record without its key. */
export interface SecretBox {
  /** Base64 that opens for the same owner alone. */
  seal(secret: Buffer, owner: string): string;
  /** Throws `second_factor_key` for what another key sealed, or another owner's. */
  open(sealed: string, owner: string): Buffer;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The key: 32 bytes, hex, mode 0600, beside the record and not in it; made where there is none. Throws `second_factor_key`. */
export function loadOrCreateSecondFactorKey(path: string): Buffer {
  ensureKeyFile(path);
  return readKeyFile(path, (what, cause) => unusable(`The key ${path} ${what}; put it back from a backup.`, cause));
}

export function createSecretBox(key: Buffer): SecretBox {
  return {
    seal(secret, owner) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(owner));
      const body = Buffer.concat([cipher.update(secret), cipher.final()]);
      return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64');
    },
    open(sealed, owner) {
      const bytes = Buffer.from(sealed, 'base64');
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(owner)).setAuthTag(bytes.subarray(-TAG_BYTES));
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      } catch (cause) {
        throw unusable('keys/second-factor.key is not the key that the record was written with; put it back.', cause);
      }
    },
  };
}

function unusable(text: string, cause: unknown): SchoolgateError {
  return new SchoolgateError('second_factor_key', 'us', text, { cause });
}
