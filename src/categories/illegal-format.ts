/** Formats of lists that belong to locked categories and are kept as keyed values alone. */
export type IllegalFormat = 'illegal-urls' | 'illegal-hashes';

const ILLEGAL_FORMATS: ReadonlySet<string> = new Set<IllegalFormat>(['illegal-urls', 'illegal-hashes']);

export function isIllegalFormat(format: string): format is IllegalFormat {
  return ILLEGAL_FORMATS.has(format);
}
