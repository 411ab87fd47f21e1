import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { watchSettled } from '../kernel/watch-folders.ts';

/** Calls `onChange` after a YAML file in one of the folders (or one folder below) was changed. Returns the end of it. */
export function watchPolicyFiles(folders: readonly string[], onChange: () => void): () => void {
  return watchSettled(folders, () => fingerprint(folders), onChange);
}

/** Names, sizes and times of the YAML files: cheap enough to ask twice a second, and the same on every file system. */
function fingerprint(folders: readonly string[]): string {
  return folders
    .flatMap((folder) => ['.', 'levels', 'agreements', 'topics'].flatMap((below) => list(join(folder, below))))
    .join('\n');
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
