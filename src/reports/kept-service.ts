// timetable ── due ──► counted or read ──► one transaction: report on record + a mail for each reader ──► queue
import type { Actor } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { PeopleMail } from '../delivery/people-mail-service.ts';
import type { Clock } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { compileDigest, type DigestEntry } from './digest.ts';
import { compileGovernors, type GovernorsParts, type WeekLine } from './governors.ts';
import { fileNameOf, type KeptBody, type KeptLine, type KeptReport, type ReportKind } from './kept.ts';
import { digestSpan, monthOf, type NamedSpan, parseMonth } from './period.ts';
import type { Span } from './ports.ts';
import { type Report, withoutReader } from './report.ts';
import { findReport, lastEnded, newestReports, reportsBetween, storeReport } from './repository.ts';
import { reportMail } from './report-mail.ts';
import type { MadeReport, WeeklyReports } from './service.ts';
import { lastWeek, parseWeek, weekOf, weeksEnding } from './week.ts';

/** For data whose time has come. */
export { eraseReports, oldestReport } from './repository.ts';

/** Somebody who reads reports. */
export interface Reader {
  readonly id: string;
  readonly userName: string;
}

/** Reports as they are kept, sent and shown: for each reader without what is about themselves. */
export interface KeptReports {
  /** Of these kinds, newest first. */
  list(kinds: readonly ReportKind[]): KeptLine[];
  /** Throws `report_unknown`. A look is on record. */
  open(actor: Actor, kind: ReportKind, period: string): { readonly line: KeptLine; readonly report: Report };
  /** The timetable's: makes the report that is due and queues a mail for each reader. Again for the same period: nobody gets it twice. */
  weekly(due: number): Promise<void>;
  digest(due: number): Promise<void>;
  governors(due: number): Promise<void>;
  /** By hand, in the place of an earlier one; nobody is mailed. `period`: a week or a month. Rejects with `no_such_week`, `no_such_month`. */
  make(actor: Actor, kind: 'weekly' | 'governors', period: string): Promise<KeptLine>;
}

export interface KeptReportsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly zone: () => string;
  readonly school: () => string | null;
  readonly weeklyReports: WeeklyReports;
  /** What happened to concerns in a span, and what waited at its end; all of them, whoever may see them. */
  readonly concerns: (tx: ReadTx, span: Span) => readonly DigestEntry[];
  /** What governors read besides the weekly numbers; without anybody's name. */
  readonly decisions: (
    span: Span,
    months: readonly string[],
  ) => Pick<GovernorsParts, 'concerns' | 'incidents' | 'policyChanges' | 'unblocks' | 'illegalListLoaded' | 'gaps'>;
  /** Who gets a report of this kind that speaks of these concerns. */
  readonly readers: (tx: ReadTx, kind: ReportKind, concernIds: readonly string[]) => readonly Reader[];
  /** Which concerns somebody may see, whatever their roles. */
  readonly visibleTo: (tx: ReadTx, personId: string) => (concernId: string) => boolean;
  /** Whether a concern is about somebody. */
  readonly isAbout: (tx: ReadTx) => (concernId: string, personId: string) => boolean;
  /** Who else reads the mailbox in which a reader is mailed. */
  readonly sharers: (tx: ReadTx, reader: Reader) => readonly Reader[];
  /** A user name as the history has it; null where it has none. */
  readonly canonicalUser: (name: string) => string | null;
  readonly mail: PeopleMail;
  /** Keeps the files of a weekly report. */
  readonly keepFiles: (made: MadeReport) => void;
}

/** Months that a governors' report shows beside its own. */
const MONTHS_BEFORE = 5;
const MOST_LISTED = 1000;

export function createKeptReports(options: KeptReportsOptions): KeptReports {
  const { record, audit, clock, zone } = options;
  return {
    list: (kinds) => record.read((tx) => newestReports(tx, MOST_LISTED)).filter(({ kind }) => kinds.includes(kind)),
    open: (actor, kind, period) =>
      record.write((tx) => {
        const kept = findReport(tx, `${kind}:${period}`);
        if (kept === null) throw new SchoolgateError('report_unknown', 'client', 'There is no such report.');
        const { userName, personId, address } = actor;
        audit.append(tx, { actor: userName, action: 'report.looked-at', subject: `report:${kept.id}`, address });
        const { body, ...line } = kept;
        return { line, report: reportFor(options, tx, body, { id: personId, userName }) };
      }),
    weekly: (due) =>
      keep(options, weekNamed(lastWeek(due, zone())), 'weekly', () => makeWeekly(options, lastWeek(due, zone()).name)),
    digest: (due) => {
      const span = record.read((tx) => spanOfDigest(tx, due, zone()));
      return keep(options, span, 'digest', async () => makeDigest(options, span));
    },
    governors: (due) => {
      const month = monthOf(monthOf(due, zone()).from - 1, zone());
      return keep(options, month, 'governors', async () => makeGovernors(options, month));
    },
    async make(actor, kind, period) {
      const span = kind === 'weekly' ? weekNamed(parseWeek(period, zone())) : parseMonth(period, zone());
      const made = kind === 'weekly' ? await makeWeekly(options, period) : makeGovernors(options, span);
      const { body, ...line } = keptOf(kind, span, made, clock());
      record.write((tx) => {
        storeReport(tx, { ...line, body });
        audit.append(tx, {
          actor: actor.userName,
          action: 'report.made',
          subject: `report:${line.id}`,
          address: actor.address,
        });
      });
      return line;
    },
  };
}

interface Made {
  readonly title: string;
  readonly body: KeptBody;
}

async function makeWeekly({ weeklyReports, zone, keepFiles }: KeptReportsOptions, week: string): Promise<Made> {
  const made = await weeklyReports.make(parseWeek(week, zone()));
  keepFiles(made);
  return { title: made.report.title, body: { report: made.report } };
}

function makeDigest({ record, concerns, clock, school, zone }: KeptReportsOptions, { from, until }: Span): Made {
  const entries = record.read((tx) => concerns(tx, { from, until }));
  const digest = { from, until, madeAt: clock(), school: school(), zone: zone(), entries };
  return { title: compileDigest(digest, () => false).title, body: { digest } };
}

function makeGovernors({ record, decisions, clock, school, zone }: KeptReportsOptions, month: NamedSpan): Made {
  const months = [month.name];
  for (let from = month.from; months.length <= MONTHS_BEFORE;) {
    const before = monthOf(from - 1, zone());
    months.unshift(before.name);
    from = before.from;
  }
  const weeks = record.read((tx) => reportsBetween(tx, 'weekly', month.from, month.until));
  const missing = weeksEnding(month, zone()).filter(({ name }) => !weeks.some(({ id }) => id === `weekly:${name}`));
  const report = compileGovernors({
    from: month.from,
    until: month.until,
    now: clock(),
    zone: zone(),
    school: school(),
    months,
    weeks: weeks.flatMap(weekLine),
    weeksMissing: missing.map(({ name }) => weekWords(name)),
    ...decisions({ from: month.from, until: month.until }, months),
  });
  return { title: report.title, body: { report } };
}

/** A day has one digest, also one whose time was moved to later: what it leaves out is in the next. */
function spanOfDigest(tx: ReadTx, due: number, zone: string): NamedSpan {
  const span = digestSpan(due, zone, lastEnded(tx, 'digest', due));
  const made = findReport(tx, `digest:${span.name}`);
  return made === null ? span : { name: span.name, from: made.from, until: made.until };
}

function weekLine({ id, body }: KeptReport): WeekLine[] {
  if (!('report' in body)) return [];
  const figure = (name: string): number => body.report.figures.find((one) => one.id === name)?.value ?? 0;
  return [
    {
      name: weekWords(id.replace('weekly:', '')),
      navigations: figure('navigations'),
      refused: figure('refused'),
      flagged: figure('flagged'),
      unidentified: figure('unidentified'),
    },
  ];
}

/** Of `2026-W48`. */
function weekWords(name: string): string {
  const [year, week] = name.split('-W') as [string, string];
  return `Week ${Number(week)} of ${year}`;
}

/** What was made once stays as it was: a run that is made up or repeated sends it to whoever has not got it. */
async function keep(
  options: KeptReportsOptions,
  span: NamedSpan,
  kind: ReportKind,
  make: () => Promise<Made>,
): Promise<void> {
  const { record, audit, clock } = options;
  const before = record.read((tx) => findReport(tx, `${kind}:${span.name}`));
  // One that somebody had made before its time was over tells a part.
  const known = before !== null && before.madeAt >= span.until ? before : null;
  const kept = known ?? keptOf(kind, span, await make(), clock());
  record.write((tx) => {
    if (known === null) {
      storeReport(tx, kept);
      audit.append(tx, { actor: 'console', action: 'report.made', subject: `report:${kept.id}` });
    }
    const concernIds = 'digest' in kept.body ? kept.body.digest.entries.map(({ concernId }) => concernId) : [];
    for (const reader of options.readers(tx, kind, concernIds)) send(options, tx, kept, reader);
  });
}

function send(options: KeptReportsOptions, tx: Tx, { id, body }: KeptReport, reader: Reader): void {
  const { mail } = options;
  const path = `/reports/${id.replace(':', '/')}`;
  // Whoever reads the same mailbox comes across nothing about themselves either.
  const report = reportFor(options, tx, body, reader, options.sharers(tx, reader));
  const content = reportMail(report, fileNameOf({ id }), path, (to) => mail.link(to));
  mail.queue(tx, reader, `report:${id}`, content);
}

/** The report as this reader may see it, and without what is about those who see it with them. */
function reportFor(
  { visibleTo, isAbout, canonicalUser }: KeptReportsOptions,
  tx: ReadTx,
  body: KeptBody,
  reader: Reader,
  beside: readonly Reader[] = [],
): Report {
  if ('digest' in body) {
    const [sees, about] = [visibleTo(tx, reader.id), isAbout(tx)];
    return compileDigest(body.digest, (concernId) => sees(concernId) && !beside.some(({ id }) => about(concernId, id)));
  }
  return [reader, ...beside].reduce(
    (report, { userName }) => withoutReader(report, canonicalUser(userName) ?? userName),
    body.report,
  );
}

function keptOf(kind: ReportKind, { name, from, until }: NamedSpan, { title, body }: Made, madeAt: number): KeptReport {
  return { id: `${kind}:${name}`, kind, title, from, until, madeAt, body };
}

function weekNamed({ name, from, until }: ReturnType<typeof weekOf>): NamedSpan {
  return { name, from, until };
}
