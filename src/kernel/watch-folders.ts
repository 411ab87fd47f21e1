import { watch } from 'node:fs';

/** How often a watched folder is looked at even if nothing was heard: a notification can be lost, and some file systems send none. */
const LOOK_AGAIN_MS = 500;

/** Calls back when something in one of the folders may have changed, and at least twice a second. Returns the end of it. */
export function watchFolders(folders: readonly string[], onChange: () => void): () => void {
  const deafen = listen(folders, onChange);
  const timer = setInterval(onChange, LOOK_AGAIN_MS);
  return () => {
    clearInterval(timer);
    deafen();
  };
}

/**
 * The same for folders that are written to all day, where hearing of each write costs more than looking now and then: after
 * each call there is none for `restMs`, and from the first notification in that time on none is listened to.
 */
export function watchBusyFolders(folders: readonly string[], onChange: () => void, restMs: number): () => void {
  let deafen: (() => void) | null = null;
  let rest: NodeJS.Timeout | null = null;
  const hear = (): void => {
    if (rest === null) return look();
    deafen?.();
    deafen = null;
  };
  const look = (): void => {
    rest = setTimeout(() => {
      rest = null;
      if (deafen === null) look();
    }, restMs);
    // Before the call, so that what is written during it is heard.
    deafen ??= listen(folders, hear);
    onChange();
  };
  deafen = listen(folders, hear);
  const timer = setInterval(() => rest ?? look(), LOOK_AGAIN_MS);
  return () => {
    clearInterval(timer);
    if (rest !== null) clearTimeout(rest);
    deafen?.();
  };
}

/** Files must stay as they are this long before they are read, ms: an editor that saves in steps is not caught half-way. */
const SETTLE_MS = 250;

/**
 * Calls back when what `fingerprint` says of the folders' files has changed and then stayed the same for a moment. It is asked
 * whenever something may have changed, at least twice a second, and so must be cheap. Returns the end of it.
 */
export function watchSettled(folders: readonly string[], fingerprint: () => string, onChange: () => void): () => void {
  let settled = fingerprint();
  let timer: NodeJS.Timeout | null = null;
  const settle = (before: string): void => {
    const now = fingerprint();
    timer = now === before ? null : setTimeout(settle, SETTLE_MS, now);
    if (now !== before || now === settled) return;
    settled = now;
    onChange();
  };
  const stop = watchFolders(folders, () => {
    if (timer !== null) return;
    const now = fingerprint();
    if (now !== settled) timer = setTimeout(settle, SETTLE_MS, now);
  });
  return () => {
    stop();
    if (timer !== null) clearTimeout(timer);
  };
}

function listen(folders: readonly string[], onChange: () => void): () => void {
  const watchers = folders.flatMap((folder) => {
    try {
      // Without notifications (no inotify watches left) the regular look is enough.
      return [watch(folder, onChange).on('error', () => {})];
    } catch {
      return [];
    }
  });
  return () => {
    for (const watcher of watchers) watcher.close();
  };
}
