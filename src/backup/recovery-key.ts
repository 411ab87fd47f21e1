import { existsSync, readFileSync } from 'node:fs';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { replaceFile } from '../kernel/durable-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';

/** Both halves of a key for backups, as `age` writes them (age-encryption.org/v1). */
export interface RecoveryKey {
  /** `AGE-SECRET-KEY-1…`: opens backups; shown once and never stored. */
  readonly secret: string;
  /** `age1…`: what backups are sealed to; no secret. */
  readonly recipient: string;
}

export async function makeRecoveryKey(): Promise<RecoveryKey> {
  const secret = await generateX25519Identity();
  return { secret, recipient: await identityToRecipient(secret) };
}

const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;

/** The recipient that this school's backups are sealed to; null: no key was ever made. Throws a SchoolgateError for a damaged file. */
export function readRecipient(path: string): string | null {
  if (!existsSync(path)) return null;
  const recipient = readFileSync(path, 'utf8').trim();
  if (RECIPIENT.test(recipient)) return recipient;
  throw new SchoolgateError(
    'backup_key',
    'us',
    `${path} is no recipient of backups; have a new recovery key made with "npx schoolgate backup --new-key".`,
  );
}

export function keepRecipient(path: string, recipient: string): void {
  replaceFile(path, `${recipient}\n`);
}
