import type { IdentifiedBy } from '../kernel/identified.ts';
import type { Action, Reason, Step } from '../policy/verdict.ts';

/** One request or tunnel, however it ended. The line that stands in history segments, and the payload of access events. */
export interface AccessRecord {
  /** ULID. */
  readonly id: string;
  /** When it began, ISO 8601 UTC. */
  readonly at: string;
  readonly gateway: string;
  readonly worker: number;
  readonly client: string;
  readonly user: string | null;
  readonly identified: IdentifiedBy;
  /** `class`: `user` is an account that a class shares, and names nobody. */
  readonly account?: 'class';
  readonly level: string;
  /** HTTP method, or CONNECT. */
  readonly method: string;
  /** Canonical URL; `host:port` for CONNECT; null when locked, or when there is no canonical form. */
  readonly target: string | null;
  /** Canonical host, or null as above. */
  readonly host: string | null;
  readonly verdict: 'allow' | 'block';
  readonly action: Action;
  readonly reason: Reason;
  readonly step: Step;
  readonly category: string | null;
  readonly categories: readonly string[];
  readonly lists: readonly string[];
  readonly flagged: boolean;
  readonly locked: boolean;
  readonly rule: string | null;
  readonly policy: string;
  readonly serial: number;
  /** Status sent to the client; 0 when none could be sent. */
  readonly status: number;
  /** Payload bytes from the client to the upstream, and back. */
  readonly up: number;
  readonly down: number;
  /** Duration in ms. */
  readonly ms: number;
  /** The safe address that was connected to in place of `host` (SafeSearch, YouTube's restricted mode). */
  readonly retarget?: string;
  /** TLS server name where it was seen, and whether the hello asked for Encrypted Client Hello. */
  readonly sni?: string;
  readonly ech?: boolean;
  /** How it ended where that was not plainly: RFC 9209 error type or one of ours, such as `client_aborted`, `cut`. */
  readonly error?: string;
}

/** A record as the history keeps it. */
export interface KeptRecord extends Omit<AccessRecord, 'id'> {
  /** Null once nothing can refer to it any more. */
  readonly id: string | null;
}

/** What is told of a listed illegal target that was asked for. */
export interface IllegalHitRecord extends AccessRecord {
  /** HMAC-SHA-256 of the target under the installation's key, hex: tells whether two hits were of the same target. */
  readonly mark?: string;
  /** The target, sealed to the school's evidence key (see `evidence-seal`), base64; absent where there is none. */
  readonly sealed?: string;
}
