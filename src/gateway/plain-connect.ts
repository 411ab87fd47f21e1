/** A CONNECT request as it was read: RFC 9110 §9.3.6, RFC 9112 §3.2.3. */
export interface ConnectHead {
  /** The request target, authority-form, as sent. */
  readonly authority: string;
  /** Field lines: name, value, name, value … */
  readonly rawHeaders: readonly string[];
}

const START = 'CONNECT ';
const REQUEST_LINE = /^CONNECT ([0-9A-Za-z._:[\]-]{1,300}) HTTP\/1\.1$/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]*?)[ \t]*$/;
// A CONNECT with content is for the full parser to judge.
const FRAMING = /^(?:content-length|transfer-encoding|expect|upgrade)$/i;
const MAX_BYTES = 4096;

/**
 * Reads a CONNECT that stands whole and plain in the first bytes of a connection, as nearly all of them do, and gives the bytes
 * that follow it. Null for everything else, be it only unusual: that is for the full HTTP parser, which costs ten times as much.
 */
export function readPlainConnect(bytes: Buffer): { readonly head: ConnectHead; readonly rest: Buffer } | null {
  if (bytes[0] !== 0x43 || bytes.length > MAX_BYTES || bytes.toString('latin1', 0, START.length) !== START) return null;
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [requestLine, ...fieldLines] = bytes.toString('latin1', 0, end).split('\r\n');
  const authority = REQUEST_LINE.exec(requestLine!)?.[1];
  if (authority === undefined) return null;
  const rawHeaders: string[] = [];
  for (const line of fieldLines) {
    const field = FIELD_LINE.exec(line);
    if (field === null || FRAMING.test(field[1]!)) return null;
    rawHeaders.push(field[1]!, field[2]!);
  }
  return { head: { authority, rawHeaders }, rest: bytes.subarray(end + 4) };
}
