import type { Problem } from '../../kernel/errors.ts';
import type { SchoolYear } from '../school-years.ts';

/** What somebody is at the school; one person may be several. */
export const SCHOOL_ROLES = ['pupil', 'teacher', 'staff', 'parent'] as const;
export type SchoolRole = (typeof SCHOOL_ROLES)[number];

/** `class`: an account that a class shares. */
export type PersonKind = 'person' | 'class';

/** One file of a roster, as text: UTF-8, with or without byte order mark, with any line ends. */
export interface RosterFile {
  readonly name: string;
  readonly text: string;
}

/** All files of a roster together may have this many bytes; a school of 5,000 needs some 5 MB. */
export const ROSTER_MAX_BYTES = 48 << 20;

/** Somebody as a roster has them. Passwords that stand in it are never read. */
export interface RosterPerson {
  /** The source system's own id. */
  readonly sourceId: string;
  readonly userName: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly kind: PersonKind;
  readonly roles: readonly SchoolRole[];
  /** Of pupils and of class accounts; null: in no school year, or not known. */
  readonly year: SchoolYear | null;
  /** Names of classes that they learn in, and that they teach. Null: this roster does not say. */
  readonly classes: readonly string[] | null;
  readonly teaches: readonly string[] | null;
  /** Null: this roster does not say. */
  readonly groups: readonly string[] | null;
  readonly status: 'active' | 'left';
  readonly file: string;
  readonly line: number;
}

/** Somebody joins or leaves a class, in a roster that says only what has changed. */
export interface ClassMove {
  readonly personId: string;
  readonly className: string;
  readonly as: 'classes' | 'teaches';
  readonly joins: boolean;
}

export const FORMATS = {
  'oneroster-1.1': 'OneRoster 1.1 CSV',
  'oneroster-1.2': 'OneRoster 1.2 CSV',
  'sds-v2.1': 'Microsoft School Data Sync v2.1',
  'sds-uk': 'Microsoft School Data Sync, UK columns',
  plain: 'plain CSV',
} as const;
export type RosterFormat = keyof typeof FORMATS;

/** A roster, read. What has a problem is left out or kept as its sentence says, should a person accept it. */
export interface Roster {
  readonly format: RosterFormat;
  /** Whose ids these are: the format's family, and the system where the roster names one. */
  readonly source: string;
  /** `all`: whoever is not in it has left. `changes`: it speaks only of whom it names. */
  readonly scope: 'all' | 'changes';
  /** Lines could not be read at all: nobody can be said to have left, nor to have left a class. */
  readonly isIncomplete: boolean;
  readonly people: readonly RosterPerson[];
  readonly moves: readonly ClassMove[];
  /** Ids of people whose line could not be used: they are there, so they have not left. */
  readonly unusable: readonly string[];
  /** Class names by the source's ids, of classes that exist. */
  readonly classes: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
  /** What was passed over without harm, one sentence each. */
  readonly notes: readonly string[];
  /** Lines read, all files together. */
  readonly lines: number;
}

/** What the directory knows of a source, for a roster that says only what has changed. */
export interface KnownBefore {
  /** Class names by the source's ids. */
  readonly classes: ReadonlyMap<string, string>;
  /** Ids of people. */
  readonly people: ReadonlySet<string>;
}
