import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../kernel/durable-file.ts';
import type { Going } from './proof.ts';

/** Files of a folder that are written once, such as reports: as old as their last change. What begins with a dot is half-written. */
export function oldFiles(folder: string, before: number): Going[] {
  return filesOf(folder)
    .filter(({ at }) => at < before)
    .map(({ name, at, bytes }) => ({ name, from: at, until: at, line: `${name} ${bytes} bytes` }));
}

/** When the oldest was written, ms; null: there is none. */
export function oldestFile(folder: string): number | null {
  return filesOf(folder).reduce<number | null>((first, { at }) => (first === null || at < first ? at : first), null);
}

/** Gone from disk when this returns. */
export function eraseFile(folder: string, name: string): void {
  rmSync(join(folder, name), { force: true });
  syncFolder(folder);
}

function filesOf(folder: string): { name: string; at: number; bytes: number }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => {
      const { mtimeMs, size } = statSync(join(folder, name));
      return { name, at: Math.floor(mtimeMs), bytes: size };
    });
}
