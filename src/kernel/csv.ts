/** A value of a table. Numbers are written plainly. */
export type CsvCell = string | number;

/** What a spreadsheet may take for a formula, also in the wide forms that some locales read as the plain ones. */
const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

/**
 * Lines as CSV (RFC 4180; UTF-8 with a byte order mark, without which Excel guesses wrongly). A text that a spreadsheet could
 * run gets an apostrophe in front. Every line is to have as many cells as the others.
 */
export function csvText(lines: readonly (readonly CsvCell[])[]): string {
  return `\ufeff${lines.map((line) => `${line.map(csvField).join(',')}\r\n`).join('')}`;
}

function csvField(cell: CsvCell): string {
  if (typeof cell === 'number') return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
