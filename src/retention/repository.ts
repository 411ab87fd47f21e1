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

/** Nothing of a class is deleted while somebody has it held. */
export interface Hold {
  readonly reason: string;
  /** Full name. */
  readonly by: string;
  /** ms since the epoch. */
  readonly at: number;
}

export function findHold(tx: ReadTx, kept: string): Hold | null {
  const sql = `SELECT reason, full_name AS by, placed_at AS at FROM retention_holds JOIN people ON people.id = placed_by WHERE class = ?`;
  return (tx.get(sql, kept) as unknown as Hold | undefined) ?? null;
}

export function insertHold(tx: Tx, kept: string, reason: string, personId: string, at: number): void {
  const sql = 'INSERT INTO retention_holds (class, reason, placed_by, placed_at) VALUES (?, ?, ?, ?)';
  tx.run(sql, kept, reason, personId, at);
}

export function deleteHold(tx: Tx, kept: string): void {
  tx.run('DELETE FROM retention_holds WHERE class = ?', kept);
}
