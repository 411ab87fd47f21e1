import { canonicalAddress } from '../kernel/ip.ts';
import { hostText, originText, parseAuthority } from '../kernel/url.ts';

/** What is known of the way a request came to the front desk. */
export interface Arrival {
  /** SCHOOLGATE_PUBLIC_URL. */
  readonly publicUrl: string | null;
  /** The Host field as the client sent it. */
  readonly hostField: string | undefined;
  readonly isTls: boolean;
  /** Where the connection ended on our side; undefined when it came through the gateway. */
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** What the proxy listens on (SCHOOLGATE_PROXY_HOST). */
  readonly proxyHost: string;
}

/** How this client reaches this machine: the host to name for the proxy, and the front desk's own origin. */
export interface Place {
  readonly host: string;
  readonly deskOrigin: string | null;
}

/** The name under which the gateway hands requests to the front desk: it leads nowhere without the proxy. */
const INNER_NAME = 'schoolgate.internal';

/** The first that is known: the public address, the host this client used, the address its connection ended at, the proxy's own. */
export function placeOf(arrival: Arrival): Place | null {
  if (arrival.publicUrl !== null) {
    const url = new URL(arrival.publicUrl);
    return { host: url.hostname, deskOrigin: url.origin };
  }
  return byHostField(arrival) ?? byConnection(arrival) ?? byListener(arrival);
}

function byHostField({ hostField, isTls }: Arrival): Place | null {
  const place = placeAt(hostField ?? '', isTls);
  return place?.host === INNER_NAME ? null : place;
}

function byConnection({ localAddress, localPort, isTls }: Arrival): Place | null {
  const host = hostOfAddress(localAddress ?? '');
  return host === null ? null : placeAt(`${host}:${localPort}`, isTls);
}

function placeAt(authority: string, isTls: boolean): Place | null {
  const read = parseAuthority(authority, isTls ? 443 : 80);
  if (read === null) return null;
  return { host: hostText(read.host), deskOrigin: originText(isTls ? 'https' : 'http', read.host, read.port) };
}

function byListener({ proxyHost }: Arrival): Place | null {
  const isAnyAddress = proxyHost === '0.0.0.0' || canonicalAddress(proxyHost) === '::';
  return isAnyAddress ? null : { host: hostOfAddress(proxyHost) ?? proxyHost, deskOrigin: null };
}

function hostOfAddress(text: string): string | null {
  const address = canonicalAddress(text);
  if (address === null) return null;
  return address.includes(':') ? `[${address}]` : address;
}
