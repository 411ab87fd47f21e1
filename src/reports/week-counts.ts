import type { Span } from './ports.ts';

/** What one row of a table adds up. `allowed` and `refused` are navigations; `people`: different ones, devices where nobody is known. */
export interface Tally {
  /** What was grouped by, as the history has it; null: nothing was known. */
  readonly name: string | null;
  readonly allowed: number;
  readonly refused: number;
  readonly requests: number;
  readonly bytes: number;
  readonly people: number;
}

/** The first of a ranking, and what became of all others: every number is in it once. */
export interface Ranking<Row extends Tally = Tally> {
  readonly top: readonly Row[];
  /** How many there are below the first; their sum where there are any. */
  readonly more: number;
  readonly others: Tally | null;
  /** What pages bring along by themselves, counted apart; null: nothing, or not asked. */
  readonly apart: Tally | null;
  readonly total: Tally;
}

/** A site; `locked`: listed as illegal, never shown. */
export interface SiteTally extends Tally {
  readonly locked: boolean;
  /** Why it was refused: each reason with the category that it had. */
  readonly why: readonly { readonly reason: string; readonly category: string | null }[];
}

/** What one person or device got. */
export interface VolumeTally extends Tally {
  readonly sites: number;
  /** Where most of it came from; null: nowhere with a name. */
  readonly mostFrom: string | null;
  readonly mostBytes: number;
}

/** One person (or device) at one site. */
export interface PairTally extends Tally {
  readonly site: string | null;
}

/** What happened in the hour that begins `from` (ms), counted from the span's begin. `refused`: navigations. */
export interface HourCount {
  readonly from: number;
  readonly requests: number;
  readonly navigations: number;
  readonly refused: number;
}

/** Faults of our own that refused requests, by worker. Times ms since the epoch. */
export interface FaultCount {
  readonly gateway: string;
  readonly worker: number;
  readonly requests: number;
  readonly first: number;
  readonly last: number;
}

/** A search that could be read. */
export interface SearchCount {
  readonly term: string;
  readonly times: number;
  readonly people: number;
}

/** One span of the access history, counted. Bounded, whatever the history holds. */
export interface WeekCounts {
  readonly span: Span;
  readonly hours: readonly HourCount[];
  readonly faults: readonly FaultCount[];
  readonly all: Tally;
  /** Navigations an adult should know of. */
  readonly flagged: number;
  /** People who had signed in. */
  readonly signedIn: number;
  readonly unidentified: Tally;
  /** Requests of which nothing but the site's name was visible. */
  readonly tunnels: number;
  /** Tunnels whose end was never recorded: their bytes are not in any sum. */
  readonly withoutEnd: number;
  readonly levels: readonly Tally[];
  /** By school year, youngest first; null: people in none, and devices. */
  readonly years: readonly Tally[];
  readonly categories: readonly Tally[];
  readonly identities: readonly Tally[];
  /** Of refused requests. */
  readonly reasons: readonly Tally[];
  readonly sites: Ranking<SiteTally>;
  readonly refusedSites: Ranking<SiteTally>;
  readonly circumvention: Ranking<SiteTally>;
  readonly unidentifiedDevices: Ranking;
  readonly volumes: Ranking<VolumeTally>;
  readonly pairs: Ranking<PairTally>;
  readonly searches: {
    readonly top: readonly SearchCount[];
    /** Different ones below the first, and how often these were asked. */
    readonly more: number;
    readonly moreTimes: number;
    readonly times: number;
  };
}

/** What a count is told besides the span. */
export interface CountSettings {
  /** Categories that a page brings along by itself. */
  readonly background: readonly string[];
  /** Categories of ways round the filter. */
  readonly circumvention: readonly string[];
  /** School years in words by canonical user name: `Year 9`. */
  readonly years: Readonly<Record<string, string>>;
}
