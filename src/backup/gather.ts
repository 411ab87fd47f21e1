// data folder ─► hard links in a folder of their own ─► a consistent copy of the record beside them, taken last
import { copyFileSync, linkSync, mkdirSync, readdirSync } from 'node:fs';
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

function takeAll(from: string, to: string, left: ReadonlySet<string>, take: Take): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (left.has(source)) continue;
    if (entry.isDirectory()) takeAll(source, target, left, take);
    else if (entry.isFile()) takeOne(source, target, take);
  }
}

function takeOne(source: string, target: string, take: Take): void {
  try {
    take(source, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Carried upward or replaced between the look and the link: what came of it is further on, or in the record.
    if (code === 'ENOENT') return;
    // File systems without hard links, and folders that are mounts.
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK') throw error;
    copyFileSync(source, target);
  }
}
