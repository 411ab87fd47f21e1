import { type Erased, erasedRows } from '../kernel/erased.ts';
import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { KeptBody, KeptLine, KeptReport, ReportKind } from './kept.ts';

/** In the place of an earlier one of the same kind and period. */
export function storeReport(tx: Tx, { id, kind, title, from, until, madeAt, body }: KeptReport): void {
  tx.run(
    `INSERT INTO reports (id, kind, title, from_at, until_at, made_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET title = excluded.title, from_at = excluded.from_at, until_at = excluded.until_at,
       made_at = excluded.made_at, body = excluded.body`,
    id,
    kind,
    title,
    from,
    until,
    madeAt,
    JSON.stringify(body),
  );
}

export function findReport(tx: ReadTx, id: string): KeptReport | null {
  const row = tx.get('SELECT * FROM reports WHERE id = ?', id);
  return row === undefined ? null : toReport(row);
}

/** Newest first. */
export function newestReports(tx: ReadTx, limit: number): KeptLine[] {
  const sql = 'SELECT id, kind, title, from_at, until_at, made_at FROM reports ORDER BY until_at DESC, id LIMIT ?';
  return tx.all(sql, limit).map(toLine);
}

/** When the last period of a kind ended that was over by `by` (ms); null: there is none. */
export function lastEnded(tx: ReadTx, kind: ReportKind, by: number): number | null {
  const at = tx.get('SELECT max(until_at) AS at FROM reports WHERE kind = ? AND until_at <= ?', kind, by)!['at'];
  return at === null ? null : Number(at);
}

/** Of one kind, of periods that end after `from` and by `until` (ms), oldest first. */
export function reportsBetween(tx: ReadTx, kind: ReportKind, from: number, until: number): KeptReport[] {
  const sql = 'SELECT * FROM reports WHERE kind = ? AND until_at > ? AND until_at <= ? ORDER BY until_at, id';
  return tx.all(sql, kind, from, until).map(toReport);
}

function toReport(row: Row): KeptReport {
  return { ...toLine(row), body: JSON.parse(String(row['body'])) as KeptBody };
}

function toLine(row: Row): KeptLine {
  return {
    id: String(row['id']),
    kind: row['kind'] as ReportKind,
    title: String(row['title']),
    from: Number(row['from_at']),
    until: Number(row['until_at']),
    madeAt: Number(row['made_at']),
  };
}

/** Reports made before `before`, ms. */
export function eraseReports(tx: Tx, before: number, most: number): Erased[] {
  const sql = `DELETE FROM reports WHERE id IN (SELECT id FROM reports WHERE made_at < ? ORDER BY made_at LIMIT ?) RETURNING id, made_at AS at`;
  return erasedRows('report', tx.all(sql, before, most));
}

export function oldestReport(tx: ReadTx): number | null {
  const at = tx.get('SELECT min(made_at) AS at FROM reports')!['at'];
  return at === null ? null : Number(at);
}
