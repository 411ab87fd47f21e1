import { request as httpRequest, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { listen, type Listening } from './listening.ts';

/** A request as it reached the parent proxy. */
export interface ParentSeen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | null;
  readonly headers: IncomingMessage['headers'];
}

/** A small forward proxy on loopback, as an authority runs one above a school's. */
export interface TestParent extends Listening {
  readonly seen: ParentSeen[];
  /** Answer every CONNECT with this status instead of a tunnel; 0: say nothing at all. */
  refuse: number | null;
  /** Bytes of the tunnel that go out together with the 200. */
  early: string;
}

/** Carries absolute-form requests and CONNECT. Every name is reached on loopback, whatever it is. */
export async function startParent(credentials: string | null = null): Promise<TestParent> {
  const seen: ParentSeen[] = [];
  const server = createServer();
  const admit = (request: IncomingMessage): boolean => {
    const authorization = request.headers['proxy-authorization'] ?? null;
    seen.push({ method: request.method!, url: request.url!, authorization, headers: request.headers });
    return credentials === null || authorization === credentials;
  };
  server.on('request', (request, response) => {
    if (admit(request)) passOn(request, response);
    else response.writeHead(407, { 'Content-Length': 0 }).end();
  });
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    client.on('error', () => client.destroy());
    const status = admit(request) ? parent.refuse : 407;
    if (status === null) tunnel(request.url!, client, parent.early);
    else if (status !== 0) client.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\n\r\n`);
  });
  const parent: TestParent = Object.assign(await listen(server), { seen, refuse: null, early: '' });
  return parent;
}

function passOn(request: IncomingMessage, response: ServerResponse): void {
  const { port, pathname, search } = new URL(request.url!);
  const options = {
    host: '127.0.0.1',
    port,
    path: pathname + search,
    method: request.method!,
    headers: request.headers,
  };
  const onward = httpRequest(options, (answer) => {
    response.writeHead(answer.statusCode!, answer.rawHeaders);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}

function tunnel(authority: string, client: Socket, early: string): void {
  const upstream = connect({ host: '127.0.0.1', port: Number(authority.split(':').at(-1)), allowHalfOpen: true });
  upstream.on('error', () => client.destroy());
  upstream.on('connect', () => {
    client.write(`HTTP/1.1 200 Connection established\r\nX-Parent: yes\r\n\r\n${early}`);
    upstream.pipe(client);
    client.pipe(upstream);
  });
}
