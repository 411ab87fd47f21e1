import type { Actor } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Problem, SchoolgateError } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { type PolicyChange, diffPolicies } from './diff.ts';
import type { PolicyDraft } from './draft.ts';
import type { ExaminedPolicy } from './load.ts';
import {
  type PolicyVersion,
  type VersionLine,
  draftOfDisk,
  findVersion,
  insertDraft,
  isDiskAnswered,
  latestVersion,
  livingDrafts,
  storeDraft,
  storeUnwritten,
  unreviewed,
  versionBefore,
  versionLines,
} from './repository.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { type PolicyTexts, sameTexts, textsHash } from './texts.ts';
import type { Versions } from './version-service.ts';

/**
 * What is published and what stands on disk. Files on disk are a proposal: until two people have accounts they apply on save, after
 * that they become a draft (draft-service.ts), which needs them both.
 */
export interface PolicyService {
  /** Reads the files again. What does not validate is shown and never used. */
  look(): void;
  status(): PolicyStatus;
  /** The policy in force; null before the first. */
  published(): PolicyVersion | null;
  /** All versions, newest first. */
  versions(): VersionLine[];
  /** A version and the one before it; null where there is none. */
  version(serial: number): { readonly version: PolicyVersion; readonly before: PolicyVersion | null } | null;
  /** Compiles and examines files as if they were the policy. */
  examine(files: PolicyTexts): ExaminedPolicy;
  /** What stands on disk; null: it cannot be read. */
  diskFiles(): PolicyTexts | null;
  /** In the transaction of a publication: what stands on disk, and will be replaced, stays in a draft. */
  keepDisk(tx: Tx, replacedBy: PolicyTexts): void;
  /** Makes files on disk that are no draft one, such as files that were refused before. Throws `policy_nothing`. */
  draftOfFiles(actor: Actor): PolicyDraft;
  /** Writes what is published over the files on disk, which stay in a draft. Throws `policy_nothing`, `policy_unwritten`. */
  restoreFiles(actor: Actor): void;
}

export interface PolicyStatus {
  readonly published: PolicyVersion | null;
  readonly disk: 'same' | 'different' | 'invalid';
  /** Why the files cannot be used. */
  readonly problems: readonly Problem[];
  /** What in the files is merely pointless. */
  readonly warnings: readonly Problem[];
  /** What the files would change. */
  readonly changes: readonly PolicyChange[];
  /** Why what is published is not on disk; null: it was written. */
  readonly notWritten: string | null;
  /** Drafts that are open or proposed, newest first. */
  readonly drafts: readonly PolicyDraft[];
  /** Emergencies to review. */
  readonly toReview: readonly VersionLine[];
  readonly needsSecondPerson: boolean;
}

/** Files that could not be read, or what they say. */
export type ReadFiles = { readonly files: PolicyTexts } | { readonly problems: readonly Problem[] };

export interface PolicyServiceOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly versions: Versions;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** Reads the files of the policy folder. */
  readonly readFiles: () => ReadFiles;
  /** Compiles and examines files. */
  readonly examine: (files: PolicyTexts) => ExaminedPolicy;
  /** Whether one person can propose a change and another approve it. */
  readonly hasTwoPeople: () => boolean;
  /** Told once for each set of files that cannot be used. */
  readonly onInvalid: (problems: readonly Problem[]) => void;
  /** Told once for each change on disk that waits for people. */
  readonly onDifferent: (changes: readonly PolicyChange[]) => void;
}

/** For pages that show versions. */
export type { VersionLine } from './repository.ts';

/** For checks of times that are past. */
export { versionAt } from './repository.ts';

/** What gateways are sent. */
export function policySnapshot(tx: ReadTx): PolicySnapshot | null {
  return latestVersion(tx)?.snapshot ?? null;
}

export function createPolicyService(options: PolicyServiceOptions): PolicyService {
  return new FilesAndVersions(options);
}

/** Sets of files whose result is remembered: what people look at again and again. */
const REMEMBERED = 16;

class FilesAndVersions implements PolicyService {
  readonly #options: PolicyServiceOptions;
  #disk: ExaminedPolicy = { problems: [] };
  #files: PolicyTexts | null = null;
  #examined = new Map<string, ExaminedPolicy>();
  #toldProblems = '';
  #toldDifferent = '';

  constructor(options: PolicyServiceOptions) {
    this.#options = options;
  }

  look(): void {
    const { versions, readFiles } = this.#options;
    this.#examined.clear();
    versions.writeFiles();
    const read = readFiles();
    this.#files = 'files' in read ? read.files : null;
    this.#disk = 'files' in read ? this.examine(read.files) : read;
    if ('problems' in this.#disk) return this.#tellInvalid(this.#disk.problems);
    this.#toldProblems = '';
    this.#take(this.#files!, this.#disk.snapshot);
  }

  /** What becomes of valid files. */
  #take(files: PolicyTexts, snapshot: PolicySnapshot): void {
    const published = this.published();
    if (snapshot.hash === published?.snapshot.hash) return this.#takeComments(files, published);
    const { hasTwoPeople, versions } = this.#options;
    if (published === null || !hasTwoPeople()) return this.#apply(files, snapshot);
    this.#tellDifferent(published.snapshot, snapshot);
    const unwritten = versions.unwritten();
    // The folder says what was published before, because it could not be written: nobody means that.
    if (unwritten !== null && sameTexts(unwritten.before, files)) return;
    this.#options.record.write((tx) => this.#draft(tx, files, false));
  }

  status(): PolicyStatus {
    const { record, versions, hasTwoPeople } = this.#options;
    const published = this.published();
    const candidate = 'snapshot' in this.#disk ? this.#disk.snapshot : null;
    const isSame = candidate?.hash === published?.snapshot.hash;
    return {
      published,
      disk: candidate === null ? 'invalid' : isSame ? 'same' : 'different',
      problems: 'problems' in this.#disk ? this.#disk.problems : [],
      warnings: 'warnings' in this.#disk ? this.#disk.warnings : [],
      changes: candidate === null || published === null ? [] : diffPolicies(published.snapshot, candidate),
      notWritten: versions.unwritten()?.reason ?? null,
      ...record.read((tx) => ({ drafts: livingDrafts(tx), toReview: unreviewed(tx) })),
      needsSecondPerson: hasTwoPeople(),
    };
  }

  published(): PolicyVersion | null {
    return this.#options.versions.current();
  }

  versions(): VersionLine[] {
    return this.#options.record.read(versionLines);
  }

  version(serial: number): { readonly version: PolicyVersion; readonly before: PolicyVersion | null } | null {
    return this.#options.record.read((tx) => {
      const version = findVersion(tx, serial);
      return version === null ? null : { version, before: versionBefore(tx, serial) };
    });
  }

  examine(files: PolicyTexts): ExaminedPolicy {
    const hash = textsHash(files);
    const known = this.#examined.get(hash);
    if (known !== undefined) return known;
    const examined = this.#options.examine(files);
    if (this.#examined.size >= REMEMBERED) this.#examined.clear();
    this.#examined.set(hash, examined);
    return examined;
  }

  diskFiles(): PolicyTexts | null {
    return this.#files;
  }

  keepDisk(tx: Tx, replacedBy: PolicyTexts): void {
    const standing = draftOfDisk(tx);
    if (standing !== null) return storeDraft(tx, { ...standing, diskHash: null });
    const files = this.#files;
    const known = [this.published()?.files, this.#options.versions.unwritten()?.before, replacedBy];
    if (files === null || known.some((texts) => sameTexts(texts ?? {}, files))) return;
    if (isDiskAnswered(tx, textsHash(files))) return;
    storeDraft(tx, { ...this.#draft(tx, files, true), diskHash: null });
  }

  draftOfFiles(actor: Actor): PolicyDraft {
    this.look();
    const files = this.#different();
    return this.#options.record.write((tx) => this.#draft(tx, files, true, actor));
  }

  restoreFiles(actor: Actor): void {
    this.look();
    const { record, versions, audit } = this.#options;
    const files = this.#different();
    const published = this.published()!;
    record.write((tx) => {
      const draft = draftOfDisk(tx) ?? this.#draft(tx, files, true, actor);
      storeDraft(tx, { ...draft, diskHash: null });
      storeUnwritten(tx, { serial: published.serial, before: files });
      audit.append(tx, {
        actor: actor.userName,
        action: 'policy.files-restored',
        subject: `policy:${published.serial}`,
        before: { files: textsHash(files), draft: draft.id },
        after: { files: published.files === null ? null : textsHash(published.files) },
        address: actor.address,
      });
    });
    this.look();
    const unwritten = versions.unwritten();
    if (unwritten !== null) throw new SchoolgateError('policy_unwritten', 'us', unwritten.reason);
  }

  /** Files on disk that are not what is published. */
  #different(): PolicyTexts {
    const published = this.published();
    const isSame = 'snapshot' in this.#disk && this.#disk.snapshot.hash === published?.snapshot.hash;
    if (this.#files === null || published === null || isSame) {
      throw new SchoolgateError('policy_nothing', 'client', 'The files on disk are as published, or cannot be read.');
    }
    return this.#files;
  }

  #apply(files: PolicyTexts, snapshot: PolicySnapshot): void {
    const { record, versions } = this.#options;
    const made = { snapshot, files, way: 'files', author: null, approver: null, reason: null } as const;
    versions.enforce(record.write((tx) => versions.publish(tx, made, { actor: 'file' }, files)));
  }

  /** The policy is the published one; a comment may have changed, which the next change must not lose. */
  #takeComments(files: PolicyTexts, published: PolicyVersion): void {
    const { record, versions } = this.#options;
    record.write((tx) => {
      const draft = draftOfDisk(tx);
      if (draft !== null) this.#supersede(tx, draft, textsHash(files));
    });
    const isWhole = published.files !== null && sameTexts(files, published.files);
    if (!isWhole && versions.unwritten() === null) versions.keepFiles(files);
  }

  /** The draft that stands for these files on disk; it is made, or made anew, where there is none. */
  #draft(tx: Tx, files: PolicyTexts, evenIfAnswered: boolean, actor: Actor | null = null): PolicyDraft {
    const diskHash = textsHash(files);
    const standing = draftOfDisk(tx);
    if (standing?.diskHash === diskHash) return standing;
    if (standing !== null) this.#supersede(tx, standing, diskHash);
    const draft = this.#newDraft(files, diskHash);
    if (!evenIfAnswered && isDiskAnswered(tx, diskHash)) return draft;
    insertDraft(tx, draft);
    this.#options.audit.append(tx, {
      actor: actor?.userName ?? 'file',
      action: 'policy.drafted',
      subject: `policy-draft:${draft.id}`,
      after: { files: diskHash },
      address: actor?.address ?? null,
    });
    return draft;
  }

  #newDraft(files: PolicyTexts, diskHash: string): PolicyDraft {
    const { newId, clock, versions } = this.#options;
    const base = versions.unwritten()?.before ?? this.published()!.files ?? {};
    const nobody = { author: null, reason: '', proposedAt: null, decidedBy: null, decidedAt: null, word: null };
    const now = clock();
    return { id: newId(), state: 'open', files, base, diskHash, revision: 1, begunAt: now, changedAt: now, ...nobody };
  }

  /** A draft of files stands for what is on disk; when that changes it stands for nothing. */
  #supersede(tx: Tx, draft: PolicyDraft, by: string): void {
    const { audit, clock } = this.#options;
    storeDraft(tx, { ...draft, state: 'superseded', decidedAt: clock() });
    audit.append(tx, {
      actor: 'file',
      action: 'policy.superseded',
      subject: `policy-draft:${draft.id}`,
      before: { files: draft.diskHash },
      after: { files: by },
    });
  }

  #tellDifferent(published: PolicySnapshot, candidate: PolicySnapshot): void {
    if (candidate.hash === this.#toldDifferent) return;
    this.#toldDifferent = candidate.hash;
    this.#options.onDifferent(diffPolicies(published, candidate));
  }

  #tellInvalid(problems: readonly Problem[]): void {
    const text = JSON.stringify(problems);
    if (text === this.#toldProblems) return;
    this.#toldProblems = text;
    this.#options.onInvalid(problems);
  }
}
