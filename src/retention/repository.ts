import type { ReadTx, Tx } from '../store/database.ts';
import type { Going } from './proof.ts';

/** A name that is noted already stays as it was noted. */
export function noteGoing(tx: Tx, kept: string, { name, from, until, line }: Going): void {
  const sql = `INSERT INTO files_going (class, name, began_at, ended_at, line) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;
  tx.run(sql, kept, name, from, until, line);
}

/** In the order of their names. */
export function allGoing(tx: ReadTx, kept: string): Going[] {
  const sql = `SELECT name, began_at AS "from", ended_at AS "until", line FROM files_going WHERE class = ? ORDER BY name`;
  return tx.all(sql, kept) as unknown as Going[];
}

export function forgetGoing(tx: Tx, kept: string): void {
  tx.run('DELETE FROM files_going WHERE class = ?', kept);
}
