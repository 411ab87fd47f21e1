// console ── orders ──► a process of its own ── TLS ──► the publisher of an illegal list
import { fork } from 'node:child_process';
import { getCACertificates } from 'node:tls';
import type { FetchKeyed, KeyedRequest } from '../categories/download-keyed.ts';
import type { Download } from '../categories/download-source.ts';
import { SourceError, type SourceClientOptions } from '../categories/fetch-source.ts';
import { type Message, processLink } from './process-link.ts';

const MODULE = new URL('./keying-process.ts', import.meta.url);

/** What the process is told: by the channel between the two, because arguments and environment can be read by others. */
export interface KeyingOrders {
  readonly request: KeyedRequest;
  /** Path of the key of the illegal lists. */
  readonly illegalKey: string;
  readonly parent: SourceClientOptions['parent'];
  /** PEM of whom to trust: whom this process trusts. */
  readonly authorities: string;
}

/** Its answer: `fetched` with `got`, or `failed` with `text` and `again` of a SourceError. */
export type KeyingAnswer =
  | { readonly type: 'fetched'; readonly got: Download | 'not-modified' }
  | { readonly type: 'failed'; readonly text: string; readonly again: boolean };

/**
 * Fetches illegal lists each in a process that is ended as soon as the list is keyed: its text is in no memory afterwards. The process
 * prints nothing.
 */
export function fetchKeyedApart(orders: Pick<KeyingOrders, 'illegalKey' | 'parent'>): FetchKeyed {
  return (request, signal) =>
    new Promise((resolve, reject) => {
      const child = fork(MODULE, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env: {}, execArgv: [] });
      let answer: KeyingAnswer | null = null;
      const end = (): void => void child.kill('SIGKILL');
      signal.addEventListener('abort', end);
      const link = processLink(child);
      link.onMessage((message: Message) => {
        answer = message as unknown as KeyingAnswer;
        end();
      });
      const settle = (how: string): void => {
        signal.removeEventListener('abort', end);
        if (answer?.type === 'fetched') resolve(answer.got);
        else if (answer?.type === 'failed') reject(new SourceError(answer.text, answer.again));
        else reject(new SourceError(`the process that fetches it ended (${how})`, true));
      };
      child.once('exit', (code, killed) => settle(killed ?? `exit ${code}`));
      child.once('error', () => settle('it could not be started'));
      const authorities = getCACertificates('default').join('\n');
      link.tell({ type: 'orders', orders: { ...orders, request, authorities } satisfies KeyingOrders });
      if (signal.aborted) end();
    });
}
