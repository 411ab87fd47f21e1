import type { OutgoingMail } from '../delivery/outgoing.ts';
import { renderCsv } from './render-csv.ts';
import { renderHtml } from './render-html.ts';
import { formatCell } from './render-table.ts';
import type { Cell, Report, ReportTable } from './report.ts';

/** Of each table in the part that is read as plain text. */
const MOST_LINES = 8;

/**
 * A report as mail: laid out for Outlook and telephones, the same as plain text, and its tables as CSV. `name`: of the file;
 * `path`: of its page in the console; `linkTo`: that page as people type its address, null where nobody has written it down.
 */
export function reportMail(
  report: Report,
  name: string,
  path: string | null = null,
  linkTo: (path: string) => string | null = () => null,
): OutgoingMail {
  const csv = { filename: `${name}.csv`, contentType: 'text/csv; charset=utf-8', content: renderCsv(report) };
  return {
    subject: report.title,
    text: plainText(report, path === null ? null : linkTo(path)),
    html: renderHtml(report, path, linkTo),
    attachments: [csv],
  };
}

function plainText(report: Report, link: string | null): string {
  const figures = report.figures.map(
    ({ label, kind, value, note }) => `${label}: ${formatCell(kind, value)} (${note})`,
  );
  return [
    report.title,
    report.period,
    ...(report.school === null ? [] : [report.school]),
    ...(link === null ? [] : ['', `In the console: ${link}`]),
    '',
    ...section(report.missing),
    ...figures,
    '',
    ...report.tables.flatMap(section),
    report.about,
    'The tables are attached as a file for spreadsheets.',
    '',
  ].join('\n');
}

function section({ title, columns, rows, rest, total, whenEmpty }: ReportTable): string[] {
  if (rows.length + rest.length === 0) return [`${title}: ${whenEmpty}`, ''];
  // What is text speaks for itself.
  const words = (cell: Cell, i: number): string => {
    const { title: name, kind } = columns[i]!;
    return `${i === 0 || kind === 'text' ? '' : `${name.toLowerCase()} `}${formatCell(kind, cell)}`;
  };
  const line = (row: readonly Cell[]): string =>
    `- ${row
      .map(words)
      .filter((cell) => cell !== '')
      .join(', ')}`;
  const more = rows.length - MOST_LINES;
  return [
    `${title}:`,
    ...rows.slice(0, MOST_LINES).map(line),
    ...(more > 0 ? [`- ${more} more in the console and in the attached file`] : []),
    ...(total === null ? [] : [line(total)]),
    '',
  ];
}
