import type { AuditEntry } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Publishing } from '../publishing/service.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { diffPolicies } from './diff.ts';
import {
  type PolicyVersion,
  type VersionLine,
  deleteUnwritten,
  findUnwritten,
  findVersion,
  insertVersion,
  latestVersion,
  storeFiles,
  storeUnwritten,
  versionBefore,
  versionLines,
} from './repository.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { type PolicyTexts, sameTexts, textsHash } from './texts.ts';

export type NewVersion = Omit<PolicyVersion, 'serial' | 'publishedAt' | 'review'>;

/** Policies as they come into force, whoever decided it: record, audit and gateways first, the files on disk after that. */
export interface Versions {
  /** The policy in force; null before the first. */
  current(): PolicyVersion | null;
  /**
   * In the transaction of whoever decides. `disk`: what stands in the policy folder, which is replaced by what is published; null: it
   * cannot be read, and is left alone.
   */
  publish(tx: Tx, made: NewVersion, by: PublishedBy, disk: PolicyTexts | null): PolicyVersion;
  /** Keeps files of the policy in force that say the same with other comments. */
  keepFiles(files: PolicyTexts): void;
  /** After the commit: it is in force, and the files are written. */
  enforce(version: PolicyVersion): void;
  /** Writes the files of a version that could not be written, or not all of them. */
  writeFiles(): void;
  /** What stood in the policy folder when it could not be written, and why not; null: it was written. */
  unwritten(): { readonly before: PolicyTexts; readonly reason: string } | null;
}

/** Who stands on the record for it: user names. */
export type PublishedBy = Pick<AuditEntry, 'actor' | 'approver' | 'address'>;

export interface VersionsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly publishing: Publishing;
  readonly clock: Clock;
  /** Replaces files of the policy folder that are as in `before`; gives why not, or null when all is as in `after`. */
  readonly writeFiles: (before: PolicyTexts, after: PolicyTexts) => string | null;
  /** Told when the files could not be written. */
  readonly onUnwritten: (reason: string) => void;
}

export function createVersions(options: VersionsOptions): Versions {
  return new KeptVersions(options);
}

class KeptVersions implements Versions {
  readonly #options: VersionsOptions;
  #current: PolicyVersion | null;
  #unwritten: ReturnType<Versions['unwritten']> = null;

  constructor(options: VersionsOptions) {
    this.#options = options;
    this.#current = options.record.read(latestVersion);
  }

  current(): PolicyVersion | null {
    return this.#current;
  }

  publish(tx: Tx, made: NewVersion, by: PublishedBy, disk: PolicyTexts | null): PolicyVersion {
    const { publishing, clock, audit } = this.#options;
    const serial = publishing.callFor(tx, 'policy');
    const version: PolicyVersion = { ...made, serial, publishedAt: clock(), review: null };
    insertVersion(tx, version);
    if (made.files !== null && (disk === null || !sameTexts(disk, made.files))) {
      storeUnwritten(tx, { serial, before: disk ?? {} });
    } else deleteUnwritten(tx);
    audit.append(tx, { ...publishedEntry(this.#current, version), ...by });
    return version;
  }

  keepFiles(files: PolicyTexts): void {
    const { record, audit } = this.#options;
    const version = this.#current!;
    record.write((tx) => {
      storeFiles(tx, version.serial, files);
      audit.append(tx, {
        actor: 'file',
        action: 'policy.comments-changed',
        subject: `policy:${version.serial}`,
        before: { files: version.files === null ? null : textsHash(version.files) },
        after: { files: textsHash(files) },
      });
    });
    this.#current = { ...version, files };
  }

  enforce(version: PolicyVersion): void {
    this.#current = version;
    void this.#options.publishing.send();
    this.writeFiles();
  }

  writeFiles(): void {
    const { record, writeFiles, onUnwritten } = this.#options;
    const waiting = record.read(findUnwritten);
    const files = this.#current?.files ?? null;
    const reason = waiting === null || files === null ? null : writeFiles(waiting.before, files);
    if (waiting !== null && reason === null) record.write(deleteUnwritten);
    if (reason !== null && reason !== this.#unwritten?.reason) onUnwritten(reason);
    this.#unwritten = reason === null ? null : { before: waiting!.before, reason };
  }

  unwritten(): { readonly before: PolicyTexts; readonly reason: string } | null {
    return this.#unwritten;
  }
}

function publishedEntry(before: PolicyVersion | null, version: PolicyVersion): Omit<AuditEntry, 'actor'> {
  const changes = before === null ? ['The first policy'] : changeTexts(before.snapshot, version.snapshot);
  return {
    action: version.way === 'emergency' ? 'policy.emergency' : 'policy.published',
    subject: `policy:${version.serial}`,
    before: before === null ? null : { serial: before.serial, hash: before.snapshot.hash },
    after: { serial: version.serial, hash: version.snapshot.hash, way: version.way, changes },
    reason: version.reason,
  };
}

export function changeTexts(before: PolicySnapshot, after: PolicySnapshot): string[] {
  return diffPolicies(before, after).map((change) => change.text);
}

/** What was published in a span, for reports. */
export interface PublishedChange extends Pick<
  VersionLine,
  'serial' | 'publishedAt' | 'way' | 'reason' | 'author' | 'approver'
> {
  /** In plain English, a sentence each. */
  readonly changes: readonly string[];
}

/** Versions published in [from, until), ms, oldest first. */
export function changesBetween(tx: ReadTx, from: number, until: number): PublishedChange[] {
  const lines = versionLines(tx).filter(({ publishedAt }) => publishedAt >= from && publishedAt < until);
  return lines.toReversed().map(({ serial, publishedAt, way, reason, author, approver }) => {
    const before = versionBefore(tx, serial);
    const changes =
      before === null ? ['The first policy'] : changeTexts(before.snapshot, findVersion(tx, serial)!.snapshot);
    return { serial, publishedAt, way, reason, author, approver, changes };
  });
}
