import type { CountSettings, WeekCounts } from './week-counts.ts';

/** Counts a span of the access history, and tells what of it could not be read. */
export type CountSpan = (span: Span, settings: CountSettings) => Promise<CountedSpan>;

export interface CountedSpan {
  readonly counts: WeekCounts;
  readonly unreadable: readonly UnreadableStretch[];
}

/** `from` inclusive, `until` exclusive; ms since the epoch. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

export interface UnreadableStretch {
  readonly segment: string;
  /** Records of it that could be read and are counted. */
  readonly read: number;
  readonly reason: string;
}

/** One unblock that was asked for or in force in the span. Times ISO 8601 UTC. */
export interface UnblockOfWeek {
  readonly topic: string;
  readonly reason: string;
  readonly hosts: readonly string[];
  readonly from: string;
  readonly until: string;
  readonly requestedBy: string;
  /** Who approved or refused; null where nobody has. */
  readonly decidedBy: string | null;
  /** As the unblock room calls it, such as `in force`, or `expired. 12 people, 40 visits, 1 flagged`. */
  readonly state: string;
}

export type ReadUnblocks = (span: Span) => readonly UnblockOfWeek[] | Promise<readonly UnblockOfWeek[]>;

/** What the console knows of the span besides the records. */
export interface WeekStatus {
  /** Null where the policy has none. */
  readonly school: string | null;
  readonly schoolTime: SchoolTime;
  readonly alarms: readonly {
    readonly at: string;
    readonly gateway: string;
    readonly code: string;
    readonly text: string;
  }[];
  /** Spans in which a worker was killed, so that records may be missing. */
  readonly gaps: readonly {
    readonly gateway: string;
    readonly worker: number;
    readonly from: string;
    readonly until: string;
  }[];
  /** How the record of acts ended when the report was made; null: it is empty. */
  readonly auditHead: { readonly seq: number; readonly hash: string } | null;
  readonly illegalListLoaded: boolean;
  /** Why it is not known which lists are in force; null: it is. */
  readonly listsProblem: string | null;
  /** Every list in force; `loadedAt` ISO 8601 UTC. */
  readonly lists: readonly {
    readonly id: string;
    readonly category: string;
    readonly entries: number;
    readonly loadedAt: string;
    readonly fromLastGood: boolean;
  }[];
  /** Versions of the policy that were published in the span, oldest first; `at` ISO 8601 UTC. */
  readonly policyChanges: readonly {
    readonly at: string;
    /** In plain English, a sentence each. */
    readonly changes: readonly string[];
    readonly reason: string;
    /** Who proposed and who agreed. */
    readonly by: string;
  }[];
  /** School years of pupils in words, by canonical user name, as the directory stands: `Year 9`. */
  readonly years: Readonly<Record<string, string>>;
  /** What the policy calls ways round the filter. */
  readonly circumvention: readonly string[];
  /** Titles of categories by id, as people read them. */
  readonly categoryTitles: Readonly<Record<string, string>>;
}

export type ReadStatus = (span: Span) => WeekStatus | Promise<WeekStatus>;

/** When records are expected. */
export interface SchoolTime {
  /** `days`: 0 Monday … 6 Sunday; `from` to `until`: minutes from local midnight. */
  readonly windows: readonly { readonly days: readonly number[]; readonly from: number; readonly to: number }[];
  /** Holidays and other closed days, `2026-12-21`, both included. */
  readonly closed: readonly { readonly from: string; readonly until: string }[];
}

/** Where a school has not said otherwise: Monday to Friday, nine to three. */
export const USUAL_SCHOOL_TIME: SchoolTime = {
  windows: [{ days: [0, 1, 2, 3, 4], from: 9 * 60, to: 15 * 60 }],
  closed: [],
};
