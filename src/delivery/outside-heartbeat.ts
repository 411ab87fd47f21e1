import { request } from 'undici';
import type { Secret } from '../config/secret.ts';
import { SchoolgateError } from '../kernel/errors.ts';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER = 64 << 10;

/**
 * Calls the address outside the school once, by GET. Rejects with a SchoolgateError when it does not answer 2xx; the error names the
 * host alone, because the path of such an address is what keeps others from calling it.
 */
export async function callOutside(url: Secret): Promise<void> {
  const { host } = new URL(url.reveal());
  let status = 0;
  try {
    const answer = await request(url.reveal(), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    status = answer.statusCode;
    await answer.body.dump({ limit: MAX_ANSWER });
  } catch {
    // Said below, without what the error may hold of the address.
  }
  if (status >= 200 && status < 300) return;
  const text = `The heartbeat address at ${host} did not answer well (${status === 0 ? 'not at all' : status}); check SCHOOLGATE_HEARTBEAT_URL.`;
  throw new SchoolgateError('heartbeat_not_sent', 'upstream', text);
}
