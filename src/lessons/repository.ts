import { type Erased, erasedRows } from '../kernel/erased.ts';
import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { Act, Lesson } from './model.ts';

export function insertLesson(tx: Tx, { id, title, sites, classes, pupils, from, until, given }: Lesson): void {
  tx.run(
    `INSERT INTO lessons (id, title, sites, classes, pupils, starts_at, ends_at, given_by, given_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    title,
    JSON.stringify(sites),
    JSON.stringify(classes),
    JSON.stringify(pupils),
    from,
    until,
    given.by,
    given.at,
  );
}

/** Stores what a move changes: more sites, a later end, or that it was ended. */
export function updateLesson(tx: Tx, { id, sites, until, ended }: Lesson): void {
  const sql = 'UPDATE lessons SET sites = ?, ends_at = ?, ended_by = ?, ended_at = ? WHERE id = ?';
  tx.run(sql, JSON.stringify(sites), until, ended?.by ?? null, ended?.at ?? null, id);
}

export function findLesson(tx: ReadTx, id: string): Lesson | null {
  const row = tx.get('SELECT * FROM lessons WHERE id = ?', id);
  return row === undefined ? null : toLesson(row);
}

/** In force at `now` or to come, the first to begin first. */
export function standingLessons(tx: ReadTx, now: number): Lesson[] {
  const sql = 'SELECT * FROM lessons WHERE ended_at IS NULL AND ends_at > ? ORDER BY starts_at, id';
  return tx.all(sql, now).map(toLesson);
}

/** Given by then, and neither over nor ended by then. What was changed since is as it is now. */
export function lessonsStandingAt(tx: ReadTx, at: number): Lesson[] {
  const sql = 'SELECT * FROM lessons WHERE given_at <= ? AND ends_at > ? AND (ended_at IS NULL OR ended_at > ?)';
  return tx.all(`${sql} ORDER BY starts_at, id`, at, at, at).map(toLesson);
}

/** Over at `now`, newest first. */
export function pastLessons(tx: ReadTx, now: number, limit: number): Lesson[] {
  const sql =
    'SELECT * FROM lessons WHERE ended_at IS NOT NULL OR ends_at <= ? ORDER BY starts_at DESC, id DESC LIMIT ?';
  return tx.all(sql, now, limit).map(toLesson);
}

function toLesson(row: Row): Lesson {
  const list = (column: string): string[] => JSON.parse(String(row[column])) as string[];
  return {
    id: String(row['id']),
    title: String(row['title']),
    sites: list('sites'),
    classes: list('classes'),
    pupils: list('pupils'),
    from: Number(row['starts_at']),
    until: Number(row['ends_at']),
    given: { by: String(row['given_by']), at: Number(row['given_at']) },
    ended: toAct(row['ended_by'], row['ended_at']),
  };
}

function toAct(by: Row[string] | undefined, at: Row[string] | undefined): Act | null {
  return at === null || at === undefined ? null : { by: String(by), at: Number(at) };
}

/** Lesson lists that were over before `before`, ms. */
export function eraseLessons(tx: Tx, before: number, most: number): Erased[] {
  const sql = `DELETE FROM lessons WHERE id IN (SELECT id FROM lessons WHERE ends_at < ? ORDER BY ends_at LIMIT ?) RETURNING id, ends_at AS at`;
  return erasedRows('lesson', tx.all(sql, before, most));
}

/** When the first that is over at `now` ended, both ms. */
export function oldestLesson(tx: ReadTx, now: number): number | null {
  const at = tx.get('SELECT min(ends_at) AS at FROM lessons WHERE ends_at < ?', now)?.['at'];
  return at === undefined || at === null ? null : Number(at);
}
