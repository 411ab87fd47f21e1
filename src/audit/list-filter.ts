import { dateAfter, instantOf, isDate } from '../kernel/local-time.ts';
import { AUDIT_ACTIONS, type AuditAction } from './entry.ts';

/** Which rows of the record somebody wants to see. Null: whatever it is. */
export interface RowFilter {
  readonly search: string | null;
  readonly actor: string | null;
  readonly actions: readonly AuditAction[] | null;
  readonly subject: string | null;
  /** ISO 8601 UTC; `from` inclusive, `until` exclusive. */
  readonly from: string | null;
  readonly until: string | null;
}

/** As an address has it. */
export interface AskedRows {
  readonly q?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  /** Days such as `2026-11-23`, both included. */
  readonly from?: string;
  readonly to?: string;
}

/** What is no act or no day is as if it were not asked. `zone`: the school's, whose days these are. */
export function readFilter({ q, actor, action, subject, from, to }: AskedRows, zone: string): RowFilter {
  const text = (value: string | undefined): string | null => ((value ?? '').trim() === '' ? null : value!.trim());
  const day = (value: string | null): string | null =>
    value === null || !isDate(value) ? null : new Date(instantOf(`${value}T00:00`, zone)!).toISOString();
  const last = text(to);
  return {
    search: text(q),
    actor: text(actor),
    actions: action !== undefined && Object.hasOwn(AUDIT_ACTIONS, action) ? [action as AuditAction] : null,
    subject: text(subject),
    from: day(text(from)),
    until: last !== null && isDate(last) ? day(dateAfter(last, 1)) : null,
  };
}
