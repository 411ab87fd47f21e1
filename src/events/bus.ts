import type { LiveSnapshot, PolicySnapshot } from '../policy/snapshot.ts';

/** What the bus carries between gateways and the console. Two adapters (folder, Redis) pass one test suite. */

/** An event on its way up. `json` is the envelope as the gateway wrote it. */
export interface ArrivedEvent {
  readonly json: string;
  /** Where it stands in its gateway's spool: file and byte offset just after the line. */
  readonly file: string;
  readonly end: number;
}

/** A closed history segment on its way up: NDJSON, zstd-compressed, at most 1 MB. */
export interface ArrivedSegment {
  /** Unique and stable: `<gateway>-<worker>-<ulid>`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The console's end, upward. */
export interface UpwardConsumer {
  /**
   * Delivers events in order per spool file, from the first that was not committed. A handler commits its effect and then
   * resolves; the position moves on after that. A handler that rejects gets the same event again, after a pause.
   */
  start(handlers: {
    event(event: ArrivedEvent): Promise<void>;
    segment(segment: ArrivedSegment): Promise<void>;
  }): Promise<void>;
  close(): Promise<void>;
}

export type SnapshotKind = 'policy' | 'live';
export interface SnapshotBodies {
  policy: PolicySnapshot;
  live: LiveSnapshot;
}

/** A snapshot as it travels down: `body` is the JSON text that was signed together with kind and serial. */
export interface SignedSnapshot<K extends SnapshotKind = SnapshotKind> {
  readonly kind: K;
  readonly serial: number;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly body: string;
  /** Ed25519 over kind, serial, at and body; base64. */
  readonly signature: string;
}

/** The console's end, downward. */
export interface SnapshotPublisher {
  publish(snapshot: SignedSnapshot): Promise<void>;
  close(): Promise<void>;
}

/** A gateway's end, downward: tells of every snapshot it finds or is sent, also after a reconnect. Checking is the receiver's. */
export interface SnapshotFeed {
  start(onSnapshot: (snapshot: SignedSnapshot) => void): Promise<void>;
  close(): Promise<void>;
}
