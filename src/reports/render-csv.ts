import type { Cell, WeeklyReport } from './report.ts';

/** What a spreadsheet may take for a formula, also in the wide forms that some locales read as the plain ones. */
const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

/**
 * Every table of a report as one CSV (RFC 4180; UTF-8 with a byte order mark, without which Excel guesses wrongly). The
 * first column names the table; a table's first line holds its column titles. Every line has as many fields as the widest.
 * Numbers are plain: bytes, and shares from 0 to 1. A text that a spreadsheet could run gets an apostrophe in front.
 */
export function renderCsv(report: WeeklyReport): string {
  const lines: Cell[][] = [
    ['report', 'Title', 'Period', 'School', 'Made'],
    ['report', report.title, report.period, report.school ?? '', report.made],
    ['figures', 'Figure', 'Value', 'Meaning'],
    ...report.figures.map((figure) => ['figures', figure.label, figure.value, figure.note]),
  ];
  for (const table of [report.missing, ...report.tables]) {
    lines.push([table.id, ...table.columns.map((column) => column.title)]);
    const rows = [...table.rows, ...table.rest, ...(table.total === null ? [] : [table.total])];
    for (const row of rows) lines.push([table.id, ...row]);
  }
  const width = Math.max(...lines.map((line) => line.length));
  return `\ufeff${lines.map((line) => csvLine(line, width)).join('')}`;
}

function csvLine(cells: readonly Cell[], width: number): string {
  const padded = [...cells, ...Array<string>(width - cells.length).fill('')];
  return `${padded.map(csvField).join(',')}\r\n`;
}

function csvField(cell: Cell): string {
  if (typeof cell === 'number') return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
