import type { SnapshotKind } from '../events/bus.ts';
import type { ReadTx, Tx } from '../store/database.ts';

/** The next serial of a kind; it belongs to the transaction and is given back when that fails. */
export function raiseSerial(tx: Tx, kind: SnapshotKind): number {
  tx.run(
    `INSERT INTO snapshot_serials (kind, serial) VALUES (?, 1)
     ON CONFLICT (kind) DO UPDATE SET serial = serial + 1`,
    kind,
  );
  return currentSerial(tx, kind);
}

/** 0: nothing of this kind was ever called for. */
export function currentSerial(tx: ReadTx, kind: SnapshotKind): number {
  return Number(tx.get('SELECT serial FROM snapshot_serials WHERE kind = ?', kind)?.['serial'] ?? 0);
}

export function insertWaiting(tx: Tx, kind: SnapshotKind, serial: number, at: string): void {
  tx.run('INSERT INTO outbox (kind, serial, at) VALUES (?, ?, ?)', kind, serial, at);
}

/** A snapshot carries everything up to its serial, so all earlier rows of its kind have left with it. */
export function markSent(tx: Tx, kind: SnapshotKind, serial: number, at: string): void {
  tx.run('UPDATE outbox SET sent_at = ? WHERE kind = ? AND serial <= ? AND sent_at IS NULL', at, kind, serial);
}

export function waitingKinds(tx: ReadTx): SnapshotKind[] {
  return tx
    .all('SELECT DISTINCT kind FROM outbox WHERE sent_at IS NULL ORDER BY kind')
    .map((row) => row['kind'] as SnapshotKind);
}

/** Raises every serial by so much, so that no gateway has seen the ones that come. */
export function raiseSerials(tx: Tx, by: number): void {
  tx.run('UPDATE snapshot_serials SET serial = serial + ?', by);
}
