import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A backup in the folder for daily ones. */
export interface KeptBackup {
  readonly name: string;
  readonly bytes: number;
}

const NAME = /^schoolgate-\d{4}-\d{2}-\d{2}\.age$/;
/** Two weeks: a fault that is noticed after the holidays of half-term can still be gone back from. */
const KEPT = 14;

/** Where the backup of a day lies; `at` in ISO 8601. */
export function backupPath(folder: string, at: string): string {
  return join(folder, `schoolgate-${at.slice(0, 10)}.age`);
}

/** Newest first; none where the folder cannot be read. */
export function keptBackups(folder: string): KeptBackup[] {
  try {
    const names = readdirSync(folder).filter((name) => NAME.test(name));
    return names
      .sort()
      .toReversed()
      .map((name) => ({ name, bytes: statSync(join(folder, name)).size }));
  } catch {
    return [];
  }
}

/** Keeps the newest fourteen. Touches nothing that is not named as ours. */
export function removeOldBackups(folder: string): void {
  for (const { name } of keptBackups(folder).slice(KEPT)) rmSync(join(folder, name), { force: true });
}
