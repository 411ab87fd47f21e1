import { SchoolgateError } from '../kernel/errors.ts';
import { ensureKeyFile, readKeyFile } from '../kernel/key-file.ts';

/** The key that seals the end of the chain: 32 bytes, hex, mode 0600, beside the record and not in it. Throws `audit_key`. */
export function readAuditKey(path: string): Buffer {
  return readKeyFile(
    path,
    (what, cause) =>
      new SchoolgateError(
        'audit_key',
        'us',
        `The audit key ${path} ${what}; put it back from a backup, because the record is sealed with it.`,
        { cause },
      ),
  );
}

/**
 * As `readAuditKey`; makes the key at first start. `hasRows`: whether anything is on record already, which only the key it
 * was sealed with can vouch for, so that no new one is made then.
 */
export function loadOrCreateAuditKey(path: string, hasRows: boolean): Buffer {
  if (!hasRows) ensureKeyFile(path);
  return readAuditKey(path);
}
