import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

const LINGER_MS = 5_000;

/**
 * A request's body for the HTTP client that carries it on. The client destroys what it reads from when the upstream fails or
 * answers early; the request itself must outlive that, or whoever sends it would be cut off before our answer is read.
 */
export class RequestBody extends Readable {
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage) {
    super();
    this.#request = request;
    request.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) request.pause();
    });
    request.on('end', () => this.push(null));
    request.on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#request.resume();
  }
}

/** Reads what is still to come of a body nobody wants, for a while, so that its sender gets to read our answer instead of a reset. */
export function discardBody(request: IncomingMessage): void {
  request.removeAllListeners('data').resume();
  if (request.complete || request.readableEnded) return;
  const { socket } = request;
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  request.once('end', () => clearTimeout(linger));
  socket.once('close', () => clearTimeout(linger));
}
