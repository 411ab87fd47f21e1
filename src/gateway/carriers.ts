// connection ──► first bytes ──┬── a plain CONNECT ──────────────────────► connect-request
//                              └── anything else ──► HTTP parser ──► http-request | connect-request | upgrade-request
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connectRequest, type ServeInside } from './connect-request.ts';
import type { GatewayContext } from './context.ts';
import { httpRequest, type Inside } from './http-request.ts';
import { type ConnectHead, readPlainConnect } from './plain-connect.ts';
import { cutWhenDue, refuseExpectation, refuseUnreadable } from './refuse-unreadable.ts';
import { serveStatus } from './status-pages.ts';
import { isWebSocket, upgradeRequest } from './upgrade-request.ts';
import type { UpstreamPools } from './upstream-pools.ts';

/** Serves accepted connections, whatever they turn out to carry. */
export interface Carriers {
  serve(client: Socket): void;
  /** Closes connections on which no request is going on. */
  closeIdle(): void;
  stop(): void;
}

const TICK_MS = 1_000;

export function createCarriers(context: GatewayContext, pools: UpstreamPools): Carriers {
  const { limits } = context;
  // Connections from which nothing has come yet, and for how long they have been waited for, ms.
  const silent = new Map<Socket, number>();
  // Connections that turned out to carry plain HTTP inside a CONNECT: the place it named, and the bytes read up to its end.
  const insides = new WeakMap<Duplex, Inside & { readonly readBefore: number }>();
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: 0,
    keepAliveTimeout: limits.clientIdleMs,
    connectionsCheckingInterval: 1_000,
    insecureHTTPParser: false,
    requireHostHeader: false,
    joinDuplicateHeaders: false,
    // No life as a stream for a body that is not there.
    optimizeEmptyRequests: true,
    shouldUpgradeCallback: isWebSocket,
  });
  // A client that stops in the middle of a body, its own or ours. Longer than for an upstream, whose fault it may be instead.
  server.setTimeout(2 * limits.bodyIdleMs);
  // The section's size is the limit; past a number of fields Node would leave the rest out in silence.
  server.maxHeadersCount = 0;
  // Node's watch over slow header sections and idle connections starts with this event, and this server never listens itself.
  server.emit('listening');
  const serveRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const inside = insides.get(request.socket) ?? null;
    const isOurs = inside === null && request.url!.startsWith('/');
    const served = isOurs
      ? serveStatus(context, request, response)
      : httpRequest(context, pools, request, response, inside);
    served.catch((error: unknown) => failOpenResponse(context, response, error));
  };
  // One at a time: Node gives out pipelined requests at once, and a single connection could ask for thousands of upstreams.
  server.on('request', (request, response) => {
    if (response.socket !== null) return serveRequest(request, response);
    response.once('socket', () => serveRequest(request, response));
  });
  // Its body is asked for when there is somebody to send it to; Node would ask at once.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
    server.emit('request', request, response),
  );
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
    refuseExpectation(context, request, response),
  );
  const serveInside: ServeInside = (client, place, route, upstream) => {
    insides.set(client, { ...place, readBefore: client.bytesRead - client.readableLength });
    pools.offer(route, upstream, client);
    server.emit('connection', client);
    client.resume();
  };
  const connect = (head: ConnectHead, client: Socket, early: Buffer): void => {
    const isNested = insides.has(client);
    const served = connectRequest(context, head, client, early, isNested ? null : serveInside);
    served.catch((error: unknown) => giveUp(context, client, error));
  };
  server.on('connect', (request: IncomingMessage, client: Socket, early: Buffer) => {
    if (cutWhenDue(context, client)) return;
    client.setTimeout(0);
    connect({ authority: request.url!, rawHeaders: request.rawHeaders }, client, early);
  });
  server.on('upgrade', (request: IncomingMessage, client: Socket, head: Buffer) => {
    if (cutWhenDue(context, client)) return;
    upgradeRequest(context, pools, request, client, head, insides.get(client) ?? null).catch((error: unknown) =>
      giveUp(context, client, error),
    );
  });
  server.on('clientError', (error: NodeJS.ErrnoException, client: Socket) => {
    const hasAsked = client.bytesRead > (insides.get(client)?.readBefore ?? 0);
    refuseUnreadable(context, client, error, hasAsked);
  });

  function onFirstBytes(this: Socket, bytes: Buffer): void {
    forgetSilent(this);
    const plain = readPlainConnect(bytes);
    this.pause();
    if (plain !== null) return connect(plain.head, this, plain.rest);
    this.unshift(bytes);
    server.emit('connection', this);
    this.resume();
  }
  function forgetSilent(client: Socket): void {
    silent.delete(client);
    client.off('data', onFirstBytes);
    client.off('end', onNothing);
    client.off('error', onNothing);
  }
  function onNothing(this: Socket): void {
    forgetSilent(this);
    this.destroy();
  }
  const tick = setInterval(() => {
    for (const [client, waited] of silent) {
      if (waited >= limits.headersMs) onNothing.call(client);
      else silent.set(client, waited + TICK_MS);
    }
  }, TICK_MS);
  return {
    serve: (client) => {
      silent.set(client, 0);
      client.on('data', onFirstBytes);
      client.on('end', onNothing);
      client.on('error', onNothing);
      client.resume();
    },
    closeIdle: () => {
      server.closeIdleConnections();
      for (const client of silent.keys()) onNothing.call(client);
    },
    stop: () => clearInterval(tick),
  };
}

function giveUp(context: GatewayContext, client: Socket, error: unknown): void {
  context.log.error({ err: error }, 'serving a connection failed; it is closed');
  client.destroy();
}

function failOpenResponse(context: GatewayContext, response: ServerResponse, error: unknown): void {
  context.log.error({ err: error }, 'serving a request failed; its connection is closed');
  if (response.headersSent) return void response.destroy();
  response
    .writeHead(500, {
      Connection: 'close',
      'Proxy-Status': 'schoolgate; error=proxy_internal_error',
      'Content-Length': '0',
    })
    .end();
}
