import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { parseResponse, type RawResponse } from './raw-response.ts';

/** How the other side left the connection: still `open`, `ended` (FIN), or `reset` (RST or another socket error). */
export type PeerState = 'open' | 'ended' | 'reset';

/** What to wait for: a text, or a function that says how many received bytes make the answer (-1: not yet). */
export type Until = string | ((received: Buffer) => number);

const DEADLINE_MS = 5000;

/** A TCP or TLS connection that sends exactly the bytes it is told and keeps every byte it gets. `await using` closes it. */
export class RawConnection {
  readonly socket: Socket | TLSSocket;
  #received: Buffer = Buffer.alloc(0);
  #state: PeerState = 'open';
  #wake: () => void = () => {};
  #passing: (() => void) | null = null;

  constructor(socket: Socket | TLSSocket) {
    this.socket = socket;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onEnd);
  }

  /** What has come and was not read yet. */
  get received(): Buffer {
    return this.#received;
  }

  get peer(): PeerState {
    return this.#state;
  }

  /** Sends bytes as they are (text as latin1) and resolves when the kernel has them. A broken connection is no error here: see `peer`. */
  async send(bytes: string | Uint8Array): Promise<void> {
    const raw = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    await new Promise<void>((resolve) => {
      this.socket.write(raw, () => resolve());
    });
  }

  /** Waits for the answer and takes it out of `received`. Throws when the deadline (ms) passes or the connection closes before. */
  async read(until: Until, deadlineMs = DEADLINE_MS): Promise<Buffer> {
    const size = await this.#wait(deadlineMs, () => measure(this.#received, until));
    return this.#take(size);
  }

  /** Reads one response (a 1xx counts as one). `method` is the request's: HEAD and CONNECT have no body. */
  async readResponse(method = 'GET', deadlineMs = DEADLINE_MS): Promise<RawResponse> {
    let response: RawResponse | undefined;
    const size = await this.#wait(deadlineMs, () => {
      const parsed = parseResponse(this.#received, method, this.#state === 'ended');
      response = parsed?.response;
      return parsed?.size ?? -1;
    });
    this.#take(size);
    return response!;
  }

  /** Everything until the other side closes, and how it closed; `open` if it had not when the deadline (ms) passed. */
  async readToEnd(deadlineMs = DEADLINE_MS): Promise<{ bytes: Buffer; peer: PeerState }> {
    const end = performance.now() + deadlineMs;
    while (this.#state === 'open' && performance.now() < end) await this.#nextEvent(end);
    return { bytes: this.#take(this.#received.length), peer: this.#state };
  }

  /** Hands the next `size` bytes to `look` as they come, without keeping them. Throws like `read`; the deadline is for the whole. */
  async pass(size: number, look: (chunk: Buffer) => void, deadlineMs = DEADLINE_MS): Promise<void> {
    let left = size;
    const take = (): void => {
      const chunk = this.#take(Math.min(left, this.#received.length));
      left -= chunk.length;
      if (chunk.length > 0) look(chunk);
    };
    this.#passing = take;
    try {
      take();
      await this.#wait(deadlineMs, () => (left === 0 ? 0 : -1));
    } finally {
      this.#passing = null;
    }
  }

  /** Stops reading (true) or goes on, so that the other side meets back-pressure. */
  hold(paused: boolean): void {
    if (paused) this.socket.pause();
    else this.socket.resume();
  }

  /** Half-close: sends FIN and goes on reading. */
  end(): void {
    this.socket.end();
  }

  /** Cuts the connection with RST. */
  async reset(): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.resetAndDestroy();
    await closed;
  }

  /** Destroys the socket and resolves when it is gone. */
  async close(): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.destroy();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** TLS over this connection, as after a CONNECT. Use the returned connection from here on; closing it closes both. */
  async startTls(options: ConnectionOptions): Promise<RawConnection> {
    this.#letGo();
    const secure = tlsConnect({ ...options, socket: this.socket });
    try {
      await once(secure, 'secureConnect');
    } catch (error) {
      secure.destroy();
      this.socket.destroy();
      throw error;
    }
    return new RawConnection(secure);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    this.#passing?.();
    this.#wake();
  };

  readonly #onEnd = (): void => {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wake();
  };

  readonly #onError = (): void => {
    this.#state = 'reset';
    this.#wake();
  };

  #letGo(): void {
    this.socket.pause();
    this.socket.off('data', this.#onData);
    this.socket.off('end', this.#onEnd);
    if (this.#received.length > 0) this.socket.unshift(this.#take(this.#received.length));
  }

  #take(size: number): Buffer {
    const taken = this.#received.subarray(0, size);
    this.#received = this.#received.subarray(size);
    return taken;
  }

  async #wait(deadlineMs: number, size: () => number): Promise<number> {
    const end = performance.now() + deadlineMs;
    for (;;) {
      const found = size();
      if (found >= 0) return found;
      if (this.#state !== 'open')
        throw new Error(`connection ${this.#state} before the answer; got ${this.#preview()}`);
      if (performance.now() >= end) throw new Error(`no answer within ${deadlineMs} ms; got ${this.#preview()}`);
      await this.#nextEvent(end);
    }
  }

  #nextEvent(end: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, end - performance.now()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #preview(): string {
    const shown = this.#received.toString('latin1', 0, 200);
    return `${this.#received.length} bytes ${JSON.stringify(shown)}`;
  }
}

function measure(received: Buffer, until: Until): number {
  if (typeof until === 'function') return until(received);
  const at = received.indexOf(until, 0, 'latin1');
  return at < 0 ? -1 : at + Buffer.byteLength(until, 'latin1');
}

/** Connects to a loopback port. Half-open is allowed, so that FIN from the other side does not close ours. */
export async function dial(port: number, options: Partial<TcpNetConnectOpts> = {}): Promise<RawConnection> {
  const socket = connect({ host: '127.0.0.1', allowHalfOpen: true, noDelay: true, ...options, port });
  await once(socket, 'connect');
  return new RawConnection(socket);
}

/** Sends `bytes` to a port and gives all that comes back until the other side closes or the deadline (ms) passes. */
export async function exchange(
  port: number,
  bytes: string | Uint8Array,
  deadlineMs = DEADLINE_MS,
): Promise<{ bytes: Buffer; peer: PeerState }> {
  await using connection = await dial(port);
  await connection.send(bytes);
  return await connection.readToEnd(deadlineMs);
}

/** Sends one request to a port over its own connection and gives the response. `head` is the request line and fields, without the empty line. */
export async function request(
  port: number,
  head: readonly string[],
  body: string | Uint8Array = '',
): Promise<RawResponse> {
  await using connection = await dial(port);
  await connection.send(`${head.join('\r\n')}\r\n\r\n`);
  if (body.length > 0) await connection.send(body);
  return await connection.readResponse(head[0]?.split(' ')[0]);
}

/** CONNECT through a proxy: the answer, and the connection, which is a tunnel when the status is 2xx. Close it either way. */
export async function connectThrough(
  proxyPort: number,
  authority: string,
  fields: readonly string[] = [],
  options: Partial<TcpNetConnectOpts> = {},
): Promise<{ connection: RawConnection; response: RawResponse }> {
  const connection = await dial(proxyPort, options);
  try {
    await connection.send([`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, ...fields, '', ''].join('\r\n'));
    return { connection, response: await connection.readResponse('CONNECT') };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** CONNECT through a proxy and TLS inside; throws if the proxy refuses. Give `ca` and `servername`. */
export async function tlsThrough(
  proxyPort: number,
  authority: string,
  options: ConnectionOptions,
): Promise<RawConnection> {
  const { connection, response } = await connectThrough(proxyPort, authority);
  if (response.status === 200) return await connection.startTls(options);
  await connection.close();
  throw new Error(`CONNECT ${authority} was answered ${response.status}`);
}
