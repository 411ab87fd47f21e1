import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SchoolgateError } from '../kernel/errors.ts';

/** The text of an anchor file; null where there is none. Throws `audit_anchor` for one that cannot be read. */
export function readAnchorFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unusable(path, 'read', cause);
  }
}

/** Adds a line, on disk when this returns. Only ever appended to, so that it may lie where nothing can be replaced. Throws `audit_anchor`. */
export function appendAnchor(path: string, line: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(path, 'a', 0o600);
    try {
      writeSync(fd, `${line}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw unusable(path, 'written', cause);
  }
}

function unusable(path: string, what: string, cause: unknown): SchoolgateError {
  const why = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  const text = `The anchor file ${path} cannot be ${what} (${why}); correct its mode or its mount, or set SCHOOLGATE_AUDIT_ANCHOR.`;
  return new SchoolgateError('audit_anchor', 'us', text, { cause });
}
