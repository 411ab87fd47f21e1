import type { AgreementRules } from '../identity/agreements/agreement.ts';
import type { AlertRules } from './alert-rules.ts';
import type { Renewal } from '../identity/credentials.ts';
import type { DeviceSession } from '../identity/signed-in-devices.ts';
import type { RosterLevels, Suspension } from '../identity/directory-snapshot.ts';
import type { ReportTimes } from './report-times.ts';
import type { RetentionRules } from './retention-rules.ts';
import type { SafeguardingRules } from './safeguarding-rules.ts';
import type { TopicPack } from './topics.ts';
import type { Action } from './verdict.ts';

/** Minutes of a day on the school's clock, `from` inclusive to `to` exclusive, counted from local midnight. */
export interface DayWindow {
  /** On which days it begins: 0 Monday … 6 Sunday. */
  readonly days: readonly number[];
  readonly from: number;
  /** Above 1440: it goes on after midnight, and belongs to the day on which it began. */
  readonly to: number;
  /** On which dates it may begin; left out: on any. `holidays` are all that are not term time. */
  readonly on?: 'term-time' | 'holidays' | readonly DateRange[];
  /** The word it was written as, such as `lunch`. */
  readonly word?: string;
}

/** Dates such as `2026-11-22`, both included. */
export interface DateRange {
  readonly from: string;
  readonly to: string;
}

/** The school's year and day. */
export interface Calendar {
  readonly terms: readonly (DateRange & { readonly name: string })[];
  /** Days in a term without school: half-terms, bank holidays, INSET days. */
  readonly holidays: readonly (DateRange & { readonly name: string })[];
  /** Lessons, breaks and their like, on days of `term-time`. `word`: the slot's name. */
  readonly slots: readonly (DayWindow & { readonly word: string })[];
}

/** What holds at certain times, at certain places or both, over what holds otherwise. */
export interface TimedRules {
  readonly name: string;
  /** Such as `levels/ks2.yaml#times.Games at lunch`. */
  readonly rule: string;
  readonly when: readonly DayWindow[];
  /** CIDRs of the places it holds at; left out: everywhere. */
  readonly where?: { readonly places: readonly string[]; readonly cidrs: readonly string[] };
  /** Nothing may be opened then. */
  readonly closed: boolean;
  readonly entries: Entries;
  readonly categories: Readonly<Record<string, { readonly action: Action; readonly rule: string }>>;
  readonly uncategorised?: { readonly action: Action; readonly rule: string };
}

/** Written entries compiled for look-up: canonical host → rule, and host → path prefixes (longest first). */
export interface Entries {
  /** `entry` is a host (itself and all under it), or host + path prefix on a segment boundary. */
  readonly allow: readonly Entry[];
  readonly block: readonly Entry[];
}

export interface Entry {
  /** Canonical host, or a range of addresses such as `203.0.113.0/24`. */
  readonly host: string;
  /** Canonical path prefix, or null for the whole host. */
  readonly path: string | null;
  readonly rule: string;
}

/** One level with inheritance resolved: nothing is looked up in a parent at run time. */
export interface CompiledLevel {
  readonly name: string;
  readonly title: string;
  /** How the block page speaks: to a young child, a teenager or an adult. */
  readonly voice: 'child' | 'teen' | 'adult';
  /** Action for each known category, with the rule that says so. */
  readonly categories: Readonly<Record<string, { readonly action: Action; readonly rule: string }>>;
  readonly uncategorised: { readonly action: Action; readonly rule: string };
  readonly entries: Entries;
  /** Path suffixes refused on plain HTTP, such as `.exe`; canonical lower-case, with the dot. */
  readonly downloads: { readonly extensions: readonly string[]; readonly rule: string } | null;
  /** When this level may use the web at all; null: always. */
  readonly hours: { readonly windows: readonly DayWindow[]; readonly rule: string } | null;
  /** Of several in force at once the later one counts. Left out where there are none. */
  readonly times?: readonly TimedRules[];
  /**
   * Whether search engines are connected to at their safe addresses, and how far YouTube is restricted. `rule` null: nobody
   * says, so the strictest holds. Absent in policies compiled before there were these settings, which means the same.
   */
  readonly safeSearch?: { readonly value: 'on' | 'off'; readonly rule: string | null };
  readonly youtube?: { readonly value: 'strict' | 'moderate' | 'off'; readonly rule: string | null };
}

/** What one person's own rules say. */
export interface PersonRules {
  readonly suspended: { readonly until: number | null; readonly rule: string } | null;
  readonly entries: Entries;
  readonly times?: readonly TimedRules[];
}

/** What a class's or group's rules say. */
export interface GroupRules {
  readonly entries: Entries;
  readonly categories: Readonly<Record<string, { readonly action: Action; readonly rule: string }>>;
  readonly times?: readonly TimedRules[];
}

export interface CategoryTraits {
  readonly title: string;
  readonly locked: boolean;
  /** Whether a refusal is worth an adult's eye. */
  readonly flag: boolean;
  /** An unblock of it needs the safeguarding lead as well. Left out where it does not. */
  readonly highRisk?: true;
}

/** What pages about illegal material say in place of our heading and sentences, in every voice. Plain text. */
export interface IllegalWording {
  readonly csam?: SplashText;
  readonly terrorism?: SplashText;
}

export interface SplashText {
  readonly heading: string;
  /** A paragraph each. */
  readonly text: readonly string[];
}

/** The compiled policy: immutable, without secrets, the same bytes for the same documents. Travels as JSON in a signed snapshot. */
export interface PolicySnapshot {
  /** Hex SHA-256 of the canonical JSON of all the rest. */
  readonly hash: string;
  readonly school: string;
  /** IANA zone, such as Europe/London. */
  readonly timeZone: string;
  /** Left out where the school has none, also by a console that knew no such setting yet. */
  readonly calendar?: Calendar;
  readonly levels: Readonly<Record<string, CompiledLevel>>;
  /** For whoever is not identified. */
  readonly strictestLevel: string;
  readonly categories: Readonly<Record<string, CategoryTraits>>;
  readonly never: readonly Entry[];
  readonly people: Readonly<
    Record<string, { readonly level: string; readonly groups: readonly string[]; readonly rules: PersonRules | null }>
  >;
  readonly groups: Readonly<Record<string, GroupRules>>;
  readonly lessons: readonly LessonList[];
  readonly identity: {
    readonly mode: 'open' | 'challenge';
    /** Address ranges and fixed devices: the weakest way to know a level. Longest prefix wins. */
    readonly ranges: readonly { readonly cidr: string; readonly level: string; readonly name: string }[];
    /** CIDRs of addresses that several people use at once (NAT, terminal servers): nobody can be signed in there by address. */
    readonly shared?: readonly string[];
    /** When sign-ins by address end, minutes after local midnight; left out: `DAY_ENDS`. */
    readonly schoolDayEnds?: number;
    /** Levels whose log-in cards stay with the teacher, so that their passwords go on; left out: `ks1`. */
    readonly keepCards?: readonly string[];
    /** Levels of people whom a roster names; only such as there are. Left out by a console that knew no directory yet. */
    readonly levels?: RosterLevels;
  };
  readonly network: {
    readonly clients: readonly string[];
    readonly allowDestinations: readonly string[];
    readonly connectPorts: readonly { readonly port: number; readonly tls: boolean }[];
    readonly httpPorts: readonly number[];
    /** Concurrent connections of one client address, over the whole gateway. */
    readonly connectionsPerClient: number;
    /** Concurrent connections of all clients, over the whole gateway. */
    readonly connections: number;
  };
  /**
   * Whom a block page tells a pupil to go to, and how staff can be reached. Shown to everyone. `incidents`: who is told of something
   * illegal; the console reads it.
   */
  readonly contacts: {
    readonly pupils: string;
    readonly staff: string;
    readonly incidents?: {
      readonly police?: string;
      readonly iwf?: string;
      readonly lado?: string;
      readonly ceop?: string;
      readonly school?: string;
    };
  };
  /** `tighteningAlone`: one person may publish what only closes something for pupils. Left out: every change takes two. */
  readonly changes?: { readonly tighteningAlone: true };
  /** How long data is kept, for the console alone. Left out: as long as by default. */
  readonly retention?: RetentionRules;
  /** Left out: nobody is asked for an agreement. */
  readonly agreements?: AgreementRules;
  /** What requests for an unblock may start from. The console reads it; gateways make nothing of it. Left out where there are none. */
  readonly topics?: readonly TopicPack[];
  /** Left out, also by a console that knew no such setting yet: our own words. */
  readonly illegal?: IllegalWording;
  /** How the filter is checked, for the console alone. Left out: as shipped. */
  readonly checks?: {
    /** How often people check. */
    readonly everyDays?: number;
    /** A site that stands for a category, in place of ours. */
    readonly refused?: Readonly<Record<string, string>>;
    /** Sites that every level must reach, besides ours. */
    readonly open?: readonly string[];
  };
  /** When reports are made, for the console alone. Left out: as shipped. */
  readonly reports?: ReportTimes;
  /** What makes a concern, for the console alone. Left out: nothing does. */
  readonly safeguarding?: SafeguardingRules;
  /** Left out, also by a console that knew no such setting yet: as shipped. */
  readonly alerts?: AlertRules;
}

/** "Only these sites, this hour" for a class. Instants in ms since the epoch. */
export interface LessonList {
  readonly id: string;
  readonly group: string;
  readonly from: number;
  readonly until: number;
  readonly sites: readonly Entry[];
  readonly rule: string;
}

/** A site opened for a topic, for a time: approved, and in force from `from` (inclusive) to `until` (exclusive), ms since the epoch. */
export interface Grant {
  readonly id: string;
  readonly topic: string;
  readonly hosts: readonly string[];
  readonly categories: readonly string[];
  /** Whom it is for; each list that is not empty is one way to be meant. */
  readonly levels: readonly string[];
  readonly people: readonly string[];
  /** Classes and groups by name. Left out by a console that knew no such unblocks yet. */
  readonly groups?: readonly string[];
  /** CIDRs. */
  readonly ranges: readonly string[];
  readonly from: number;
  readonly until: number;
  /** Names of the calendar's slots: only in these, such as `lessons`. Left out: all day. */
  readonly during?: readonly string[];
  /** Approved by the DSL, naming persons: the only kind that passes a person's own block. */
  readonly passesPersonBlock: boolean;
}

/** "Only these sites, this hour", as a teacher gave it: in force from `from` (inclusive) to `until` (exclusive), ms since the epoch. */
export interface TeacherLesson {
  readonly id: string;
  /** Whom it binds: classes and groups, and people by canonical user name. */
  readonly groups: readonly string[];
  readonly people: readonly string[];
  /** Canonical hosts; each stands for itself and everything under it. */
  readonly hosts: readonly string[];
  readonly from: number;
  readonly until: number;
}

/** What changes by the minute. */
export interface LiveSnapshot {
  /** Unblocks in force or to come. */
  readonly grants: readonly Grant[];
  /** Who is signed in where. Left out by a console that knew no such sessions yet. */
  readonly sessions?: readonly DeviceSession[];
  /** What targets of illegal hits are sealed to: an X25519 public key, base64. Absent before there is one. */
  readonly evidenceKey?: string;
  /** Who may use nothing. Left out by a console that knew no directory yet. */
  readonly suspensions?: readonly Suspension[];
  /** Teachers' lesson lists in force or to come. Left out by a console that knew none yet. */
  readonly lessons?: readonly TeacherLesson[];
  /** Accounts of which something has changed lately. Left out by a console that knew no such changes yet. */
  readonly renewals?: readonly Renewal[];
}
