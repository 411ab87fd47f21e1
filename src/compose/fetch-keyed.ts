// console ── orders ──► a process of its own ── TLS ──► the publisher of an illegal list
import { getCACertificates } from 'node:tls';
import type { FetchKeyed, KeyedRequest } from '../categories/download-keyed.ts';
import type { Download } from '../categories/download-source.ts';
import { SourceError, type SourceClientOptions } from '../categories/fetch-source.ts';
import { runApart } from './run-apart.ts';

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
  return async (request, signal) => {
    const authorities = getCACertificates('default').join('\n');
    const whole = { ...orders, request, authorities } satisfies KeyingOrders;
    const { answer, how } = await runApart(MODULE, whole, { signal, stderr: 'ignore' });
    const found = answer as KeyingAnswer | null;
    if (found === null) throw new SourceError(`the process that fetches it ended (${how})`, true);
    if (found.type === 'failed') throw new SourceError(found.text, found.again);
    return found.got;
  };
}
