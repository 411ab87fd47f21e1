/** Field lines as Node gives and takes them: name, value, name, value … */
export type RawHeaders = readonly string[];

/** This proxy's name in Via and Proxy-Status (RFC 9110 §7.6.3, RFC 9209 §2). */
export const PSEUDONYM = 'schoolgate';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  // This proxy tells the client to go on; the upstream must not be asked a second time.
  'expect',
  // Ours alone: it tells the front desk who asks.
  'schoolgate-client',
  // Some servers serve what these name instead of what was asked for and judged; no browser sends them.
  'x-original-url',
  'x-rewrite-url',
  'x-forwarded-host',
  'x-http-host-override',
]);

/**
 * The request's end-to-end fields for the upstream: hop-by-hop, Connection-named and Proxy-* fields left out (RFC 9110 §7.6.1),
 * Host set to `host`, Via appended.
 */
export function requestHeaders(raw: RawHeaders, host: string, httpVersion: string): string[] {
  const kept: string[] = ['host', host];
  const via = copyEndToEnd(raw, kept, 'trailer');
  kept.push('via', appendVia(via, httpVersion));
  return kept;
}

/** The response's end-to-end fields for the client, with Via appended. `raw` as undici gives it: latin1 buffers. */
export function responseHeaders(raw: readonly (Buffer | string)[], httpVersion: string): string[] {
  const kept: string[] = [];
  const via = copyEndToEnd(
    raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))),
    kept,
    null,
  );
  kept.push('Via', appendVia(via, httpVersion));
  return kept;
}

/** The trailer fields of a response that may pass: none that frames a message or is for one hop (RFC 9110 §6.5.1). `raw` as undici gives it. */
export function responseTrailers(raw: readonly Buffer[]): [string, string][] {
  const kept: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toString('latin1');
    const lower = name.toLowerCase();
    if (!isHopByHop(lower) && !FRAMING.has(lower)) kept.push([name, raw[i + 1]!.toString('latin1')]);
  }
  return kept;
}

const FRAMING = new Set(['content-length', 'trailer', 'host']);

/** Copies what may pass into `kept` and gives the Via value found. `also` is one more name to leave out. */
function copyEndToEnd(raw: RawHeaders, kept: string[], also: string | null): string {
  const named = connectionNamed(raw);
  let via = '';
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (name === 'via') {
      via = via === '' ? raw[i + 1]! : `${via}, ${raw[i + 1]!}`;
    } else if (!isHopByHop(name) && name !== also && !(also !== null && name === 'host') && !named?.has(name)) {
      kept.push(raw[i]!, raw[i + 1]!);
    }
  }
  return via;
}

function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name) || name.startsWith('proxy-');
}

// Fields a sender must not remove from the message by naming them in Connection.
const NEVER_NAMED = new Set([
  'host',
  'content-length',
  'content-type',
  'via',
  'cache-control',
  'authorization',
  'cookie',
]);

function connectionNamed(raw: RawHeaders): Set<string> | null {
  let named: Set<string> | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length !== 10 || raw[i]!.toLowerCase() !== 'connection') continue;
    for (const option of raw[i + 1]!.split(',')) {
      const name = option.trim().toLowerCase();
      if (name === '' || name === 'keep-alive' || name === 'close' || NEVER_NAMED.has(name)) continue;
      named ??= new Set();
      named.add(name);
    }
  }
  return named;
}

function appendVia(via: string, httpVersion: string): string {
  const ours = `${httpVersion} ${PSEUDONYM}`;
  return via === '' ? ours : `${via}, ${ours}`;
}

// Authorities run this proxy above a school's, so the name alone is no loop; this many times is.
const MAX_PASSES = 5;

/** True when a request goes round in circles (RFC 9110 §7.6.3). */
export function isLoop(raw: RawHeaders): boolean {
  const hops = headerValues(raw, 'via').flatMap((value) => value.split(','));
  return hops.filter((hop) => hop.trim().split(/\s+/)[1] === PSEUDONYM).length >= MAX_PASSES;
}

/** Every value of a field; names compare without case. */
export function headerValues(raw: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length === name.length && raw[i]!.toLowerCase() === name) values.push(raw[i + 1]!);
  }
  return values;
}
