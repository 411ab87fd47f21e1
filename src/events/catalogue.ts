import type { AccessRecord, IllegalHitRecord } from './access-record.ts';

/** One event as it travels: `data` is the payload of its type and version. */
export interface EventEnvelope<T extends EventType = EventType> {
  /** ULID. An id may arrive twice; its effect happens once. */
  readonly id: string;
  readonly type: T;
  readonly v: number;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly data: EventPayloads[T];
}

/** Payload by event type. */
export interface EventPayloads {
  /** A flagged refusal. Owner: gateway. */
  'access.blocked': AccessRecord;
  /** Allowed, but an adult should know (monitor). Owner: gateway. */
  'access.flagged': AccessRecord;
  /** A listed illegal target was asked for; never carries the target. Owner: gateway. */
  'illegal.hit': IllegalHitRecord;
  /** Something in the gateway went wrong while deciding; the request was refused. Owner: gateway. */
  fault: { readonly gateway: string; readonly worker: number; readonly what: string; readonly record: AccessRecord };
  /** A condition that a person must look at. Owner: gateway. */
  alarm: { readonly gateway: string; readonly code: AlarmCode; readonly text: string };
  /** A worker was killed: records of this time span may be missing. Owner: gateway (supervisor). */
  'history.gap': { readonly gateway: string; readonly worker: number; readonly from: string; readonly until: string };
  /** Accounts whose credentials came with requests in the last minute, and from where. Owner: gateway (supervisor). */
  'accounts.active': {
    readonly gateway: string;
    readonly seen: readonly { readonly user: string; readonly address: string }[];
  };
  /** An account in use where it should not be. Owner: identity (console). */
  'account.misplaced': AccountMisplaced;
  /** Signed-in devices that were in use in the last minute; none of them is news as well. Owner: gateway (supervisor). */
  'devices.active': { readonly gateway: string; readonly addresses: readonly string[] };
  /** How a gateway is, once a minute. Owner: gateway (supervisor). */
  'gateway.state': GatewayState;
}

export interface GatewayState {
  readonly gateway: string;
  readonly workers: number;
  /** Of them, those that give a sign of life. */
  readonly up: number;
  /** Of the oldest policy that one of them enforces; 0: none is up. */
  readonly serial: number;
}

/** An account was in use where it should not be. */
export interface AccountMisplaced {
  readonly what: 'staff-name-among-pupils' | 'account-at-two-places';
  /** Canonical user name. */
  readonly user: string;
  readonly addresses: readonly string[];
  /** Of the range of addresses; null: that is not the point. */
  readonly level: string | null;
}

export type EventType = keyof EventPayloads;

export type AlarmCode =
  | 'worker-crash-loop'
  | 'worker-stuck'
  | 'snapshot-refused'
  | 'question-refused'
  | 'answer-refused'
  | 'index-not-taken'
  | 'index-damaged'
  | 'canary-not-refused'
  | 'clock-stepped-back'
  | 'list-from-last-good'
  | 'list-not-fetched'
  | 'list-grew'
  | 'policy-invalid'
  | 'policy-differs'
  | 'policy-emergency'
  | 'roster-refused'
  | 'disk-refuses'
  | 'backup-failed'
  | 'retention-failed'
  | 'audit-broken'
  | 'console-down'
  | 'gateways-silent'
  | 'heartbeat-missing'
  | 'self-test-failed'
  | 'check-overdue'
  | 'delivery-failing';

/** Current version of each event's payload. A consumer parks an event of a newer version instead of guessing. */
export const EVENT_VERSIONS: Readonly<Record<EventType, number>> = {
  'access.blocked': 1,
  'access.flagged': 1,
  'illegal.hit': 1,
  fault: 1,
  alarm: 1,
  'history.gap': 1,
  'accounts.active': 1,
  'account.misplaced': 1,
  'devices.active': 1,
  'gateway.state': 1,
};
