import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { watchFolders } from '../kernel/watch-folders.ts';

/** Files must stay as they are this long before they are read, ms: an editor that saves in steps is not caught half-way. */
const SETTLE_MS = 250;

/** Calls `onChange` after a YAML file in one of the folders (or one folder below) was changed. Returns the end of it. */
export function watchPolicyFiles(folders: readonly string[], onChange: () => void): () => void {
  let settled = fingerprint(folders);
  let timer: NodeJS.Timeout | null = null;
  const settle = (before: string): void => {
    const now = fingerprint(folders);
    timer = now === before ? null : setTimeout(settle, SETTLE_MS, now);
    if (now !== before || now === settled) return;
    settled = now;
    onChange();
  };
  const stop = watchFolders(folders, () => {
    if (timer !== null) return;
    const now = fingerprint(folders);
    if (now !== settled) timer = setTimeout(settle, SETTLE_MS, now);
  });
  return () => {
    stop();
    if (timer !== null) clearTimeout(timer);
  };
}

/** Names, sizes and times of the YAML files: cheap enough to ask twice a second, and the same on every file system. */
function fingerprint(folders: readonly string[]): string {
  return folders.flatMap((folder) => [...list(folder), ...list(join(folder, 'levels'))]).join('\n');
}

function list(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => /\.ya?ml$/i.test(name));
    return names.map((name) => {
      const { size, mtimeMs, ino } = statSync(join(folder, name));
      return `${folder}/${name} ${size} ${mtimeMs} ${ino}`;
    });
  } catch {
    return [];
  }
}
