import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile, syncFolder } from '../kernel/durable-file.ts';
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
  if (!existsSync(path)) create(path);
  return readIllegalKeys(path);
}

/** Whoever comes first: a build and a fetch may both be the first, and what one of them keyed must not be lost to the other's key. */
function create(path: string): void {
  const made = `${path}.${process.pid}`;
  replaceFile(made, `${randomBytes(BYTES).toString('hex')}\n`, 0o600);
  try {
    linkSync(made, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(made);
  }
  syncFolder(dirname(path));
}

function unusable(path: string, what: string, cause?: unknown): SchoolgateError {
  return new SchoolgateError(
    'illegal_key',
    'us',
    `The key of the illegal lists, ${path}, ${what}; put it back from a backup, or copy it from the machine that builds the lists.`,
    { cause },
  );
}
