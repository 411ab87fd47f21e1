import { canonicalAddress, isDottedQuad } from './ip.ts';

/** A host in its one canonical spelling: lower-case A-labels without a trailing dot, or an IP address without brackets. */
export interface CanonicalHost {
  readonly name: string;
  readonly kind: 'name' | 'ipv4' | 'ipv6';
}

const PLAIN_NAME = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * The canonical form of a host as a client may spell it: any case, trailing or doubled dots, percent-escapes, IDN (UTS 46,
 * non-transitional), IPv4 in any radix and length, IPv6 with or without brackets, IPv4-mapped and NAT64.
 * Null if it has none. Rules: WHATWG URL host parsing, after the dot rules of Safe Browsing's URL canonicalisation.
 */
export function canonicalHost(raw: string): CanonicalHost | null {
  if (PLAIN_NAME.test(raw) && !raw.includes('xn--')) return { name: raw, kind: 'name' };
  if (isDottedQuad(raw)) return { name: raw, kind: 'ipv4' };
  if (raw.length === 0 || raw.length > 4096) return null;
  if (raw.includes(':')) return canonicalIpv6(raw);
  return canonicalName(raw);
}

function canonicalIpv6(raw: string): CanonicalHost | null {
  const inner = raw.startsWith('[') && raw.endsWith(']') ? raw.slice(1, -1) : raw;
  const address = canonicalAddress(inner);
  if (address === null) return null;
  return { name: address, kind: address.includes(':') ? 'ipv6' : 'ipv4' };
}

function canonicalName(raw: string): CanonicalHost | null {
  const unescaped = unescapeFully(raw);
  if (unescaped === null || /[/\\?#@:%\s[\]]/.test(unescaped)) return null;
  const dotted = unescaped
    .replace(/[\u3002\uff0e\uff61]/g, '.')
    .replace(/\.{2,}/g, '.')
    .replace(/^\.|\.$/g, '');
  if (dotted === '') return null;
  let name: string;
  try {
    name = new URL(`http://${dotted}/`).hostname.replace(/\.$/, '');
  } catch {
    return null;
  }
  if (isDottedQuad(name)) return { name, kind: 'ipv4' };
  return name.length <= 253 && name.split('.').every((label) => label.length > 0 && label.length <= 63)
    ? { name, kind: 'name' }
    : null;
}

function unescapeFully(raw: string): string | null {
  let text = raw;
  for (let round = 0; text.includes('%'); round++) {
    if (round === 16) return null;
    try {
      text = decodeURIComponent(text);
    } catch {
      return null;
    }
  }
  return text;
}

/** True when `host` is `parent` or lies under it. Both canonical. */
export function isWithin(host: string, parent: string): boolean {
  return host === parent || (host.endsWith(parent) && host.charCodeAt(host.length - parent.length - 1) === 46);
}
