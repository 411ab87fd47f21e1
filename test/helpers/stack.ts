import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { openRecordReadOnly, type Row, type SqlValue } from '../../src/store/database.ts';
import { childrenOf, isRunning, listensOn } from './processes.ts';
import { request } from './raw-client.ts';
import type { RawResponse } from './raw-response.ts';
import { until } from './until.ts';

export const PROJECT = join(import.meta.dirname, '../..');
const BIN = join(PROJECT, 'bin/schoolgate.mjs');

const START_MS = 60_000;
const STOP_MS = 30_000;

/** Where a school keeps what it decides and what Schoolgate knows. `dnsServer`: `ip:port`; null: the system's. */
export interface SchoolFolders {
  readonly dataDir: string;
  readonly policyDir: string;
  readonly listsDir: string;
  readonly dnsServer: string | null;
}

export interface StackOptions {
  readonly school: SchoolFolders;
  readonly role?: 'start' | 'gateway' | 'console';
  /** Default: the school's. */
  readonly dataDir?: string;
  readonly workers?: number;
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a command ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The product as a school runs it: one command, its processes, random ports on loopback. Ends what it started, nothing else. */
export class Stack implements AsyncDisposable {
  readonly role: 'start' | 'gateway' | 'console';
  readonly layout: DataLayout;
  readonly env: Readonly<Record<string, string>>;
  stdout = '';
  stderr = '';
  #process: ChildProcess | null = null;
  #exited: Promise<{ code: number | null; signal: string | null }> = Promise.resolve({ code: null, signal: null });

  constructor({ school, role = 'start', dataDir = school.dataDir, workers = 2, env = {} }: StackOptions) {
    this.role = role;
    this.layout = dataLayout(dataDir);
    this.env = {
      SCHOOLGATE_DATA_DIR: dataDir,
      SCHOOLGATE_POLICY_DIR: school.policyDir,
      SCHOOLGATE_LISTS_DIR: school.listsDir,
      SCHOOLGATE_PROXY_HOST: '127.0.0.1',
      SCHOOLGATE_PROXY_PORT: '0',
      SCHOOLGATE_CONSOLE_PORT: '0',
      SCHOOLGATE_FRONT_HOST: '127.0.0.1',
      SCHOOLGATE_FRONT_PORT: '0',
      SCHOOLGATE_WORKERS: String(workers),
      ...(school.dnsServer !== null && { SCHOOLGATE_DNS_SERVERS: school.dnsServer }),
      ...env,
    };
  }

  /** Starts it and waits until it serves. Rejects with what it printed when it ends instead. */
  async start(): Promise<this> {
    this.launch();
    await until(
      `${this.role} runs`,
      async () => {
        if (!this.#isRunning) throw new Error(`${this.role} ended at its start`);
        return await this.#isServing();
      },
      START_MS,
    ).catch(async (error: Error) => {
      // What it said last may still be on its way.
      await pause(200);
      throw new Error(`${error.message}\n${this.stdout}${this.stderr}`, { cause: error });
    });
    return this;
  }

  /** Starts it without waiting. */
  launch(): void {
    // One that was forgotten would be left running.
    if (this.#isRunning) throw new Error(`this ${this.role} runs already`);
    this.stdout = '';
    this.stderr = '';
    const started = spawn(process.execPath, [BIN, this.role], {
      cwd: PROJECT,
      env: { ...inherited(), ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    started.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#exited = once(started, 'exit').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
    }));
    this.#process = started;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  /** As printed at the start. */
  get proxyPort(): number {
    return this.#printed(/^ {2}Proxy {7}127\.0\.0\.1:(\d+)/m);
  }

  get consolePort(): number {
    return this.#printed(/^ {2}Console {5}http:\/\/127\.0\.0\.1:(\d+)\//m);
  }

  get frontPort(): number {
    return this.#printed(/^ {2}Front desk {2}http:\/\/127\.0\.0\.1:(\d+)\//m);
  }

  /** The single-use links, by role as printed. */
  get firstLinks(): ReadonlyMap<string, string> {
    const lines = this.stdout.matchAll(/^ {2}([\w-]+): make the account at (\S+) /gm);
    return new Map(Array.from(lines, (line) => [line[1]!, line[2]!]));
  }

  /** Process ids of what it runs as `worker`, `console`, `relay` or `frontdesk`. */
  pids(of: 'worker' | 'console' | 'relay' | 'frontdesk'): number[] {
    return childrenOf(this.pid)
      .filter(({ module }) => module === `${of}-process.ts`)
      .map(({ pid }) => pid);
  }

  /** Resolves when every worker listens, also one that was just started again; rejects after `ms`. */
  async allListen(ms?: number): Promise<void> {
    const areListening = (): boolean => {
      const pids = this.pids('worker');
      const isWhole = pids.length === Number(this.env['SCHOOLGATE_WORKERS']);
      return isWhole && pids.every((pid) => listensOn(pid, this.proxyPort));
    };
    await until('every worker listens', areListening, ms);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process!.kill(signal);
  }

  exited(): Promise<{ code: number | null; signal: string | null }> {
    return this.#exited;
  }

  /** SIGTERM, as a service manager does it; resolves when all of it has gone. */
  async stop(): Promise<void> {
    if (this.#process === null) return;
    const children = childrenOf(this.pid);
    if (this.#isRunning) {
      this.signal('SIGTERM');
      const late = setTimeout(() => this.#process?.kill('SIGKILL'), STOP_MS);
      await this.#exited;
      clearTimeout(late);
    }
    await leave(children.map(({ pid }) => pid));
    this.#process = null;
  }

  /** SIGKILL to the process itself; what it started notices by itself. */
  async kill(): Promise<void> {
    const children = childrenOf(this.pid);
    this.signal('SIGKILL');
    await this.#exited;
    await leave(children.map(({ pid }) => pid));
    this.#process = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Another command in the same environment; `input` is its standard input. */
  async run(args: readonly string[], input = ''): Promise<Ran> {
    return await runCommand(args, { ...inherited(), ...this.env }, input);
  }

  /** Asks the proxy port itself: `/health`, `/ready`, `/metrics`. */
  async status(path: string): Promise<RawResponse> {
    return await request(this.proxyPort, [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close']);
  }

  async health(): Promise<Health> {
    return JSON.parse((await this.status('/health')).body.toString()) as Health;
  }

  /** A metric's sample by its name and labels as exposed; 0 where there is none. */
  async metric(name: string): Promise<number> {
    const lines = (await this.status('/metrics')).body.toString().split('\n');
    return Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1] ?? 0);
  }

  /** Reads the record beside the console that writes it. */
  rows(sql: string, ...values: SqlValue[]): Row[] {
    const record = openRecordReadOnly(this.layout.record);
    try {
      return record.read((tx) => tx.all(sql, ...values));
    } finally {
      record.close();
    }
  }

  get #isRunning(): boolean {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async #isServing(): Promise<boolean> {
    if (this.role === 'console') return this.consolePort > 0;
    if (!this.stdout.includes('npx schoolgate check')) return false;
    return (await this.status('/ready')).status === 200;
  }

  #printed(pattern: RegExp): number {
    return Number(pattern.exec(this.stdout)?.[1] ?? 0);
  }
}

export interface Health {
  readonly status: 'ok' | 'degraded' | 'failing';
  readonly console: string;
  readonly workers: readonly { readonly worker: number; readonly up: boolean; readonly spool: string | null }[];
  readonly policySerial: number | null;
  readonly alarms: readonly { readonly at: string; readonly code: string }[];
}

/** Runs a command of the product to its end. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  input = '',
): Promise<Ran> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: PROJECT, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A command that does not read its input may have gone before it is written.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}

/** The environment of whoever runs the tests, without settings of a Schoolgate of their own. */
export function inherited(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SCHOOLGATE_')));
}

/** Children of a process that is gone stop by themselves; none may be left behind. */
async function leave(pids: readonly number[]): Promise<void> {
  try {
    await until('the children are gone', () => !pids.some(isRunning), 15_000);
  } catch (error) {
    for (const pid of pids.filter(isRunning)) process.kill(pid, 'SIGKILL');
    throw error;
  }
}
