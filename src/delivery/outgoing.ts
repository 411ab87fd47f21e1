import type { Mail } from './mail.ts';

/** How something leaves: over SMTP, as a file in the outbox, or as a signed POST to another system. */
export type Channel = 'mail' | 'outbox' | 'webhook';

/** One thing for one recipient, to be put into the queue. */
export interface Outgoing {
  readonly channel: Channel;
  /** A mail address, or the webhook's URL. */
  readonly recipient: string;
  /** What it tells of, such as `alert:01J…`: the same is never queued twice for one recipient and channel. */
  readonly about: string;
  readonly content: OutgoingMail | OutgoingCall;
}

export type OutgoingMail = Pick<Mail, 'subject' | 'text' | 'html' | 'attachments'>;

/** `body`: JSON text as it is signed and sent. */
export interface OutgoingCall {
  readonly body: string;
}

/** `sending`: claimed; after a crash it may or may not have left, and is sent again under the same id. `failed`: given up. */
export type DeliveryState = 'waiting' | 'sending' | 'sent' | 'failed';

/** One row of the queue. Instants are ms since the epoch. */
export interface QueuedDelivery extends Outgoing {
  /** ULID; the Message-ID and the webhook's delivery id are made of it, so that a copy can be known for one. */
  readonly id: string;
  readonly state: DeliveryState;
  readonly tries: number;
  readonly queuedAt: number;
  readonly nextTryAt: number;
  readonly sentAt: number | null;
  /** Why the last try failed, in a sentence; null: none has. */
  readonly problem: string | null;
}

const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** A mail server may be away over a week-end. */
const GIVE_UP_MS = 3 * 86_400_000;

/** When a delivery that failed for the `tries`th time is tried again, ms since the epoch; null: given up. */
export function nextTry(queuedAt: number, tries: number, now: number): number | null {
  if (now - queuedAt >= GIVE_UP_MS) return null;
  return now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 20));
}
