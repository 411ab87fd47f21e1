import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { Act, RecordedState, Unblock } from './model.ts';

export function insertUnblock(tx: Tx, unblock: Unblock): void {
  tx.run(
    `INSERT INTO unblocks (id, state, topic, reason, hosts, categories, levels, ranges, starts_at, ends_at, requested_by, requested_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    unblock.id,
    unblock.state,
    unblock.topic,
    unblock.reason,
    JSON.stringify(unblock.hosts),
    JSON.stringify(unblock.categories),
    JSON.stringify(unblock.levels),
    JSON.stringify(unblock.ranges),
    unblock.from,
    unblock.until,
    unblock.requested.by,
    unblock.requested.at,
  );
}

/** Stores what a move changes: the terms never change after the request. */
export function updateUnblock(tx: Tx, unblock: Unblock): void {
  tx.run(
    'UPDATE unblocks SET state = ?, decided_by = ?, decided_at = ?, ended_by = ?, ended_at = ? WHERE id = ?',
    unblock.state,
    unblock.decided?.by ?? null,
    unblock.decided?.at ?? null,
    unblock.ended?.by ?? null,
    unblock.ended?.at ?? null,
    unblock.id,
  );
}

export function findUnblock(tx: ReadTx, id: string): Unblock | null {
  const row = tx.get('SELECT * FROM unblocks WHERE id = ?', id);
  return row === undefined ? null : toUnblock(row);
}

/** Newest first. */
export function newestUnblocks(tx: ReadTx, limit: number): Unblock[] {
  return tx.all('SELECT * FROM unblocks ORDER BY id DESC LIMIT ?', limit).map(toUnblock);
}

/** Approved, and not over at `now`: in force, or to come. */
export function standingUnblocks(tx: ReadTx, now: number): Unblock[] {
  return tx.all(`SELECT * FROM unblocks WHERE state = 'approved' AND ends_at > ? ORDER BY id`, now).map(toUnblock);
}

/** Those that gateways had at an instant: approved by then, and neither over nor ended by then. */
export function unblocksInForceAt(tx: ReadTx, at: number): Unblock[] {
  return tx
    .all(
      `SELECT * FROM unblocks WHERE state IN ('approved', 'revoked', 'expired') AND decided_at <= ? AND ends_at > ?
         AND (ended_at IS NULL OR ended_at > ?) ORDER BY id`,
      at,
      at,
      at,
    )
    .map(toUnblock);
}

/** Asked for or approved, and over at `now` without a note of it. */
export function lapsedUnblocks(tx: ReadTx, now: number): Unblock[] {
  return tx
    .all(`SELECT * FROM unblocks WHERE state IN ('requested', 'approved') AND ends_at <= ? ORDER BY id`, now)
    .map(toUnblock);
}

/** Asked for or standing at some time from `from` to `until` (ms), oldest first. */
export function unblocksBetween(tx: ReadTx, from: number, until: number): Unblock[] {
  return tx
    .all('SELECT * FROM unblocks WHERE requested_at < ? AND ends_at > ? ORDER BY id', until, from)
    .map(toUnblock);
}

function toUnblock(row: Row): Unblock {
  const list = (column: string): string[] => JSON.parse(String(row[column])) as string[];
  return {
    id: String(row['id']),
    state: row['state'] as RecordedState,
    topic: String(row['topic']),
    reason: String(row['reason']),
    hosts: list('hosts'),
    categories: list('categories'),
    levels: list('levels'),
    ranges: list('ranges'),
    from: Number(row['starts_at']),
    until: Number(row['ends_at']),
    requested: { by: String(row['requested_by']), at: Number(row['requested_at']) },
    decided: toAct(row['decided_by'], row['decided_at']),
    ended: toAct(row['ended_by'], row['ended_at']),
  };
}

function toAct(by: Row[string] | undefined, at: Row[string] | undefined): Act | null {
  return at === null || at === undefined ? null : { by: by === null ? null : String(by), at: Number(at) };
}
