// data folder ─► hard links in a folder of their own ─► a consistent copy of the record beside them, taken last
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { copyRecord } from '../store/copy-record.ts';

/**
 * Puts everything that is state into an empty folder on the same disk, while the school works. Files of ours are replaced and never
 * written over, so a link holds what a file held at that moment; only the spool's and the anchors grow. The record comes last: it knows of everything that lies beside it.
 */
export async function gatherState(layout: DataLayout, folder: string): Promise<void> {
  const { auditAnchors } = layout;
  const left = new Set([layout.run, layout.rosterDrop, layout.spool, auditAnchors, ...recordFiles(layout)]);
  takeAll(layout.root, folder, left, linkSync);
  // These grow while they are read; a copy has the length that it had.
  takeAll(layout.spool, join(folder, relative(layout.root, layout.spool)), left, copyFileSync);
  takeOne(auditAnchors, join(folder, relative(layout.root, auditAnchors)), copyFileSync);
  await copyRecord(layout.record, join(folder, relative(layout.root, layout.record)));
}

/** SQLite keeps what is newest in files beside the record. */
function recordFiles({ record }: DataLayout): string[] {
  return ['', '-wal', '-shm'].map((end) => record + end);
}

type Take = (source: string, target: string) => void;

/** How often a folder whose files change meanwhile is looked at again. The spool's never rest: what is missing there is further on. */
const MOST_LOOKS = 5;

function takeAll(from: string, to: string, left: ReadonlySet<string>, take: Take): void {
  try {
    takeFolder(from, to, left, take);
  } catch (error) {
    // Its time had come, as that of a day of the history: it is in no backup.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || existsSync(from)) throw error;
    rmSync(to, { recursive: true, force: true });
  }
}

function takeFolder(from: string, to: string, left: ReadonlySet<string>, take: Take): void {
  for (let looks = 1; !takeFiles(from, to, left, take) && looks < MOST_LOOKS; looks++) rmSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory() && !isUnderWay(entry.name) && !left.has(source)) takeAll(source, target, left, take);
  }
}

/**
 * False where files came or went meanwhile. Some stand for each other, such as a day's segments and the Parquet that is made of them:
 * only files that were there together say everything once.
 */
function takeFiles(from: string, to: string, left: ReadonlySet<string>, take: Take): boolean {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  const before = filesIn(from, left);
  const taken = before.filter((name) => takeOne(join(from, name), join(to, name), take));
  return taken.length === before.length && filesIn(from, left).join('/') === before.join('/');
}

function filesIn(folder: string, left: ReadonlySet<string>): string[] {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map(({ name }) => name)
    .filter((name) => !isUnderWay(name) && !left.has(join(folder, name)))
    .sort();
}

/** Every room gives a name that begins with a dot to what is half-written, or half deleted. */
function isUnderWay(name: string): boolean {
  return name.startsWith('.');
}

/** False where it is gone: carried upward, or replaced between the look and the link. */
function takeOne(source: string, target: string, take: Take): boolean {
  try {
    take(source, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    // File systems without hard links, and folders that are mounts.
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK') throw error;
    copyFileSync(source, target);
  }
  return true;
}
