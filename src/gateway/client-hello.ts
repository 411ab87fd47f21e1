/** What the beginning of a TLS connection tells (RFC 8446 §4.1.2, RFC 6066 §3). */
export type ClientHello =
  /** `missing`: bytes without which it cannot be complete; more may be needed. */
  | { readonly state: 'incomplete'; readonly missing: number }
  | { readonly state: 'not-tls' }
  | {
      readonly state: 'complete';
      /** Server name as sent, or null. Two different names: `conflicting` is true and the connection must not go on. */
      readonly serverName: string | null;
      readonly conflicting: boolean;
      /** An encrypted_client_hello extension is there: real, or GREASE as browsers send it to everybody. */
      readonly ech: boolean;
    };

/** A hello larger than this is refused; post-quantum key shares make about 2 KB, the limit of TLS itself is 16 MB. */
export const MAX_HELLO_BYTES = 64 * 1024;

const NOT_TLS: ClientHello = { state: 'not-tls' };
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ECH = 0xfe0d;

/** Reads a ClientHello from the first bytes of a connection, however they were cut into segments and TLS records. */
export function readClientHello(bytes: Buffer): ClientHello {
  const message = handshakeMessage(bytes);
  if (!Buffer.isBuffer(message)) return message;
  try {
    return parseHello(message);
  } catch (error) {
    if (error instanceof RangeError) return NOT_TLS;
    throw error;
  }
}

/**
 * A hello that comes in several pieces. It is read again only when it could be complete: read after each piece, one that is cut
 * into single bytes would cost seconds.
 */
export class GatheredHello {
  #buffer: Buffer;
  #size: number;
  #readAt: number;

  constructor(first: Buffer, missing: number) {
    this.#buffer = first;
    this.#size = first.length;
    this.#readAt = first.length + missing;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }

  add(piece: Buffer): ClientHello {
    const size = this.#size + piece.length;
    if (size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(2 * size);
      this.#buffer.copy(larger, 0, 0, this.#size);
      this.#buffer = larger;
    }
    piece.copy(this.#buffer, this.#size);
    this.#size = size;
    if (size < this.#readAt) return { state: 'incomplete', missing: this.#readAt - size };
    const hello = readClientHello(this.bytes);
    if (hello.state === 'incomplete') this.#readAt = size + hello.missing;
    return hello;
  }
}

/** The first handshake message, put together from its records (RFC 8446 §5.1), without its 4-byte header. */
function handshakeMessage(bytes: Buffer): Buffer | ClientHello {
  let at = 0;
  let fragments: Buffer[] = [];
  let gathered = 0;
  let wanted = -1;
  while (at < bytes.length) {
    if (bytes[at] !== HANDSHAKE) return NOT_TLS;
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return NOT_TLS;
    if (at + 5 > bytes.length) return { state: 'incomplete', missing: at + 5 - bytes.length };
    const size = bytes.readUInt16BE(at + 3);
    if (size === 0 || size > 16_384 + 256) return NOT_TLS;
    const fragment = bytes.subarray(at + 5, at + 5 + size);
    fragments.push(fragment);
    gathered += fragment.length;
    if (wanted < 0 && gathered >= 4) {
      const head = fragments.length === 1 ? fragment : Buffer.concat(fragments);
      if (head[0] !== CLIENT_HELLO) return NOT_TLS;
      wanted = 4 + head.readUIntBE(1, 3);
      if (wanted > MAX_HELLO_BYTES) return NOT_TLS;
      fragments = [head];
    } else if (wanted < 0 && fragments[0]![0] !== undefined && fragments[0]![0] !== CLIENT_HELLO) {
      return NOT_TLS;
    }
    if (wanted >= 0 && gathered >= wanted) {
      const message = fragments.length === 1 ? fragments[0]! : Buffer.concat(fragments);
      return message.subarray(4, wanted);
    }
    at += 5 + size;
  }
  if (bytes.length > MAX_HELLO_BYTES) return NOT_TLS;
  return { state: 'incomplete', missing: Math.max(wanted - gathered, 1) };
}

/** Throws a RangeError where a length points beyond the message. */
function parseHello(body: Buffer): ClientHello {
  let at = 2 + 32;
  at += 1 + body.readUInt8(at);
  at += 2 + body.readUInt16BE(at);
  at += 1 + body.readUInt8(at);
  let serverName: string | null = null;
  let conflicting = false;
  let ech = false;
  if (at < body.length) {
    const end = at + 2 + body.readUInt16BE(at);
    if (end !== body.length) return NOT_TLS;
    at += 2;
    while (at < end) {
      const type = body.readUInt16BE(at);
      const size = body.readUInt16BE(at + 2);
      if (at + 4 + size > end) return NOT_TLS;
      if (type === ECH) ech = true;
      if (type === SERVER_NAME) {
        const name = parseServerName(body.subarray(at + 4, at + 4 + size));
        conflicting ||= name === null || serverName !== null;
        serverName ??= name;
      }
      at += 4 + size;
    }
  }
  return { state: 'complete', serverName, conflicting, ech };
}

/** The one host_name of a server_name extension; null if there is not exactly one. */
function parseServerName(extension: Buffer): string | null {
  if (extension.length < 5 || extension.readUInt16BE(0) !== extension.length - 2) return null;
  const size = extension.readUInt16BE(3);
  if (extension[2] !== 0 || size === 0 || 5 + size !== extension.length) return null;
  return extension.toString('latin1', 5);
}
