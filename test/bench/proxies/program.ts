import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, chownSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { eventually, listen } from '../../helpers/listening.ts';
import { dial } from '../../helpers/raw-client.ts';

/** How to start a program in a process group of its own. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Run as nobody when we are root, as the daemons want it. The folder then belongs to nobody. */
  readonly asNobody: boolean;
}

/** A program that runs. `stop` ends its whole process group and nothing else. */
export interface Program {
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const STOP_DEADLINE_MS = 10_000;
const READY_DEADLINE_MS = 30_000;
const KEPT_OUTPUT = 4096;

const groups = new Set<number>();
process.on('exit', () => {
  for (const group of groups) signalGroup(group, 'SIGKILL');
});

/** Starts a program and waits until `ready` holds. Rejects with its last output when it ends or the deadline passes before. */
export async function startProgram(launch: Launch, ready: () => Promise<boolean>): Promise<Program> {
  const identity = launch.asNobody && process.getuid!() === 0 ? nobody() : null;
  if (identity !== null) chownSync(launch.folder, identity.uid, identity.gid);
  const child = spawn(launch.command, launch.args, {
    cwd: launch.folder,
    env: { PATH: process.env['PATH'], HOME: launch.folder, ...launch.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...identity,
  });
  const output = keepOutput(child);
  await started(child, launch.command);
  groups.add(child.pid!);
  const stop = (): Promise<void> => stopGroup(child);
  try {
    await eventually(
      `${launch.command} is ready`,
      async () => hasNotEnded(child) && (await ready()),
      READY_DEADLINE_MS,
    );
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${output()}`, { cause: error });
  }
  return { pid: child.pid!, stop };
}

/** Where a program is, looked for on the PATH and among the daemons; null if nowhere. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/** What the first line that a program prints for `args` says of its version; null where it is not installed. */
export function versionOf(name: string, args: readonly string[]): string | null {
  const command = findProgram(name);
  if (command === null) return null;
  const output = execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return /\d+(?:\.\d+)+/.exec(output)?.[0] ?? 'unknown';
}

/** A port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  await using place = await listen(createServer());
  return place.port;
}

/** True when something accepts connections on the port. */
export async function accepts(port: number): Promise<boolean> {
  try {
    await using _connection = await dial(port);
    return true;
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function nobody(): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function keepOutput(child: ChildProcess): () => string {
  let kept = '';
  const keep = (chunk: Buffer): void => {
    kept = (kept + chunk.toString()).slice(-KEPT_OUTPUT);
  };
  child.stdout!.on('data', keep);
  child.stderr!.on('data', keep);
  return () => kept;
}

function started(child: ChildProcess, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new Error(`${command} cannot be started: ${cause.message}`, { cause })));
  });
}

function hasNotEnded(child: ChildProcess): true {
  if (child.exitCode === null && child.signalCode === null) return true;
  throw new Error(`${child.spawnfile} ended with ${child.exitCode ?? child.signalCode} before it was ready`);
}

async function stopGroup(child: ChildProcess): Promise<void> {
  const group = child.pid!;
  signalGroup(group, 'SIGTERM');
  try {
    await eventually(`process group ${group} has ended`, () => !signalGroup(group, 0), STOP_DEADLINE_MS);
  } catch {
    signalGroup(group, 'SIGKILL');
    await eventually(`process group ${group} has ended`, () => !signalGroup(group, 0), STOP_DEADLINE_MS);
  }
  groups.delete(group);
}

/** False when there is no such group any more. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
