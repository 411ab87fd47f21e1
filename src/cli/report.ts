import { resolve } from 'node:path';
import { dataLayout, type DataLayout } from '../config/data-layout.ts';
import { type Environment, readEnvironment } from '../config/environment.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { instantOf } from '../kernel/local-time.ts';
import type { Span } from '../reports/ports.ts';
import type { MadeReport } from '../reports/service.ts';
import type { Week } from '../reports/week.ts';
import { type CliContext, type RegisterCommand, UsageError } from './context.ts';

interface ReportOptions {
  readonly week?: string;
  readonly from?: string;
  readonly until?: string;
  readonly html?: string;
  readonly csv?: string;
  readonly mail?: string;
  readonly explain?: boolean;
}

/** `report weekly`: of the last week that is over, of a named week, or of any period. */
export const registerReport: RegisterCommand = (program, context) => {
  const report = program.command('report').description('what happened, in numbers');
  report
    .command('weekly')
    .description('the weekly report, to files in the current folder or where you say, or by mail')
    .option('--week <week>', 'an ISO week such as 2026-W47; default: the last one that is over')
    .option('--from <time>', 'begin of another period: a date, a local time, or ISO 8601 with Z')
    .option('--until <time>', 'its end, not included')
    .option('--html <file>', 'write the HTML here')
    .option('--csv <file>', 'write the tables as CSV here')
    .option('--mail <address>', 'send it to this address')
    .option('--explain', 'print the query behind each number, and make nothing')
    .action((options: ReportOptions) => weekly(context, options));
};

async function weekly(context: CliContext, options: ReportOptions): Promise<void> {
  const { openWeeklyReport } = await import('../compose/weekly-report.ts');
  const environment = readEnvironment(context.env, context.cwd);
  const { listsDir, dataDir } = environment;
  const layout = dataLayout(dataDir);
  const opened = openWeeklyReport({ layout, listsDir, clock: context.clock });
  try {
    const period = await periodOf(options, opened.zone);
    if (options.explain === true) {
      context.stdout.write(await opened.reports.explain(period));
      return;
    }
    const made = await opened.reports.make(period);
    writeFiles(context, options, made);
    if (options.mail !== undefined) {
      await mail(context, environment, layout, made, options.mail, opened.readersOf(options.mail));
    }
  } finally {
    opened.close();
  }
}

async function periodOf(options: ReportOptions, zone: string): Promise<Week | Span | undefined> {
  const { week, from, until } = options;
  if (week !== undefined) {
    if (from !== undefined || until !== undefined) throw new UsageError('Give either --week or --from and --until.');
    const { parseWeek } = await import('../reports/week.ts');
    return parseWeek(week, zone);
  }
  if (from === undefined && until === undefined) return undefined;
  if (from === undefined || until === undefined) throw new UsageError('--from and --until go together: give both.');
  const span = { from: readTime('--from', from, zone), until: readTime('--until', until, zone) };
  if (span.from >= span.until) throw new UsageError('--from must lie before --until.');
  return span;
}

function readTime(option: string, text: string, zone: string): number {
  const local = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text;
  const instant = /(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : (instantOf(local, zone) ?? Number.NaN);
  if (!Number.isNaN(instant)) return instant;
  throw new UsageError(`${option} must be a date (2026-11-23), a local time (2026-11-23T09:00) or ISO 8601 with Z.`);
}

/** Where nothing is said, both files are written into the current folder; with --mail alone, none. */
function writeFiles({ cwd, stdout }: CliContext, options: ReportOptions, made: MadeReport): void {
  const nothingSaid = options.html === undefined && options.csv === undefined && options.mail === undefined;
  const write = (file: string | undefined, suffix: string, content: string): void => {
    if (file === undefined && !nothingSaid) return;
    const path = resolve(cwd, file ?? `${made.name}${suffix}`);
    replaceFile(path, content);
    stdout.write(`${path}\n`);
  };
  stdout.write(`${made.report.title}: ${made.report.period}\n`);
  for (const [what, detail] of made.report.missing.rows) stdout.write(`Missing: ${what}. ${detail}\n`);
  write(options.html, '.html', made.html);
  write(options.csv, '.csv', made.csv);
}

/** `readers`: user names of those who read the mailbox, and are not to read about themselves. */
async function mail(
  { clock, stdout }: CliContext,
  environment: Environment,
  layout: DataLayout,
  made: MadeReport,
  to: string,
  readers: readonly string[],
): Promise<void> {
  const { createDelivery } = await import('../delivery/service.ts');
  const { createIdMaker } = await import('../kernel/ids.ts');
  const { reportMail } = await import('../reports/report-mail.ts');
  const { smtpUrl, mailFrom } = environment;
  const delivery = createDelivery({ smtpUrl, mailFrom, outbox: layout.outbox, clock, newId: createIdMaker(clock) });
  const { withoutReader } = await import('../reports/report.ts');
  const proof = await delivery.send({ to, ...reportMail(readers.reduce(withoutReader, made.report), made.name) });
  stdout.write(
    proof.via === 'smtp'
      ? `Mailed to ${to} as ${proof.messageId}\n`
      : `No mail server is set (SCHOOLGATE_SMTP_URL): the mail to ${to} lies in ${layout.outbox}\n`,
  );
}
