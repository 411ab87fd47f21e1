import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';

/** What a ticket says: this person has just proved at this address who they are, and may now do one thing. */
export interface TicketFacts {
  readonly for: 'password' | 'agreement';
  readonly personId: string;
  /** Canonical. */
  readonly address: string;
  /** Which password it was, by the instant it was given. */
  readonly passwordAt: number;
}

/** Lets somebody do the next step of signing in without typing their password again. */
export interface Tickets {
  make(facts: TicketFacts): string;
  /** What a ticket says; null unless it was made here for this purpose and address, not long ago. */
  read(ticket: string, purpose: TicketFacts['for'], address: string): TicketFacts | null;
}

/** How long somebody may read and type before they must sign in again, ms. */
export const TICKET_MS = 15 * 60_000;
const MAX_TICKET = 1000;

/** Nothing is kept: a ticket carries what it says and its seal. `key`: random, for this run of the console. */
export function createTickets(key: Buffer, clock: Clock): Tickets {
  const seal = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  return {
    make: (facts) => {
      const text = Buffer.from(JSON.stringify({ ...facts, until: clock() + TICKET_MS })).toString('base64url');
      return `${text}.${seal(text)}`;
    },
    read: (ticket, purpose, address) => {
      const parts = ticket.length > MAX_TICKET ? null : /^([\w-]+)\.([\w-]+)$/.exec(ticket);
      if (parts === null || !isSame(parts[2]!, seal(parts[1]!))) return null;
      const found = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString()) as TicketFacts & { until: number };
      const isGood = found.for === purpose && found.address === address && clock() < found.until;
      return isGood ? found : null;
    },
  };
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
