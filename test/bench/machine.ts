import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** What the figures were taken on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly node: string;
  /** Load of the last minute before the start; anything near 1 spoils the figures. */
  readonly load: number;
}

export function describeMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    kernel: `${type()} ${release()}`,
    node: process.version,
    load: loadavg()[0]!,
  };
}

/** Throws with what to do where this machine cannot hold the connections. `tunnels` at once need two sockets each in a proxy. */
export function checkMachine(tunnels: number): void {
  if (process.platform !== 'linux') throw new Error('The benchmark reads CPU and memory from /proc: run it on Linux.');
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))![1]!;
  const needed = 2 * tunnels + 1000;
  if (limit !== 'unlimited' && Number(limit) < needed) {
    throw new Error(
      `${tunnels} idle tunnels need ${needed} open files and the limit is ${limit}: run "ulimit -n ${needed}" first, or leave idle out with --only.`,
    );
  }
}
