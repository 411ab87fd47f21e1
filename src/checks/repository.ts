import { type Erased, erasedRows } from '../kernel/erased.ts';
import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { Check } from './model.ts';

/** `formKey`: of the form it came with; null: none. False: that was sent before. */
export function insertCheck(tx: Tx, one: Check, formKey: string | null): boolean {
  const changed = tx.run(
    `INSERT INTO checks (id, kind, at, by, level, device, place, tested, result, action, samples, form_key)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    one.id,
    one.kind,
    one.at,
    one.by,
    one.level,
    one.device,
    one.place,
    one.tested,
    one.result,
    one.action,
    JSON.stringify(one.samples),
    formKey,
  );
  return changed > 0;
}

/** Newest first. */
export function newestChecks(tx: ReadTx, limit: number): Check[] {
  return tx.all('SELECT * FROM checks ORDER BY at DESC, id DESC LIMIT ?', limit).map(toCheck);
}

export function findCheck(tx: ReadTx, id: string): Check | null {
  const row = tx.get('SELECT * FROM checks WHERE id = ?', id);
  return row === undefined ? null : toCheck(row);
}

/** When the newest of a kind was, ms; one that could not be tried at all counts for nothing. Null: there is none. */
export function lastCheck(tx: ReadTx, kind: Check['kind']): number | null {
  const row = tx.get(`SELECT max(at) AS at FROM checks WHERE kind = ? AND result <> 'not-tried'`, kind)!;
  return row['at'] === null ? null : Number(row['at']);
}

/** When the log begins, ms; null: it is empty. */
export function oldestCheck(tx: ReadTx): number | null {
  const at = tx.get('SELECT min(at) AS at FROM checks')!['at'];
  return at === null || at === undefined ? null : Number(at);
}

/** Those before `before`, ms, about `most`. */
export function eraseChecks(tx: Tx, before: number, most: number): Erased[] {
  const rows = tx.all('SELECT id, at FROM checks WHERE at < ? ORDER BY at LIMIT ?', before, most);
  for (const { id } of rows) tx.run('DELETE FROM checks WHERE id = ?', id!);
  return erasedRows('check', rows);
}

function toCheck(row: Row): Check {
  return {
    id: String(row['id']),
    kind: row['kind'] as Check['kind'],
    at: Number(row['at']),
    by: row['by'] === null ? null : String(row['by']),
    level: row['level'] === null ? null : String(row['level']),
    device: String(row['device']),
    place: String(row['place']),
    tested: String(row['tested']),
    result: row['result'] as Check['result'],
    action: String(row['action']),
    samples: JSON.parse(String(row['samples'])) as Check['samples'],
  };
}
