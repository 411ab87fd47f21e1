import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createAuthority, type CertifiedKey, type TestAuthority } from './certificates.ts';
import { listen, type Listening } from './listening.ts';
import { misbehave } from './origin-faults.ts';
import { ROUTES } from './origin-routes.ts';
import { answerUpgrade } from './websocket-echo.ts';

/** One request as it reached the origin. */
export interface Seen {
  readonly scheme: 'http' | 'https';
  readonly method: string;
  readonly url: string;
  /** name, value, name, value … as received. */
  readonly rawHeaders: readonly string[];
  /** The TLS server name, or null. */
  readonly serverName: string | null;
}

/** A web server on loopback: the same routes (origin-routes.ts, origin-faults.ts, upgrades) over HTTP and HTTPS. */
export interface Origin extends AsyncDisposable {
  readonly http: Listening;
  readonly https: Listening;
  readonly authority: TestAuthority;
  /** Every request in the order of arrival; may be emptied. */
  readonly seen: Seen[];
  /** Both listeners, their sockets and any answer still running are gone when this resolves. */
  readonly close: () => Promise<void>;
}

export interface OriginOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default: any that are free. */
  readonly ports?: { readonly http: number; readonly https: number };
  readonly authority?: TestAuthority;
  /** DNS names and addresses the certificate is for, besides localhost and loopback. */
  readonly names?: readonly string[];
  /** A certificate to use as it is, such as one that has expired. */
  readonly certificate?: CertifiedKey;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1'];

export async function startOrigin(options: OriginOptions = {}): Promise<Origin> {
  const authority = options.authority ?? createAuthority();
  const certificate = options.certificate ?? authority.issue([...(options.names ?? []), ...LOOPBACK_NAMES]);
  const seen: Seen[] = [];
  // Time-outs are the proxy's to test; the origin waits for ever.
  const patient: ServerOptions = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 1 << 20 };
  const plain = createServer(patient, answer('http', seen));
  const secure = createTlsServer({ ...patient, ...certificate }, answer('https', seen));
  for (const server of [plain, secure]) {
    server.on('upgrade', answerUpgrade);
    server.on('clientError', (_error, socket) => socket.destroy());
  }
  secure.on('tlsClientError', () => {});
  const http = await listen(plain, options.host, options.ports?.http);
  const https = await listen(secure, options.host, options.ports?.https);
  const close = async (): Promise<void> => {
    await Promise.all([http.close(), https.close()]);
  };
  return { http, https, authority, seen, close, [Symbol.asyncDispose]: close };
}

function answer(scheme: 'http' | 'https', seen: Seen[]): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const { method = '', url = '', rawHeaders } = request;
    const serverName = (request.socket as { servername?: string | false }).servername;
    seen.push({
      scheme,
      method,
      url,
      rawHeaders,
      serverName: serverName === undefined || serverName === false ? null : serverName,
    });
    const { pathname, searchParams } = new URL(url, 'http://origin.test');
    if (misbehave(pathname, searchParams, response)) return;
    const route = ROUTES[pathname];
    if (route === undefined) {
      response.writeHead(404, { 'content-length': 0 });
      response.end();
      return;
    }
    void run(() => route(request, response, searchParams), response);
  };
}

async function run(route: () => void | Promise<void>, response: ServerResponse): Promise<void> {
  try {
    await route();
  } catch {
    // The client went away in the middle, or asked for something that is no HTTP: both are the test's wish.
    response.destroy();
  }
}

/** A TCP server on loopback that hands each connection to `handle`; half-open is allowed. */
export async function startTcpOrigin(handle: (socket: Socket) => void, host?: string): Promise<Listening> {
  return await listen(createTcpServer({ allowHalfOpen: true }, handle), host);
}
