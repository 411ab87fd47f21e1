/** The same person, host and verdict within this time, ms, is one navigation: a page is many requests (contract, "A verdict"). */
export const NAVIGATION_MS = 10_000;

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
