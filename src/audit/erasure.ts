import type { AuditEntry, AuditRow } from './entry.ts';

/** The act that says that the personal part of every row up to `seq` may be gone. In the subject, which is never erased itself. */
export function erasureEntry(seq: number, erased: number, olderThan: string): AuditEntry {
  return { actor: 'console', action: 'audit.payloads-erased', subject: `audit:1-${seq}`, after: { erased, olderThan } };
}

/** Up to which row this row says that it was erased; 0: it is no such row. */
export function erasedUntil({ action, subject }: AuditRow): number {
  const found = action === 'audit.payloads-erased' ? /^audit:1-(\d{1,15})$/.exec(subject) : null;
  return found === null ? 0 : Number(found[1]);
}
