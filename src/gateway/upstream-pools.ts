import type { Socket } from 'node:net';
import { Pool } from 'undici';
import { originText } from '../kernel/url.ts';
import { type Dialler, isAskedOfParent, type Route } from './dial.ts';
import type { GatewayLimits } from './limits.ts';

/** Kept-alive upstream connections for plain HTTP. */
export interface UpstreamPools {
  /**
   * Connections to exactly the addresses of this route, or to its parent proxy; a socket opened for other addresses, or without
   * the route's safe address, is never used.
   */
  forRoute(route: Route): Pool;
  /** Connections to the front desk. */
  forFrontDesk(): Pool;
  /** Puts an upstream socket that is already connected at the disposal of the route's next request, as long as `client` is there. */
  offer(route: Route, socket: Socket, client: Socket): void;
  /** Takes an offered socket for something other than a pooled request; undefined if there is none. */
  takeOffered(route: Route): Socket | undefined;
  close(): Promise<void>;
}

interface Entry {
  readonly pool: Pool;
  readonly spare: Socket[];
  used: boolean;
}

const SWEEP_MS = 60_000;
const MAX_RESPONSE_HEADER_BYTES = 128 * 1024;

export function createUpstreamPools(dialler: Dialler, limits: GatewayLimits, frontSocket: string): UpstreamPools {
  const entries = new Map<string, Entry>();
  const common = {
    connections: null,
    pipelining: 1,
    headersTimeout: limits.responseHeadersMs,
    bodyTimeout: limits.bodyIdleMs,
    maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
  };

  const entry = (key: string, origin: string, open: () => Promise<Socket>): Entry => {
    let found = entries.get(key);
    if (found === undefined) {
      const spare: Socket[] = [];
      const pool = new Pool(origin, {
        ...common,
        connect: (_options, connected) => {
          const ready = spare.pop();
          // Never at once: the HTTP client misses a connection that is there before it has begun to wait for it.
          const socket = ready === undefined || ready.destroyed ? open() : Promise.resolve(ready);
          socket.then(
            (socket) => connected(null, socket),
            (error: Error) => connected(error, null),
          );
        },
      });
      found = { pool, spare, used: true };
      entries.set(key, found);
    }
    found.used = true;
    return found;
  };

  const forRoute = (route: Route): Entry => {
    if (isAskedOfParent(route)) return entry('parent', 'http://parent.invalid', () => dialler.connectParent());
    const origin = originText('http', route.host, route.port);
    const key = [origin, route.retarget?.name ?? 'itself', ...route.addresses].join(' ');
    return entry(key, origin, () => dialler.connect(route));
  };

  const sweep = setInterval(() => {
    for (const [key, found] of entries) {
      if (!found.used && found.pool.stats.size === 0 && found.pool.stats.running === 0) {
        entries.delete(key);
        void found.pool.close();
      }
      found.used = false;
    }
  }, SWEEP_MS);
  sweep.unref();

  const frontDesk = new Pool('http://schoolgate.internal', { ...common, socketPath: frontSocket });
  return {
    forRoute: (route) => forRoute(route).pool,
    forFrontDesk: () => frontDesk,
    offer: (route, socket, client) => {
      // Requests go to a parent proxy in absolute form; a tunnel through it is of no use to them.
      if (isAskedOfParent(route)) {
        socket.destroy();
        return;
      }
      const { spare } = forRoute(route);
      spare.push(socket);
      socket.on('error', () => socket.destroy());
      client.once('close', () => {
        const unused = spare.indexOf(socket);
        if (unused < 0) return;
        spare.splice(unused, 1);
        socket.destroy();
      });
    },
    takeOffered: (route) => {
      const socket = isAskedOfParent(route) ? undefined : forRoute(route).spare.pop();
      return socket?.destroyed === true ? undefined : socket;
    },
    close: async () => {
      clearInterval(sweep);
      await Promise.all([frontDesk.destroy(), ...Array.from(entries.values(), (found) => found.pool.destroy())]);
    },
  };
}
