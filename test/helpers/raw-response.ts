/** One HTTP/1.x response as it came over the wire. Text is latin1, so that every byte is kept. */
export interface RawResponse {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  /** Field lines in order, names as sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** The first value of a field, names compared without case; undefined if it is not there. */
  readonly header: (name: string) => string | undefined;
}

type Fields = readonly (readonly [string, string])[];

/**
 * Reads the first response from `bytes`: the response and how many bytes it took, or null while it is incomplete.
 * `ended`: the connection has closed, so a body without a length is whole. Throws where the bytes are no HTTP response.
 */
export function parseResponse(
  bytes: Buffer,
  method: string,
  ended: boolean,
): { response: RawResponse; size: number } | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const match = /^HTTP\/(\d\.\d) (\d{3})(?: (.*))?$/.exec(statusLine);
  if (match === null) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const headers = fields(lines);
  const status = Number(match[2]);
  const body = readBody(bytes.subarray(headEnd + 4), bodyLength(method, status, headers), ended);
  if (body === null) return null;
  const response: RawResponse = {
    version: match[1]!,
    status,
    reason: match[3] ?? '',
    headers,
    body: body.content,
    trailers: body.trailers,
    header: (name) => fieldValue(headers, name),
  };
  return { response, size: headEnd + 4 + body.size };
}

function fields(lines: readonly string[]): Fields {
  return lines.map((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`not a field line: ${JSON.stringify(line)}`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
}

function fieldValue(headers: Fields, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

/** RFC 9112 §6.3. */
function bodyLength(method: string, status: number, headers: Fields): number | 'chunked' | 'until-close' {
  const noBody = method === 'HEAD' || status < 200 || status === 204 || status === 304;
  if (noBody || (method === 'CONNECT' && status < 300)) return 0;
  if (fieldValue(headers, 'transfer-encoding') !== undefined) return 'chunked';
  const length = fieldValue(headers, 'content-length');
  return length === undefined ? 'until-close' : Number(length);
}

interface Body {
  readonly content: Buffer;
  readonly trailers: Fields;
  readonly size: number;
}

function readBody(bytes: Buffer, length: number | 'chunked' | 'until-close', ended: boolean): Body | null {
  if (length === 'chunked') return readChunks(bytes);
  if (length === 'until-close') return ended ? { content: bytes, trailers: [], size: bytes.length } : null;
  return bytes.length < length ? null : { content: bytes.subarray(0, length), trailers: [], size: length };
}

function readChunks(bytes: Buffer): Body | null {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!Number.isInteger(size)) throw new Error('not a chunk size');
    at = lineEnd + 2;
    if (size === 0) return readTrailers(bytes, at, Buffer.concat(chunks));
    if (bytes.length < at + size + 2) return null;
    chunks.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
}

function readTrailers(bytes: Buffer, at: number, content: Buffer): Body | null {
  if (bytes.toString('latin1', at, at + 2) === '\r\n') return { content, trailers: [], size: at + 2 };
  const end = bytes.indexOf('\r\n\r\n', at);
  if (end < 0) return null;
  return { content, trailers: fields(bytes.toString('latin1', at, end).split('\r\n')), size: end + 4 };
}
