// client ── Upgrade: websocket ──► gateway (http-proxy) ──► upstream, then bytes both ways
import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import httpProxy from 'http-proxy';
import { type Admission, admit, isRefused } from './admit.ts';
import { findRoute } from './find-route.ts';
import type { GatewayContext } from './context.ts';
import type { Route } from './dial.ts';
import type { GatewayLimits } from './limits.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { bodyFollows, hostField, type Inside, readRequest, proofOf } from './http-request.ts';
import type { OpenConnection } from './open-connections.ts';
import { accessRecord, finish, NOTHING_YET } from './record.ts';
import { closeSoon, failConnect, failureAnswer, refuseConnect, responseHead } from './refuse.ts';
import type { RelayEnd } from './relay.ts';
import { UpstreamError, upstreamError } from './upstream-error.ts';
import type { UpstreamPools } from './upstream-pools.ts';

/**
 * Only WebSocket is carried as an upgrade (RFC 6455 §4.1); `h2c` and others are served as the plain requests they also are,
 * and so is what has a body: its bytes must not be taken for frames.
 */
export function isWebSocket(request: IncomingMessage): boolean {
  const { method, headers } = request;
  return method === 'GET' && (headers.upgrade ?? '').trim().toLowerCase() === 'websocket' && !bodyFollows(request);
}

/** Serves one WebSocket opening and, if the upstream agrees, the connection that follows. */
export async function upgradeRequest(
  context: GatewayContext,
  pools: UpstreamPools,
  request: IncomingMessage,
  client: Socket,
  head: Buffer,
  inside: Inside | null,
): Promise<void> {
  const { url, ask } = readRequest(context, request, inside);
  const sentBy = proofOf(context, request, inside);
  const admission = admit(context, ask, sentBy instanceof Promise ? await sentBy : sentBy);
  if (isRefused(admission) || url === null) return refuseConnect(context, admission, client);
  let route: Route;
  try {
    route = await findRoute(context, admission);
  } catch (error) {
    return failConnect(context, admission, client, error);
  }
  if (isRefused(admission)) return refuseConnect(context, admission, client);
  if (client.destroyed || client.readableEnded) {
    client.destroy();
    return finish(context, accessRecord(context, admission, { ...NOTHING_YET, error: 'client_aborted' }));
  }
  request.url = url.rawPath;
  request.headers = upgradeFields(requestHeaders(request.rawHeaders, hostField(url), request.httpVersion));
  // A CONNECT to port 80 has already brought a connection along.
  const connected = inside === null ? undefined : pools.takeOffered(route);
  const connect = async (): Promise<Socket> => connected ?? (await context.dialler.connect(route));
  new UpgradedConnection(context, admission, client, head).open(request, head, route, connect);
}

function upgradeFields(raw: readonly string[]): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = { connection: 'Upgrade', upgrade: 'websocket' };
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const before = fields[name];
    fields[name] = before === undefined ? raw[i + 1]! : [before, raw[i + 1]!].flat();
  }
  return fields;
}

function dropProxyFields(response: IncomingMessage): void {
  for (const name of Object.keys(response.headers)) if (name.startsWith('proxy-')) delete response.headers[name];
}

/** http-proxy is told where to connect through an agent, so that it too reaches only the addresses that were checked. */
class CheckedAgent extends Agent {
  readonly #open: () => Promise<Socket>;

  constructor(open: () => Promise<Socket>) {
    super({ keepAlive: false });
    this.#open = open;
  }

  override createConnection(_options: unknown, connected?: (error: Error | null, socket: Duplex) => void): undefined {
    this.#open().then(
      (socket) => connected!(null, socket),
      (error: Error) => connected!(error, null as never),
    );
    return undefined;
  }
}

class UpgradedConnection implements OpenConnection {
  readonly kind = 'tunnel';
  readonly admission: Admission;
  readonly #context: GatewayContext;
  readonly #client: Socket;
  readonly #readBefore: number;
  #writtenBefore: number;
  #request: ClientRequest | null = null;
  #upstream: Socket | null = null;
  #ended: string | undefined;
  #status = 0;
  #seen = 0;
  #quietMs = 0;

  constructor(context: GatewayContext, admission: Admission, client: Socket, head: Buffer) {
    this.#context = context;
    this.admission = admission;
    this.#client = client;
    this.#readBefore = client.bytesRead - head.length;
    this.#writtenBefore = client.bytesWritten;
    context.open.add(context, this);
    client.once('end', () => this.#status === 0 && this.cut('client_aborted'));
    client.once('close', () => this.#close());
  }

  open(request: IncomingMessage, head: Buffer, route: Route, connect: () => Promise<Socket>): void {
    const proxy = httpProxy.createProxyServer({});
    const agent = new CheckedAgent(connect);
    proxy.on('proxyReqWs', (upstreamRequest) => this.#prepare(upstreamRequest, request.url!));
    proxy.on('open', (upstream) => {
      this.#status = 101;
      this.#upstream = upstream;
      this.#writtenBefore = this.#client.bytesWritten;
      upstream.once('close', () => this.#client.destroySoon());
    });
    proxy.on('error', (error) => this.#fail(error));
    proxy.ws(request, this.#client, head, { target: { host: route.host.name, port: route.port }, agent });
    // In place of http-proxy's: that one sends the fields as they are, a Transfer-Encoding that is already undone among them.
    this.#request
      ?.removeAllListeners('response')
      .once('response', (response: IncomingMessage) => this.#passOn(response));
  }

  #prepare(upstreamRequest: ClientRequest, path: string): void {
    this.#request = upstreamRequest;
    // The client's own; http-proxy would tidy it.
    upstreamRequest.path = path;
    upstreamRequest.on('upgrade', (response: IncomingMessage) => dropProxyFields(response));
    // A connection that came through a parent proxy stands still until it is told to flow.
    upstreamRequest.once('socket', (socket) => socket.resume());
    upstreamRequest.setTimeout(this.#context.limits.responseHeadersMs, () =>
      upstreamRequest.destroy(new UpstreamError('http_response_timeout', 'The site took too long to answer.')),
    );
  }

  patience(limits: GatewayLimits): number {
    return limits.tunnelIdleMs;
  }

  quietFor(ms: number): number {
    const moved = this.#client.bytesRead + this.#client.bytesWritten;
    this.#quietMs = moved === this.#seen ? this.#quietMs + ms : 0;
    this.#seen = moved;
    return this.#quietMs;
  }

  cut(why: Exclude<RelayEnd, null>): void {
    this.#ended ??= why;
    this.#client.destroy();
  }

  /** The upstream answered, but not by switching protocols: its answer goes to the client as any other. */
  #passOn(response: IncomingMessage): void {
    this.#status = response.statusCode!;
    const fields = [...responseHeaders(response.rawHeaders, '1.1'), 'Connection', 'close'];
    this.#client.write(responseHead(response.statusCode!, fields), 'latin1');
    this.#writtenBefore = this.#client.bytesWritten;
    response.once('error', () => this.cut('connection_terminated'));
    response.once('end', () => closeSoon(this.#client));
    response.pipe(this.#client);
  }

  #fail(error: unknown): void {
    if (this.#client.destroyed) return;
    if (this.#status !== 0) return this.#client.destroySoon();
    const failure = upstreamError(error);
    this.#status = failure.status;
    this.#ended ??= failure.type;
    this.#client.write(failureAnswer(failure));
    this.#writtenBefore = this.#client.bytesWritten;
    this.#client.end();
    closeSoon(this.#client);
  }

  #close(): void {
    this.#request?.destroy();
    this.#upstream?.destroy();
    this.#context.open.delete(this);
    const up = this.#client.bytesRead - this.#readBefore;
    const down = this.#client.bytesWritten - this.#writtenBefore;
    const error = this.#ended ?? (this.#status === 0 ? 'client_aborted' : undefined);
    finish(this.#context, accessRecord(this.#context, this.admission, { status: this.#status, up, down, error }));
  }
}
