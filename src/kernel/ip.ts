import ipaddr from 'ipaddr.js';

/** One canonical spelling of an IP literal (no brackets, no zone), IPv4-mapped and NAT64 addresses as IPv4; null if it is none. */
export function canonicalAddress(text: string): string | null {
  if (isDottedQuad(text)) return text;
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return null;
  const address = ipaddr.IPv6.parse(text);
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().toString();
  const parts = address.parts;
  const isNat64 = parts[0] === 0x64 && parts[1] === 0xff9b && parts.slice(2, 6).every((part) => part === 0);
  if (isNat64) return `${parts[6]! >> 8}.${parts[6]! & 255}.${parts[7]! >> 8}.${parts[7]! & 255}`;
  return address.toRFC5952String();
}

/** Four decimal numbers without leading zeros: the only IPv4 spelling that needs no work. */
export function isDottedQuad(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text);
}

export type AddressKind = 'public' | 'private' | 'loopback' | 'linkLocal' | 'special';

/** Which part of the address space a canonical address lies in; cloud metadata addresses are link-local. `special`: never a web server. */
export function addressKind(address: string): AddressKind {
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  switch (range) {
    case 'unicast':
      // The lowest addresses are reserved (RFC 4291 §2.5.5); they too can carry an IPv4 address inside.
      return address.startsWith('::') ? 'special' : 'public';
    case 'loopback':
      return 'loopback';
    case 'linkLocal':
      return 'linkLocal';
    case 'private':
    case 'uniqueLocal':
    case 'carrierGradeNat':
      return 'private';
    case '6to4':
    case 'teredo':
    case 'rfc6052':
    case 'rfc6145':
      // These carry an IPv4 address inside, which could be one of ours.
      return 'special';
    default:
      return 'special';
  }
}

/** A set of CIDR ranges; built once, then asked. */
export interface AddressRanges {
  has(address: string): boolean;
}

/** Ranges such as `10.0.0.0/8`, `2001:db8::/32` or a single address. Throws a TypeError that names the first one that is none. */
export function addressRanges(cidrs: readonly string[]): AddressRanges {
  const ranges = cidrs.map(parseCidr);
  const known = new Map<string, boolean>();
  return {
    has: (address) => {
      let found = known.get(address);
      if (found === undefined) {
        found = matches(address, ranges);
        if (known.size >= MAX_KNOWN) known.clear();
        known.set(address, found);
      }
      return found;
    },
  };
}

/** Answers kept by each set of ranges: a school's own addresses and the sites of the hour, not a whole address space. */
const MAX_KNOWN = 10_000;

export function isCidr(text: string): boolean {
  try {
    parseCidr(text);
    return true;
  } catch {
    return false;
  }
}

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

function parseCidr(text: string): Range {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const canonical = canonicalAddress(address);
  const limit = canonical?.includes(':') ? 128 : 32;
  const bits = slash < 0 ? limit : Number(/^\d{1,3}$/.exec(text.slice(slash + 1))?.[0] ?? Number.NaN);
  if (canonical === null || !(bits <= limit)) {
    throw new TypeError(`"${text}" is not an IP address or CIDR range`);
  }
  return [ipaddr.parse(canonical), bits];
}

function matches(address: string, ranges: readonly Range[]): boolean {
  const parsed = ipaddr.parse(address);
  return ranges.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits));
}
