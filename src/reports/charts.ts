import { html, SafeHtml } from '../kernel/html.ts';
import { formatCell } from './render-table.ts';
import type { Cell, ReportTable } from './report.ts';
import { COLOUR } from './style.ts';

const ROW = 38;
/** Of the width, in per cent: the rest is for the number beside the longest bar. Nothing is scaled, so that words stay as large as they are. */
const ROOM = 78;
/** More rows than this are better read in the table alone. */
const MOST_ROWS = 12;
const LONGEST_LABEL = 34;

/**
 * A table's bars as a picture for a page, the first rows of long ones; null where it has none. It says nothing that the table below it
 * does not: its text alternative names the largest and leads there.
 */
export function barChart(table: ReportTable): SafeHtml | null {
  const rows = table.rows.slice(0, MOST_ROWS).filter((row) => lengthOf(table, row) > 0);
  if (table.bar.length === 0 || rows.length < 2) return null;
  const largest = Math.max(...rows.map((row) => lengthOf(table, row)));
  const height = rows.length * ROW + (table.bar.length > 1 ? 24 : 0);
  return html`<svg
    class="console-chart"
    width="100%"
    height="${height}"
    role="img"
    aria-label="${alternative(table, rows)}"
    font-family="system-ui, Arial, sans-serif"
    font-size="14"
  >
    ${rows.map((row, i) => barRow(table, row, i * ROW, largest))} ${legend(table, rows.length * ROW)}
  </svg>`;
}

/** What somebody hears who does not see the picture. */
export function alternative(table: ReportTable, rows: readonly (readonly Cell[])[]): string {
  const most = rows.reduce((one, other) => (lengthOf(table, other) > lengthOf(table, one) ? other : one));
  const numbers = table.bar.map(({ column }) => {
    const { title, kind } = table.columns[column]!;
    return `${title.toLowerCase()} ${formatCell(kind, most[column]!)}`;
  });
  return `Bar chart: ${table.title.toLowerCase()}. Most: ${most[0]}, ${numbers.join(', ')}. The numbers are in the table below.`;
}

function barRow(table: ReportTable, row: readonly Cell[], y: number, largest: number): SafeHtml {
  let x = 0;
  const pieces = table.bar.map(({ column, tone }) => {
    const width = (Number(row[column]) / largest) * ROOM;
    const piece = html`<rect x="${x}%" y="${y + 20}" width="${width}%" height="12" fill="${COLOUR[tone]}"></rect>`;
    x += width;
    return piece;
  });
  const { kind } = table.columns[table.bar[0]!.column]!;
  const label = String(row[0]);
  const short = label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label;
  return html`<text x="0" y="${y + 14}" fill="${COLOUR.text}">${short}</text>${pieces}<text
      x="${x}%"
      dx="6"
      y="${y + 31}"
      fill="${COLOUR.quiet}"
      >${formatCell(kind, lengthOf(table, row))}</text
    >`;
}

function legend(table: ReportTable, y: number): SafeHtml {
  if (table.bar.length < 2) return html``;
  const parts = table.bar.map(({ column, tone }, i) => {
    const x = i * 110;
    return html`<rect x="${x}" y="${y + 6}" width="12" height="12" fill="${COLOUR[tone]}"></rect
      ><text x="${x + 18}" y="${y + 17}" fill="${COLOUR.quiet}">${table.columns[column]!.title}</text>`;
  });
  return html`${parts}`;
}

function lengthOf(table: ReportTable, row: readonly Cell[]): number {
  return table.bar.reduce((length, { column }) => length + Number(row[column]), 0);
}
