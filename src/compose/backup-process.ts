// the console starts this ─► links and copies what is state ─► tar, zstd, age ─► standard output
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { packFolder } from '../backup/archive.ts';
import { gatherState } from '../backup/gather.ts';
import { MANIFEST_NAME, manifestText } from '../backup/manifest.ts';
import { seal } from '../backup/seal.ts';
import { dataLayout } from '../config/data-layout.ts';
import { systemClock } from '../kernel/clock.ts';

// A school's day goes on beside it.
setPriority(10);
const [root, recipient] = process.argv.slice(2) as [string, string];
const layout = dataLayout(root);
const folder = mkdtempSync(join(layout.run, 'backup-'));
try {
  await gatherState(layout, folder);
  writeFileSync(join(folder, MANIFEST_NAME), manifestText(systemClock()));
  await pipeline(await seal(packFolder(folder), recipient), process.stdout);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
