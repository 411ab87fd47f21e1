import type { AccountMisplaced, GatewayState } from '../events/catalogue.ts';

/** A condition that a person must look at. */
export interface Alarm {
  readonly id: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  /** `console` for the console's own. */
  readonly gateway: string;
  readonly code: string;
  readonly text: string;
}

/** A gateway as it last said it is. */
export interface KnownGateway extends GatewayState {
  /** When the console heard of it, ms since the epoch. */
  readonly heardAt: number;
  /** What the gateway's clock showed, ISO 8601 UTC. */
  readonly at: string;
}

/** A worker was killed: records of this time may be missing. Times ISO 8601 UTC. */
export interface HistoryGap {
  readonly gateway: string;
  readonly worker: number;
  readonly from: string;
  readonly until: string;
}

/** Navigations of a school day that were flagged. `category` is empty where none decided. */
export interface FlaggedCount {
  /** `2026-11-23`. */
  readonly day: string;
  readonly level: string;
  readonly category: string;
  readonly verdict: 'allow' | 'block';
  readonly navigations: number;
}

/** What staff are told of an account that was in use where it should not be, or whose name was. */
export function misplacedText({ what, user, addresses, level }: AccountMisplaced): string {
  const where = addresses.join(' and ');
  return what === 'staff-name-among-pupils'
    ? `${user} is a name of staff, and somebody gave it at ${where}, where pupils sit (level ${level}). Ask whether that was they.`
    : `${user} was in use at ${where} at once. Ask whether somebody else knows the password.`;
}
