import { html, SafeHtml } from '../kernel/html.ts';
import { formatCell, renderTable } from './render-table.ts';
import type { Figure, ReportTable, Report } from './report.ts';
import { COLOUR, FONT, STYLE_SHEET } from './style.ts';

/** Of no use to anybody, and a third of the mail. */
const INDENTATION = /\n[\n ]*/g;

/**
 * A report as one page that is mail, screen and paper at once: styles inline and layout in tables, because Outlook reads
 * nothing else; what stands in <style> only betters it for phones and paper. No script, nothing fetched. `path`: its page in the
 * console; `linkTo`: such a page as people type its address.
 */
export function renderHtml(
  report: Report,
  path: string | null = null,
  linkTo: (path: string) => string | null = () => null,
): string {
  return html`<!doctype html>
    <html lang="en-GB">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light" />
        <title>${report.title}</title>
        <style>
          ${new SafeHtml(STYLE_SHEET)}
        </style>
      </head>
      <body style="margin:0;padding:0;background:${COLOUR.page};color:${COLOUR.text};font-family:${FONT}">
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="${COLOUR.page}">
          <tr>
            <td align="center" class="outer" style="padding:24px 12px">
              <table
                role="presentation"
                class="sheet"
                width="780"
                cellpadding="0"
                cellspacing="0"
                border="0"
                bgcolor="#ffffff"
                style="width:100%;max-width:780px;background:#ffffff;border:1px solid ${COLOUR.line}"
              >
                <tr>
                  <td class="inner" align="left" style="padding:32px 36px 30px;text-align:left">
                    ${heading(report)} ${inConsole(path === null ? null : linkTo(path))} ${missingBox(report.missing)}
                    ${tiles(report.figures)} ${report.tables.map((table) => renderTable(table, linkTo))}
                    ${footer(report)}
                  </td>
                </tr>
              </table>
            </td>
          </tr>
        </table>
      </body>
    </html> `.text.replaceAll(INDENTATION, '\n');
}

function heading(report: Report): SafeHtml {
  const school = report.school === null ? '' : html`<br />${report.school}`;
  return html`<h1 style="margin:0;font-size:26px;line-height:34px;font-weight:600;color:${COLOUR.head}">
      ${report.title}
    </h1>
    <p style="margin:4px 0 0;font-size:15px;line-height:22px;color:${COLOUR.quiet}">${report.period}${school}</p>`;
}

function inConsole(link: string | null): SafeHtml {
  if (link === null) return html``;
  return html`<p style="margin:8px 0 0;font-size:14px;line-height:20px">
    <a href="${link}" style="color:${COLOUR.head}">This report in the console</a>, with charts and every row
  </p>`;
}

/** Before any number: what the reader must know to trust it. */
function missingBox(missing: ReportTable): SafeHtml {
  const isWhole = missing.rows.length === 0;
  const edge = isWhole ? COLOUR.good : COLOUR.warn;
  const page = isWhole ? COLOUR.goodPage : COLOUR.warnPage;
  const item = 'margin:0 0 4px;font-size:14px;line-height:20px';
  const list = html`<ul style="margin:8px 0 0;padding:0 0 0 18px">
    ${missing.rows.map(([what, detail]) => html`<li style="${item}"><strong>${what!}.</strong> ${detail!}</li>`)}
  </ul>`;
  return html`<table
    role="presentation"
    width="100%"
    cellpadding="0"
    cellspacing="0"
    border="0"
    style="width:100%;margin-top:22px;border-collapse:collapse"
  >
    <tr>
      <td bgcolor="${page}" style="padding:14px 18px;background:${page};border-left:4px solid ${edge}">
        <h2 style="margin:0;font-size:15px;line-height:20px;font-weight:600;color:${edge}">
          ${isWhole ? missing.whenEmpty : missing.title}
        </h2>
        ${isWhole ? '' : list}
      </td>
    </tr>
  </table>`;
}

const TILES_A_ROW = 4;

function tiles(figures: readonly Figure[]): SafeHtml {
  const rows: SafeHtml[] = [];
  for (let first = 0; first < figures.length; first += TILES_A_ROW) {
    rows.push(
      html`<tr>
        ${figures.slice(first, first + TILES_A_ROW).map(tile)}
      </tr> `,
    );
  }
  return html`<h2 style="margin:28px 0 0;font-size:18px;line-height:24px;font-weight:600;color:${COLOUR.head}">
      At a glance
    </h2>
    <table
      role="presentation"
      class="tiles"
      width="100%"
      cellpadding="0"
      cellspacing="0"
      border="0"
      style="width:100%;margin-top:2px;border-collapse:collapse;table-layout:fixed"
    >
      ${rows}
    </table>`;
}

function tile({ label, kind, value, note }: Figure): SafeHtml {
  return html`<td class="tile" width="25%" valign="top" style="padding:12px 14px 6px 0;vertical-align:top">
    <span style="display:block;font-size:13px;line-height:18px;color:${COLOUR.quiet}">${label}</span>
    <strong
      style="display:block;font-size:23px;line-height:30px;font-weight:600;color:${COLOUR.text};white-space:nowrap"
      >${formatCell(kind, value)}</strong
    >
    <span style="display:block;font-size:12px;line-height:16px;color:${COLOUR.quiet}">${note}</span>
  </td>`;
}

function footer(report: Report): SafeHtml {
  return html`<p
    style="margin:36px 0 0;padding-top:14px;border-top:1px solid ${COLOUR.line};font-size:12px;line-height:18px;color:${COLOUR.quiet}"
  >
    Made by Schoolgate on ${report.made}. ${report.about} Times are the school’s.
  </p>`;
}
