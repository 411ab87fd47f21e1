import ipaddr from 'ipaddr.js';

// Groups of one to four digits, and an IPv4 address at the end only (WHATWG URL, IPv6 parser).
const IPV6 = /^(?=.{2,45}$)((?:[0-9a-f]{0,4}:)+)([0-9a-f]{0,4}|[\d.]{7,15})$/i;

/**
 * One canonical spelling of an IP literal (no brackets): RFC 5952, and IPv4 where IPv6 only carries it, so that an address has one
 * name however it is reached. Null if it is none; a zone id means something on one machine only, so with it it is none.
 */
export function canonicalAddress(text: string): string | null {
  if (isDottedQuad(text)) return text;
  const parts = IPV6.exec(text);
  if (parts === null) return null;
  const [, groups, last] = parts as unknown as [string, string, string];
  if (last.includes('.') && !isDottedQuad(last)) return null;
  const inGroups = groups + (last.includes('.') ? asGroups(last) : last);
  if (!ipaddr.IPv6.isValid(inGroups)) return null;
  const address = ipaddr.IPv6.parse(inGroups);
  return carriedIpv4(address.parts) ?? address.toRFC5952String();
}

// ipaddr.js would take the form `::1.2.3.4` for `::ffff:1.2.3.4`.
function asGroups(dottedQuad: string): string {
  const [a, b, c, d] = dottedQuad.split('.').map(Number) as [number, number, number, number];
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/**
 * The IPv4 address in the last 32 bits, where an IPv6 address is only another way to write or reach it: IPv4-mapped and
 * IPv4-compatible (RFC 4291 §2.5.5), IPv4-translated (RFC 2765), NAT64 (RFC 6052, RFC 8215 with the 96-bit prefix that is usual).
 */
function carriedIpv4(parts: readonly number[]): string | null {
  const [a, b, c, d, e, f, high, low] = parts as [number, number, number, number, number, number, number, number];
  const isNat64 = a === 0x64 && b === 0xff9b && (c === 1 || (c | d | e | f) === 0);
  const isMapped = (a | b | c | d) === 0 && ((e === 0 && f === 0xffff) || (e === 0xffff && f === 0));
  // Below ::1:0 lie the unspecified and the loopback address, and nothing that anybody writes as IPv4.
  const isCompatible = (a | b | c | d | e | f) === 0 && high !== 0;
  if (!isNat64 && !isMapped && !isCompatible) return null;
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
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

/** Whether every address of the range `inner` lies in `outer`, too. Throws a TypeError for what is no range. */
export function isWithin(inner: string, outer: string): boolean {
  const [[base, bits], [wide, wideBits]] = [parseCidr(inner), parseCidr(outer)];
  return base.kind() === wide.kind() && wideBits <= bits && base.match(wide, wideBits);
}

/** The one spelling of a range, such as `203.0.113.0/24`; a range of one address is that address. Null if the text is none. */
export function canonicalRange(text: string): string | null {
  if (!isCidr(text)) return null;
  const [base, bits] = parseCidr(text);
  const cidr = `${base.toString()}/${bits}`;
  if (base.kind() === 'ipv4')
    return bits === 32 ? base.toString() : `${ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()}/${bits}`;
  const network = ipaddr.IPv6.networkAddressFromCIDR(cidr).toRFC5952String();
  return bits === 128 ? network : `${network}/${bits}`;
}

/** How many leading bits of an IPv6 address a canonical range fixes; of an IPv4 range as if IPv6 carried it. */
export function rangeBits(cidr: string): number {
  const [base, bits] = parseCidr(cidr);
  return base.kind() === 'ipv4' ? bits + 96 : bits;
}

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

function parseCidr(text: string): Range {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const canonical = canonicalAddress(address);
  const limit = address.includes(':') ? 128 : 32;
  const bits = slash < 0 ? limit : Number(/^\d{1,3}$/.exec(text.slice(slash + 1))?.[0] ?? Number.NaN);
  if (canonical === null || !(bits <= limit)) {
    throw new TypeError(`"${text}" is not an IP address or CIDR range`);
  }
  if (limit === 32 || canonical.includes(':')) return [ipaddr.parse(canonical), bits];
  // IPv4 inside IPv6: the range of the addresses it carries, unless it is wider than those.
  return bits < 96 ? [ipaddr.parse(address), bits] : [ipaddr.parse(canonical), bits - 96];
}

function matches(address: string, ranges: readonly Range[]): boolean {
  const parsed = ipaddr.parse(address);
  return ranges.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits));
}
