// console ── CONNECT with a credential of this run ──► own proxy port ── whose is it? ──► console: the level's self-test
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { ProxyAnswer } from '../checks/self-test.ts';
import type { Proof, ProxyCredentials } from '../identity/credentials.ts';
import { selfTestUser } from '../identity/identify.ts';
import { type Clock } from '../kernel/clock.ts';
import { canonicalAddress } from '../kernel/ip.ts';

/** Whoever a self-test signs in as at the proxy, while it runs. */
export interface SelfTestLogins {
  /** A name and a random password that count as a level until `close`, from this machine alone. */
  open(level: string): { readonly authorization: string; close(): void };
  /** Null: they are of no self-test that runs. */
  verify(credentials: ProxyCredentials): Proof | null;
}

/** Passwords are kept in memory alone, known to nobody else, and of use for the seconds of one run. */
export function createSelfTestLogins(clock: Clock): SelfTestLogins {
  const open = new Map<string, { readonly level: string; readonly password: Buffer }>();
  return {
    open(level) {
      const name = `self-test-${randomBytes(6).toString('hex')}`;
      const password = randomBytes(32).toString('base64url');
      open.set(name, { level, password: Buffer.from(password) });
      const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
      return { authorization, close: () => void open.delete(name) };
    },
    verify({ name, password, address }) {
      const login = open.get(name);
      const sent = Buffer.from(password);
      if (login === undefined || sent.length !== login.password.length) return null;
      if (!timingSafeEqual(sent, login.password) || !ownAddresses().includes(address)) return null;
      return { user: selfTestUser(login.level), at: clock(), mustChange: false, agreed: null };
    },
  };
}

/** Canonical addresses of this machine, loopback first. */
function ownAddresses(): readonly string[] {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return ['127.0.0.1', '::1', ...own.flatMap(({ address }) => canonicalAddress(address) ?? [])];
}

/** Longer than a gateway waits for a name or a connection, ms. */
const ANSWER_MS = 15_000;

export interface ProxyPlace {
  /** Where the proxy listens; `0.0.0.0` and `::`: everywhere. */
  readonly host: string;
  /** Null: not known yet. */
  readonly port: () => number | null;
}

/**
 * Asks the proxy for a tunnel to a host, and gives it back at once: nothing is ever sent through it. From each address of this machine until
 * one is served, because the school may let clients in by ranges that leave loopback out. Null when nothing answers. Never rejects.
 */
export async function askProxy(place: ProxyPlace, host: string, authorization: string): Promise<ProxyAnswer | null> {
  const port = place.port();
  if (port === null) return null;
  const isAny = place.host === '0.0.0.0' || place.host === '::';
  for (const address of isAny ? ownAddresses() : [place.host]) {
    const answer = await connectOnce(address, port, host, authorization);
    if (answer !== null) return answer;
  }
  return null;
}

function connectOnce(address: string, port: number, host: string, authorization: string): Promise<ProxyAnswer | null> {
  return new Promise((resolve) => {
    const target = `${host}:443`;
    const headers = { host: target, 'proxy-authorization': authorization };
    const asked = request({
      host: address,
      port,
      method: 'CONNECT',
      path: target,
      headers,
      agent: false,
      timeout: ANSWER_MS,
    });
    asked.on('connect', (response, socket) => {
      socket.destroy();
      resolve(readAnswer(response.statusCode ?? 0, String(response.headers['proxy-status'] ?? '')));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(null));
    asked.end();
  });
}

/** What the fields of an answer say. */
export function readAnswer(status: number, proxyStatus: string): ProxyAnswer {
  const error = /;\s*error=([\w-]+)/.exec(proxyStatus)?.[1] ?? '';
  return { status, error, nextHop: /;\s*next-hop="([^"]*)"/.exec(proxyStatus)?.[1] ?? null };
}
