/**
 * The buffers upstream reads go into. All quiet tunnels of a worker read into one shared buffer, from which what came is
 * copied; a tunnel through which much flows borrows one of its own and nothing is copied. A private buffer kept per tunnel
 * would cost its whole size for every idle one.
 */
const READ_BYTES = 64 * 1024;

/** A read of this size says that more is on its way. */
export const BUSY_BYTES = READ_BYTES / 4;

const MAX_SPARE = 64;

export const sharedBuffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);

const spare: Buffer[] = [];

export function borrowBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
}

/** Only for a buffer no write refers to any more. */
export function returnBuffer(buffer: Buffer): void {
  if (spare.length < MAX_SPARE) spare.push(buffer);
}
