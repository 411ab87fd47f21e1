import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { DraftState, PolicyDraft, PolicyWay } from './draft.ts';
import type { PolicySnapshot } from './snapshot.ts';
import type { PolicyTexts } from './texts.ts';

/** A policy as it was published. */
export interface PolicyVersion {
  readonly serial: number;
  readonly snapshot: PolicySnapshot;
  /** What it was compiled from; null: published before files were kept. */
  readonly files: PolicyTexts | null;
  /** Ms since the epoch. */
  readonly publishedAt: number;
  readonly way: PolicyWay;
  readonly reason: string | null;
  /** Ids of people; who is null did not take part. */
  readonly author: string | null;
  readonly approver: string | null;
  /** What came of the review of an emergency; null: it is still to be reviewed, or was none. */
  readonly review: PolicyReview | null;
}

export interface PolicyReview {
  readonly outcome: 'kept' | 'reverted';
  readonly by: string;
  readonly at: number;
  readonly word: string;
}

export function insertVersion(tx: Tx, version: PolicyVersion): void {
  tx.run(
    `INSERT INTO policy_versions (serial, hash, snapshot, files, published_at, way, reason, author, approver)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    version.serial,
    version.snapshot.hash,
    JSON.stringify(version.snapshot),
    version.files === null ? null : JSON.stringify(version.files),
    version.publishedAt,
    version.way,
    version.reason,
    version.author,
    version.approver,
  );
}

/** Other comments, or none: the policy stays what it is. */
export function storeFiles(tx: Tx, serial: number, files: PolicyTexts): void {
  tx.run('UPDATE policy_versions SET files = ? WHERE serial = ?', JSON.stringify(files), serial);
}

export function storeReview(tx: Tx, serial: number, { outcome, by, at, word }: PolicyReview): void {
  tx.run(
    'UPDATE policy_versions SET review = ?, reviewed_by = ?, reviewed_at = ?, review_word = ? WHERE serial = ?',
    outcome,
    by,
    at,
    word,
    serial,
  );
}

/** The policy in force. */
export function latestVersion(tx: ReadTx): PolicyVersion | null {
  const row = tx.get('SELECT * FROM policy_versions ORDER BY serial DESC LIMIT 1');
  return row === undefined ? null : toVersion(row);
}

export function findVersion(tx: ReadTx, serial: number): PolicyVersion | null {
  const row = tx.get('SELECT * FROM policy_versions WHERE serial = ?', serial);
  return row === undefined ? null : toVersion(row);
}

/** The one that a version took the place of. */
export function versionBefore(tx: ReadTx, serial: number): PolicyVersion | null {
  const row = tx.get('SELECT * FROM policy_versions WHERE serial < ? ORDER BY serial DESC LIMIT 1', serial);
  return row === undefined ? null : toVersion(row);
}

/** The policy in force at an instant; null: none was published by then. */
export function versionAt(tx: ReadTx, at: number): PolicyVersion | null {
  const row = tx.get('SELECT * FROM policy_versions WHERE published_at <= ? ORDER BY serial DESC LIMIT 1', at);
  return row === undefined ? null : toVersion(row);
}

/** A version without what it says, for lists: a school keeps thousands. */
export type VersionLine = Omit<PolicyVersion, 'snapshot' | 'files'> & { readonly hasFiles: boolean };

const LINE = `serial, files IS NOT NULL AS has_files, published_at, way, reason, author, approver, review, reviewed_by,
  reviewed_at, review_word`;

/** Every version, newest first. */
export function versionLines(tx: ReadTx): VersionLine[] {
  return tx.all(`SELECT ${LINE} FROM policy_versions ORDER BY serial DESC`).map(toLine);
}

/** Emergencies that nobody has reviewed, oldest first. */
export function unreviewed(tx: ReadTx): VersionLine[] {
  const where = `way = 'emergency' AND review IS NULL`;
  return tx.all(`SELECT ${LINE} FROM policy_versions WHERE ${where} ORDER BY serial`).map(toLine);
}

function toVersion(row: Row): PolicyVersion {
  const { hasFiles: _, ...line } = toLine({ ...row, has_files: 0 });
  return {
    ...line,
    snapshot: JSON.parse(String(row['snapshot'])) as PolicySnapshot,
    files: row['files'] === null ? null : textsOf(row['files']),
  };
}

function toLine(row: Row): VersionLine {
  return {
    serial: Number(row['serial']),
    hasFiles: row['has_files'] === 1,
    publishedAt: Number(row['published_at']),
    way: row['way'] as PolicyWay,
    reason: text(row['reason']),
    author: text(row['author']),
    approver: text(row['approver']),
    review: row['review'] === null ? null : toReview(row),
  };
}

function toReview(row: Row): PolicyReview {
  return {
    outcome: row['review'] as PolicyReview['outcome'],
    by: String(row['reviewed_by']),
    at: Number(row['reviewed_at']),
    word: String(row['review_word']),
  };
}

export function insertDraft(tx: Tx, draft: PolicyDraft): void {
  tx.run(
    `INSERT INTO policy_drafts
       (id, state, files, base, reason, author, disk_hash, revision, begun_at, changed_at, proposed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    draft.id,
    draft.state,
    JSON.stringify(draft.files),
    JSON.stringify(draft.base),
    draft.reason,
    draft.author,
    draft.diskHash,
    draft.revision,
    draft.begunAt,
    draft.changedAt,
    draft.proposedAt,
  );
}

/** Everything of a draft but its id, and when it began. */
export function storeDraft(tx: Tx, draft: PolicyDraft): void {
  tx.run(
    `UPDATE policy_drafts SET state = ?, files = ?, base = ?, reason = ?, author = ?, disk_hash = ?, revision = ?,
       changed_at = ?, proposed_at = ?, decided_by = ?, decided_at = ?, word = ? WHERE id = ?`,
    draft.state,
    JSON.stringify(draft.files),
    JSON.stringify(draft.base),
    draft.reason,
    draft.author,
    draft.diskHash,
    draft.revision,
    draft.changedAt,
    draft.proposedAt,
    draft.decidedBy,
    draft.decidedAt,
    draft.word,
    draft.id,
  );
}

export function findDraft(tx: ReadTx, id: string): PolicyDraft | null {
  const row = tx.get('SELECT * FROM policy_drafts WHERE id = ?', id);
  return row === undefined ? null : toDraft(row);
}

/** Drafts that are open or proposed, newest first. */
export function livingDrafts(tx: ReadTx): PolicyDraft[] {
  const sql = `SELECT * FROM policy_drafts WHERE state IN ('open', 'proposed') ORDER BY changed_at DESC, id DESC`;
  return tx.all(sql).map(toDraft);
}

/** The one that stands for the files on disk: nobody has changed what they say. */
export function draftOfDisk(tx: ReadTx): PolicyDraft | null {
  const row = tx.get(
    `SELECT * FROM policy_drafts WHERE disk_hash IS NOT NULL AND revision = 1 AND state IN ('open', 'proposed')`,
  );
  return row === undefined ? null : toDraft(row);
}

/** Whether people have said what becomes of these files on disk: they were refused, or are worked at in the console. */
export function isDiskAnswered(tx: ReadTx, diskHash: string): boolean {
  const sql = `SELECT 1 FROM policy_drafts
    WHERE disk_hash = ? AND (state IN ('refused', 'withdrawn') OR revision > 1 AND state IN ('open', 'proposed')) LIMIT 1`;
  return tx.get(sql, diskHash) !== undefined;
}

function toDraft(row: Row): PolicyDraft {
  return {
    id: String(row['id']),
    state: row['state'] as DraftState,
    files: textsOf(row['files']),
    base: textsOf(row['base']),
    reason: String(row['reason']),
    author: text(row['author']),
    diskHash: text(row['disk_hash']),
    revision: Number(row['revision']),
    begunAt: Number(row['begun_at']),
    changedAt: Number(row['changed_at']),
    proposedAt: instant(row['proposed_at']),
    decidedBy: text(row['decided_by']),
    decidedAt: instant(row['decided_at']),
    word: text(row['word']),
  };
}

/** A version whose files are still to be written, and what stood in the folder when it was published. */
export interface Unwritten {
  readonly serial: number;
  readonly before: PolicyTexts;
}

/** Of two versions in a row that could not be written, what stood there before the first is what stands there. */
export function storeUnwritten(tx: Tx, { serial, before }: Unwritten): void {
  tx.run(
    'INSERT INTO policy_unwritten (id, serial, before) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET serial = excluded.serial',
    serial,
    JSON.stringify(before),
  );
}

export function findUnwritten(tx: ReadTx): Unwritten | null {
  const row = tx.get('SELECT serial, before FROM policy_unwritten');
  return row === undefined ? null : { serial: Number(row['serial']), before: textsOf(row['before']) };
}

export function deleteUnwritten(tx: Tx): void {
  tx.run('DELETE FROM policy_unwritten');
}

function textsOf(value: Row[string] | undefined): PolicyTexts {
  return JSON.parse(String(value)) as PolicyTexts;
}

function instant(value: Row[string] | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}

function text(value: Row[string] | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
