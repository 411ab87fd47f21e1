import { type CanonicalHost, canonicalHost } from './host.ts';
import { unescapeFully } from './unescape.ts';

/** What a client asked for, canonical for judging. */
export interface CanonicalUrl {
  readonly scheme: 'http' | 'https';
  readonly host: CanonicalHost;
  readonly port: number;
  /** Canonical path and query, starting with `/`. */
  readonly path: string;
  /**
   * For the upstream: the client's own path and query. Where a `..` is in the path, however hidden, or a slash hides in a `;` parameter,
   * it is the canonical path instead: one server climbs at it and another does not, and none of them may serve another page than the
   * one that was judged.
   */
  readonly rawPath: string;
  /** The whole canonical URL; a default port is left out. */
  readonly text: string;
}

/** Why a text is not a URL that can be judged. `protocol`: neither http nor https. */
export type UrlViolation = 'malformed' | 'protocol' | 'userinfo';

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;
const START = /^(http|https):[/\\]{2}([^/\\?#]*)/i;

/**
 * Reads an absolute http or https URL in any spelling. Path rules follow Safe Browsing's published URL canonicalisation; what
 * is stricter or more is said at {@link canonicalPath} and {@link canonicalUrl}. The port counts: a list may not, but a school does.
 */
export function parseUrl(raw: string): CanonicalUrl | UrlViolation {
  const typed = SPACE_OR_CONTROL.test(raw) ? withoutControls(raw) : raw;
  const start = START.exec(typed);
  if (start === null) return whyNone(typed);
  const scheme = start[1]!.toLowerCase() as 'http' | 'https';
  const authority = start[2]!;
  if (authority.includes('@')) return 'userinfo';
  const place = parseAuthority(authority, scheme === 'http' ? 80 : 443);
  return place === null ? 'malformed' : canonicalUrl(scheme, place.host, place.port, typed.slice(start[0].length));
}

function whyNone(typed: string): UrlViolation {
  const scheme = SCHEME.exec(typed)?.[1];
  return scheme === undefined || /^https?$/i.test(scheme) ? 'malformed' : 'protocol';
}

// oxlint-disable-next-line no-control-regex -- these are the characters that URL parsers take out
const SPACE_OR_CONTROL = /[\0- ]/;

/** As WHATWG's URL parser and Safe Browsing do it: controls and spaces off both ends, tabs and line ends out everywhere. */
function withoutControls(raw: string): string {
  let start = 0;
  let end = raw.length;
  while (start < end && raw.charCodeAt(start) <= 32) start++;
  while (end > start && raw.charCodeAt(end - 1) <= 32) end--;
  return raw.slice(start, end).replace(/[\t\r\n]+/g, '');
}

/**
 * A canonical URL from its parts; `rawPath` as the client wrote it (path, query, perhaps a fragment; empty: `/`). A path with a NUL in it has no
 * canonical form: for some servers it ends there.
 */
export function canonicalUrl(
  scheme: 'http' | 'https',
  host: CanonicalHost,
  port: number,
  rawPath: string,
): CanonicalUrl | UrlViolation {
  const hash = rawPath.indexOf('#');
  const noFragment = hash < 0 ? rawPath : rawPath.slice(0, hash);
  const ownPath = noFragment.startsWith('/') ? noFragment : `/${noFragment.replace(/^\\/, '')}`;
  const origin = originText(scheme, host, port);
  if (PLAIN_PATH.test(ownPath)) {
    return { scheme, host, port, path: ownPath, rawPath: ownPath, text: `${origin}${ownPath}` };
  }
  const read = readPath(ownPath.replace(/[\t\r\n]+/g, ''));
  if (read.path.includes('%00')) return 'malformed';
  const path = read.path + read.query;
  return { scheme, host, port, path, rawPath: read.own, text: `${origin}${path}` };
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
  if (host === null || port < 1 || port > 65_535) return null;
  return { host, port };
}

// Most paths have nothing to change: printable ASCII without escapes and backslashes, and in the path no empty or dotted segment.
const PLAIN_PATH = /^(?:\/(?![/.;])[!$&-.0-;=@-[\]^-z|~{}_]*)+(?:\?[!$&-;=?-[\]^-z|~{}_]*)?$/;

/**
 * The canonical form of a path and query that starts with `/`: escapes undone to the last (`unescape.ts`), dot segments resolved,
 * runs of slashes made one, and what is not printable ASCII escaped again, as is `#` and `%`. Safe Browsing's rules, and three more:
 *
 * - where the path ends is found before escapes are undone: dots behind an escaped `?` are still dots of the path, as for servers
 * - a backslash is a slash, as it is for browsers and Windows servers
 * - `;` parameters hide neither a dot segment (`..;a=b`) nor an empty one; one in which a slash hides is left out, and of the others
 *   {@link withoutParameters} gives the other reading
 */
export function canonicalPath(raw: string): string {
  if (PLAIN_PATH.test(raw)) return raw;
  const { path, query } = readPath(raw.replace(/[\t\r\n]+/g, ''));
  return path + query;
}

interface ReadPath {
  readonly path: string;
  /** Empty, or with its question mark. */
  readonly query: string;
  /** For the upstream, see {@link CanonicalUrl.rawPath}. */
  readonly own: string;
}

function readPath(raw: string): ReadPath {
  const question = raw.indexOf('?');
  const ownPath = question < 0 ? raw : raw.slice(0, question);
  const ownQuery = question < 0 ? '' : raw.slice(question);
  const unescaped = escapeBytes(unescapeFully(ownPath));
  let read = resolvePath(unescaped);
  if (unescaped.includes(';')) {
    // Servers take parameters out before they undo escapes, or after it: where both do not come to the same, none are left.
    const without = resolvePath(ownPath.split('/').map(beforeParameters).join('/'));
    if (without.path !== withoutParameters(read.path)) read = { path: without.path, isOnlyReading: false };
  }
  return {
    path: read.path,
    query: ownQuery === '' ? '' : escapeBytes(unescapeFully(ownQuery)),
    own: read.isOnlyReading ? raw : read.path.replaceAll('?', '%3F') + ownQuery,
  };
}

function resolvePath(unescaped: string): Resolved {
  const { path, isOnlyReading } = resolveSegments(unescaped.replaceAll('\\', '/'));
  const question = path.indexOf('?');
  if (question < 0) return { path, isOnlyReading };
  // From here on what follows it may be taken for a query, so what stands before it must be canonical by itself.
  const front = resolveSegments(path.slice(0, question));
  return { path: front.path + path.slice(question), isOnlyReading: isOnlyReading && front.isOnlyReading };
}

function beforeParameters(segment: string): string {
  const unescaped = escapeBytes(unescapeFully(segment));
  const at = unescaped.indexOf(';');
  return at < 0 ? unescaped : unescaped.slice(0, at);
}

function escapeBytes(bytes: Buffer): string {
  const text = Buffer.allocUnsafe(3 * bytes.length);
  let length = 0;
  for (const byte of bytes) {
    const isPlain = byte > 32 && byte < 127 && byte !== 35 && byte !== 37;
    if (!isPlain) {
      text[length++] = 37;
      text[length++] = HEX.charCodeAt(byte >> 4);
    }
    text[length++] = isPlain ? byte : HEX.charCodeAt(byte & 15);
  }
  return text.toString('latin1', 0, length);
}

const HEX = '0123456789ABCDEF';
const UNRESOLVED = /\/[/.;]/;
const ONE_DOT = /^\.(?:;|$)/;
const TWO_DOTS = /^\.\.(?:;|$)/;
const NO_NAME = /^(?:;|$)/;
const PARAMETERS = /;[^/]*/g;

interface Resolved {
  readonly path: string;
  /** False where a `..` was in it. */
  readonly isOnlyReading: boolean;
}

/** RFC 3986 §5.2.4, then segments without a name left out; an empty one at the end is the slash there. */
function resolveSegments(path: string): Resolved {
  if (!UNRESOLVED.test(path)) return { path, isOnlyReading: true };
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const segment of segments) {
    if (TWO_DOTS.test(segment)) kept.pop();
    else if (!ONE_DOT.test(segment)) kept.push(segment);
  }
  const last = segments.at(-1)!;
  const page = ONE_DOT.test(last) || TWO_DOTS.test(last) ? '' : kept.pop()!;
  const folders = kept.filter((segment) => !NO_NAME.test(segment)).map((segment) => `${segment}/`);
  return { path: `/${folders.join('')}${page}`, isOnlyReading: !segments.some((segment) => TWO_DOTS.test(segment)) };
}

/**
 * A canonical path and query with the `;` parameters of its segments left out, as Java servers find the page; the same text where
 * there are none. To other servers they are a part of the name, so what is listed is looked for in both readings.
 */
export function withoutParameters(path: string): string {
  if (!path.includes(';')) return path;
  const question = path.indexOf('?');
  const bare = question < 0 ? path : path.slice(0, question);
  return resolveSegments(bare.replace(PARAMETERS, '')).path + (question < 0 ? '' : path.slice(question));
}
