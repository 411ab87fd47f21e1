import { isoTime } from '../kernel/clock.ts';
import type { Erased } from '../kernel/erased.ts';
import type { ReadTx, SqlValue, Tx } from '../store/database.ts';
import type { AuditHead } from './chain.ts';
import type { AuditAction, AuditRow } from './entry.ts';
import type { RowFilter } from './list-filter.ts';

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

/** How often somebody did what from `from` (inclusive) to `until` (exclusive), ms since the epoch; the most frequent first. */
export function countActs(
  tx: ReadTx,
  actor: string,
  from: number,
  until: number,
): { readonly action: AuditAction; readonly count: number }[] {
  const sql = `SELECT action, count(*) AS n FROM audit WHERE actor = ? AND at >= ? AND at < ?
    GROUP BY action ORDER BY n DESC, action`;
  return tx
    .all(sql, actor, isoTime(from), isoTime(until))
    .map(({ action, n }) => ({ action: action as AuditAction, count: Number(n) }));
}

/** Who reads the record, and is not shown all of it. */
export interface Reader {
  /** Is not shown what others did about them. */
  readonly personId: string;
  /** Subjects of rows that are not theirs to see, such as `concern:01J…`. */
  readonly hidden: readonly string[];
}

/** Rows that fit before row `before`, newest first. `reader` null: every row. */
export function filteredRows(
  tx: ReadTx,
  filter: RowFilter,
  reader: Reader | null,
  before: number | null,
  limit: number,
): AuditRow[] {
  const { where, values } = conditions(filter, reader);
  const sql = `SELECT * FROM audit WHERE ${where} AND seq < ? ORDER BY seq DESC LIMIT ?`;
  return tx.all(sql, ...values, before ?? Number.MAX_SAFE_INTEGER, limit) as unknown as AuditRow[];
}

/** Counting all of a long record would take longer than reading the page. */
export const MOST_COUNTED = 1000;

/** How many fit, up to `MOST_COUNTED`. */
export function countFiltered(tx: ReadTx, filter: RowFilter, reader: Reader | null): number {
  const { where, values } = conditions(filter, reader);
  const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM audit WHERE ${where} LIMIT ${MOST_COUNTED})`;
  return Number(tx.get(sql, ...values)!['n']);
}

export function rowOf(tx: ReadTx, seq: number, reader: Reader | null): AuditRow | null {
  const { where, values } = conditions(ANY, reader);
  const row = tx.get(`SELECT * FROM audit WHERE ${where} AND seq = ?`, ...values, seq);
  return (row as AuditRow | undefined) ?? null;
}

const ANY: RowFilter = { search: null, actor: null, actions: null, subject: null, from: null, until: null };

/** Rows stand in the order of their instants, so that a page is read backwards along the key and never sorted. */
const FIRST_SINCE = 'coalesce((SELECT seq FROM audit WHERE at >= ? ORDER BY at LIMIT 1), 9007199254740991)';

function conditions(filter: RowFilter, reader: Reader | null): { where: string; values: SqlValue[] } {
  const { search, actor, actions, subject, from, until } = filter;
  const parts: [string, ...SqlValue[]][] = [['1']];
  if (actor !== null) parts.push(['actor = ?', actor]);
  if (subject !== null) parts.push(['subject = ?', subject]);
  if (actions !== null) parts.push(['+action IN (SELECT value FROM json_each(?))', JSON.stringify(actions)]);
  if (from !== null) parts.push([`seq >= ${FIRST_SINCE}`, from]);
  if (until !== null) parts.push([`seq < ${FIRST_SINCE}`, until]);
  if (reader !== null) {
    const { personId, hidden } = reader;
    // Their own sign-ins and the like are no news to them.
    const others = 'NOT (subject = ? AND actor <> (SELECT user_name FROM people WHERE id = ?))';
    parts.push([others, `person:${personId}`, personId]);
    if (hidden.length > 0) parts.push(['subject NOT IN (SELECT value FROM json_each(?))', JSON.stringify(hidden)]);
  }
  for (const word of search?.split(/\s+/) ?? []) {
    const like = `%${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    parts.push([
      String.raw`(payload LIKE ? ESCAPE '\' OR subject LIKE ? ESCAPE '\' OR actor LIKE ? ESCAPE '\')`,
      like,
      like,
      like,
    ]);
  }
  return { where: parts.map(([sql]) => sql).join(' AND '), values: parts.flatMap(([, ...values]) => values) };
}

/** Erases the personal part of rows before an instant (ISO 8601 UTC); gives how many, and the last row before it. */
export function erasePayloads(tx: Tx, before: string): { readonly erased: number; readonly seq: number } {
  const seq = Number(tx.get('SELECT coalesce(max(seq), 0) AS seq FROM audit WHERE at < ?', before)!['seq']);
  const erased = tx.run("UPDATE audit SET payload = '', salt = '' WHERE seq <= ? AND payload <> ''", seq);
  return { erased, seq };
}

/** The personal parts there are of rows before an instant (ms): number and hash of each. */
export function detailsBefore(tx: ReadTx, before: number): Erased[] {
  const sql = `SELECT seq, at, payload_hash AS hash FROM audit WHERE ${NOT_ERASED} AND at < ? ORDER BY seq`;
  const rows = tx.all(sql, isoTime(before));
  return rows.map(({ seq, at, hash }) => ({ line: `${String(seq)} ${String(hash)}`, at: Date.parse(String(at)) }));
}

/** When the first row was written that still has its personal part, ms; null: none has. */
export function oldestDetails(tx: ReadTx): number | null {
  const row = tx.get(`SELECT at FROM audit WHERE ${NOT_ERASED} ORDER BY seq LIMIT 1`);
  return row === undefined ? null : Date.parse(String(row['at']));
}

/** Rows that were erased are the oldest: the last erasure says up to which, so that they need not be looked at. */
const NOT_ERASED = `payload <> '' AND seq > coalesce(
  (SELECT CAST(substr(subject, 9) AS INTEGER) FROM audit WHERE action = 'audit.payloads-erased' ORDER BY at DESC LIMIT 1), 0)`;

export function countRows(tx: ReadTx): number {
  return Number(tx.get('SELECT count(*) AS n FROM audit')!['n']);
}
