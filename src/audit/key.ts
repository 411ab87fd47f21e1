import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { replaceFile } from '../kernel/durable-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';

const BYTES = 32;

/** The key that seals the end of the chain: 32 bytes, hex, mode 0600, beside the record and not in it. Throws `audit_key`. */
export function readAuditKey(path: string): Buffer {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw unusable(path, 'cannot be read', cause);
  }
  if (!/^[0-9a-f]{64}$/.test(text)) throw unusable(path, 'is damaged');
  return Buffer.from(text, 'hex');
}

/**
 * As `readAuditKey`; makes the key at first start. `hasRows`: whether anything is on record already, which only the key it
 * was sealed with can vouch for, so that no new one is made then.
 */
export function loadOrCreateAuditKey(path: string, hasRows: boolean): Buffer {
  if (!hasRows && !existsSync(path)) replaceFile(path, `${randomBytes(BYTES).toString('hex')}\n`, 0o600);
  return readAuditKey(path);
}

function unusable(path: string, what: string, cause?: unknown): SchoolgateError {
  return new SchoolgateError(
    'audit_key',
    'us',
    `The audit key ${path} ${what}; put it back from a backup, because the record is sealed with it.`,
    { cause },
  );
}
