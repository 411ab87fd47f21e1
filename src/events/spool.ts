import type { AccessRecord } from './access-record.ts';
import type { EventEnvelope } from './catalogue.ts';

/** `full`: new connections must be refused, because what they do could no longer be recorded. */
export type SpoolHealth = 'ok' | 'failing' | 'full';

/** Where a worker leaves what it has seen. Nothing here waits for a bus, a database or a network. */
export interface Spool {
  /**
   * Resolves when the event has gone to the operating system in a completed write(2), so that it survives kill -9; or,
   * when the disk refuses, when it is held in memory (until `full`). Never rejects. Events of one tick share one write.
   */
  event(envelope: EventEnvelope): Promise<void>;
  /** One request or tunnel that ended. Buffered; on disk within a second. */
  record(record: AccessRecord): void;
  /**
   * A tunnel that opened. If it is still open when the buffer is next written, within a second, `record` is called for its
   * opening line; the AccessRecord with this id follows when it ends.
   */
  opening(id: string, record: () => AccessRecord): void;
  readonly health: SpoolHealth;
  /** Lines waiting in memory because the disk refused them. */
  readonly held: number;
  /** Writes what is buffered, closes the current segment, releases the files. */
  close(): Promise<void>;
}
