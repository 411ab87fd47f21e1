import type { Socket } from 'node:net';
import { canonicalAddress } from '../kernel/ip.ts';

const CLIENT = Symbol('client address');
type MarkedSocket = Socket & { [CLIENT]?: string };

/** The canonical address of the peer of an accepted connection. Never a header: those are whatever the client likes. */
export function clientOf(socket: Socket): string {
  const marked = socket as MarkedSocket;
  // Kept on the socket, because a socket that has closed no longer tells.
  return (marked[CLIENT] ??= canonicalAddress(socket.remoteAddress ?? '') ?? '0.0.0.0');
}
