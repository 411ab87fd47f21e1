import type { ReadTx, Row, Tx } from '../../store/database.ts';
import type { Renewal } from '../credentials.ts';
import type { Agreement } from './agreement.ts';

/** That somebody, or a parent for them, has accepted an agreement. */
export interface Acceptance {
  readonly personId: string;
  readonly agreement: Agreement;
  /** Ms since the epoch. */
  readonly at: number;
  /** It counts until then. */
  readonly until: number;
  /** Who recorded a parent's consent; null: the person accepted it themself. */
  readonly recordedBy: string | null;
}

/** Keeps the words with it, so that it can always be said what was agreed to. */
export function insertAcceptance(tx: Tx, { personId, agreement, at, until, recordedBy }: Acceptance): void {
  const { version, band, title, text, by } = agreement;
  tx.run(
    'INSERT OR IGNORE INTO agreement_texts (version, band, title, text, accepted_by) VALUES (?, ?, ?, ?, ?)',
    version,
    band,
    title,
    JSON.stringify(text),
    by,
  );
  tx.run(
    'INSERT INTO acceptances (person_id, version, accepted_at, until, recorded_by) VALUES (?, ?, ?, ?, ?)',
    personId,
    version,
    at,
    until,
    recordedBy,
  );
}

/** Marks what counts for a person as withdrawn; gives how many there were. */
export function withdrawAcceptances(tx: Tx, personId: string, by: string, at: number): number {
  return tx.run(
    `UPDATE acceptances SET withdrawn_at = ?, withdrawn_by = ?
     WHERE person_id = ? AND until > ? AND withdrawn_at IS NULL`,
    at,
    by,
    personId,
    at,
  );
}

/** What somebody had accepted last, as far as it counts at an instant. */
export interface CurrentAcceptance {
  readonly version: string;
  readonly at: number;
  readonly recordedBy: string | null;
}

const COUNTS = '(until > ?1 AND accepted_at <= ?1 AND (withdrawn_at IS NULL OR withdrawn_at > ?1))';

/** Null: nothing counts. `at`: now, or an earlier instant. */
export function currentAcceptance(tx: ReadTx, personId: string, at: number): CurrentAcceptance | null {
  const sql = `SELECT version, accepted_at, recorded_by FROM acceptances WHERE person_id = ?2 AND ${COUNTS} ORDER BY id DESC LIMIT 1`;
  const row = tx.get(sql, at, personId);
  return row === undefined ? null : toCurrent(row);
}

/** Of everybody for whom something counts, by person. */
export function currentAcceptances(tx: ReadTx, at: number): ReadonlyMap<string, CurrentAcceptance> {
  const sql = `SELECT person_id, version, accepted_at, recorded_by FROM acceptances WHERE ${COUNTS} ORDER BY id`;
  // The last one of a person counts.
  return new Map(tx.all(sql, at).map((row) => [String(row['person_id']), toCurrent(row)]));
}

function toCurrent(row: Row): CurrentAcceptance {
  const by = row['recorded_by'];
  return {
    version: String(row['version']),
    at: Number(row['accepted_at']),
    recordedBy: by === null ? null : String(by),
  };
}

/** For gateways: of whom something was accepted or withdrawn after `since`. */
export function acceptedSince(tx: ReadTx, since: number): Renewal[] {
  return tx
    .all(
      `SELECT user_key, max(max(accepted_at, coalesce(withdrawn_at, 0))) AS at FROM acceptances
       JOIN people ON people.id = person_id WHERE accepted_at > ?1 OR withdrawn_at > ?1 GROUP BY user_key`,
      since,
    )
    .map((row) => ({ user: String(row['user_key']), at: Number(row['at']) }));
}
