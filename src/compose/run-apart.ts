import { fork } from 'node:child_process';
import { type Message, processLink } from './process-link.ts';

/** What came of a process of its own. */
export interface Apart {
  /** Null: it ended without one. */
  readonly answer: Message | null;
  /** How it ended, in words. */
  readonly how: string;
}

export interface ApartOptions {
  readonly signal: AbortSignal;
  /** Whether what it complains of may be read. */
  readonly stderr: 'ignore' | 'inherit';
}

/**
 * Has a module work in a process that knows its orders alone, and ends it with its first answer: it gives its memory back, and what it held
 * is in no memory afterwards. `signal` ends it before. Never rejects.
 */
export function runApart(module: URL, orders: object, { signal, stderr }: ApartOptions): Promise<Apart> {
  return new Promise((resolve) => {
    const child = fork(module, { stdio: ['ignore', 'ignore', stderr, 'ipc'], env: {}, execArgv: [] });
    let answer: Message | null = null;
    const end = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', end);
    const settle = (how: string): void => {
      signal.removeEventListener('abort', end);
      resolve({ answer, how });
    };
    const link = processLink(child);
    link.onMessage((message) => {
      answer = message;
      end();
    });
    child.once('exit', (code, killed) => settle(killed ?? `exit ${code}`));
    child.once('error', () => settle('it could not be started'));
    link.tell({ type: 'orders', orders });
    if (signal.aborted) end();
  });
}
