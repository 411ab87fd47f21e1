// devices ──► listener (who may connect, how many) ──► carriers
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { clientOf } from './client-address.ts';
import type { GatewayContext } from './context.ts';
import { type Leases, WHOLE_GATEWAY } from './leases.ts';
import { closeSoon, responseHead } from './refuse.ts';
import { createCarriers } from './carriers.ts';
import type { UpstreamPools } from './upstream-pools.ts';

/** The gateway's doors on one worker. */
export interface Listener {
  /** Ports as bound. */
  listen(options: { readonly host: string; readonly port: number; readonly tlsPort: number | null }): Promise<{
    readonly port: number;
    readonly tlsPort: number | null;
  }>;
  readonly connections: number;
  /** Takes no more connections; resolves when the open ones are done, or cuts them after `deadlineMs` and gives how many. */
  drain(deadlineMs: number): Promise<number>;
}

export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Makes the listener; `tls` is needed only for a TLS port. */
export function createListener(
  context: GatewayContext,
  pools: UpstreamPools,
  leases: Leases,
  tls: TlsFiles | null,
): Listener {
  // Open connections, and the address whose lease each holds; null as long as it holds none.
  const connections = new Map<Socket, string | null>();
  const carriers = createCarriers(context, pools);

  function onClosed(this: Socket): void {
    const address = connections.get(this);
    connections.delete(this);
    if (address === null || address === undefined) return;
    leases.free(WHOLE_GATEWAY);
    leases.free(address);
  }

  type Serve = (client: Socket) => void;
  const serve: Serve = (client) => carriers.serve(client);

  const accept = (client: Socket, next: Serve): void => {
    connections.set(client, null);
    client.on('close', onClosed);
    client.on('error', ignoreError);
    const address = clientOf(client);
    if (!context.snapshots.clients.has(address)) return turnAway(context, client, 'not-a-client');
    if (context.spool.health === 'full') return turnAway(context, client, 'unrecordable');
    const whole = leases.take(WHOLE_GATEWAY);
    const own = leases.take(address);
    if (whole === true && own === true) return admitted(client, address, next);
    void Promise.all([whole, own]).then(([wholeTaken, ownTaken]) => {
      if (wholeTaken && ownTaken && !client.destroyed) return admitted(client, address, next);
      if (wholeTaken) leases.free(WHOLE_GATEWAY);
      if (ownTaken) leases.free(address);
      return client.destroyed ? undefined : turnAway(context, client, wholeTaken ? 'client-limit' : 'gateway-limit');
    });
  };

  const admitted = (client: Socket, address: string, next: Serve): void => {
    connections.set(client, address);
    next(client);
  };

  const options = { allowHalfOpen: true, noDelay: true };
  const plain = createServer(options, (client) => accept(client, serve));
  const secure = tls === null ? null : createServer(options, tlsDoor(tls));

  // A handshake is work, so it is done only for a connection that may be here and is counted: no TLS server listens by itself.
  function tlsDoor(files: TlsFiles): (client: Socket) => void {
    const handshakes = createTlsServer(
      { ...files, minVersion: 'TLSv1.2', handshakeTimeout: context.limits.headersMs },
      (client) => {
        client.on('error', ignoreError);
        serve(client);
      },
    );
    // A failed handshake is the client's affair; without this listener Node would keep the socket.
    handshakes.on('tlsClientError', (_error, socket) => socket.destroy());
    return (client) => accept(client, (admittedClient) => void handshakes.emit('connection', admittedClient));
  }

  return {
    get connections() {
      return connections.size;
    },
    listen: async ({ host, port, tlsPort }) => ({
      port: await bind(plain, { host, port, reusePort: true, backlog: 4096 }),
      tlsPort: tlsPort === null ? null : await bind(secure!, { host, port: tlsPort, reusePort: true, backlog: 4096 }),
    }),
    drain: async (deadlineMs) => {
      const closed = [plain, secure].map(
        (server) => new Promise<void>((done) => (server === null ? done() : server.close(() => done()))),
      );
      carriers.closeIdle();
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<'late'>((late) => {
        timer = setTimeout(() => late('late'), deadlineMs);
      });
      const idle = setInterval(() => carriers.closeIdle(), 250);
      const end = await Promise.race([Promise.all(closed), deadline]);
      clearTimeout(timer);
      clearInterval(idle);
      carriers.stop();
      const cut = end === 'late' ? connections.size : 0;
      for (const client of connections.keys()) client.destroy();
      context.open.cutAll('cut');
      context.metrics.resetInDrain(cut);
      return cut;
    },
  };
}

// Stays for the whole life of a connection, whoever has it: a client may reset at any moment, also in the middle of being handed
// on, and an error that nobody hears ends the worker. That the connection has gone is noticed by its close.
function ignoreError(): void {}

/** A connection that is not served at all: too many, not one of ours, or nothing could be recorded. */
function turnAway(
  context: GatewayContext,
  client: Socket,
  why: Parameters<GatewayContext['metrics']['connectionRefused']>[0],
): void {
  context.metrics.connectionRefused(why);
  if (why === 'not-a-client') return void client.destroy();
  const status = why === 'client-limit' ? 429 : 503;
  const text = 'Too many connections at the moment. Please try again.\n';
  const fields = [
    'Retry-After',
    '5',
    'Proxy-Status',
    'schoolgate; error=connection_limit_reached',
    'Connection',
    'close',
  ];
  client.end(
    responseHead(status, [...fields, 'Content-Type', 'text/plain', 'Content-Length', String(text.length)]) + text,
  );
  closeSoon(client);
}

function bind(server: Server, options: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve((server.address() as { port: number }).port);
    });
  });
}
