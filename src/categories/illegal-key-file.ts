import { SchoolgateError } from '../kernel/errors.ts';
import { ensureKeyFile, readKeyFile } from '../kernel/key-file.ts';
import { deriveIllegalKeys, type IllegalKeys } from './illegal-keys.ts';

/** The keys of this installation's illegal lists: `path` holds 32 bytes in hex, mode 0600. Throws a SchoolgateError (`illegal_key`). */
export function readIllegalKeys(path: string): IllegalKeys {
  const secret = readKeyFile(
    path,
    (what, cause) =>
      new SchoolgateError(
        'illegal_key',
        'us',
        `The key of the illegal lists, ${path}, ${what}; put it back from a backup, or copy it from the machine that builds the lists.`,
        { cause },
      ),
  );
  return deriveIllegalKeys(secret);
}

/** As `readIllegalKeys`; makes the secret where there is none yet. A build and a fetch may both be the first. */
export function loadOrCreateIllegalKeys(path: string): IllegalKeys {
  ensureKeyFile(path);
  return readIllegalKeys(path);
}
