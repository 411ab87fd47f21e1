import { isoTime } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { parseObject } from '../kernel/json.ts';

/** Lies beside the state in a backup. */
export const MANIFEST_NAME = 'backup.json';
const FORMAT = 1;

/** `at`: ms since the epoch. */
export function manifestText(at: number): string {
  return `${JSON.stringify({ format: FORMAT, madeAt: isoTime(at) })}\n`;
}

/** When a backup was made, ISO 8601. Throws a SchoolgateError for one of a newer Schoolgate, or for what is none. */
export function readManifestText(text: string): string {
  const { format, madeAt } = parseObject(text) ?? {};
  if (format === FORMAT && typeof madeAt === 'string') return madeAt;
  throw new SchoolgateError(
    'backup_newer',
    'client',
    `This backup has format ${String(format)} and this Schoolgate reads ${FORMAT}; restore it with the version that made it.`,
  );
}
