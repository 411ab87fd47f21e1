import type { Actor, AuditEntry } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { InvalidFieldsError, type Problem, SchoolgateError } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { Publishing } from '../publishing/service.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { type PolicyChange, diffPolicies } from './diff.ts';
import type { ExaminedPolicy } from './load.ts';
import {
  type PolicyVersion,
  type Proposal,
  closeProposal,
  insertProposal,
  insertVersion,
  latestVersion,
  openProposal,
} from './repository.ts';
import type { PolicySnapshot } from './snapshot.ts';

/**
 * What is published, what stands on disk, and how one becomes the other. Files on disk are a proposal: until two people have
 * accounts they apply on save, after that somebody proposes them with a reason and another person approves.
 */
export interface PolicyService {
  /** Reads the files again. What does not validate is shown and never used. */
  look(): void;
  status(): PolicyStatus;
  /** The policy in force; null before the first. */
  published(): PolicyVersion | null;
  /**
   * Stands for the change on disk; `hash` says which one was seen. Throws an InvalidFieldsError for the reason, or a
   * SchoolgateError: `policy_nothing`, `policy_changed`, `policy_proposed`.
   */
  propose(actor: Actor, hash: string, reason: string): Proposal;
  /** Publishes what another person proposed. Throws a SchoolgateError: `policy_decided`, `policy_own`, `policy_stale`. */
  approve(actor: Actor, id: string): PolicyVersion;
  /** Throws `policy_decided`. */
  refuse(actor: Actor, id: string, reason: string): void;
  /** Takes back one's own. Throws `policy_decided`, `policy_own`. */
  withdraw(actor: Actor, id: string, reason: string): void;
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
  /** Hash of the files as compiled; null: invalid. */
  readonly diskHash: string | null;
  readonly proposal: Proposal | null;
  readonly needsSecondPerson: boolean;
}

export interface PolicyServiceOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly publishing: Publishing;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** Loads, compiles and examines the files. */
  readonly readDisk: () => ExaminedPolicy;
  /** Whether one person can propose a change and another approve it. */
  readonly hasTwoPeople: () => boolean;
  readonly userNameOf: (tx: ReadTx, personId: string) => string;
  /** Told once for each set of files that cannot be used. */
  readonly onInvalid: (problems: readonly Problem[]) => void;
  /** Told once for each change on disk that waits for people. */
  readonly onDifferent: (changes: readonly PolicyChange[]) => void;
}

/** For checks of times that are past. */
export { versionAt } from './repository.ts';

/** What gateways are sent. */
export function policySnapshot(tx: ReadTx): PolicySnapshot | null {
  return latestVersion(tx)?.snapshot ?? null;
}

export function createPolicyService(options: PolicyServiceOptions): PolicyService {
  return new FilesAndVersions(options);
}

const MAX_REASON = 500;

class FilesAndVersions implements PolicyService {
  readonly #options: PolicyServiceOptions;
  #current: PolicyVersion | null;
  #disk: ExaminedPolicy = { problems: [] };
  #toldProblems = '';
  #toldDifferent = '';

  constructor(options: PolicyServiceOptions) {
    this.#options = options;
    this.#current = options.record.read(latestVersion);
  }

  look(): void {
    this.#disk = this.#options.readDisk();
    if ('problems' in this.#disk) return this.#tellInvalid(this.#disk.problems);
    this.#toldProblems = '';
    const { snapshot } = this.#disk;
    this.#supersede(snapshot);
    if (snapshot.hash === this.#current?.snapshot.hash) return;
    if (this.#current === null || !this.#needsSecondPerson()) this.#applyFiles(snapshot);
    else this.#tellDifferent(this.#current.snapshot, snapshot);
  }

  status(): PolicyStatus {
    const published = this.#current;
    const candidate = this.#candidate();
    const isSame = candidate?.hash === published?.snapshot.hash;
    return {
      published,
      disk: candidate === null ? 'invalid' : isSame ? 'same' : 'different',
      problems: 'problems' in this.#disk ? this.#disk.problems : [],
      warnings: 'warnings' in this.#disk ? this.#disk.warnings : [],
      changes: candidate === null || published === null ? [] : diffPolicies(published.snapshot, candidate),
      diskHash: candidate?.hash ?? null,
      proposal: this.#options.record.read(openProposal),
      needsSecondPerson: this.#needsSecondPerson(),
    };
  }

  published(): PolicyVersion | null {
    return this.#current;
  }

  propose(actor: Actor, hash: string, reason: string): Proposal {
    const { record, audit, clock, newId } = this.#options;
    const snapshot = this.#proposable(hash);
    const base = this.#current!;
    const proposal: Proposal = {
      id: newId(),
      state: 'open',
      snapshot,
      baseSerial: base.serial,
      reason: readReason(reason),
      proposed: { by: actor.personId, at: clock() },
    };
    record.write((tx) => {
      if (openProposal(tx) !== null) throw refusal('policy_proposed', 'This change has been proposed already.');
      insertProposal(tx, proposal);
      audit.append(tx, {
        actor: actor.userName,
        action: 'policy.proposed',
        subject: `policy-proposal:${proposal.id}`,
        before: { serial: base.serial, hash: base.snapshot.hash },
        after: { hash, changes: changeTexts(base.snapshot, snapshot) },
        reason: proposal.reason,
        address: actor.address,
      });
    });
    return proposal;
  }

  approve(actor: Actor, id: string): PolicyVersion {
    const { record, audit, clock, userNameOf } = this.#options;
    const version = record.write((tx) => {
      const proposal = stillOpen(tx, id);
      if (proposal.proposed.by === actor.personId) {
        throw refusal('policy_own', 'You proposed this change, so another person must approve it.');
      }
      if (proposal.baseSerial !== this.#current?.serial) {
        throw refusal(
          'policy_stale',
          'Another policy was published since this was proposed; propose the change again.',
        );
      }
      closeProposal(tx, id, 'published', actor.personId, clock());
      const people = { author: proposal.proposed.by, approver: actor.personId };
      const made = this.#insert(tx, proposal.snapshot, { ...people, reason: proposal.reason });
      audit.append(tx, {
        ...publishedEntry(this.#current, made),
        actor: userNameOf(tx, proposal.proposed.by),
        approver: actor.userName,
        address: actor.address,
      });
      return made;
    });
    return this.#inForce(version);
  }

  withdraw(actor: Actor, id: string, reason: string): void {
    const { proposed } = this.#options.record.read((tx) => stillOpen(tx, id));
    if (proposed.by !== actor.personId) {
      throw refusal('policy_own', 'Only the person who proposed this change can take it back.');
    }
    this.refuse(actor, id, reason);
  }

  refuse(actor: Actor, id: string, reason: string): void {
    const { record, audit, clock } = this.#options;
    record.write((tx) => {
      const proposal = stillOpen(tx, id);
      closeProposal(tx, id, 'refused', actor.personId, clock());
      audit.append(tx, {
        actor: actor.userName,
        action: 'policy.refused',
        subject: `policy-proposal:${id}`,
        before: { hash: proposal.snapshot.hash },
        reason: readReason(reason),
        address: actor.address,
      });
    });
  }

  #applyFiles(snapshot: PolicySnapshot): void {
    const { record, audit } = this.#options;
    const version = record.write((tx) => {
      const made = this.#insert(tx, snapshot, { author: null, approver: null, reason: null });
      audit.append(tx, { ...publishedEntry(this.#current, made), actor: 'file' });
      return made;
    });
    this.#inForce(version);
  }

  #insert(tx: Tx, snapshot: PolicySnapshot, by: Pick<PolicyVersion, 'author' | 'approver' | 'reason'>): PolicyVersion {
    const { publishing, clock } = this.#options;
    const version = { serial: publishing.callFor(tx, 'policy'), snapshot, publishedAt: clock(), ...by };
    insertVersion(tx, version);
    return version;
  }

  #inForce(version: PolicyVersion): PolicyVersion {
    this.#current = version;
    void this.#options.publishing.send();
    return version;
  }

  /** A proposal stands for what is on disk; when that changes it stands for nothing. */
  #supersede(snapshot: PolicySnapshot): void {
    const { record, audit, clock } = this.#options;
    record.write((tx) => {
      const proposal = openProposal(tx);
      if (proposal === null || proposal.snapshot.hash === snapshot.hash) return;
      closeProposal(tx, proposal.id, 'superseded', null, clock());
      audit.append(tx, {
        actor: 'file',
        action: 'policy.superseded',
        subject: `policy-proposal:${proposal.id}`,
        before: { hash: proposal.snapshot.hash },
        after: { hash: snapshot.hash },
      });
    });
  }

  #proposable(hash: string): PolicySnapshot {
    const candidate = this.#candidate();
    if (candidate === null || candidate.hash === this.#current?.snapshot.hash) {
      throw refusal('policy_nothing', 'There is no valid change on disk to propose.');
    }
    if (candidate.hash !== hash) {
      throw refusal('policy_changed', 'The files were changed while you were looking; read the differences again.');
    }
    return candidate;
  }

  #candidate(): PolicySnapshot | null {
    return 'snapshot' in this.#disk ? this.#disk.snapshot : null;
  }

  #needsSecondPerson(): boolean {
    return this.#options.hasTwoPeople();
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

function publishedEntry(before: PolicyVersion | null, version: PolicyVersion): Omit<AuditEntry, 'actor'> {
  const changes = before === null ? ['The first policy'] : changeTexts(before.snapshot, version.snapshot);
  return {
    action: 'policy.published',
    subject: `policy:${version.serial}`,
    before: before === null ? null : { serial: before.serial, hash: before.snapshot.hash },
    after: { serial: version.serial, hash: version.snapshot.hash, changes },
    reason: version.reason,
  };
}

function changeTexts(before: PolicySnapshot, after: PolicySnapshot): string[] {
  return diffPolicies(before, after).map((change) => change.text);
}

function stillOpen(tx: ReadTx, id: string): Proposal {
  const proposal = openProposal(tx);
  if (proposal?.id === id) return proposal;
  throw refusal('policy_decided', 'This change was decided already, or the files have changed since.');
}

function readReason(typed: string): string {
  const reason = typed.trim();
  const fault =
    reason === ''
      ? 'Say why, for whoever reads the record.'
      : reason.length > MAX_REASON
        ? `Say why in at most ${MAX_REASON} characters.`
        : null;
  if (fault !== null) throw new InvalidFieldsError([{ field: 'reason', reason: fault }]);
  return reason;
}

function refusal(code: string, text: string): SchoolgateError {
  return new SchoolgateError(code, 'client', text);
}
