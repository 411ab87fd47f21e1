import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** A policy as it was published. */
export interface PolicyVersion {
  readonly serial: number;
  readonly snapshot: PolicySnapshot;
  /** Ms since the epoch. */
  readonly publishedAt: number;
  readonly reason: string | null;
  /** Ids of the two people; null: applied from the files on disk. */
  readonly author: string | null;
  readonly approver: string | null;
}

export type ProposalState = 'open' | 'published' | 'refused' | 'superseded';

/** A change on disk that somebody stands for, waiting for a second person. */
export interface Proposal {
  readonly id: string;
  readonly state: ProposalState;
  readonly snapshot: PolicySnapshot;
  /** Serial of the version that the change was described against. */
  readonly baseSerial: number;
  readonly reason: string;
  readonly proposed: { readonly by: string; readonly at: number };
}

export function insertVersion(tx: Tx, version: PolicyVersion): void {
  tx.run(
    `INSERT INTO policy_versions (serial, hash, snapshot, published_at, reason, author, approver)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    version.serial,
    version.snapshot.hash,
    JSON.stringify(version.snapshot),
    version.publishedAt,
    version.reason,
    version.author,
    version.approver,
  );
}

/** The policy in force. */
export function latestVersion(tx: ReadTx): PolicyVersion | null {
  const row = tx.get('SELECT * FROM policy_versions ORDER BY serial DESC LIMIT 1');
  return row === undefined ? null : toVersion(row);
}

/** The policy in force at an instant; null: none was published by then. */
export function versionAt(tx: ReadTx, at: number): PolicyVersion | null {
  const row = tx.get('SELECT * FROM policy_versions WHERE published_at <= ? ORDER BY serial DESC LIMIT 1', at);
  return row === undefined ? null : toVersion(row);
}

function toVersion(row: Row): PolicyVersion {
  return {
    serial: Number(row['serial']),
    snapshot: snapshotOf(row),
    publishedAt: Number(row['published_at']),
    reason: text(row['reason']),
    author: text(row['author']),
    approver: text(row['approver']),
  };
}

export function insertProposal(tx: Tx, proposal: Proposal): void {
  tx.run(
    `INSERT INTO policy_proposals (id, state, hash, snapshot, base_serial, reason, proposed_by, proposed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    proposal.id,
    proposal.state,
    proposal.snapshot.hash,
    JSON.stringify(proposal.snapshot),
    proposal.baseSerial,
    proposal.reason,
    proposal.proposed.by,
    proposal.proposed.at,
  );
}

/** `by` null: nobody decided; a newer change took its place. */
export function closeProposal(tx: Tx, id: string, state: ProposalState, by: string | null, at: number): void {
  tx.run('UPDATE policy_proposals SET state = ?, decided_by = ?, decided_at = ? WHERE id = ?', state, by, at, id);
}

export function openProposal(tx: ReadTx): Proposal | null {
  const row = tx.get(`SELECT * FROM policy_proposals WHERE state = 'open'`);
  if (row === undefined) return null;
  return {
    id: String(row['id']),
    state: row['state'] as ProposalState,
    snapshot: snapshotOf(row),
    baseSerial: Number(row['base_serial']),
    reason: String(row['reason']),
    proposed: { by: String(row['proposed_by']), at: Number(row['proposed_at']) },
  };
}

function snapshotOf(row: Row): PolicySnapshot {
  return JSON.parse(String(row['snapshot'])) as PolicySnapshot;
}

function text(value: Row[string] | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
