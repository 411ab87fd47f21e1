import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { DataLayout } from '../config/data-layout.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { SignedSnapshot, SnapshotKind } from './bus.ts';

/** The console's Ed25519 pair. The private key never leaves its machine; gateways have the public one. */
export interface SigningKeys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * The console's keys, made at first start: `keys/console.key` (PKCS #8 PEM, 0600) and `keys/console.pub` (SPKI PEM), which
 * always follows the private key. Throws a SchoolgateError for a private key that others can read or that is none.
 */
export function loadOrCreateKeys(layout: DataLayout): SigningKeys {
  const privatePem = readIfThere(layout.signingKey) ?? createPrivatePem(layout);
  if ((statSync(layout.signingKey).mode & 0o077) !== 0) {
    throw unusable(
      `${layout.signingKey} can be read by other accounts; run chmod 600 on it, and make new keys if it was copied`,
    );
  }
  const privateKey = readKey(layout.signingKey, () => createPrivateKey(privatePem));
  const publicKey = createPublicKey(privateKey);
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' });
  if (readIfThere(layout.signingPublicKey) !== publicPem) replaceFile(layout.signingPublicKey, publicPem, 0o644);
  return { privateKey, publicKey };
}

/** Whether this is the console's own data folder: its private key lies nowhere else. */
export function isConsoleFolder(layout: DataLayout): boolean {
  return existsSync(layout.signingKey);
}

/** The console's public key, for a gateway. Throws a SchoolgateError that says where it comes from if it is not there. */
export function loadPublicKey(layout: DataLayout): KeyObject {
  const pem = readIfThere(layout.signingPublicKey);
  if (pem === null) {
    throw unusable(
      `${layout.signingPublicKey} is missing: copy keys/console.pub from the console's data folder, so that this gateway knows whose policies to accept`,
    );
  }
  return readKey(layout.signingPublicKey, () => createPublicKey(pem));
}

/** Signs a snapshot. `serial` must be higher than that of every earlier one of its kind; `at` is ISO 8601 UTC. */
export function signSnapshot<K extends SnapshotKind>(
  privateKey: KeyObject,
  unsigned: Omit<SignedSnapshot<K>, 'signature'>,
): SignedSnapshot<K> {
  const { kind, serial, at, body } = unsigned;
  return { kind, serial, at, body, signature: sign(null, signedBytes(unsigned), privateKey).toString('base64') };
}

/** True when this very snapshot (kind, serial, instant and body) was signed with the console's key. */
export function verifySnapshot(publicKey: KeyObject, snapshot: SignedSnapshot): boolean {
  return verify(null, signedBytes(snapshot), publicKey, Buffer.from(snapshot.signature, 'base64'));
}

/** No field but the last can hold a line feed, so no two snapshots give the same bytes. */
function signedBytes({ kind, serial, at, body }: Omit<SignedSnapshot, 'signature'>): Buffer {
  return Buffer.from(['schoolgate snapshot 1', kind, serial, at, body].join('\n'));
}

function createPrivatePem(layout: DataLayout): string {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  replaceFile(layout.signingKey, pem, 0o600);
  return pem;
}

function readKey(path: string, read: () => KeyObject): KeyObject {
  try {
    const key = read();
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Falls through to the one sentence; the library's reason may quote the key.
  }
  throw unusable(`${path} is not an Ed25519 key in PEM form; put the right file there`);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unusable(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}); correct its owner or mode`);
  }
}

function unusable(text: string): SchoolgateError {
  return new SchoolgateError('signing_key', 'us', `${text}.`);
}
