import { type Erased, erasedRows } from '../kernel/erased.ts';
import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { Channel, DeliveryState, Outgoing, QueuedDelivery } from './outgoing.ts';

/** Gives the id under which it stands: another one where it is in the queue already, or has been. */
export function insertDelivery(
  tx: Tx,
  id: string,
  { channel, recipient, about, content }: Outgoing,
  at: number,
): string {
  tx.run(
    `INSERT INTO deliveries (id, channel, recipient, about, content, state, tries, queued_at, next_try_at)
     VALUES (?, ?, ?, ?, ?, 'waiting', 0, ?, ?) ON CONFLICT DO NOTHING`,
    id,
    channel,
    recipient,
    about,
    JSON.stringify(content),
    at,
    at,
  );
  const sql = 'SELECT id FROM deliveries WHERE about = ? AND channel = ? AND recipient = ?';
  return String(tx.get(sql, about, channel, recipient)!['id']);
}

/** Due at `now`, the longest due first. */
export function dueDeliveries(tx: ReadTx, channel: Channel, now: number, limit: number): QueuedDelivery[] {
  const sql = `SELECT * FROM deliveries WHERE state = 'waiting' AND channel = ? AND next_try_at <= ? ORDER BY next_try_at, id LIMIT ?`;
  return tx.all(sql, channel, now, limit).map(toDelivery);
}

/** When the next one is due, ms since the epoch; null: none waits. */
export function nextDue(tx: ReadTx): number | null {
  const due = tx.get("SELECT min(next_try_at) AS due FROM deliveries WHERE state = 'waiting'")!['due'];
  return due === null ? null : Number(due);
}

export function markSending(tx: Tx, id: string): void {
  tx.run("UPDATE deliveries SET state = 'sending', tries = tries + 1 WHERE id = ?", id);
}

export function markSent(tx: Tx, id: string, at: number): void {
  tx.run("UPDATE deliveries SET state = 'sent', sent_at = ?, problem = NULL WHERE id = ?", at, id);
}

/** `nextTryAt` null: given up. */
export function markFailed(tx: Tx, id: string, problem: string, nextTryAt: number | null): void {
  const sql = 'UPDATE deliveries SET state = ?, problem = ?, next_try_at = coalesce(?, next_try_at) WHERE id = ?';
  tx.run(sql, nextTryAt === null ? 'failed' : 'waiting', problem, nextTryAt, id);
}

/** What a run that was killed had under way. */
export function releaseClaims(tx: Tx, now: number): number {
  return tx.run("UPDATE deliveries SET state = 'waiting', next_try_at = ? WHERE state = 'sending'", now);
}

/** Oldest first. */
export function deliveriesAbout(tx: ReadTx, about: string): QueuedDelivery[] {
  return tx.all('SELECT * FROM deliveries WHERE about = ? ORDER BY id', about).map(toDelivery);
}

/** Queued before an instant, ms since the epoch, and still to leave. */
export function unsentBefore(tx: ReadTx, before: number): QueuedDelivery[] {
  const sql = "SELECT * FROM deliveries WHERE state IN ('waiting', 'sending') AND queued_at < ? ORDER BY queued_at, id";
  return tx.all(sql, before).map(toDelivery);
}

function toDelivery(row: Row): QueuedDelivery {
  return {
    id: String(row['id']),
    channel: row['channel'] as Channel,
    recipient: String(row['recipient']),
    about: String(row['about']),
    content: JSON.parse(String(row['content'])) as Outgoing['content'],
    state: row['state'] as DeliveryState,
    tries: Number(row['tries']),
    queuedAt: Number(row['queued_at']),
    nextTryAt: Number(row['next_try_at']),
    sentAt: row['sent_at'] === null ? null : Number(row['sent_at']),
    problem: row['problem'] === null ? null : String(row['problem']),
  };
}

/** What left, or never will, and was queued before `before` (ms). */
export function eraseDone(tx: Tx, before: number, most: number): Erased[] {
  const sql = `DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE queued_at < ? AND ${IS_DONE} ORDER BY queued_at LIMIT ?)
    RETURNING id, queued_at AS at`;
  return erasedRows('delivery', tx.all(sql, before, most));
}

export function oldestDone(tx: ReadTx): number | null {
  const at = tx.get(`SELECT min(queued_at) AS at FROM deliveries WHERE ${IS_DONE}`)?.['at'];
  return at === undefined || at === null ? null : Number(at);
}

const IS_DONE = "state IN ('sent', 'failed')";
