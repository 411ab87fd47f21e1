// client ── gateway ──► [parent proxy] ──► upstream
import { connect, type OnReadOpts, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { CanonicalHost } from '../kernel/host.ts';
import { addressKind } from '../kernel/ip.ts';
import { hostText } from '../kernel/url.ts';
import type { Destinations } from './destinations.ts';
import type { Resolve } from './resolve.ts';
import { UpstreamError, upstreamError } from './upstream-error.ts';

export interface ParentProxy {
  readonly host: string;
  readonly port: number;
  /** Value of Proxy-Authorization, or null. */
  readonly authorization: string | null;
}

/** A checked way to an upstream: these addresses were judged, and only these are connected to. Empty: the parent proxy finds it. */
export interface Route {
  readonly host: CanonicalHost;
  readonly port: number;
  /** The safe address that is connected to instead of `host`, whose name is still what is asked for there; null: `host` itself. */
  readonly retarget: CanonicalHost | null;
  readonly addresses: readonly string[];
  /** Null: straight to the site. */
  readonly parent: ParentProxy | null;
}

/**
 * Whether plain requests on this route go to the parent proxy itself, in absolute form. With a safe address they take a tunnel
 * to it: a parent proxy that was handed the URL would look up the site's own address.
 */
export function isAskedOfParent(route: Route): route is Route & { readonly parent: ParentProxy } {
  return route.parent !== null && route.retarget === null;
}

/** Opens upstream connections; the only place that does. */
export interface Dialler {
  /**
   * Resolves and checks: the safe address `retarget` where there is one, and then nothing else. Rejects with an UpstreamError;
   * `destination_ip_prohibited` when every address is refused.
   */
  route(host: CanonicalHost, retarget: CanonicalHost | null, port: number, destinations: Destinations): Promise<Route>;
  /**
   * A connected socket on which bytes go to the upstream itself (through a parent proxy by CONNECT), half-open allowed.
   * `onread` is used where the route has no parent. Rejects with an UpstreamError.
   */
  connect(route: Route, onread?: OnReadOpts): Promise<Socket>;
  /** A socket to the parent proxy, for absolute-form requests. */
  connectParent(): Promise<Socket>;
}

export function createDialler(resolve: Resolve, parent: ParentProxy | null, connectMs: number): Dialler {
  const connectParent = (): Promise<Socket> => {
    if (parent === null) throw new TypeError('there is no parent proxy');
    return openSocket({ host: parent.host, port: parent.port }, connectMs);
  };
  return {
    connectParent,
    route: async (host, retarget, port, destinations) => {
      const { name, kind } = retarget ?? host;
      const straight = (addresses: readonly string[]): Route =>
        checked({ host, port, retarget, addresses, parent: null }, destinations);
      if (name === 'localhost' || name.endsWith('.localhost')) return straight(['127.0.0.1', '::1']);
      if (kind !== 'name') {
        const route = straight([name]);
        // A parent proxy outside the school cannot reach an address inside it.
        return addressKind(name) === 'public' ? { ...route, parent } : route;
      }
      if (parent !== null) return { host, port, retarget, addresses: [], parent };
      return straight(await resolve(name));
    },
    connect: async (route, onread) => {
      if (route.parent !== null) return connectThrough(await connectParent(), route.parent, route, connectMs);
      const [first, ...others] = route.addresses;
      const base = onread === undefined ? {} : { onread };
      if (others.length === 0) return openSocket({ ...base, host: first!, port: route.port }, connectMs);
      return openSocket(
        {
          ...base,
          host: hostText(route.host),
          port: route.port,
          autoSelectFamily: true,
          lookup: (_name, _options, found) =>
            found(
              null,
              route.addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
            ),
        },
        connectMs,
      );
    },
  };
}

function checked(route: Route, destinations: Destinations): Route {
  const addresses = route.addresses.filter((address) => destinations.mayReach(address, route.port));
  if (addresses.length === 0) {
    throw new UpstreamError('destination_ip_prohibited', 'That address is inside the school’s own network.');
  }
  return { ...route, addresses };
}

interface Attempt {
  readonly fail: (error: Error) => void;
  leftMs: number;
}

// One look at all attempts each half second: a timer of its own for each costs more than the rest of connecting.
const LOOK_MS = 500;
const attempts = new Set<Attempt>();
setInterval(() => {
  for (const attempt of attempts) {
    attempt.leftMs -= LOOK_MS;
    if (attempt.leftMs <= 0) attempt.fail(new UpstreamError('connection_timeout', 'The site did not answer in time.'));
  }
}, LOOK_MS).unref();

function openSocket(options: TcpNetConnectOpts & { onread?: OnReadOpts }, connectMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...options, allowHalfOpen: true, noDelay: true });
    const fail = (error: Error): void => {
      attempts.delete(attempt);
      socket.destroy();
      reject(upstreamError(error instanceof AggregateError ? (error.errors[0] as Error) : error));
    };
    const attempt: Attempt = { fail, leftMs: connectMs };
    attempts.add(attempt);
    socket.on('error', fail);
    socket.on('connect', () => {
      attempts.delete(attempt);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

/** Asks the parent proxy for a tunnel (RFC 9110 §9.3.6). Bytes that follow its answer are put back. */
function connectThrough(socket: Socket, parent: ParentProxy, route: Route, connectMs: number): Promise<Socket> {
  const authority = `${hostText(route.retarget ?? route.host)}:${route.port}`;
  const credentials = parent.authorization === null ? '' : `Proxy-Authorization: ${parent.authorization}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`);
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const fail = (error: UpstreamError): void => {
      socket.destroy();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf('\r\n\r\n');
      if (end < 0) {
        if (answer.length > 16_384)
          fail(new UpstreamError('http_protocol_error', 'The parent proxy sent no valid answer.'));
        return;
      }
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer.toString('latin1', 0, end))?.[1] ?? 0);
      if (status < 200 || status > 299) return fail(parentRefused(status));
      socket.pause();
      socket.setTimeout(0);
      for (const event of ['data', 'end', 'error', 'timeout']) socket.removeAllListeners(event);
      if (answer.length > end + 4) socket.unshift(answer.subarray(end + 4));
      resolve(socket);
    };
    socket.setTimeout(connectMs, () =>
      fail(new UpstreamError('connection_timeout', 'The parent proxy did not answer in time.')),
    );
    socket.once('error', (error) => fail(upstreamError(error)));
    socket.once('end', () =>
      fail(new UpstreamError('connection_terminated', 'The parent proxy closed the connection.')),
    );
    socket.on('data', onData);
  });
}

function parentRefused(status: number): UpstreamError {
  if (status === 504)
    return new UpstreamError('connection_timeout', 'The parent proxy could not reach the site in time.');
  if (status === 0) return new UpstreamError('http_protocol_error', 'The parent proxy sent no valid answer.');
  return new UpstreamError('destination_unavailable', `The parent proxy refused the connection (status ${status}).`);
}
