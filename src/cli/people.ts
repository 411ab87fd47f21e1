import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { AgreementState } from '../identity/agreements/service.ts';
import type { ImportReport, ListedPerson } from '../identity/directory/service.ts';
import { isoTime } from '../kernel/clock.ts';
import { SchoolgateError, formatProblem } from '../kernel/errors.ts';
import type { ConsoleClient } from './console-client.ts';
import type { CliContext, RegisterCommand } from './context.ts';
import { type Card, logInCards } from './log-in-cards.ts';
import { readTime } from './read-time.ts';

/** Lines of each kind that are printed unless all are asked for. */
const SHOWN = 20;

/** `people import | list | suspend | cards`, as a signed-in person through the console. */
export const registerPeople: RegisterCommand = (program, context) => {
  const people = program.command('people').description('who belongs to the school');
  const command = (usage: string, description: string): Command =>
    people
      .command(usage)
      .description(description)
      .requiredOption('--user <name>', 'who you are; the password is asked for');

  command('import <path>', 'take over a roster: a folder of OneRoster or School Data Sync, or one CSV file')
    .option('--dry-run', 'print the difference and change nothing')
    .option('--accept', 'import although there are problems, or many people would leave')
    .option('--all', `print every line, not the first ${SHOWN} of each kind`)
    .action((path: string, options: ImportOptions) => importRoster(context, path, options));

  command('list', 'people of the directory')
    .option('--level <level>', 'of this level')
    .option('--class <name>', 'of this class, its teachers too')
    .option('--json', 'one JSON document')
    .action((options: ListOptions) => list(context, options));

  command('suspend <name>', 'stop a person’s access now, within two seconds')
    .option(
      '--until <time>',
      'when it ends: 2026-12-01T08:00 on the school’s clock, or ISO 8601 with Z; default: until lifted',
    )
    .option('--reason <text>', 'why, for the record')
    .option('--lift', 'end the suspension instead')
    .action((name: string, options: SuspendOptions) => suspend(context, name, options));

  command('agreements', 'who has accepted the agreement on using the web, and for whom a parent has')
    .option('--class <name>', 'of this class')
    .option('--missing', 'only those from whom it is missing')
    .action((options: AgreementsOptions) => agreements(context, options));

  command('consent <name>', 'record that a parent has agreed for a pupil')
    .option('--withdraw', 'record instead that they have taken it back')
    .action((name: string, options: ConsentOptions) => consent(context, name, options));

  command('cards <class-or-name>', 'write a page of log-in cards with new temporary passwords, to print')
    .requiredOption('--out <file>', 'the page; it holds passwords, so print it and remove it')
    .action((name: string, options: { user: string; out: string }) => cards(context, name, options));
};

interface ImportOptions {
  readonly user: string;
  readonly dryRun?: true;
  readonly accept?: true;
  readonly all?: true;
}
interface ListOptions {
  readonly user: string;
  readonly level?: string;
  readonly class?: string;
  readonly json?: true;
}
interface AgreementsOptions {
  readonly user: string;
  readonly class?: string;
  readonly missing?: true;
}
interface ConsentOptions {
  readonly user: string;
  readonly withdraw?: true;
}
interface SuspendOptions {
  readonly user: string;
  readonly until?: string;
  readonly reason?: string;
  readonly lift?: true;
}

async function signedIn<T>(context: CliContext, user: string, work: (client: ConsoleClient) => Promise<T>): Promise<T> {
  const { asPerson } = await import('./console-client.ts');
  return asPerson(context, user, work);
}

async function importRoster(context: CliContext, path: string, options: ImportOptions): Promise<void> {
  const { readRosterFiles } = await import('../identity/roster/read-files.ts');
  const files = readRosterFiles(resolve(context.cwd, path));
  const { dryRun = false, accept = false } = options;
  const report = (await signedIn(context, options.user, (client) =>
    client.call('POST', '/api/v1/people/import', { files, dryRun, accept }),
  )) as ImportReport;
  context.stdout.write(reportText(report, options.all === true));
  const why = report.needs.join(' ');
  if (report.outcome === 'refused') {
    const text = `${why} Nothing was imported. Mend the roster, or import it with --accept.`;
    throw new SchoolgateError('roster_refused', 'client', text);
  }
  if (report.outcome === 'preview' && why !== '') context.stdout.write(`${why} An import needs --accept.\n`);
}

const OUTCOMES: Readonly<Record<ImportReport['outcome'], string>> = {
  preview: 'Nothing was changed: this is what an import would do.',
  imported: 'Imported.',
  unchanged: 'Nothing to change: the directory is as the roster says.',
  refused: '',
};

function reportText(report: ImportReport, all: boolean): string {
  const { added, changed, leaving, same, problems, notes } = report;
  const parts = [
    `${report.format}, ${report.lines} lines: ${added.length} new, ${changed.length} changed, ${leaving.length} leaving, ${same} as before.`,
    ...section('New', added, all),
    ...section('Changed', changed, all),
    ...section('Leaving', leaving, all),
    ...section('Problems', problems.map(formatProblem), all),
    ...section('Notes', notes, all),
    OUTCOMES[report.outcome],
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

function section(title: string, lines: readonly string[], all: boolean): string[] {
  if (lines.length === 0) return [];
  const shown = all ? lines : lines.slice(0, SHOWN);
  const more = lines.length - shown.length;
  return [`${title}:`, ...shown.map((line) => `  ${line}`), ...(more > 0 ? [`  … and ${more} more (--all)`] : [])];
}

async function list(context: CliContext, { user, level, class: name, json }: ListOptions): Promise<void> {
  const query = new URLSearchParams({
    ...(level !== undefined && { level }),
    ...(name !== undefined && { class: name }),
  });
  const { people } = (await signedIn(context, user, (client) =>
    client.call('GET', `/api/v1/people?${query.toString()}`),
  )) as {
    people: ListedPerson[];
  };
  if (json === true) context.stdout.write(`${JSON.stringify({ people }, null, 2)}\n`);
  else if (people.length === 0)
    context.stdout.write('Nobody in the directory fits. Import a roster with "people import".\n');
  else context.stdout.write(`${people.map(describe).join('\n')}\n`);
}

function describe(person: ListedPerson): string {
  const { userName, fullName, kind, roles, year, classes, level, suspendedUntil } = person;
  const status = suspendedUntil === null ? person.status : `${person.status} until ${suspendedUntil}`;
  const what = kind === 'class' ? 'class account' : roles.join(', ') || 'no role';
  const where = [...(year === null ? [] : [year === 'R' ? 'reception' : `year ${year}`]), ...classes].join(', ');
  return [userName, fullName, what, where, level ?? '', status].filter((part) => part !== '').join('  ');
}

async function suspend(context: CliContext, userName: string, options: SuspendOptions): Promise<void> {
  const done = await signedIn(context, options.user, async (client) => {
    if (options.lift === true) {
      await client.call('POST', '/api/v1/people/lift', { userName });
      return `${userName} is no longer suspended.`;
    }
    const why = options.reason === undefined ? {} : { reason: options.reason };
    if (options.until === undefined) {
      await client.call('POST', '/api/v1/people/suspend', { userName, ...why });
      return `${userName} is suspended until it is lifted: npx schoolgate people suspend ${userName} --lift --user NAME`;
    }
    const { timeZone } = (await client.call('GET', '/api/v1/status')) as { timeZone: string | null };
    const until = isoTime(readTime('--until', options.until, timeZone ?? 'Europe/London'));
    await client.call('POST', '/api/v1/people/suspend', { userName, until, ...why });
    return `${userName} is suspended until ${until}.`;
  });
  context.stdout.write(`${done}\n`);
}

async function agreements(context: CliContext, { user, class: name, missing }: AgreementsOptions): Promise<void> {
  const query = new URLSearchParams({
    ...(name !== undefined && { class: name }),
    ...(missing === true && { missing: 'yes' }),
  });
  const { people } = (await signedIn(context, user, (client) =>
    client.call('GET', `/api/v1/agreements?${query.toString()}`),
  )) as { people: AgreementState[] };
  const lines = people.map(({ userName, fullName, level, by, acceptedAt, recordedBy }) => {
    const recorder = recordedBy === null ? '' : `, recorded by ${recordedBy}`;
    const whose = by === 'parent' ? 'a parent' : 'the person';
    return `${userName}  ${fullName}  ${level}  ${acceptedAt === null ? `missing, from ${whose}` : `${acceptedAt}${recorder}`}`;
  });
  context.stdout.write(lines.length === 0 ? 'Nobody fits who is asked for an agreement.\n' : `${lines.join('\n')}\n`);
}

async function consent(context: CliContext, userName: string, { user, withdraw }: ConsentOptions): Promise<void> {
  const path = withdraw === true ? '/api/v1/agreements/withdraw' : '/api/v1/agreements/consent';
  await signedIn(context, user, (client) => client.call('POST', path, { userName }));
  const done = withdraw === true ? 'is no longer on record' : 'is on record for this school year';
  context.stdout.write(`The agreement of a parent for ${userName} ${done}.\n`);
}

async function cards(context: CliContext, name: string, options: { user: string; out: string }): Promise<void> {
  const made = (await signedIn(context, options.user, (client) =>
    client.call('POST', '/api/v1/people/cards', { for: name }),
  )) as { cards: Card[] };
  writeFileSync(resolve(context.cwd, options.out), logInCards(name, made.cards), { mode: 0o600 });
  context.stdout.write(
    `${made.cards.length} ${made.cards.length === 1 ? 'card is' : 'cards are'} in ${options.out}. The passwords they had before no longer hold. Print it and remove it.\n`,
  );
}
