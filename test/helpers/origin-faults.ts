import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What an origin that misbehaves puts on the wire. Each one ends the connection, except where its name says otherwise. */
type Fault = (socket: Socket, query: URLSearchParams) => void;

const OK = 'HTTP/1.1 200 OK\r\n';

const FAULTS: Record<string, Fault> = {
  '/fault/close': (socket) => socket.end(),
  '/fault/reset': (socket) => socket.resetAndDestroy(),
  '/fault/never': () => {},
  '/fault/half-head-then-silence': (socket) => socket.write(`${OK}Content-Type: text/pl`),
  '/fault/half-body-then-silence': (socket) => socket.write(`${OK}Content-Length: 100\r\n\r\nhalf`),
  '/fault/half-head': (socket) => socket.end(`${OK}Content-Type: text/pl`),
  '/fault/truncated': (socket) => socket.end(`${OK}Content-Length: 100\r\n\r\nhalf`),
  '/fault/truncated-chunk': (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n64\r\nhalf`),
  '/fault/reset-mid-body': (socket) => {
    socket.write(`${OK}Content-Length: 100\r\n\r\nhalf`, () => setTimeout(() => socket.resetAndDestroy(), 50));
  },
  '/fault/status-line': (socket) => socket.end('SMTP/1.1 two-hundred fine\r\nContent-Length: 0\r\n\r\n'),
  '/fault/not-http': (socket) => socket.end('220 mail.test ESMTP\r\n'),
  '/fault/header-name': (socket) => socket.end(`${OK}Bad Name: x\r\nContent-Length: 2\r\n\r\nok`),
  '/fault/header-control': (socket) => socket.end(`${OK}X-Bad: a\u0000b\r\nContent-Length: 2\r\n\r\nok`),
  '/fault/two-lengths': (socket) => socket.end(`${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!`),
  '/fault/length-and-chunked': (socket) => {
    socket.end(`${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`);
  },
  '/fault/chunk-size': (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n`),
  '/fault/second-response': (socket) =>
    socket.end(`${OK}Content-Length: 2\r\n\r\nok${OK}Content-Length: 5\r\n\r\nextra`),
  '/fault/unasked-upgrade': (socket) =>
    socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
  // One field of `bytes` (default 1 MB), on a response that is otherwise right.
  '/fault/huge-header': (socket, query) => {
    socket.end(`${OK}X-Huge: ${'h'.repeat(Number(query.get('bytes') ?? 1 << 20))}\r\nContent-Length: 2\r\n\r\nok`);
  },
  // `count` fields (default 10,000).
  '/fault/many-headers': (socket, query) => {
    const lines = Array.from({ length: Number(query.get('count') ?? 10_000) }, (_, i) => `X-${i}: ${i}\r\n`);
    socket.end(`${OK}${lines.join('')}Content-Length: 2\r\n\r\nok`);
  },
  // HTTP/1.0 style, correct but old: no length, the body ends with the connection.
  '/fault/no-length': (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nuntil the end'),
};

/** Every path that `misbehave` knows. */
export const FAULT_PATHS: readonly string[] = Object.keys(FAULTS);

/** Answers `path` by writing past the HTTP library; false if it is no fault's path. */
export function misbehave(path: string, query: URLSearchParams, response: ServerResponse): boolean {
  const fault = FAULTS[path];
  if (fault === undefined || response.socket === null) return false;
  fault(response.socket, query);
  return true;
}
