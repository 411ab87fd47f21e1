import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The clock of a stack's processes. */
export interface ClockAhead {
  /** What they are started with. */
  readonly env: { readonly NODE_OPTIONS: string };
  /** From now on their wall clock is so far ahead of ours. */
  readonly setAhead: (ms: number) => void;
}

/** `folder`: for the file that says how far. */
export function clockAhead(folder: string): ClockAhead {
  const file = join(folder, 'ahead');
  const setAhead = (ms: number): void => writeFileSync(file, `${ms}`);
  setAhead(0);
  const module = pathToFileURL(join(import.meta.dirname, 'shifted-clock.ts'));
  module.searchParams.set('file', file);
  return { env: { NODE_OPTIONS: `--import=${module.href}` }, setAhead };
}
