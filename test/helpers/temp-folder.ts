import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that goes when the test ends. Its path is short, as unix sockets need it. */
export function tempFolder(t: { teardown(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'sg-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
