import { canonicalAddress } from '../kernel/ip.ts';

/** A CIDR range: the 16-bit parts of its first address (two of IPv4, eight of IPv6), zero behind its `bits`. */
export interface AddressRange {
  readonly parts: readonly number[];
  readonly bits: number;
}

const PART_BITS = 16;
const IPV4_PARTS = 2;
const IPV6_PARTS = 8;
const COLON = 58;
const DOT = 46;

/** Reads an address or `address/bits`, IPv4 inside IPv6 as IPv4. Null if it is none. */
export function parseRange(text: string): AddressRange | null {
  const slash = text.indexOf('/');
  const written = slash < 0 ? text : text.slice(0, slash);
  const address = canonicalAddress(written.startsWith('[') && written.endsWith(']') ? written.slice(1, -1) : written);
  if (address === null) return null;
  const parts = new Uint16Array(IPV6_PARTS);
  const count = readParts(address, parts);
  const most = count * PART_BITS;
  // ::ffff:192.0.2.0/120 is 192.0.2.0/24.
  const spare = written.includes(':') && count === IPV4_PARTS ? 96 : 0;
  const bits = slash < 0 ? most : Number(/^\d{1,3}$/.exec(text.slice(slash + 1))?.[0] ?? Number.NaN) - spare;
  if (!(bits >= 0 && bits <= most)) return null;
  return { parts: Array.from({ length: count }, (_, i) => maskPart(parts[i]!, i, bits)), bits };
}

/** Reads a range that is known to be one. */
export function readRange(text: string): AddressRange {
  const range = parseRange(text);
  if (range === null) throw new TypeError(`"${text}" is not a range of addresses`);
  return range;
}

/** The canonical spelling: `192.0.2.0/24`; a single address stands without its length. */
export function rangeText(range: AddressRange): string {
  const { parts, bits } = range;
  const address =
    parts.length === IPV4_PARTS
      ? parts.map((part) => `${part >> 8}.${part & 255}`).join('.')
      : canonicalAddress(parts.map((part) => part.toString(16)).join(':'))!;
  return isOneAddress(range) ? address : `${address}/${bits}`;
}

export function isOneAddress({ parts, bits }: AddressRange): boolean {
  return bits === parts.length * PART_BITS;
}

export function overlaps(a: AddressRange, b: AddressRange): boolean {
  const bits = Math.min(a.bits, b.bits);
  return (
    a.parts.length === b.parts.length &&
    a.parts.every((part, i) => maskPart(part, i, bits) === maskPart(b.parts[i]!, i, bits))
  );
}

/** The part at this position with everything behind the first `bits` of the address zero. */
export function maskPart(part: number, position: number, bits: number): number {
  const left = bits - position * PART_BITS;
  if (left >= PART_BITS) return part;
  return left <= 0 ? 0 : part & (0xffff << (PART_BITS - left)) & 0xffff;
}

/** Reads a canonical address into `parts` and says how many it has; 0 for anything else. Allocates nothing. */
export function readParts(host: string, parts: Uint16Array): 0 | 2 | 8 {
  const gap = host.indexOf('::');
  return gap >= 0 || host.includes(':') ? readIpv6(host, gap, parts) : readIpv4(host, parts);
}

function readIpv4(host: string, parts: Uint16Array): 0 | 2 {
  let octets = 0;
  let value = -1;
  for (let i = 0; i <= host.length; i++) {
    const code = i < host.length ? host.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (value < 0 || value > 255 || octets === 4) return 0;
      const at = octets >> 1;
      parts[at] = octets % 2 === 0 ? value << 8 : parts[at]! | value;
      octets++;
      value = -1;
    } else if (code >= 48 && code <= 57) {
      value = (value < 0 ? 0 : value * 10) + code - 48;
    } else {
      return 0;
    }
  }
  return octets === 4 ? IPV4_PARTS : 0;
}

function readIpv6(host: string, gapAt: number, parts: Uint16Array): 0 | 8 {
  let count = 0;
  let gap = -1;
  let value = -1;
  for (let i = 0; i <= host.length; i++) {
    const code = i < host.length ? host.charCodeAt(i) : COLON;
    if (code !== COLON) {
      const digit = hexDigit(code);
      if (digit < 0) return 0;
      value = (value < 0 ? 0 : value << 4) | digit;
      continue;
    }
    if (value >= 0) {
      if (count === IPV6_PARTS || value > 0xffff) return 0;
      parts[count++] = value;
      value = -1;
    }
    if (gapAt >= 0 && i === gapAt + 1) gap = count;
  }
  if (gap < 0) return count === IPV6_PARTS ? IPV6_PARTS : 0;
  const tail = count - gap;
  parts.copyWithin(IPV6_PARTS - tail, gap, count);
  parts.fill(0, gap, IPV6_PARTS - tail);
  return IPV6_PARTS;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : -1;
}
