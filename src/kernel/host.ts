import { canonicalAddress, isDottedQuad } from './ip.ts';
import { unescapeFully } from './unescape.ts';

/** A host in its one canonical spelling: lower-case A-labels without a trailing dot, or an IP address without brackets. */
export interface CanonicalHost {
  readonly name: string;
  readonly kind: 'name' | 'ipv4' | 'ipv6';
}

/**
 * The canonical form of a host as a client may spell it: any case, dots before, after and doubled, percent-escapes, IDN (UTS 46,
 * non-transitional), IPv4 in any radix and length, IPv6 with or without brackets, IPv4 inside IPv6.
 * Null if it has none. Rules: WHATWG URL host parsing, after the dot and escape rules of Safe Browsing's URL canonicalisation;
 * narrower than both in that a name holds letters, digits, hyphens and underscores only, and is no longer than DNS can ask for.
 */
export function canonicalHost(raw: string): CanonicalHost | null {
  if (isPlainName(raw)) return { name: raw, kind: 'name' };
  if (isDottedQuad(raw)) return { name: raw, kind: 'ipv4' };
  if (raw.length === 0 || raw.length > MAX_SPELLING) return null;
  if (raw.includes(':')) return canonicalIpv6(raw);
  return canonicalName(raw);
}

const MAX_NAME = 253;
const MAX_LABEL = 63;
const DOT = 46;
const HYPHEN = 45;

/**
 * Whether a spelling is its own canonical form: lower-case labels of letters, digits, hyphens and underscores without a hyphen at either
 * end, the last one beginning with no digit, and no A-label, which would have to be checked. Nearly every name of a list or request is,
 * so it is read once, character by character: 140 ns, where a regular expression for the same took 250.
 */
function isPlainName(raw: string): boolean {
  if (raw.length > MAX_NAME) return false;
  let start = 0;
  let previous = DOT;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code === DOT) {
      if (previous === DOT || previous === HYPHEN || i - start > MAX_LABEL) return false;
      start = i + 1;
    } else if (code === HYPHEN) {
      if (previous === DOT) return false;
    } else if (!isNameCharacter(code)) return false;
    previous = code;
  }
  const isEnded = previous !== DOT && previous !== HYPHEN && raw.length - start <= MAX_LABEL;
  return isEnded && !isDigit(raw.charCodeAt(start)) && !raw.includes('xn--');
}

function isNameCharacter(code: number): boolean {
  return (code >= 97 && code <= 122) || isDigit(code) || code === 95;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Characters of a host before and after its escapes are undone: each byte of a name can be escaped, and escaped again. */
const MAX_SPELLING = 4096;
const MAX_UNESCAPED = 1024;

function canonicalIpv6(raw: string): CanonicalHost | null {
  const inner = raw.startsWith('[') && raw.endsWith(']') ? raw.slice(1, -1) : raw;
  const address = canonicalAddress(inner);
  if (address === null) return null;
  return { name: address, kind: address.includes(':') ? 'ipv6' : 'ipv4' };
}

/** What would end the host, or begin another part, where a URL is read, and what is left out there. */
const DELIMITER = /[/\\?#@:%[\]\t\r\n]/;

const NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

function canonicalName(raw: string): CanonicalHost | null {
  const spelled = raw.includes('%') ? unescapedText(raw) : raw;
  if (spelled === null || spelled.length > MAX_UNESCAPED || DELIMITER.test(spelled)) return null;
  const name = toAscii(withSingleDots(spelled));
  if (isDottedQuad(name)) return { name, kind: 'ipv4' };
  return NAME.test(name) ? { name, kind: 'name' } : null;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function unescapedText(raw: string): string | null {
  try {
    return UTF8.decode(unescapeFully(raw));
  } catch {
    return null;
  }
}

/** One dot between labels, none at the ends; the other characters that UTS 46 reads as dots are dots. */
function withSingleDots(text: string): string {
  return text
    .split(/[.\u3002\uff0e\uff61]/)
    .filter((label) => label !== '')
    .join('.');
}

/** UTS 46 and the reading of numbers as IPv4, as every browser has them. Empty if it is no host. */
function toAscii(host: string): string {
  return host === '' ? '' : (URL.parse(`http://${host}/`)?.hostname ?? '');
}

/** True when `host` is `parent` or lies under it. Both canonical. */
export function isWithin(host: string, parent: string): boolean {
  return host === parent || (host.endsWith(parent) && host.charCodeAt(host.length - parent.length - 1) === 46);
}
