import { readdirSync, readFileSync } from 'node:fs';

// What /proc counts in: USER_HZ, 100 a second on every Linux that Node runs on (proc(5), times(2)).
const TICKS_PER_SECOND = 100;

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Its own time and that of children it has waited for. */
  readonly ticks: number;
}

/** CPU seconds (user and system) that the tree under `root` has used since it started, exited children included. */
export function cpuSeconds(root: number): number {
  return tree(root).reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_PER_SECOND;
}

/** Resident memory of the tree under `root`, bytes. Pages that two processes share count twice. */
export function residentBytes(root: number): number {
  return tree(root).reduce((sum, { pid }) => sum + rss(pid), 0);
}

/** The process, its descendants, and whoever of its process group has left the tree. Throws when `root` is gone. */
function tree(root: number): ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== null);
  const members = new Set([root]);
  for (let before = 0; before < members.size;) {
    before = members.size;
    for (const { pid, parent, group } of all) if (members.has(parent) || group === root) members.add(pid);
  }
  const found = all.filter(({ pid }) => members.has(pid));
  if (!found.some(({ pid }) => pid === root)) throw new Error(`process ${root} has ended while it was measured`);
  return found;
}

function readStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  return parseStat(pid, text);
}

/** proc(5): the name stands in brackets and may hold anything, so the fields count from the last bracket. */
export function parseStat(pid: number, text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { pid, parent: field(4), group: field(5), ticks: field(14) + field(15) + field(16) + field(17) };
}

function rss(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Rss:\s+(\d+) kB/m.exec(text)![1]) * 1024;
  } catch (error) {
    // A process that ended since it was listed has no memory.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code!)) return 0;
    throw error;
  }
}
