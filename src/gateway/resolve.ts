import { lookup as systemLookup, Resolver } from 'node:dns/promises';
import type { Clock } from '../kernel/clock.ts';
import { canonicalAddress } from '../kernel/ip.ts';
import { UpstreamError } from './upstream-error.ts';

/** Canonical addresses of a canonical name, in the order to try; never empty. Rejects with an UpstreamError (dns_error, dns_timeout). */
export type Resolve = (name: string) => Promise<readonly string[]>;

interface Answer {
  readonly addresses: readonly string[];
  readonly ttlMs: number;
}

// The system's resolver does not tell how long an answer holds.
const SYSTEM_TTL_MS = 30_000;
const MIN_TTL_MS = 5_000;
const MAX_TTL_MS = 300_000;
const MAX_NAMES = 20_000;

/** Resolves through `servers` (`ip[:port]`), or the system where there are none; answers are kept for their time to live. */
export function createResolve(servers: readonly string[], clock: Clock): Resolve {
  const ask = servers.length === 0 ? askSystem : askServers(servers);
  const kept = new Map<string, { readonly addresses: readonly string[]; readonly until: number }>();
  const asking = new Map<string, Promise<readonly string[]>>();

  const askOnce = async (name: string): Promise<readonly string[]> => {
    try {
      const answer = await ask(name);
      if (answer.addresses.length === 0) throw new UpstreamError('dns_error', 'There is no site of that name.');
      if (kept.size >= MAX_NAMES) kept.delete(kept.keys().next().value!);
      kept.set(name, { addresses: answer.addresses, until: clock() + answer.ttlMs });
      return answer.addresses;
    } catch (error) {
      throw dnsError(error);
    } finally {
      asking.delete(name);
    }
  };

  return (name) => {
    const known = kept.get(name);
    if (known !== undefined && known.until > clock()) return Promise.resolve(known.addresses);
    kept.delete(name);
    let answer = asking.get(name);
    if (answer === undefined) {
      answer = askOnce(name);
      asking.set(name, answer);
    }
    return answer;
  };
}

async function askSystem(name: string): Promise<Answer> {
  const found = await systemLookup(name, { all: true, order: 'verbatim' });
  return { addresses: found.map((one) => canonicalAddress(one.address)!), ttlMs: SYSTEM_TTL_MS };
}

function askServers(servers: readonly string[]): (name: string) => Promise<Answer> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers(servers);
  return async (name) => {
    const [v4, v6] = await Promise.allSettled([
      resolver.resolve4(name, { ttl: true }),
      resolver.resolve6(name, { ttl: true }),
    ]);
    if (v4.status === 'rejected' && v6.status === 'rejected') throw v4.reason;
    const found = [v6, v4].flatMap((part) => (part.status === 'fulfilled' ? part.value : []));
    const shortest = Math.min(...found.map((one) => one.ttl * 1000));
    return {
      addresses: found.map((one) => canonicalAddress(one.address)!),
      ttlMs: Math.min(Math.max(shortest, MIN_TTL_MS), MAX_TTL_MS),
    };
  };
}

function dnsError(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const code = (error as { code?: unknown }).code;
  if (code === 'ETIMEOUT' || code === 'EAI_AGAIN') {
    return new UpstreamError('dns_timeout', 'The name of the site could not be looked up in time.', error);
  }
  return new UpstreamError('dns_error', 'There is no site of that name.', error);
}
