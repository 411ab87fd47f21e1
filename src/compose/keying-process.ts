import { downloadKeyed } from '../categories/download-keyed.ts';
import { createSourceClient, SourceError } from '../categories/fetch-source.ts';
import { loadOrCreateIllegalKeys } from '../categories/illegal-key-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { childProcess } from './child-process.ts';
import type { KeyingAnswer, KeyingOrders } from './fetch-keyed.ts';

childProcess(async (orders, link) => {
  // Whoever gave the orders is gone, and with them the use of it.
  link.onGone(() => process.exit(1));
  link.tell({ ...(await fetchOne(orders as KeyingOrders)) });
});

async function fetchOne({ request, illegalKey, parent, authorities }: KeyingOrders): Promise<KeyingAnswer> {
  const client = createSourceClient({ parent, ca: authorities });
  try {
    const keys = loadOrCreateIllegalKeys(illegalKey);
    return { type: 'fetched', got: await downloadKeyed(client, request, keys, new AbortController().signal) };
  } catch (error) {
    if (error instanceof SourceError) return { type: 'failed', text: error.publicText, again: error.again };
    if (error instanceof SchoolgateError)
      return { type: 'failed', text: error.publicText.replace(/\.$/, ''), again: false };
    // Nothing of its words: they could be about a line of the list.
    const { code = 'a fault of ours' } = error as NodeJS.ErrnoException;
    return { type: 'failed', text: `it could not be kept in the data folder (${code})`, again: true };
  }
}
