import { csvText } from '../kernel/csv.ts';
import type { Cell, Report, ReportTable } from './report.ts';

/**
 * Every table of a report as one CSV. The first column names the table; a table's first line holds its column titles. Every line
 * has as many fields as the widest. Numbers are plain: bytes, and shares from 0 to 1.
 */
export function renderCsv(report: Report): string {
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
  return csvText(lines.map((line) => line.concat(Array<string>(width - line.length).fill(''))));
}

/** One table as a file of its own. */
export function tableCsv({ columns, rows, rest, total }: ReportTable): string {
  return csvText([columns.map(({ title }) => title), ...rows, ...rest, ...(total === null ? [] : [total])]);
}
