import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { closeSegment } from './close-segment.ts';
import { END_MARK, EVENT_FILE_ENDING, listSpool, parseSpoolName } from './spool-files.ts';

export interface Recovered {
  /** Open segments closed, and event files ended. */
  readonly segments: number;
  readonly eventFiles: number;
  /** What could not be put in order, one sentence each; it stays as it is for the next recovery. */
  readonly problems: readonly string[];
}

/**
 * Puts in order what killed workers left: torn last lines are dropped (nobody was answered on their strength), event
 * files get their end mark, open segments are closed. `worker` is the one that died and is not yet running again;
 * without it, no worker of this data folder may run. A disk that refuses stops nothing: see `problems`.
 */
export async function recoverSpool(layout: DataLayout, worker?: number): Promise<Recovered> {
  const isLeft = (file: string): boolean => worker === undefined || parseSpoolName(file)!.worker === worker;
  const problems: string[] = [];
  const settle = async (folder: string, work: (file: string) => Promise<void> | void): Promise<number> => {
    let done = 0;
    for (const file of listSpool(folder, EVENT_FILE_ENDING).filter(isLeft)) {
      try {
        await work(file);
        done++;
      } catch (error) {
        problems.push(`${join(folder, file)} could not be recovered: ${(error as Error).message}`);
      }
    }
    return done;
  };
  const eventFiles = await settle(layout.spoolEvents, (file) => endEventFile(join(layout.spoolEvents, file)));
  const segments = await settle(layout.spoolOpen, (file) =>
    closeSegment(join(layout.spoolOpen, file), layout.spoolSegments),
  );
  if (worker === undefined) removeHalfWritten(layout.spoolSegments);
  return { segments, eventFiles, problems };
}

function endEventFile(path: string): void {
  const bytes = readFileSync(path);
  if (bytes.subarray(-END_MARK.length).equals(Buffer.from(END_MARK))) return;
  const fd = openSync(path, 'r+');
  try {
    const whole = bytes.lastIndexOf(10) + 1;
    ftruncateSync(fd, whole);
    writeSync(fd, END_MARK, whole);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Segments that were being written beside when their worker was killed; their open files have just been closed again. */
function removeHalfWritten(folder: string): void {
  for (const file of readdirSync(folder)) if (file.startsWith('.')) rmSync(join(folder, file), { force: true });
}
