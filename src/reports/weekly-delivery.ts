import { join } from 'node:path';
import type { Delivery, DeliveryProof } from '../delivery/service.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { formatCell } from './render-table.ts';
import type { MadeReport, WeeklyReports } from './service.ts';
import { lastWeek } from './week.ts';

export interface WeeklyDeliveryPorts {
  readonly reports: WeeklyReports;
  readonly delivery: Delivery;
  /** Where reports are kept: `<folder>/schoolgate-week-2026-W47.html` and `.csv`. */
  readonly folder: string;
  readonly zone: string;
  /** The network manager's address; null where none is known: the report is then kept, and not mailed. */
  readonly recipient: () => string | null;
}

/**
 * The timetable's use case: the report of the week before `due` (ms), kept in the folder, then mailed. Doing it again
 * replaces the files and mails again. Rejects when it cannot be kept or mailed; what was kept stays.
 */
export async function deliverWeeklyReport(ports: WeeklyDeliveryPorts, due: number): Promise<DeliveryProof | null> {
  const made = await ports.reports.make(lastWeek(due, ports.zone));
  replaceFile(join(ports.folder, `${made.name}.html`), made.html);
  replaceFile(join(ports.folder, `${made.name}.csv`), made.csv);
  const to = ports.recipient();
  return to === null ? null : await mailReport(ports.delivery, made, to);
}

/** The report as the mail itself, with the CSV attached and the figures as plain text. */
export async function mailReport(delivery: Delivery, made: MadeReport, to: string): Promise<DeliveryProof> {
  return await delivery.send({
    to,
    subject: made.report.title,
    text: plainText(made),
    html: made.html,
    attachments: [{ filename: `${made.name}.csv`, contentType: 'text/csv; charset=utf-8', content: made.csv }],
  });
}

function plainText({ report }: MadeReport): string {
  const missing = report.missing.rows.map(([what, detail]) => `- ${what}. ${detail}`);
  const figures = report.figures.map(
    ({ label, kind, value, note }) => `${label}: ${formatCell(kind, value)} (${note})`,
  );
  return [
    report.title,
    report.period,
    '',
    ...(missing.length === 0 ? [report.missing.whenEmpty] : [`${report.missing.title}:`, ...missing]),
    '',
    ...figures,
    '',
    'The whole report is in this mail’s HTML part; its tables are attached.',
    '',
  ].join('\n');
}
