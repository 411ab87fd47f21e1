import type { ReadTx, Tx } from '../store/database.ts';

/** The content of a list, as the audit record knows it. */
export interface ListContentMark {
  readonly entries: number;
  /** Hex, of its canonical entries; of a list of a locked category, of their keyed form. */
  readonly sha256: string;
}

/** By list id. */
export function listsInForce(tx: ReadTx): ReadonlyMap<string, ListContentMark> {
  const rows = tx.all('SELECT id, entries, sha256 FROM lists_in_force');
  return new Map(
    rows.map((row) => [String(row['id']), { entries: Number(row['entries']), sha256: String(row['sha256']) }]),
  );
}

/** Null: the list is not in force any more. */
export function storeInForce(tx: Tx, id: string, mark: ListContentMark | null): void {
  if (mark === null) {
    tx.run('DELETE FROM lists_in_force WHERE id = ?', id);
    return;
  }
  tx.run(
    `INSERT INTO lists_in_force (id, entries, sha256) VALUES (?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET entries = excluded.entries, sha256 = excluded.sha256`,
    id,
    mark.entries,
    mark.sha256,
  );
}
