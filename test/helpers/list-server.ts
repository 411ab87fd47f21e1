import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createAuthority } from './certificates.ts';
import { listen, type Listening } from './listening.ts';

/** How one path is answered. Left out: 200 with the body, and 304 to whoever has its ETag. */
export type ListAnswer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** A publisher of lists on loopback: https under an authority of the test's own. */
export interface ListServer extends Listening {
  /** PEM, for `ca` or NODE_EXTRA_CA_CERTS. */
  readonly ca: string;
  /** What was asked for: path and status, in order. */
  readonly asked: string[];
  readonly url: (path: string) => string;
  /** Publishes a text or bytes at a path, answered in the usual way or in the given one. */
  readonly publish: (path: string, body: string | Uint8Array, answer?: ListAnswer) => void;
}

export async function startListServer(): Promise<ListServer> {
  const authority = createAuthority();
  const published = new Map<string, { body: Buffer; answer: ListAnswer }>();
  const asked: string[] = [];
  const server = createServer(authority.issue(['127.0.0.1', 'lists.test']), (request, response) => {
    const path = request.url!;
    response.on('close', () => asked.push(`${path} ${response.statusCode}`));
    const found = published.get(path);
    if (found === undefined) response.writeHead(404).end('nothing here');
    else found.answer(request, response, found.body);
  });
  const listening = await listen(server);
  return Object.assign(listening, {
    ca: authority.cert,
    asked,
    url: (path: string) => `https://127.0.0.1:${listening.port}${path}`,
    publish: (path: string, body: string | Uint8Array, answer: ListAnswer = inTheUsualWay) => {
      published.set(path, { body: Buffer.from(body as Uint8Array), answer });
    },
  });
}

/** As web servers answer for a file: with an ETag and a date, and 304 where the client has it. */
export function inTheUsualWay(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end();
  const lastModified = 'Sun, 22 Nov 2026 03:00:00 GMT';
  response.writeHead(200, { etag, 'last-modified': lastModified, 'content-type': 'text/plain' }).end(body);
}
