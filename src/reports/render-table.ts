import { html, type SafeHtml } from '../kernel/html.ts';
import type { Cell, Column, ReportTable } from './report.ts';
import { COLOUR } from './style.ts';
import { bytesWords, percent } from './words.ts';

/** Longer tables may break over two sheets of paper. */
const WHOLE_ON_PAPER = 20;
const BAR_WIDTH = 132;
const NUMBERS = 'white-space:nowrap;font-variant-numeric:tabular-nums';

/** One table under its heading: headings with scope, and a bar a row that says nothing the numbers beside it do not. */
export function renderTable(table: ReportTable): SafeHtml {
  const count = table.rows.length + table.rest.length;
  return html`<div class="${count > WHOLE_ON_PAPER ? 'long' : 'block'}" style="margin-top:36px">
    <h2 style="margin:0;font-size:18px;line-height:24px;font-weight:600;color:${COLOUR.head}">${table.title}</h2>
    ${count === 0 ? paragraph(table.whenEmpty) : grid(table)}
  </div> `;
}

/** As people read it: `2.4 GB`, `4.2 %`, `12,345`. */
export function formatCell(kind: Column['kind'], cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (kind === 'bytes') return bytesWords(cell);
  return kind === 'share' ? percent(cell, 1) : cell.toLocaleString('en-GB');
}

function paragraph(words: string): SafeHtml {
  return html`<p style="margin:3px 0 0;font-size:13px;line-height:19px;color:${COLOUR.quiet}">${words}</p>`;
}

function grid(table: ReportTable): SafeHtml {
  const largest = Math.max(1, ...table.rows.map((row) => drawn(table, row)));
  const picture = (row: readonly Cell[]): SafeHtml => (table.bar.length === 0 ? NOTHING : bar(table, row, largest));
  const blank = table.bar.length === 0 ? NOTHING : barCell(NOTHING, '');
  return html`${table.note === '' ? '' : paragraph(table.note)}
    <table
      width="100%"
      cellpadding="0"
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
        ${table.rows.map((row) => bodyRow(table, row, COLOUR.text, picture(row)))}
        ${table.rest.map((row) => bodyRow(table, row, COLOUR.quiet, blank))}
      </tbody>
      ${table.total === null ? '' : totalRow(table, table.total)}
    </table>`;
}

const NOTHING = html``;

function headCell(column: Column): SafeHtml {
  const style = `padding:6px 8px;font-size:13px;line-height:17px;font-weight:600;color:${COLOUR.quiet};text-align:${align(column)};vertical-align:bottom;border-bottom:2px solid ${COLOUR.head}`;
  return html`<th scope="col" class="cell" align="${align(column)}" style="${style}">${column.title}</th>`;
}

function bodyRow(table: ReportTable, row: readonly Cell[], colour: string, picture: SafeHtml): SafeHtml {
  const style = `color:${colour};border-bottom:1px solid ${COLOUR.line}`;
  return html`<tr>
    ${cells(table, row, style)}${picture}
  </tr> `;
}

function totalRow(table: ReportTable, row: readonly Cell[]): SafeHtml {
  const band = `background:${COLOUR.faint};border-bottom:1px solid ${COLOUR.line}`;
  const blank = table.bar.length === 0 ? NOTHING : barCell(NOTHING, band);
  return html`<tfoot>
    <tr bgcolor="${COLOUR.faint}">
      ${cells(table, row, `font-weight:600;color:${COLOUR.text};${band}`)}${blank}
    </tr>
  </tfoot>`;
}

function cells(table: ReportTable, row: readonly Cell[], style: string): SafeHtml[] {
  return row.map((cell, index) => {
    const column = table.columns[index]!;
    const fit = column.kind === 'text' ? 'overflow-wrap:anywhere' : NUMBERS;
    const all = `padding:6px 8px;font-size:14px;line-height:19px;text-align:${align(column)};vertical-align:top;${fit};${style}`;
    return index === 0
      ? html`<th scope="row" class="cell" align="left" style="font-weight:400;${all}">
          ${formatCell(column.kind, cell)}
        </th>`
      : html`<td class="cell" align="${align(column)}" style="${all}">${formatCell(column.kind, cell)}</td>`;
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
  const pieces = table.bar.map(({ column, tone }) => {
    const value = Number(row[column]);
    const width = value === 0 ? 0 : Math.max(1, Math.round((value / largest) * BAR_WIDTH));
    return width === 0
      ? NOTHING
      : html`<td
          width="${width}"
          height="11"
          bgcolor="${COLOUR[tone]}"
          style="width:${width}px;height:11px;padding:0;font-size:1px;line-height:11px;background:${COLOUR[tone]}"
        >
          &nbsp;
        </td>`;
  });
  const picture = html`<table
    role="presentation"
    cellpadding="0"
    cellspacing="0"
    border="0"
    style="border-collapse:collapse"
  >
    <tr>
      ${pieces}
    </tr>
  </table>`;
  return barCell(drawn(table, row) === 0 ? NOTHING : picture, `border-bottom:1px solid ${COLOUR.line}`);
}

function barCell(picture: SafeHtml, style: string): SafeHtml {
  return html`<td
    class="bar"
    aria-hidden="true"
    width="${BAR_WIDTH + 20}"
    style="width:${BAR_WIDTH + 20}px;padding:10px 0 6px 12px;vertical-align:top;${style}"
  >
    ${picture}
  </td>`;
}

function legend(table: ReportTable): SafeHtml {
  const tones = table.bar.map(
    ({ tone }) =>
      html`<span style="color:${COLOUR[tone]}">&#9632;</span> <span style="padding-right:6px">${tone}</span> `,
  );
  return html`<td
    class="bar"
    aria-hidden="true"
    align="left"
    style="padding:6px 0 6px 12px;font-size:12px;line-height:17px;color:${COLOUR.quiet};text-align:left;vertical-align:bottom;white-space:nowrap;border-bottom:2px solid ${COLOUR.head}"
  >
    ${tones}
  </td>`;
}
