import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { replaceFile } from '../kernel/durable-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { deriveIllegalKeys, type IllegalKeys } from './illegal-keys.ts';

const BYTES = 32;

/** The keys of this installation's illegal lists: `path` holds 32 bytes in hex, mode 0600. Throws a SchoolgateError (`illegal_key`). */
export function readIllegalKeys(path: string): IllegalKeys {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw unusable(path, 'cannot be read', cause);
  }
  if (!/^[0-9a-f]{64}$/.test(text)) throw unusable(path, 'is damaged');
  return deriveIllegalKeys(Buffer.from(text, 'hex'));
}

/** As `readIllegalKeys`; makes the secret where there is none yet. */
export function loadOrCreateIllegalKeys(path: string): IllegalKeys {
  if (!existsSync(path)) replaceFile(path, `${randomBytes(BYTES).toString('hex')}\n`, 0o600);
  return readIllegalKeys(path);
}

function unusable(path: string, what: string, cause?: unknown): SchoolgateError {
  return new SchoolgateError(
    'illegal_key',
    'us',
    `The key of the illegal lists, ${path}, ${what}; put it back from a backup, or copy it from the machine that builds the lists.`,
    { cause },
  );
}
