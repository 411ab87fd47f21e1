import type { LineSink } from './accept-entry.ts';
import { isOneAddress, overlaps, parseRange, rangeText, readRange } from './address-range.ts';

/** A shorter prefix is a large part of all addresses: 1 in 256 of IPv4, 1 in 8,192 of the IPv6 addresses in use. */
const SHORTEST_IPV4 = 8;
const SHORTEST_IPV6 = 16;

// "This network", private, shared, loopback and link-local: a list of the world's addresses has no business there.
const OWN_RANGES = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::/127',
  'fc00::/7',
  'fe80::/10',
].map(readRange);

/** An address or CIDR range; bits of the host part are taken for zero. */
export function parseCidr(text: string, sink: LineSink): void {
  if (/\s/.test(text)) return sink.reject('holds more than one word');
  const range = parseRange(text);
  if (range === null) return sink.reject('is neither an IP address nor a range such as 192.0.2.0/24');
  const shortest = range.parts.length === 2 ? SHORTEST_IPV4 : SHORTEST_IPV6;
  if (range.bits < shortest) return sink.reject(`is wider than /${shortest}, a large part of all addresses`);
  const own = OWN_RANGES.find((one) => overlaps(one, range));
  if (own !== undefined) {
    return sink.reject(`holds addresses of ${rangeText(own)}, which are a school's own: see network.allowDestinations`);
  }
  if (isOneAddress(range)) sink.accept(rangeText(range), null);
  else sink.acceptRange(rangeText(range));
}
