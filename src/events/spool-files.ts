import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** What a file in the spool is called: `<gateway>-<worker>-<ULID>`. */
export interface SpoolName {
  readonly gateway: string;
  readonly worker: number;
  readonly id: string;
}

const NAME = /^([A-Za-z0-9][A-Za-z0-9._-]*)-(\d{1,5})-([0-7][0-9A-HJKMNP-TV-Z]{25})$/;

/** The last line of an event file that gets no more events; without it the file's worker may still be writing. */
export const END_MARK = '{"end":true}\n';

export const EVENT_FILE_ENDING = '.ndjson';
export const SEGMENT_ENDING = '.ndjson.zst';

/** The name without its ending. Throws a TypeError for a gateway or worker that could not be told from it again. */
export function spoolName(gateway: string, worker: number, id: string): string {
  const name = `${gateway}-${worker}-${id}`;
  if (parseSpoolName(name) === null) throw new TypeError(`${name} cannot name a spool file`);
  return name;
}

/** The parts of a file name with or without its ending; null for a file that is none of ours. */
export function parseSpoolName(file: string): SpoolName | null {
  const parts = NAME.exec(file.replace(/\.ndjson(?:\.zst)?$/, ''));
  return parts === null ? null : { gateway: parts[1]!, worker: Number(parts[2]), id: parts[3]! };
}

/** File names in a spool folder with this ending, oldest first. Empty while the folder does not exist. */
export function listSpool(folder: string, ending: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(ending) && parseSpoolName(file) !== null)
      .sort(byAge);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function byAge(a: string, b: string): number {
  const [idA, idB] = [parseSpoolName(a)!.id, parseSpoolName(b)!.id];
  if (idA !== idB) return idA < idB ? -1 : 1;
  return a < b ? -1 : 1;
}

/** Files by worker, oldest first: the order in which each worker's events happened. */
export function byWorker(files: readonly string[]): Map<string, string[]> {
  const chains = new Map<string, string[]>();
  for (const file of files) {
    const { gateway, worker } = parseSpoolName(file)!;
    const chain = chains.get(`${gateway}-${worker}`);
    if (chain === undefined) chains.set(`${gateway}-${worker}`, [file]);
    else chain.push(file);
  }
  return chains;
}

/** One event line and where it stands in its file, in bytes; `end` is just after its newline. */
export interface SpoolLine {
  readonly json: string;
  readonly start: number;
  readonly end: number;
}

export interface SpoolRead {
  readonly lines: readonly SpoolLine[];
  /** True when the end mark was reached: the file is complete, and these are its last lines. */
  readonly closed: boolean;
  /** True when the file had more to read already. */
  readonly more: boolean;
}

/**
 * The complete lines of an event file from byte `from` on, about `bytes` of them but at least one if there is one.
 * A torn last line is left for later. A file that is gone reads as closed.
 */
export function readSpool(folder: string, file: string, from: number, bytes: number): SpoolRead {
  let fd: number;
  try {
    fd = openSync(join(folder, file), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { lines: [], closed: true, more: false };
    throw error;
  }
  try {
    const size = fstatSync(fd).size;
    // A worker that died between a partial write and its undoing leaves a file shorter than what was read of it; its end
    // mark must be seen all the same. No event line is as short as the mark, so at most one line is read again.
    const start = Math.min(from, Math.max(0, size - END_MARK.length));
    const { whole, more } = readWholeLines(fd, start, size, bytes);
    const { lines, closed } = splitLines(whole, start);
    return { lines: lines.filter((line) => line.end > from), closed, more: more && !closed };
  } finally {
    closeSync(fd);
  }
}

function readWholeLines(fd: number, from: number, size: number, bytes: number): { whole: Buffer; more: boolean } {
  for (let want = bytes; ; want *= 2) {
    const buffer = Buffer.allocUnsafe(Math.min(want, size - from));
    const read = readSync(fd, buffer, 0, buffer.length, from);
    const end = buffer.subarray(0, read).lastIndexOf(10) + 1;
    const more = from + want < size;
    if (end > 0 || !more) return { whole: buffer.subarray(0, end), more };
  }
}

function splitLines(buffer: Buffer, from: number): Omit<SpoolRead, 'more'> {
  const lines: SpoolLine[] = [];
  for (let at = 0; at < buffer.length;) {
    const end = buffer.indexOf(10, at) + 1;
    const json = buffer.toString('utf8', at, end);
    if (json === END_MARK) return { lines, closed: true };
    lines.push({ json: json.slice(0, -1), start: from + at, end: from + end });
    at = end;
  }
  return { lines, closed: false };
}
