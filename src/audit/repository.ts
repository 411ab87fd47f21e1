import type { ReadTx, Tx } from '../store/database.ts';
import type { AuditHead } from './chain.ts';
import type { AuditAction, AuditRow } from './entry.ts';

export function insertRow(tx: Tx, row: AuditRow): void {
  tx.run(
    `INSERT INTO audit (seq, at, actor, action, subject, approver, payload, salt, payload_hash, prev, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.seq,
    row.at,
    row.actor,
    row.action,
    row.subject,
    row.approver,
    row.payload,
    row.salt,
    row.payload_hash,
    row.prev,
    row.hash,
  );
}

export function storeHead(tx: Tx, head: AuditHead): void {
  tx.run(
    `INSERT INTO audit_head (id, seq, hash, mac) VALUES (1, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, mac = excluded.mac`,
    head.seq,
    head.hash,
    head.mac,
  );
}

export function readHead(tx: ReadTx): AuditHead | null {
  return (tx.get('SELECT seq, hash, mac FROM audit_head WHERE id = 1') as AuditHead | undefined) ?? null;
}

/** Rows after `seq`, oldest first. */
export function rowsAfter(tx: ReadTx, seq: number, limit: number): AuditRow[] {
  return tx.all('SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?', seq, limit) as unknown as AuditRow[];
}

/** The newest rows, newest first; `subject` null: of every subject. */
export function newestRows(tx: ReadTx, subject: string | null, limit: number): AuditRow[] {
  const rows =
    subject === null
      ? tx.all('SELECT * FROM audit ORDER BY seq DESC LIMIT ?', limit)
      : tx.all('SELECT * FROM audit WHERE subject = ? ORDER BY seq DESC LIMIT ?', subject, limit);
  return rows as unknown as AuditRow[];
}

/** The newest row of a subject that is one of these acts. */
export function newestRowOf(tx: ReadTx, subject: string, actions: readonly AuditAction[]): AuditRow | null {
  const sql =
    'SELECT * FROM audit WHERE subject = ? AND action IN (SELECT value FROM json_each(?)) ORDER BY seq DESC LIMIT 1';
  return (tx.get(sql, subject, JSON.stringify(actions)) as AuditRow | undefined) ?? null;
}

/** Rows of these acts from `from` (inclusive) to `until` (inclusive), ISO 8601 UTC, oldest first. */
export function rowsBetween(tx: ReadTx, actions: readonly AuditAction[], from: string, until: string): AuditRow[] {
  const marks = actions.map(() => '?').join(', ');
  const sql = `SELECT * FROM audit WHERE action IN (${marks}) AND at >= ? AND at <= ? ORDER BY seq`;
  return tx.all(sql, ...actions, from, until) as unknown as AuditRow[];
}

/** Erases the personal part of rows before an instant (ISO 8601 UTC); gives how many, and the last row before it. */
export function erasePayloads(tx: Tx, before: string): { readonly erased: number; readonly seq: number } {
  const seq = Number(tx.get('SELECT coalesce(max(seq), 0) AS seq FROM audit WHERE at < ?', before)!['seq']);
  const erased = tx.run("UPDATE audit SET payload = '', salt = '' WHERE seq <= ? AND payload <> ''", seq);
  return { erased, seq };
}

export function countRows(tx: ReadTx): number {
  return Number(tx.get('SELECT count(*) AS n FROM audit')!['n']);
}
