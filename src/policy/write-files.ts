import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile, syncFolder } from '../kernel/durable-file.ts';
import { type PolicyTexts, changedFiles, isPolicyFile } from './texts.ts';

/**
 * Makes a policy folder say `after`: each file is written beside, synced and renamed, and one that is as in neither is left to whoever
 * has changed it. Gives why the folder does not say `after`, in one sentence; null when it does.
 */
export function writePolicyFiles(folder: string, before: PolicyTexts, after: PolicyTexts): string | null {
  const edited: string[] = [];
  const differing = new Set([...changedFiles(before, after), ...Object.keys(after)]);
  try {
    for (const file of differing) {
      if (!isPolicyFile(file)) continue;
      const path = join(folder, file);
      const found = textOf(path);
      if (found === (after[file] ?? null)) continue;
      if (found === (before[file] ?? null)) writeFile(path, after[file] ?? null);
      else edited.push(file);
    }
  } catch (error) {
    const reason = (error as Error).message;
    return `The policy folder cannot be written (${reason}), so its files are not what is published. Make it writable.`;
  }
  if (edited.length === 0) return null;
  return `${edited.join(', ')} on disk was changed by hand meanwhile, so the files are not what is published.`;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Whoever could read the file before can read it after. */
function writeFile(path: string, text: string | null): void {
  if (text === null) {
    rmSync(path);
    syncFolder(join(path, '..'));
    return;
  }
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0o644;
  replaceFile(path, text, mode & 0o777);
}
