import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { IllegalKeys } from './illegal-keys.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The entity tag that a publisher gave with a list of a locked category, so that it can be kept: many servers make it of the list's
 * MD5 in clear, with which anybody could tell whether a list they have is the one. AES-256-GCM, base64.
 */
export function hideVersion(keys: IllegalKeys, etag: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keys.version, iv);
  const hidden = Buffer.concat([cipher.update(etag, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), hidden]).toString('base64');
}

/** Null for what was not hidden with these keys: then the list has to come whole. */
export function showVersion(keys: IllegalKeys, hidden: string): string | null {
  const bytes = Buffer.from(hidden, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', keys.version, bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return null;
  }
}
