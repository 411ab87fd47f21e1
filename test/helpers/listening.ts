import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** A server on a loopback port that knows every socket it has, so that a test can count them and leave none open. */
export interface Listening extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Connections accepted since the start. */
  readonly accepted: () => number;
  /** Sockets that are open now. */
  readonly open: () => number;
  /** Resets every open socket (RST), and goes on listening. */
  readonly resetAll: () => void;
  /** Stops listening, destroys what is open and resolves when all of it is gone. */
  readonly close: () => Promise<void>;
}

/** Starts `server` on a free port of `host` and keeps count of its sockets. */
export async function listen(server: Server, host = '127.0.0.1', port = 0): Promise<Listening> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket) => {
    accepted++;
    sockets.add(socket);
    // A client or proxy under test may vanish at any moment; that must not end the test's process.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, host);
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    host,
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    open: () => sockets.size,
    resetAll: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A port of 127.0.0.1 that was free a moment ago, for programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  await using place = await listen(createServer());
  return place.port;
}

/** Resolves when `condition` holds; rejects after `deadlineMs` with `what` in the message. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 5000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Resolves with a number that is above 0 and has not changed for `quietMs`: what flows has come to a stop. */
export async function settled(read: () => number, quietMs = 150, deadlineMs = 10_000): Promise<number> {
  let last = -1;
  let since = performance.now();
  await eventually(
    'the number settles',
    () => {
      const now = read();
      if (now !== last) since = performance.now();
      last = now;
      return now > 0 && performance.now() - since > quietMs;
    },
    deadlineMs,
  );
  return last;
}
