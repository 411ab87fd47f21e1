import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TAP } from 'tap';

/** A folder that goes when the test file ends. Its path is short, as unix sockets need it. */
export function tempFolder(t: TAP): string {
  const folder = mkdtempSync(join(tmpdir(), 'sg-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
