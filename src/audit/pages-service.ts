import type { ReadTx, RecordDatabase } from '../store/database.ts';
import type { Actor, AuditAction, AuditRow } from './entry.ts';
import { AUDIT_ACTIONS, payloadOf } from './entry.ts';
import type { RowFilter } from './list-filter.ts';
import type { Purpose } from './purpose.ts';
import { countFiltered, filteredRows, newestRowOf, type Reader, rowOf } from './repository.ts';
import type { Audit } from './service.ts';

/** The record for people to read. Whoever reads more than governors may is put on record, in the same transaction. */
export interface AuditPages {
  /** Newest first, those before row `before` (null: from the newest). `all`: whoever takes it for a file. */
  list(actor: Actor, filter: RowFilter, before: number | null, most: number): FoundRows;
  /** Null: there is none that this person may see. */
  row(actor: Actor, seq: number): AuditRow | null;
  /** Acts about one person, newest first. */
  about(actor: Actor, personId: string, purpose: Purpose): readonly AuditRow[];
  /** For governors: looking is not put on record, as it names no child. */
  governed(filter: RowFilter, before: number | null, most: number): FoundRows;
  /** Topic of the unblock that a row is about. */
  topicOf(row: AuditRow): string | null;
}

export interface FoundRows {
  readonly rows: readonly AuditRow[];
  /** How many fit, on whatever page, up to `MOST_COUNTED`. */
  readonly found: number;
  /** Where the next page begins; null: there is none. */
  readonly next: number | null;
}

export { MOST_COUNTED } from './repository.ts';

/** Acts on one page about a person. */
const MOST_ABOUT = 1000;

/** Looks at one person's data, and lists of many people in which they may have stood. */
export const LOOKS = (Object.keys(AUDIT_ACTIONS) as AuditAction[]).filter((action) => action.endsWith('.looked-at'));

export interface AuditPagesOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  /** Subjects of rows that are not for somebody, whatever their roles. */
  readonly hiddenFrom: (tx: ReadTx, personId: string) => readonly string[];
}

export function createAuditPages({ record, audit, hiddenFrom }: AuditPagesOptions): AuditPages {
  const reader = (tx: ReadTx, { personId }: Actor): Reader => ({ personId, hidden: hiddenFrom(tx, personId) });
  return {
    list: (actor, filter, before, most) =>
      record.write((tx) => {
        const found = page(tx, filter, reader(tx, actor), before, most);
        const { userName, address } = actor;
        const asked = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== null));
        const after = { ...asked, found: found.found };
        audit.append(tx, { actor: userName, action: 'audit.listed', subject: 'audit', after, address });
        return found;
      }),
    row: (actor, seq) =>
      record.write((tx) => {
        const found = rowOf(tx, seq, reader(tx, actor));
        const { userName, address } = actor;
        if (found !== null)
          audit.append(tx, { actor: userName, action: 'audit.listed', subject: 'audit', after: { row: seq }, address });
        return found;
      }),
    about: (actor, personId, purpose) =>
      record.write((tx) => {
        const subject = `person:${personId}`;
        const filter = { search: null, actor: null, actions: null, subject, from: null, until: null };
        const rows = filteredRows(tx, filter, reader(tx, actor), null, MOST_ABOUT);
        audit.look(tx, actor, { action: 'audit.looked-at', subject, purpose });
        return rows;
      }),
    governed: (filter, before, most) => record.read((tx) => page(tx, filter, null, before, most)),
    topicOf: (row) => record.read((tx) => topicOf(tx, row)),
  };
}

function page(tx: ReadTx, filter: RowFilter, by: Reader | null, before: number | null, most: number): FoundRows {
  const rows = filteredRows(tx, filter, by, before, most + 1);
  const next = rows.length > most ? rows[most - 1]!.seq : null;
  return { rows: rows.slice(0, most), found: countFiltered(tx, filter, by), next };
}

function topicOf(tx: ReadTx, row: AuditRow): string | null {
  if (!row.action.startsWith('unblock.')) return null;
  const asked = newestRowOf(tx, row.subject, ['unblock.requested']);
  return asked === null ? null : ((payloadOf(asked)?.after as { topic?: string } | undefined)?.topic ?? null);
}
