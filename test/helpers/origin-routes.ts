import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What `/echo` answers, as JSON: the request as the origin saw it. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  /** name, value, name, value … as received. */
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
  readonly bodyBytes: number;
  readonly bodySha256: string;
}

type Route = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void | Promise<void>;

/** Routes that keep to RFC 9110 and 9112. Query parameters stand in the comments; sizes are bytes, times ms. */
export const ROUTES: Record<string, Route> = {
  '/': (_request, response) => reply(response, 200, 'hello from the origin\n'),
  '/echo': echo,
  // n (default 1024): that many bytes of `byteAt`; Range is honoured; `chunked=1` leaves the length out.
  '/bytes': bytes,
  // code: an empty answer with that status.
  '/status': (_request, response, query) => reply(response, Number(query.get('code') ?? 200), ''),
  // ms: waits before the answer.
  '/slow': async (_request, response, query) => {
    await pause(Number(query.get('ms') ?? 100));
    reply(response, 200, 'slow\n');
  },
  // n pieces of one byte, ms between them.
  '/drip': async (_request, response, query) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    for (let left = Number(query.get('n') ?? 5); left > 0 && !response.destroyed; left--) {
      response.write('.');
      await pause(Number(query.get('ms') ?? 20));
    }
    response.end();
  },
  // Chunked, with trailer fields X-First and X-Last.
  '/trailers': (_request, response) => {
    response.writeHead(200, { trailer: 'X-First, X-Last' });
    response.write('body ');
    response.addTrailers({ 'X-First': 'one', 'X-Last': 'two' });
    response.end('with trailers');
  },
  '/early-hints': (_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    reply(response, 200, 'after the hints\n');
  },
  // Hop-by-hop fields, one of them named by Connection, that no proxy may pass on.
  '/hop-by-hop': (_request, response) => {
    response.writeHead(200, {
      connection: 'keep-alive, X-Private',
      'keep-alive': 'timeout=60',
      'x-private': 'for the next hop only',
      'proxy-authenticate': 'Basic realm="elsewhere"',
      'proxy-connection': 'keep-alive',
      'x-public': 'for everybody',
    });
    response.end('hop');
  },
  // Two Set-Cookie lines, a latin1 value and a field name in odd case.
  '/fields': (_request, response) => {
    response.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-ODD-Case', 'caf\u00e9']);
    response.end('fields');
  },
  // to: where to.
  '/redirect': (_request, response, query) => {
    response.writeHead(302, { location: query.get('to') ?? '/' });
    response.end();
  },
  // Answers 413 at once without reading the body, and closes.
  '/refuse-body': (_request, response) => {
    response.writeHead(413, { connection: 'close' });
    response.end('too much');
  },
};

/** The byte at a position of every `/bytes` body, so that a part can be checked without the whole. */
export function byteAt(position: number): number {
  return (position * 31 + (position >> 8)) & 255;
}

function reply(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, body === '' ? {} : { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
}

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const digest = createHash('sha256');
  let bodyBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    digest.update(chunk);
    bodyBytes += chunk.length;
  }
  const seen: Echo = {
    method: request.method!,
    url: request.url!,
    httpVersion: request.httpVersion,
    rawHeaders: request.rawHeaders,
    rawTrailers: request.rawTrailers,
    bodyBytes,
    bodySha256: digest.digest('hex'),
  };
  const body = Buffer.from(JSON.stringify(seen));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

function bytes(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> | void {
  const total = Number(query.get('n') ?? 1024);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const from = range === null ? 0 : Number(range[1]);
  const to = range === null || range[2] === '' ? total - 1 : Math.min(Number(range[2]), total - 1);
  if (range !== null && from >= total) {
    response.writeHead(416, { 'content-range': `bytes */${total}` });
    response.end();
    return;
  }
  const fields: Record<string, string> = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' };
  if (range !== null) fields['content-range'] = `bytes ${from}-${to}/${total}`;
  if (query.get('chunked') !== '1') fields['content-length'] = String(to - from + 1);
  response.writeHead(range === null ? 200 : 206, fields);
  return request.method === 'HEAD' ? void response.end() : stream(response, from, to + 1);
}

const PIECE = 64 * 1024;

async function stream(response: ServerResponse, from: number, end: number): Promise<void> {
  for (let at = from; at < end && !response.destroyed; at += PIECE) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, end - at));
    for (let i = 0; i < piece.length; i++) piece[i] = byteAt(at + i);
    await new Promise<void>((resolve) => {
      response.once('close', resolve);
      response.write(piece, () => {
        response.off('close', resolve);
        resolve();
      });
    });
  }
  response.end();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
