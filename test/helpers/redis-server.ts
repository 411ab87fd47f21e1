import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../src/config/secret.ts';
import { until } from './until.ts';

/** A real redis-server in its own folder, with the append-only file as a school should run it: on a unix socket, and on a port if one is given. */
export class RedisServer {
  readonly folder: string;
  readonly socket: string;
  /** 0: the socket only. */
  readonly port: number;
  #process: ChildProcess | null = null;

  constructor(folder: string, port = 0) {
    this.folder = folder;
    this.port = port;
    this.socket = join(folder, 'redis.sock');
  }

  /** What the bus takes as its address. */
  get url(): Secret {
    return new Secret(this.port === 0 ? this.socket : `redis://127.0.0.1:${this.port}`);
  }

  async start(): Promise<this> {
    const listening = ['--bind', '127.0.0.1', '--port', String(this.port), '--unixsocket', this.socket];
    const settings = [...listening, '--dir', this.folder, '--save', ''];
    const keeping = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];
    this.#process = spawn('redis-server', [...settings, ...keeping], { stdio: 'ignore' });
    await until('redis-server listens', () => existsSync(this.socket));
    return this;
  }

  /** Kills it with SIGKILL: nothing is said goodbye to. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#process = null;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
    rmSync(this.socket, { force: true });
  }
}
