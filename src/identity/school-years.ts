/** English school years, youngest first: reception and years 1 to 13. */
export const YEARS = ['R', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13'] as const;
export type SchoolYear = (typeof YEARS)[number];

/** `Year 9`, `Reception`. */
export function yearText(year: string): string {
  return year === 'R' ? 'Reception' : `Year ${year}`;
}

/** What directories of other countries and of colleges call pupils who are in no school year (CEDS codes, and words). */
const NO_YEAR =
  /^(?:|it|pr|pk|tk|ps\d?|ug|ab|graduate|adult|other|none|n\/a|nursery|n\d?|infanttoddler|preschool|prekindergarten|transitionalkindergarten|postsecondary|undergraduate|ungraded)$/;

/**
 * Reads a school year: `9`, `09`, `Year 9`, `Y9`, `R`, `Reception`; kindergarten is reception. Null: in no school year, also
 * where nothing stands. `unknown`: whatever it is, it is none.
 */
export function readYear(text: string): SchoolYear | null | 'unknown' {
  const plain = text.toLowerCase().replace(/[\s._-]/g, '');
  if (NO_YEAR.test(plain)) return null;
  if (/^(?:year)?(?:r|reception|kg|kindergarten|0|00)$/.test(plain)) return 'R';
  const number = /^(?:year|yr|y|grade)?0?([1-9]|1[0-3])$/.exec(plain)?.[1];
  return (number as SchoolYear | undefined) ?? 'unknown';
}

/** Reads several years with commas, as OneRoster has them; the youngest counts, because its rules are the strictest. */
export function readYoungestYear(text: string): SchoolYear | null | 'unknown' {
  const years = new Set(text.split(/[,;]/).map((one) => readYear(one.trim())));
  if (years.has('unknown')) return 'unknown';
  return YEARS.find((year) => years.has(year)) ?? null;
}
