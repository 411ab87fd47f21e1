import type { KeyObject } from 'node:crypto';
import type { IndexSnapshot } from '../categories/index-snapshot.ts';
import type { DirectorySnapshot } from '../identity/directory-snapshot.ts';
import type { Clock } from '../kernel/clock.ts';
import type { LiveSnapshot, PolicySnapshot } from '../policy/snapshot.ts';
import type { AlarmCode } from './catalogue.ts';

/** What the bus carries between gateways and the console. Two adapters (folder, Redis) pass one test suite. */

/** An event on its way up. `json` is the envelope as the gateway wrote it. */
export interface ArrivedEvent {
  readonly json: string;
  /** Where it stands in its gateway's spool: file and byte offset just after the line. */
  readonly file: string;
  readonly end: number;
}

/** Events in one batch: enough that a commit costs little of each, few enough that nobody waits long for one. */
export const MOST_AT_ONCE = 500;

/** A closed history segment on its way up: NDJSON, zstd-compressed, at most 1 MB. */
export interface ArrivedSegment {
  /** Unique and stable: `<gateway>-<worker>-<ulid>`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The console's end, upward. */
export interface UpwardConsumer {
  /**
   * Delivers events in order per spool file, from the first that was not committed: in batches, each of 1 to `MOST_AT_ONCE`
   * events that follow each other in one file. A handler commits its effects, all together, and then resolves; the position
   * moves on after that. One that rejects has committed none of them and gets the same batch or segment again, after a
   * pause, and nothing of that worker in between; saying why it rejected is its own matter. Either may come twice (after
   * a crash, or when the bus lost data), a batch then cut differently: an event's id and a segment's name tell.
   */
  start(handlers: {
    events(batch: readonly ArrivedEvent[]): Promise<void>;
    segment(segment: ArrivedSegment): Promise<void>;
  }): Promise<void>;
  close(): Promise<void>;
}

export const SNAPSHOT_KINDS = ['policy', 'people', 'live', 'index'] as const;
export type SnapshotKind = (typeof SNAPSHOT_KINDS)[number];
export interface SnapshotBodies {
  policy: PolicySnapshot;
  /** Who belongs to the school, by its rosters: large, and changed once a day at most. */
  people: DirectorySnapshot;
  live: LiveSnapshot;
  /** Describes files; their bytes travel by themselves. */
  index: IndexSnapshot;
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

/**
 * The console's end, downward. An index is published after its files' chunks, so that whoever hears of it can have them. Resolves
 * when it is on the bus, and waits for a bus that is away. Rejects when the console is stopping or the files are not there any more.
 */
export interface SnapshotPublisher {
  publish(snapshot: SignedSnapshot): Promise<void>;
  close(): Promise<void>;
}

/**
 * A gateway's end, downward: tells of everything it finds or is sent under a kind's name, also after a reconnect, as the
 * text that was there. Checking is the receiver's (snapshot-keeper.ts), for anybody may have written it.
 */
export interface SnapshotFeed {
  start(onSnapshot: (kind: SnapshotKind, json: string) => void): Promise<void>;
  close(): Promise<void>;
}

/** A gateway's end, downward, for what is too large for a message: pieces of files by their content. */
export interface ChunkSource {
  /** What lies under a hex SHA-256, unchecked: anybody may have put it there. Null: nothing. Rejects while the bus is out of reach. */
  fetch(sha256: string): Promise<Uint8Array | null>;
  /** What lies there is not what its name says: it goes, and the console puts the right bytes there. */
  discard(sha256: string): Promise<void>;
  close(): void;
}

/** A gateway's end, upward: carries the spool's files to where the console's consumer takes them, and removes what is committed. */
export interface SpoolCarrier {
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A gateway's end, for what only the console can tell, and tells to nobody else. Rejects when no answer comes within `ms`, and at once
 * where the bus or the console is known to be away.
 */
export interface QuestionAsker {
  /** Both sides of it are JSON values. */
  ask(question: unknown, ms: number): Promise<unknown>;
  close(): void;
}

/** The console's end. Each question is answered once; one whose handler rejects is told to have no answer. */
export interface QuestionAnswerer {
  start(answer: (question: unknown) => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

export type OnAlarm = (code: AlarmCode, text: string) => void;

export interface AnswererOptions {
  /** The console's Ed25519 private key. */
  readonly signWith: KeyObject;
  readonly clock: Clock;
  /** Told of what somebody else put on the bus. */
  readonly onAlarm: OnAlarm;
}

/** One adapter. Each process takes the ends it needs. */
export interface Bus {
  consumer(): UpwardConsumer;
  publisher(): SnapshotPublisher;
  feed(): SnapshotFeed;
  /** Null: console and gateway share a folder, and no file has to travel. */
  chunks(): ChunkSource | null;
  /** Null: gateway and console are children of one supervisor, which passes questions on. `publicKey`: the console's. */
  asker(publicKey: KeyObject, onAlarm: OnAlarm): QuestionAsker | null;
  answerer(options: AnswererOptions): QuestionAnswerer | null;
  /** `gateway`: whose spool it is. */
  carrier(gateway: string): SpoolCarrier;
}
