import type { Subjects } from '../identity/conflict-of-interest.ts';
import type { Severity, Theme } from '../policy/safeguarding-rules.ts';

/** What makes an alert due: a concern is new, got worse, or has happened again. */
export interface AlertDue {
  /** Of the alert as well: what is due twice is told once. */
  readonly id: string;
  readonly concernId: string;
  readonly theme: Theme;
  readonly severity: Severity;
  readonly why: 'opened' | 'raised' | 'again';
  /** Ms since the epoch. */
  readonly at: number;
  readonly subjects: Subjects;
  /** As people call the subject: a full name, or a device's address. */
  readonly subjectName: string;
  readonly level: string;
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
