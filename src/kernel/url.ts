import { type CanonicalHost, canonicalHost } from './host.ts';

/** What a client asked for, canonical for judging; `rawPath` is the client's own path and query, for the upstream. */
export interface CanonicalUrl {
  readonly scheme: 'http' | 'https';
  readonly host: CanonicalHost;
  readonly port: number;
  /** Canonical path and query, starting with `/`. */
  readonly path: string;
  readonly rawPath: string;
  /** The whole canonical URL; a default port is left out. */
  readonly text: string;
}

/** Why a text is not a URL that can be judged. `protocol`: neither http nor https. */
export type UrlViolation = 'malformed' | 'protocol' | 'userinfo';

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;

/** Reads an absolute http or https URL in any spelling. Path rules follow Safe Browsing's published URL canonicalisation. */
export function parseUrl(raw: string): CanonicalUrl | UrlViolation {
  const scheme = SCHEME.exec(raw)?.[1]?.toLowerCase();
  if (scheme === undefined) return 'malformed';
  if (scheme !== 'http' && scheme !== 'https') return 'protocol';
  const rest = raw.slice(scheme.length + 1);
  if (!/^[/\\]{2}/.test(rest)) return 'malformed';
  const end = rest.slice(2).search(/[/\\?#]/);
  const authority = end < 0 ? rest.slice(2) : rest.slice(2, end + 2);
  const tail = end < 0 ? '/' : rest.slice(end + 2);
  if (authority.includes('@')) return 'userinfo';
  const place = parseAuthority(authority, scheme === 'http' ? 80 : 443);
  if (place === null) return 'malformed';
  return canonicalUrl(scheme, place.host, place.port, tail);
}

/** A canonical URL from its parts; `rawPath` as the client wrote it (path, query, perhaps a fragment). */
export function canonicalUrl(
  scheme: 'http' | 'https',
  host: CanonicalHost,
  port: number,
  rawPath: string,
): CanonicalUrl {
  const hash = rawPath.indexOf('#');
  const noFragment = hash < 0 ? rawPath : rawPath.slice(0, hash);
  const ownPath = noFragment.startsWith('/') ? noFragment : `/${noFragment.replace(/^\\/, '')}`;
  const path = canonicalPath(ownPath);
  return { scheme, host, port, path, rawPath: ownPath, text: `${originText(scheme, host, port)}${path}` };
}

/** `scheme://host[:port]` without a default port. */
export function originText(scheme: 'http' | 'https', host: CanonicalHost, port: number): string {
  const isDefault = port === (scheme === 'http' ? 80 : 443);
  return `${scheme}://${hostText(host)}${isDefault ? '' : `:${port}`}`;
}

/** The host as it stands in a URL or Host field: IPv6 in brackets. */
export function hostText(host: CanonicalHost): string {
  return host.kind === 'ipv6' ? `[${host.name}]` : host.name;
}

/** Host and port of an authority (RFC 3986 §3.2 without userinfo). With `defaultPort` null a port must be given, as in CONNECT. */
export function parseAuthority(
  authority: string,
  defaultPort: number | null,
): { readonly host: CanonicalHost; readonly port: number } | null {
  const split = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority);
  if (split === null) return null;
  const host = canonicalHost(split[1]!);
  const digits = split[2] ?? '';
  if (digits === '' && defaultPort === null) return null;
  const port = digits === '' ? defaultPort! : Number(digits);
  if (host === null || digits.length > 8 || port < 1 || port > 65_535) return null;
  return { host, port };
}

// Most paths have nothing to change: printable ASCII without escapes, doubled slashes, dot segments or backslashes.
const PLAIN_PATH = /^(?!.*(?:\/\/|\/\.))[!$&-;=?-[\]^-z|~{}_]*$/;

/** The canonical form of a path and query that starts with `/`. */
export function canonicalPath(raw: string): string {
  if (PLAIN_PATH.test(raw)) return raw;
  const bytes = unescapeBytes(Buffer.from(raw.replace(/[\t\r\n]/g, ''), 'utf8'));
  const question = bytes.indexOf(63);
  const path = escapeBytes(question < 0 ? bytes : bytes.subarray(0, question));
  const query = question < 0 ? '' : escapeBytes(bytes.subarray(question));
  return resolveSegments(path.replace(/\\/g, '/')) + query;
}

function unescapeBytes(bytes: Buffer): Buffer {
  let current = bytes;
  for (let round = 0; round < 32; round++) {
    const next = unescapeOnce(current);
    if (next.length === current.length) return next;
    current = next;
  }
  return current;
}

function unescapeOnce(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const value = bytes[i] === 37 ? Number.parseInt(bytes.toString('latin1', i + 1, i + 3), 16) : Number.NaN;
    const isEscape = !Number.isNaN(value) && /^[0-9a-f]{2}$/i.test(bytes.toString('latin1', i + 1, i + 3));
    out[length++] = isEscape ? value : bytes[i]!;
    if (isEscape) i += 2;
  }
  return out.subarray(0, length);
}

function escapeBytes(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) {
    const isPlain = byte > 32 && byte < 127 && byte !== 35 && byte !== 37;
    text += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

function resolveSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment === '.' || segment === '..' || segment === '') {
      if (isLast) kept.push('');
      continue;
    }
    kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
