import { randomBytes } from 'node:crypto';

/** What a ClientHello is made of (RFC 8446 §4.1.2). */
export interface HelloOptions {
  /** host_name entries of one server_name extension. */
  readonly serverNames?: readonly string[];
  /** How many server_name extensions there are; default 1 where there are names. */
  readonly nameExtensions?: number;
  readonly ech?: boolean;
  /** Reserved values between the real ones, as browsers send them (RFC 8701). */
  readonly grease?: boolean;
  /** Bytes of the key share: 32 for X25519, 1216 with ML-KEM 768. */
  readonly keyShareBytes?: number;
  /** The message is cut into TLS records of at most this many bytes. */
  readonly recordBytes?: number;
  readonly sessionIdBytes?: number;
}

/** The bytes of a ClientHello as a browser would put them on the wire. */
export function clientHello(options: HelloOptions = {}): Buffer {
  return records(clientHelloMessage(options), options.recordBytes ?? 16_384);
}

/** The handshake message alone, without records. */
export function clientHelloMessage(options: HelloOptions = {}): Buffer {
  const extensions: Buffer[] = [];
  if (options.grease === true) extensions.push(extension(0x0a0a, Buffer.alloc(0)));
  const names = options.serverNames ?? [];
  const times = options.nameExtensions ?? (names.length > 0 ? 1 : 0);
  for (let i = 0; i < times; i++) extensions.push(extension(0, serverNameList(names)));
  extensions.push(extension(0x002b, Buffer.from([4, 3, 4, 3, 3])));
  if (options.ech === true) extensions.push(extension(0xfe0d, randomBytes(180)));
  extensions.push(extension(0x0033, keyShare(options)));
  if (options.grease === true) extensions.push(extension(0x1a1a, Buffer.from([0])));
  const ciphers = Buffer.from([...(options.grease === true ? [0x2a, 0x2a] : []), 0x13, 0x01, 0x13, 0x02]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    randomBytes(32),
    withLength(1, randomBytes(options.sessionIdBytes ?? 32)),
    withLength(2, ciphers),
    withLength(1, Buffer.from([0])),
    withLength(2, Buffer.concat(extensions)),
  ]);
  return Buffer.concat([Buffer.from([1]), withLength(3, body)]);
}

/** Handshake bytes in TLS records of at most `size` bytes. */
export function records(message: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    parts.push(Buffer.from([22, 3, 1]), withLength(2, message.subarray(at, at + size)));
  }
  return Buffer.concat(parts);
}

function serverNameList(names: readonly string[]): Buffer {
  const entries = names.map((name) => Buffer.concat([Buffer.from([0]), withLength(2, Buffer.from(name, 'latin1'))]));
  return withLength(2, Buffer.concat(entries));
}

function keyShare(options: HelloOptions): Buffer {
  const entry = Buffer.concat([Buffer.from([0x11, 0xec]), withLength(2, randomBytes(options.keyShareBytes ?? 32))]);
  const grease = options.grease === true ? Buffer.from([0x3a, 0x3a, 0, 1, 0]) : Buffer.alloc(0);
  return withLength(2, Buffer.concat([grease, entry]));
}

function extension(type: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 255]), withLength(2, data)]);
}

function withLength(bytes: 1 | 2 | 3, data: Buffer): Buffer {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(data.length, 0, bytes);
  return Buffer.concat([length, data]);
}
