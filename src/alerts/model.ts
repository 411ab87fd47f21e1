import type { Subjects } from '../identity/conflict-of-interest.ts';
import type { Severity, Theme } from '../policy/safeguarding-rules.ts';

/** What an alert tells of, as the record of acts calls it. */
export type AlertAbout = `concern:${string}` | `incident:${string}`;

/** The id of what an alert tells of, where it is of this kind; null: of another. */
export function idOf(about: AlertAbout, kind: 'concern' | 'incident'): string | null {
  return about.startsWith(`${kind}:`) ? about.slice(kind.length + 1) : null;
}

/** What makes an alert due: a concern is new, got worse, or has happened again; or somebody has reported something at the front desk. */
export interface AlertDue {
  /** Of the alert as well: what is due twice is told once. */
  readonly id: string;
  readonly about: AlertAbout;
  /** Null: a report, which nobody has read yet. */
  readonly theme: Theme | null;
  readonly severity: Severity;
  readonly why: 'opened' | 'raised' | 'again' | 'reported';
  /** Ms since the epoch. */
  readonly at: number;
  readonly subjects: Subjects;
  /** As people call the subject: a full name, or a device's address; of a report where it came from. */
  readonly subjectName: string;
  /** Null: of a report nobody knows yet. */
  readonly level: string | null;
  /** Classes and groups of the subject. */
  readonly groups: readonly string[];
}

/** An alert on record. Instants are ms since the epoch. */
export interface Alert extends AlertDue {
  /** The route that was followed. */
  readonly rule: string;
  /** When the next people are told, unless somebody takes notice first; null: there is nobody further. */
  readonly nextStepAt: number | null;
  readonly noticed: { readonly by: string; readonly at: number } | null;
}

/** Somebody who was told. */
export interface Told {
  readonly personId: string;
  /** 0: at once; each further one because nobody before had taken notice. */
  readonly step: number;
  readonly at: number;
  /** Of the mail; the same for people who share a mailbox. */
  readonly deliveryId: string;
}
