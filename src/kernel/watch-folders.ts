import { watch } from 'node:fs';

/** How often a watched folder is looked at even if nothing was heard: a notification can be lost, and some file systems send none. */
const LOOK_AGAIN_MS = 500;

/** Calls back when something in one of the folders may have changed, and at least twice a second. Returns the end of it. */
export function watchFolders(folders: readonly string[], onChange: () => void): () => void {
  const watchers = folders.flatMap((folder) => {
    try {
      // Without notifications (no inotify watches left) the regular look is enough.
      return [watch(folder, onChange).on('error', () => {})];
    } catch {
      return [];
    }
  });
  const timer = setInterval(onChange, LOOK_AGAIN_MS);
  return () => {
    clearInterval(timer);
    for (const watcher of watchers) watcher.close();
  };
}
