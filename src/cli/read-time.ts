import { instantOf } from '../kernel/local-time.ts';
import { UsageError } from './context.ts';

/** Reads an option that names a time, on the school's clock or with its zone: ms since the epoch. Throws a UsageError. */
export function readTime(option: string, text: string, zone: string): number {
  const instant = /(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : (instantOf(text, zone) ?? Number.NaN);
  if (!Number.isNaN(instant)) return instant;
  throw new UsageError(`${option} must be school time (2026-11-23T09:00) or ISO 8601 with Z.`);
}
