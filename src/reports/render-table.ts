import { html, type SafeHtml } from '../kernel/html.ts';
import type { Cell, Column, ReportTable, ValueKind } from './report.ts';
import { COLOUR } from './style.ts';
import { bytesWords, percent } from './words.ts';

/** A page of the console as people type its address; null: nobody has written it down. */
type LinkTo = (path: string) => string | null;

/** A mail shows so many rows of a table, a few more where only these would be left; the page in the console and the CSV have all. */
const MOST_ROWS = 10;
const FEW = 4;
/** Longer tables may break over two sheets of paper. */
const WHOLE_ON_PAPER = 20;
const BAR_WIDTH = 132;
const RULE = `font-size:14px;border-bottom:1px solid ${COLOUR.line}`;

/** One table under its heading: headings with scope, and a bar a row that says nothing the numbers beside it do not. */
export function renderTable(table: ReportTable, linkTo: LinkTo): SafeHtml {
  const count = table.rows.length + table.rest.length;
  return html`<div class="${count > WHOLE_ON_PAPER ? 'long' : 'block'}" style="margin-top:36px">
    <h2 style="margin:0;font-size:18px;line-height:24px;font-weight:600;color:${COLOUR.head}">${table.title}</h2>
    ${count === 0 ? paragraph(table.whenEmpty) : grid(table, linkTo)}
  </div> `;
}

/** As people read it: `2.4 GB`, `4.2 %`, `12,345`. */
export function formatCell(kind: ValueKind, cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (kind === 'bytes') return bytesWords(cell);
  return kind === 'share' ? percent(cell, 1) : cell.toLocaleString('en-GB');
}

function paragraph(words: string): SafeHtml {
  return html`<p style="margin:3px 0 0;font-size:13px;line-height:19px;color:${COLOUR.quiet}">${words}</p>`;
}

function grid(table: ReportTable, linkTo: LinkTo): SafeHtml {
  const largest = Math.max(1, ...table.rows.map((row) => drawn(table, row)));
  const picture = (row: readonly Cell[]): SafeHtml => (table.bar.length === 0 ? NOTHING : bar(table, row, largest));
  const blank = table.bar.length === 0 ? NOTHING : barCell(NOTHING);
  const shown = table.rows.length <= MOST_ROWS + FEW ? table.rows : table.rows.slice(0, MOST_ROWS);
  return html`${table.note === '' ? '' : paragraph(table.note)}
    <table
      class="grid"
      width="100%"
      cellpadding="6"
      cellspacing="0"
      border="0"
      aria-label="${table.title}"
      style="width:100%;margin-top:8px;border-collapse:collapse"
    >
      <thead>
        <tr>
          ${table.columns.map(headCell)}${table.bar.length === 0 ? '' : legend(table)}
        </tr>
      </thead>
      <tbody>
        ${shown.map((row, i) => bodyRow(table, row, RULE, picture(row), linkOf(table, i, linkTo)))}
        ${moreRow(table, table.rows.length - shown.length)}
        ${table.rest.map((row) => bodyRow(table, row, `${RULE};color:${COLOUR.quiet}`, blank, null))}
      </tbody>
      ${table.total === null ? '' : totalRow(table, table.total)}
    </table>`;
}

const NOTHING = html``;

function linkOf({ links }: ReportTable, row: number, linkTo: LinkTo): string | null {
  const path = links?.[row] ?? null;
  return path === null ? null : linkTo(path);
}

function moreRow(table: ReportTable, more: number): SafeHtml {
  if (more === 0) return NOTHING;
  const width = table.columns.length + (table.bar.length === 0 ? 0 : 1);
  return html`<tr>
    <td colspan="${width}" style="${RULE};color:${COLOUR.quiet}">
      ${more} more rows are in the console and in the CSV file.
    </td>
  </tr>`;
}

function headCell(column: Column): SafeHtml {
  const style = `font-size:13px;line-height:17px;font-weight:600;color:${COLOUR.quiet};border-bottom:2px solid ${COLOUR.head}`;
  return html`<th scope="col" align="${align(column)}" valign="bottom" style="${style}">${column.title}</th>`;
}

function bodyRow(
  table: ReportTable,
  row: readonly Cell[],
  style: string,
  picture: SafeHtml,
  link: string | null,
): SafeHtml {
  return html`<tr valign="top">
    ${cells(table, row, style, link)}${picture}
  </tr> `;
}

function totalRow(table: ReportTable, row: readonly Cell[]): SafeHtml {
  const blank = table.bar.length === 0 ? NOTHING : barCell(NOTHING);
  return html`<tfoot>
    <tr valign="top" bgcolor="${COLOUR.faint}">
      ${cells(table, row, `${RULE};font-weight:600`, null)}${blank}
    </tr>
  </tfoot>`;
}

/** Attributes where they do what a style does: a mail above 100 KB is cut off by some readers. */
function cells(table: ReportTable, row: readonly Cell[], style: string, link: string | null): SafeHtml[] {
  return row.map((cell, index) => {
    const { kind } = table.columns[index]!;
    const words = formatCell(kind, cell);
    if (index === 0) {
      const named = link === null ? words : html`<a href="${link}" style="color:${COLOUR.head}">${words}</a>`;
      return html`<th scope="row" align="left" style="font-weight:400;${style}">${named}</th>`;
    }
    if (kind === 'text') return html`<td style="${style}">${words}</td>`;
    // A count has nothing to break at.
    return kind === 'count'
      ? html`<td align="right" style="${style}">${words}</td>`
      : html`<td align="right" nowrap style="${style}">${words}</td>`;
  });
}

function align(column: Column): string {
  return column.kind === 'text' ? 'left' : 'right';
}

function drawn(table: ReportTable, row: readonly Cell[]): number {
  return table.bar.reduce((length, { column }) => length + Number(row[column]), 0);
}

/** Cells with widths in pixels: the one kind of bar that Outlook draws. What is not zero is at least a pixel. */
function bar(table: ReportTable, row: readonly Cell[], largest: number): SafeHtml {
  if (drawn(table, row) === 0) return barCell(NOTHING);
  const pieces = table.bar.map(({ column, tone }) => {
    const value = Number(row[column]);
    const width = Math.max(1, Math.round((value / largest) * BAR_WIDTH));
    const style = 'font-size:1px;line-height:11px';
    return value === 0 ? NOTHING : html`<td width="${width}" bgcolor="${COLOUR[tone]}" style="${style}">&nbsp;</td>`;
  });
  return barCell(
    html`<table role="presentation" cellpadding="0" cellspacing="0">
      <tr>
        ${pieces}
      </tr>
    </table>`,
  );
}

function barCell(picture: SafeHtml): SafeHtml {
  return html`<td class="bar" aria-hidden="true" style="padding:10px 0 0 16px;border-bottom:1px solid ${COLOUR.line}">
    ${picture}
  </td>`;
}

function legend(table: ReportTable): SafeHtml {
  const tones = table.bar.map(({ column, tone }) => {
    const words = table.columns[column]!.title.toLowerCase();
    return html`<span style="color:${COLOUR[tone]}">&#9632;</span> ${words}&ensp;`;
  });
  const style = `padding-left:16px;font-size:12px;line-height:17px;color:${COLOUR.quiet};border-bottom:2px solid ${COLOUR.head}`;
  return html`<td
    class="bar"
    aria-hidden="true"
    width="${BAR_WIDTH}"
    align="left"
    valign="bottom"
    nowrap
    style="${style}"
  >
    ${tones}
  </td>`;
}
