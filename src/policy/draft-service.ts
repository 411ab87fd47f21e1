import type { Actor, AuditAction, AuditEntry } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { Permission } from '../identity/permissions.ts';
import type { Clock } from '../kernel/clock.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { type PolicyChange, diffPolicies } from './diff.ts';
import { type DraftView, type PolicyDraft, type PolicyWay, isEnoughAlone, loosens } from './draft.ts';
import { changedMeanwhile, decided, mustBeWhole, notYours, readWord, refusal } from './draft-refusals.ts';
import {
  type PolicyVersion,
  findDraft,
  findVersion,
  insertDraft,
  latestVersion,
  storeDraft,
  storeReview,
  versionBefore,
} from './repository.ts';
import type { PolicyMail } from './mail-service.ts';
import type { PolicyService } from './service.ts';
import { type PolicyTexts, changedFiles, mergeTexts, sameTexts, textsHash } from './texts.ts';
import type { PublishedBy, Versions } from './version-service.ts';

/** Changes of the policy: somebody drafts one and says why, another person approves it, and it is in force. */
export interface Drafts {
  /** A draft as it stands. Throws `draft_unknown`. */
  view(id: string): DraftView;
  /** Begins one at what is published. `id`: of the form that asks, so that sending it twice makes one draft. */
  begin(actor: Actor, id: string): PolicyDraft;
  /**
   * Keeps what its author has written, valid or not. `revision`: the one that was changed. A draft that was proposed is open again
   * after that; one of files on disk becomes the author's. Throws `draft_unknown`, `draft_not_yours`, `draft_decided`, `draft_changed`.
   */
  save(actor: Actor, id: string, revision: number, files: PolicyTexts): PolicyDraft;
  /** Stands for it; `hash` says what was seen. Throws as `save`, an InvalidFieldsError, `policy_changed`, `policy_invalid`, `policy_nothing`, `policy_stale`. */
  propose(actor: Actor, id: string, hash: string, reason: string): PolicyDraft;
  /** Publishes what another person proposed. Throws `draft_decided`, `policy_own`, `policy_loosens`, and as `propose`. */
  approve(actor: Actor, id: string, hash: string): PolicyVersion;
  /** Publishes one's own, where one person is enough. Throws `policy_alone`, and as `propose`. */
  publishAlone(actor: Actor, id: string, hash: string, reason: string): PolicyVersion;
  /** Publishes one's own at once, for others to review. Throws as `propose`. */
  publishInEmergency(actor: Actor, id: string, hash: string, reason: string): PolicyVersion;
  refuse(actor: Actor, id: string, word: string): void;
  /** Ends one's own. */
  withdraw(actor: Actor, id: string, word: string): void;
  /** Takes over what was published meanwhile; files that both changed are to be given as they shall be. Throws as `save`, and `draft_conflict`. */
  rebase(actor: Actor, id: string, revision: number, resolved: PolicyTexts): PolicyDraft;
  /** Proposes to go back to a version that is kept. Throws an InvalidFieldsError, `version_unknown`, `policy_nothing`, `policy_invalid`. */
  revert(actor: Actor, id: string, serial: number, reason: string): PolicyDraft;
  /**
   * A proposal as a part of somebody else's transaction: what it gives is done there. Throws an InvalidFieldsError (`reason`), `no_policy`,
   * `policy_invalid`, `policy_nothing`.
   */
  proposal(actor: Actor, id: string, files: PolicyTexts, reason: string): (tx: Tx) => void;
  /** Ends the review of somebody else's emergency. Throws an InvalidFieldsError, `version_unknown`, `policy_own`, `draft_decided`, `policy_stale`. */
  review(actor: Actor, serial: number, outcome: 'kept' | 'reverted', word: string): void;
}

export interface DraftsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly policy: PolicyService;
  readonly versions: Versions;
  readonly clock: Clock;
  readonly userNameOf: (tx: ReadTx, personId: string) => string;
  /** Asked outside of transactions. */
  readonly may: (personId: string, permission: Permission) => boolean;
  readonly needsSecondPerson: () => boolean;
  readonly mail: Pick<PolicyMail, 'proposed' | 'emergency'>;
  /** Told after an emergency is in force. */
  readonly onEmergency: (version: PolicyVersion) => void;
}

export function createDrafts(options: DraftsOptions): Drafts {
  return new PolicyDrafts(options);
}

class PolicyDrafts implements Drafts {
  readonly #options: DraftsOptions;

  constructor(options: DraftsOptions) {
    this.#options = options;
  }

  view(id: string): DraftView {
    return this.#view(this.#options.record.read((tx) => known(tx, id)));
  }

  begin(actor: Actor, id: string): PolicyDraft {
    const files = this.#published().files ?? {};
    const draft = { ...this.#new(actor, id), files };
    return this.#options.record.write((tx) => this.#insertIn(tx, actor, draft, {}, []));
  }

  save(actor: Actor, id: string, revision: number, files: PolicyTexts): PolicyDraft {
    return this.#write(actor, id, (tx, draft) => {
      // The same form twice, or a page that was gone back to and sent unchanged.
      if (sameTexts(draft.files, files)) return draft;
      if (draft.revision !== revision) throw changedMeanwhile();
      const next = this.#changed({ ...draft, files, author: actor.personId });
      this.#append(tx, actor, 'policy.edited', next, {
        before: { files: textsHash(draft.files) },
        after: { files: textsHash(files), changed: changedFiles(draft.files, files) },
      });
      return next;
    });
  }

  rebase(actor: Actor, id: string, revision: number, resolved: PolicyTexts): PolicyDraft {
    return this.#write(actor, id, (tx, draft) => {
      const base = this.#published().files ?? {};
      if (sameTexts(draft.base, base)) return draft;
      if (draft.revision !== revision) throw changedMeanwhile();
      const { texts, conflicts } = mergeTexts(draft.base, draft.files, base);
      if (conflicts.some((file) => resolved[file] === undefined)) {
        throw refusal('draft_conflict', 'Say for each file that both have changed how it shall be.');
      }
      const files = { ...texts, ...Object.fromEntries(conflicts.map((file) => [file, resolved[file]!])) };
      const next = this.#changed({ ...draft, files, base, author: actor.personId });
      this.#append(tx, actor, 'policy.edited', next, {
        before: { files: textsHash(draft.files), base: textsHash(draft.base) },
        after: { files: textsHash(files), base: textsHash(base), conflicts },
      });
      return next;
    });
  }

  propose(actor: Actor, id: string, hash: string, reason: string): PolicyDraft {
    const view = this.view(id);
    const why = readWord('reason', reason);
    if (view.draft.state === 'proposed' && view.draft.author === actor.personId) return view.draft;
    this.#mustBeWhole(view, hash);
    return this.#write(actor, id, (tx, draft) => {
      this.#mustBe(view.draft, draft);
      const now = this.#options.clock();
      const next = { ...draft, state: 'proposed', author: actor.personId, reason: why, proposedAt: now } as const;
      this.#append(tx, actor, 'policy.proposed', next, this.#summary(view), why);
      this.#options.mail.proposed(tx, next, loosens(view.changes));
      return next;
    });
  }

  approve(actor: Actor, id: string, hash: string): PolicyVersion {
    const view = this.view(id);
    const { draft } = view;
    const done = this.#publishedBy(actor, draft);
    if (done !== null) return done;
    if (draft.state !== 'proposed') throw decided();
    if (draft.author === actor.personId) {
      throw refusal('policy_own', 'You proposed this change, so another person must approve it.');
    }
    this.#mustBeWhole(view, hash);
    if (loosens(view.changes) && !this.#options.may(actor.personId, 'policy.loosen')) {
      const text =
        'This opens something for pupils: the headteacher or the designated safeguarding lead must approve it.';
      throw refusal('policy_loosens', text);
    }
    const people = { author: draft.author, approver: actor.personId, reason: draft.reason };
    return this.#publish(actor, view, { way: 'two-people', ...people });
  }

  publishAlone(actor: Actor, id: string, hash: string, reason: string): PolicyVersion {
    const view = this.view(id);
    const done = this.#publishedBy(actor, view.draft);
    if (done !== null) return done;
    const why = readWord('reason', reason);
    this.#mustBeWhole(view, hash);
    if (!view.isEnoughAlone) throw refusal('policy_alone', 'Another person must approve this change.');
    return this.#publish(actor, view, { way: 'alone', author: actor.personId, approver: null, reason: why });
  }

  publishInEmergency(actor: Actor, id: string, hash: string, reason: string): PolicyVersion {
    const view = this.view(id);
    const done = this.#publishedBy(actor, view.draft);
    if (done !== null) return done;
    const why = readWord('reason', reason);
    this.#mustBeWhole(view, hash);
    const by = { way: 'emergency', author: actor.personId, approver: null, reason: why } as const;
    const version = this.#publish(actor, view, by);
    this.#options.onEmergency(version);
    return version;
  }

  refuse(actor: Actor, id: string, typed: string): void {
    const { record, clock } = this.#options;
    record.write((tx) => {
      const draft = known(tx, id);
      if (draft.state === 'refused' && draft.decidedBy === actor.personId) return;
      const isOfDisk = draft.state === 'open' && draft.author === null;
      if (draft.state !== 'proposed' && !isOfDisk) throw decided();
      if (draft.author === actor.personId) throw refusal('policy_own', 'This is your own: take it back instead.');
      const word = readWord('word', typed);
      const next = { ...draft, state: 'refused', word, decidedBy: actor.personId, decidedAt: clock() } as const;
      storeDraft(tx, next);
      this.#append(tx, actor, 'policy.refused', next, { before: { files: textsHash(draft.files) } }, word);
    });
  }

  withdraw(actor: Actor, id: string, typed: string): void {
    const { clock } = this.#options;
    const { draft } = this.view(id);
    if (draft.state === 'withdrawn' && draft.author === actor.personId) return;
    if (draft.author === null) throw notYours();
    const word = readWord('word', typed);
    this.#write(actor, id, (tx, draft) => {
      const next = { ...draft, state: 'withdrawn', word, decidedBy: actor.personId, decidedAt: clock() } as const;
      this.#append(tx, actor, 'policy.withdrawn', next, { before: { files: textsHash(draft.files) } }, word);
      return next;
    });
  }

  revert(actor: Actor, id: string, serial: number, reason: string): PolicyDraft {
    const { record, policy, clock } = this.#options;
    const why = readWord('reason', reason);
    const asked = record.read((tx) => findDraft(tx, id));
    if (asked !== null) return this.#ownOnly(actor, asked);
    const files = record.read((tx) => findVersion(tx, serial))?.files ?? null;
    if (files === null) throw refusal('version_unknown', 'There is no such version, or its files were not kept.');
    const draft = { ...this.#new(actor, id), files, state: 'proposed', reason: why, proposedAt: clock() } as const;
    const examined = policy.examine(files);
    if ('problems' in examined) {
      throw refusal(
        'policy_invalid',
        'What was valid then is not any more; begin a draft and take over what you need.',
      );
    }
    const view = this.#view(draft);
    this.#mustBeWhole(view, examined.snapshot.hash);
    const after = { serial, ...this.#summary(view) };
    return record.write((tx) => this.#insertIn(tx, actor, draft, after, view.changes));
  }

  proposal(actor: Actor, id: string, files: PolicyTexts, reason: string): (tx: Tx) => void {
    const why = readWord('reason', reason);
    const now = this.#options.clock();
    const draft = { ...this.#new(actor, id), files, state: 'proposed', reason: why, proposedAt: now } as const;
    const view = this.#view(draft);
    this.#mustBeWhole(view, view.hash ?? '');
    return (tx) => void this.#insertIn(tx, actor, draft, this.#summary(view), view.changes);
  }

  review(actor: Actor, serial: number, outcome: 'kept' | 'reverted', typed: string): void {
    const { record, policy, versions, clock, audit, userNameOf } = this.#options;
    const word = readWord('word', typed);
    policy.look();
    const made = record.write((tx) => {
      const version = findVersion(tx, serial);
      if (version === null || version.way !== 'emergency') {
        throw refusal('version_unknown', 'There is no such emergency change.');
      }
      if (version.author === actor.personId) {
        throw refusal('policy_own', 'You made this change, so another person must review it.');
      }
      if (version.review !== null) {
        if (version.review.by === actor.personId && version.review.outcome === outcome) return null;
        throw refusal('draft_decided', 'This change was reviewed already.');
      }
      storeReview(tx, serial, { outcome, by: actor.personId, at: clock(), word });
      audit.append(tx, {
        actor: actor.userName,
        action: 'policy.reviewed',
        subject: `policy:${serial}`,
        before: { by: userNameOf(tx, version.author!) },
        after: { outcome },
        reason: word,
        address: actor.address,
      });
      return outcome === 'kept' ? null : this.#takeBack(tx, actor, version, word);
    });
    if (made !== null) versions.enforce(made);
  }

  /** What was in force before an emergency is in force again. */
  #takeBack(tx: Tx, actor: Actor, version: PolicyVersion, reason: string): PolicyVersion {
    const before = versionBefore(tx, version.serial);
    if (latestVersion(tx)?.serial !== version.serial || before === null) {
      const text =
        'Something else was published since. Say that it is kept, and go back to the version before by a draft.';
      throw refusal('policy_stale', text);
    }
    const { snapshot, files } = before;
    const made = { snapshot, files, way: 'review', author: actor.personId, approver: null, reason } as const;
    return this.#insertVersion(tx, made, { actor: actor.userName, address: actor.address });
  }

  #view(draft: PolicyDraft): DraftView {
    const { policy, needsSecondPerson } = this.#options;
    const published = policy.published();
    const base = published?.files ?? {};
    const examined = policy.examine(draft.files);
    const snapshot = 'snapshot' in examined ? examined.snapshot : null;
    const changes = snapshot === null || published === null ? [] : diffPolicies(published.snapshot, snapshot);
    return {
      draft,
      examined,
      hash: snapshot?.hash ?? null,
      changes,
      files: changedFiles(draft.base, draft.files),
      stale: sameTexts(draft.base, base) ? null : mergeTexts(draft.base, draft.files, base),
      isEnoughAlone: isEnoughAlone(published?.snapshot ?? null, changes, needsSecondPerson()),
    };
  }

  #mustBeWhole(view: DraftView, seen: string): void {
    mustBeWhole(view, seen, this.#options.policy.published()?.snapshot.hash ?? null);
  }

  #mustBe(seen: PolicyDraft, draft: PolicyDraft): void {
    if (seen.revision !== draft.revision) throw changedMeanwhile();
  }

  #publish(
    actor: Actor,
    { draft: seen, examined }: DraftView,
    by: { way: PolicyWay; author: string | null; approver: string | null; reason: string },
  ): PolicyVersion {
    const { record, versions, policy, clock, userNameOf } = this.#options;
    // What was saved a moment ago is not written over unseen.
    policy.look();
    const before = this.#published();
    const version = record.write((tx) => {
      const draft = known(tx, seen.id);
      if (draft.state !== seen.state) throw decided();
      this.#mustBe(seen, draft);
      // Asked of the record: somebody else may have published between looking and now.
      if (latestVersion(tx)?.serial !== before.serial || !('snapshot' in examined)) throw decided();
      if (by.way !== 'two-people') this.#ownOnly(actor, draft);
      storeDraft(tx, {
        ...draft,
        state: 'published',
        author: by.author,
        reason: by.reason,
        decidedBy: actor.personId,
        decidedAt: clock(),
      });
      const author = userNameOf(tx, by.author!);
      const approver = by.approver === null ? null : actor.userName;
      const made = { snapshot: examined.snapshot, files: draft.files, ...by };
      const published = this.#insertVersion(tx, made, { actor: author, approver, address: actor.address });
      if (by.way === 'emergency') this.#options.mail.emergency(tx, published);
      return published;
    });
    versions.enforce(version);
    policy.look();
    return version;
  }

  #insertVersion(tx: Tx, made: Parameters<Versions['publish']>[1], by: PublishedBy): PolicyVersion {
    const { policy, versions } = this.#options;
    policy.keepDisk(tx, made.files ?? {});
    return versions.publish(tx, made, by, policy.diskFiles());
  }

  /** What this person published by this very draft: a form that was sent twice is answered as the first time. */
  #publishedBy(actor: Actor, draft: PolicyDraft): PolicyVersion | null {
    const isDone = draft.state === 'published' && draft.decidedBy === actor.personId;
    return isDone ? this.#published() : null;
  }

  #write(actor: Actor, id: string, change: (tx: Tx, draft: PolicyDraft) => PolicyDraft): PolicyDraft {
    return this.#options.record.write((tx) => {
      const draft = this.#ownOnly(actor, known(tx, id));
      if (draft.state !== 'open' && draft.state !== 'proposed') throw decided();
      const next = change(tx, draft);
      if (next !== draft) storeDraft(tx, next);
      return next;
    });
  }

  #ownOnly(actor: Actor, draft: PolicyDraft): PolicyDraft {
    if (draft.author !== null && draft.author !== actor.personId) throw notYours();
    return draft;
  }

  #changed(draft: PolicyDraft): PolicyDraft {
    const changedAt = this.#options.clock();
    return { ...draft, state: 'open', proposedAt: null, revision: draft.revision + 1, changedAt };
  }

  #new(actor: Actor, id: string): PolicyDraft {
    const now = this.#options.clock();
    const base = this.#published().files ?? {};
    const nothing = { reason: '', diskHash: null, proposedAt: null, decidedBy: null, decidedAt: null, word: null };
    const times = { begunAt: now, changedAt: now };
    return { id, state: 'open', files: base, base, author: actor.personId, revision: 1, ...times, ...nothing };
  }

  #insertIn(tx: Tx, actor: Actor, draft: PolicyDraft, after: object, changes: readonly PolicyChange[]): PolicyDraft {
    const there = findDraft(tx, draft.id);
    if (there !== null) return this.#ownOnly(actor, there);
    insertDraft(tx, draft);
    if (draft.state === 'proposed') this.#options.mail.proposed(tx, draft, loosens(changes));
    const action = draft.state === 'proposed' ? 'policy.proposed' : 'policy.drafted';
    // Of what the draft began from; asked again it would want a transaction of its own.
    this.#append(
      tx,
      actor,
      action,
      draft,
      { before: { serial: latestVersion(tx)?.serial }, after },
      draft.reason || null,
    );
    return draft;
  }

  #append(
    tx: Tx,
    actor: Actor,
    action: AuditAction,
    { id }: PolicyDraft,
    what: Pick<AuditEntry, 'before' | 'after'>,
    reason: string | null = null,
  ): void {
    const { userName, address } = actor;
    const subject = `policy-draft:${id}`;
    this.#options.audit.append(tx, { actor: userName, action, subject, ...what, reason, address });
  }

  #summary({ hash, changes }: DraftView): Pick<AuditEntry, 'before' | 'after'> {
    const { serial, snapshot } = this.#published();
    return { before: { serial, hash: snapshot.hash }, after: { hash, changes: changes.map(({ text }) => text) } };
  }

  #published(): PolicyVersion {
    const published = this.#options.policy.published();
    if (published === null) throw refusal('no_policy', 'No policy is published yet; put the files right first.');
    return published;
  }
}

function known(tx: ReadTx, id: string): PolicyDraft {
  const draft = findDraft(tx, id);
  if (draft === null) throw refusal('draft_unknown', 'There is no such draft.');
  return draft;
}
