import type { ReadTx, Tx } from '../store/database.ts';

/** One holder of the evidence key. */
export interface Holder {
  readonly personId: string;
  readonly salt: string;
}

export interface EvidenceKey {
  /** Base64. */
  readonly publicKey: string;
  /** ISO 8601 UTC. */
  readonly madeAt: string;
}

export function findKey(tx: ReadTx): EvidenceKey | null {
  const row = tx.get('SELECT public_key AS "publicKey", made_at AS "madeAt" FROM evidence_key');
  return (row as unknown as EvidenceKey | undefined) ?? null;
}

export function insertKey(tx: Tx, { publicKey, madeAt }: EvidenceKey): void {
  tx.run('INSERT INTO evidence_key (id, public_key, made_at) VALUES (1, ?, ?)', publicKey, madeAt);
}

export function insertHolder(tx: Tx, { personId, salt }: Holder): void {
  tx.run('INSERT INTO evidence_holders (person_id, salt) VALUES (?, ?)', personId, salt);
}

export function holders(tx: ReadTx): Holder[] {
  const rows = tx.all('SELECT person_id AS "personId", salt FROM evidence_holders ORDER BY person_id');
  return rows as unknown as Holder[];
}

export function insertWrap(tx: Tx, first: string, second: string, wrapped: string): void {
  tx.run('INSERT INTO evidence_wraps (first, second, wrapped) VALUES (?, ?, ?)', first, second, wrapped);
}

export function findWrap(tx: ReadTx, first: string, second: string): string | null {
  const row = tx.get('SELECT wrapped FROM evidence_wraps WHERE first = ? AND second = ?', first, second);
  return row === undefined ? null : String(row['wrapped']);
}

export function insertAttempt(tx: Tx, personId: string, at: number): void {
  tx.run('INSERT INTO evidence_attempts (person_id, at) VALUES (?, ?)', personId, at);
}

export function countAttempts(tx: ReadTx, personId: string, since: number): number {
  const row = tx.get('SELECT count(*) AS n FROM evidence_attempts WHERE person_id = ? AND at > ?', personId, since);
  return Number(row!['n']);
}

export function deleteAttempts(tx: Tx, personId: string): void {
  tx.run('DELETE FROM evidence_attempts WHERE person_id = ?', personId);
}

export interface Removal {
  readonly listId: string;
  readonly requestedBy: string;
  /** ISO 8601 UTC. */
  readonly requestedAt: string;
}

export function findRemoval(tx: ReadTx, listId: string): Removal | null {
  const row = tx.get(
    `SELECT list_id AS "listId", requested_by AS "requestedBy", requested_at AS "requestedAt"
     FROM list_removals WHERE list_id = ?`,
    listId,
  );
  return (row as unknown as Removal | undefined) ?? null;
}

export function insertRemoval(tx: Tx, { listId, requestedBy, requestedAt }: Removal): void {
  tx.run(
    `INSERT INTO list_removals (list_id, requested_by, requested_at) VALUES (?, ?, ?)
     ON CONFLICT (list_id) DO UPDATE SET requested_by = excluded.requested_by, requested_at = excluded.requested_at`,
    listId,
    requestedBy,
    requestedAt,
  );
}

export function deleteRemoval(tx: Tx, listId: string): void {
  tx.run('DELETE FROM list_removals WHERE list_id = ?', listId);
}
