import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile, syncFolder } from './durable-file.ts';

const BYTES = 32;

/**
 * The secret in a file: 32 bytes in hex. Throws what `unusable` makes of a file that "cannot be read" (with the cause) or "is
 * damaged".
 */
export function readKeyFile(path: string, unusable: (what: string, cause?: unknown) => Error): Buffer {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw unusable('cannot be read', cause);
  }
  if (!/^[0-9a-f]{64}$/.test(text)) throw unusable('is damaged');
  return Buffer.from(text, 'hex');
}

/**
 * Makes such a file, mode 0600, with a new secret where there is none. Of several processes that find none, the first one's
 * stays: what was done with it must not be lost to another's. Throws what the file system throws.
 */
export function ensureKeyFile(path: string): void {
  if (existsSync(path)) return;
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
