// console ── address looked up and checked ── the same address connected to ── TLS ──► the school's other system
import { createHmac } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import type { Secret } from '../config/secret.ts';
import type { Clock } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { addressKind, canonicalAddress } from '../kernel/ip.ts';

/** Sends signed POSTs to other systems. */
export interface Webhooks {
  /**
   * `id`: the same for the same call sent again. Resolves once the other side has answered 2xx; rejects with a SchoolgateError
   * that says what to do and never shows what was sent, nor more of the URL than its host.
   */
  post(url: string, id: string, body: string): Promise<void>;
  close(): Promise<void>;
}

export interface WebhookOptions {
  /** What calls are signed with; null: none can be sent. */
  readonly secret: Secret | null;
  readonly clock: Clock;
  /** Every address of a name; default: the system's resolver. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** Whether an address may be called; default: public ones only. */
  readonly mayCall?: (address: string) => boolean;
  /** PEM of an authority to trust in place of the system's; for tests. */
  readonly ca?: string;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** An answer is read to its end, so that the connection can be used again; more than this is nobody's acknowledgement. */
const MAX_ANSWER = 64 << 10;

/**
 * `v1=` and HMAC-SHA-256 in hex over `<timestamp>.<body>`: the time is signed as well, so that a call that somebody has
 * recorded is good for as long only as the other side says.
 */
export function webhookSignature(secret: string, timestamp: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

export function createWebhooks(options: WebhookOptions): Webhooks {
  const { secret, clock, timeoutMs = TIMEOUT_MS } = options;
  const agent = new Agent({
    connect: {
      lookup: checkedLookup(options),
      timeout: timeoutMs,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    },
  });
  return {
    close: () => agent.destroy(),
    async post(url, id, body) {
      const { host } = new URL(url);
      if (secret === null) throw failure(host, 'set SCHOOLGATE_WEBHOOK_SECRET, which it is signed with');
      refuseLiteral(options, url);
      const timestamp = Math.floor(clock() / 1000);
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Schoolgate',
        'schoolgate-delivery': id,
        'schoolgate-timestamp': String(timestamp),
        'schoolgate-signature': webhookSignature(secret.reveal(), timestamp, body),
      };
      let status: number;
      try {
        // Redirects are not followed: a signed call goes where the school has written, and nowhere else.
        const answer = await request(url, {
          method: 'POST',
          headers,
          body,
          dispatcher: agent,
          signal: AbortSignal.timeout(timeoutMs),
        });
        status = answer.statusCode;
        await answer.body.dump({ limit: MAX_ANSWER });
      } catch (error) {
        throw error instanceof SchoolgateError ? error : failure(host, whatToDo(error));
      }
      if (status >= 300 && status < 400)
        throw failure(host, 'it redirects, which is not followed; write the new address');
      if (status < 200 || status >= 300) throw failure(host, `it answered ${status}; look at its log`);
    },
  };
}

/** Node looks names up by this when it connects, so what was checked is what is connected to: no second look-up can differ. */
function checkedLookup(options: WebhookOptions): LookupFunction {
  const answer = async (...[host, { all }, callback]: Parameters<LookupFunction>): Promise<void> => {
    const found = await checkedAddresses(options, host);
    if (found instanceof Error) callback(found, '', 0);
    else if (all === true) callback(null, found);
    else callback(null, found[0]!.address, found[0]!.family);
  };
  return (...asked) => void answer(...asked);
}

/** Every address of a name, or why it is not called: one bad address among good ones is reason enough. */
async function checkedAddresses(
  { resolve = askSystem, mayCall = isPublic }: WebhookOptions,
  host: string,
): Promise<LookupAddress[] | Error> {
  try {
    const addresses = await resolve(host);
    if (addresses.length === 0 || !addresses.every(mayCall)) return refusedAddress(host);
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  } catch (error) {
    return error as Error;
  }
}

/** An address written in a URL is never looked up, so it is checked here. */
function refuseLiteral({ mayCall = isPublic }: WebhookOptions, url: string): void {
  const { hostname } = new URL(url);
  const address = canonicalAddress(hostname.replace(/^\[|\]$/g, ''));
  if (address !== null && !mayCall(address)) throw refusedAddress(hostname);
}

async function askSystem(host: string): Promise<readonly string[]> {
  const found = await systemLookup(host, { all: true, order: 'verbatim' });
  return found.map((one) => canonicalAddress(one.address) ?? one.address);
}

function isPublic(address: string): boolean {
  return canonicalAddress(address) === address && addressKind(address) === 'public';
}

function refusedAddress(host: string): SchoolgateError {
  return failure(
    host,
    'it lies at a private address, which is never called; write one that is reached over the internet',
  );
}

function failure(host: string, todo: string): SchoolgateError {
  return new SchoolgateError('webhook_not_sent', 'upstream', `The webhook at ${host} was not called: ${todo}.`);
}

function whatToDo(error: unknown): string {
  const { code, name } = error as { code?: string; name?: string };
  if (name === 'TimeoutError' || code?.endsWith('_TIMEOUT') === true) return 'it did not answer in time';
  if (code === 'ENOTFOUND') return 'its name is unknown; check the address';
  if (code !== undefined && /CERT|TLS|SSL|VERIFY/.test(code)) return 'its certificate was not accepted';
  return 'it cannot be reached; check the address and the firewall';
}
