import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Answers an upgrade: `Upgrade: websocket` (RFC 6455, frames up to 64 KB echoed), any other protocol byte for byte.
 * The path `/upgrade-refused` is answered 403.
 */
export function answerUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => {});
  if (request.url === '/upgrade-refused') {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
    return;
  }
  const protocol = request.headers.upgrade ?? '';
  const key = request.headers['sec-websocket-key'];
  const fields = [`Upgrade: ${protocol}`, 'Connection: Upgrade'];
  if (key !== undefined) fields.push(`Sec-WebSocket-Accept: ${acceptKey(key)}`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields.join('\r\n')}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  if (protocol.toLowerCase() === 'websocket') echoFrames(socket);
  else socket.pipe(socket);
}

function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

const CLOSE = 8;
const PING = 9;
const PONG = 10;

function echoFrames(socket: Duplex): void {
  let waiting: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (let frame = readFrame(waiting); frame !== null; frame = readFrame(waiting)) {
      waiting = waiting.subarray(frame.size);
      socket.write(writeFrame(frame.opcode === PING ? PONG : frame.opcode, frame.payload));
      if (frame.opcode === CLOSE) socket.end();
    }
  });
  socket.on('end', () => socket.end());
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly size: number;
}

/** One masked client frame (RFC 6455 §5.2) that is not part of a fragmented message; null while it is incomplete. */
function readFrame(bytes: Buffer): Frame | null {
  if (bytes.length < 6) return null;
  const short = bytes[1]! & 0x7f;
  const at = short === 126 ? 4 : 2;
  if (short === 127 || bytes.length < at + 4) return null;
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  const size = at + 4 + length;
  if (bytes.length < size) return null;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, size));
  for (let i = 0; i < length; i++) payload[i]! ^= mask[i & 3]!;
  return { opcode: bytes[0]! & 15, payload, size };
}

function writeFrame(opcode: number, payload: Buffer): Buffer {
  const first = 0x80 | opcode;
  const size = payload.length;
  const head = size < 126 ? [first, size] : [first, 126, size >> 8, size & 255];
  return Buffer.concat([Buffer.from(head), payload]);
}
