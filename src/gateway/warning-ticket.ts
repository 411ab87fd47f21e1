import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AccessRecord } from '../events/access-record.ts';
import type { Clock } from '../kernel/clock.ts';
import { originText, parseAuthority } from '../kernel/url.ts';

/** A warning as it was given: to whom, and what it was about. */
export interface GivenWarning {
  /** Canonical address it was shown to. */
  readonly client: string;
  /** Canonical user name, or null. */
  readonly user: string | null;
  /** Canonical. */
  readonly host: string;
  readonly category: string | null;
  /** The very page that was judged; of an https site its front page, because more cannot be seen. */
  readonly url: string;
  /** Ms since the epoch. */
  readonly at: number;
}

/** What a button “go on” carries: a warning under a seal, so that nobody can make one up or turn it into another. */
export interface WarningTickets {
  make(warning: GivenWarning): string;
  /** Null unless it is one of ours and not older than an hour. */
  read(ticket: string): GivenWarning | null;
}

/** As long as “why was I blocked?” looks back, ms. */
const GOOD_FOR_MS = 3_600_000;
/** Longer than that of the longest address. */
const MOST_CHARACTERS = 32_768;

/** `key`: random bytes that worker and front desk of one gateway share. */
export function createWarningTickets(key: Buffer, clock: Clock): WarningTickets {
  const sealOf = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  return {
    make: (warning) => {
      const text = Buffer.from(JSON.stringify(warning)).toString('base64url');
      return `${text}.${sealOf(text).toString('base64url')}`;
    },
    read: (ticket) => {
      if (ticket.length > MOST_CHARACTERS) return null;
      const [text = '', seal = ''] = ticket.split('.', 2);
      const [found, right] = [Buffer.from(seal, 'base64url'), sealOf(text)];
      if (found.length !== right.length || !timingSafeEqual(found, right)) return null;
      const warning = JSON.parse(Buffer.from(text, 'base64url').toString()) as GivenWarning;
      return clock() - warning.at < GOOD_FOR_MS ? warning : null;
    },
  };
}

/**
 * The warning that a record is of; null where it is of something else, or where another name of the connection was warned of
 * than the one asked for.
 */
export function warningOf(record: AccessRecord): GivenWarning | null {
  const { verdict, action, locked, client, user, host, category, method, target, sni } = record;
  if (verdict !== 'block' || action !== 'warn' || locked || host === null || target === null) return null;
  if (sni !== undefined && sni !== host) return null;
  const url = method === 'CONNECT' ? frontPage(target) : target;
  return url === null ? null : { client, user, host, category, url, at: Date.parse(record.at) };
}

/** Of `host:port`, as a browser would open it. */
function frontPage(target: string): string | null {
  const place = parseAuthority(target, null);
  return place && `${originText(place.port === 80 ? 'http' : 'https', place.host, place.port)}/`;
}
