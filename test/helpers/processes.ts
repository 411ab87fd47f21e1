import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** A process that another one started. */
export interface ChildOf {
  readonly pid: number;
  /** The module it runs, such as `worker-process.ts`. */
  readonly module: string;
}

/** The children of a process (Linux). */
export function childrenOf(pid: number): ChildOf[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      // The process may end while it is looked at.
      const stat = readText(`/proc/${name}/stat`);
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      if (parent !== pid) return [];
      const words = readText(`/proc/${name}/cmdline`).split('\0');
      return [{ pid: Number(name), module: basename(words.find((word) => word.endsWith('.ts')) ?? words[0]!) }];
    })
    .sort((a, b) => a.pid - b.pid);
}

/** False once it has gone, or is only waiting for its parent to notice. */
export function isRunning(pid: number): boolean {
  const stat = readText(`/proc/${pid}/stat`);
  return stat !== '' && stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
}

const LISTENING = '0A';

/** Whether this very process holds a listening socket on a TCP port; several may share one. */
export function listensOn(pid: number, port: number): boolean {
  const tail = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set(
    ['tcp', 'tcp6']
      .flatMap((table) => readText(`/proc/net/${table}`).split('\n'))
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(tail) === true && state === LISTENING)
      .map((fields) => `socket:[${fields[9]}]`),
  );
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(readLink(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
