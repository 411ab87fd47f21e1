import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { Decrypter, Encrypter } from 'age-encryption';
import { SchoolgateError } from '../kernel/errors.ts';

/** Encrypts to a recipient as it streams, in the format of `age` (age-encryption.org/v1), which has tools of its own. */
export async function seal(plain: Readable, recipient: string): Promise<Readable> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return Readable.fromWeb((await encrypter.encrypt(toWeb(plain))) as ReadableStream<Uint8Array>);
}

/**
 * Decrypts what `seal` made. Rejects with a SchoolgateError when `secret` is no recovery key, or another one, or this is no backup.
 * What was cut short or changed makes the stream fail where that is.
 */
export async function unseal(sealed: Readable, secret: string): Promise<Readable> {
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(secret.trim());
  } catch (cause) {
    throw new SchoolgateError('recovery_key', 'client', 'A recovery key is a word that begins with AGE-SECRET-KEY-1.', {
      cause,
    });
  }
  try {
    return Readable.fromWeb((await decrypter.decrypt(toWeb(sealed))) as ReadableStream<Uint8Array>);
  } catch (cause) {
    throw new SchoolgateError(
      'backup_unreadable',
      'client',
      'This is no backup that this recovery key opens: the key belongs to another school or time, or the file is damaged.',
      { cause },
    );
  }
}

function toWeb(stream: Readable): globalThis.ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as globalThis.ReadableStream<Uint8Array>;
}
