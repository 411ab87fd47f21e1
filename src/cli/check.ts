import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { SchoolgateError } from '../kernel/errors.ts';
import type { CheckQuery, CheckUrl, Checked } from '../policy/check-url.ts';
import { type CliContext, type RegisterCommand, UsageError } from './context.ts';

interface CheckOptions {
  readonly user?: string;
  readonly level?: string;
  readonly from?: string;
  readonly at?: string;
  readonly json?: boolean;
  readonly batch?: string;
}

/** `check <url>` and `check --batch FILE`: what a gateway would do, offline, by the code that gateways run. */
export const registerCheck: RegisterCommand = (program, context) => {
  program
    .command('check [url]')
    .description('the verdict for an address, explained; lists of illegal material are never consulted here')
    .option('--user <name>', 'as this person')
    .option('--level <level>', 'as this level')
    .option('--from <ip>', 'from this device')
    .option('--at <time>', "at this time: ISO 8601 with its zone, or 2026-11-23T09:00 on the school's clock")
    .option('--json', 'print the verdict as JSON')
    .option('--batch <file>', 'read {"url","user"?,"level"?,"from"?,"at"?} a line, write one JSON verdict a line')
    .action((url: string | undefined, options: CheckOptions) => check(context, url, options));
};

async function check(context: CliContext, url: string | undefined, options: CheckOptions): Promise<void> {
  const { json, batch, ...who } = options;
  if (batch !== undefined) {
    if (url !== undefined || json !== undefined || Object.keys(who).length > 0) {
      throw new UsageError('--batch stands alone: each line of the file says its own address, person and time.');
    }
    return runBatch(context, await openCheck(context), resolve(context.cwd, batch));
  }
  if (url === undefined) throw new UsageError('Name an address to check, or a file with --batch.');
  const checkUrl = await openCheck(context);
  const checked = asUsage(() => checkUrl({ url, ...who }, context.clock()));
  if (json === true) {
    context.stdout.write(`${JSON.stringify({ ...checked.verdict, matched: checked.matched() })}\n`);
    return;
  }
  const { entryText } = await import('../categories/explain-match.ts');
  const entries = checked.matched().map((entry) => `${entry.list}: ${shorten(entryText(entry))}`);
  context.stdout.write(text(url, checked, entries));
}

/** What is wrong with a query on the command line is a misuse of the command. */
function asUsage(run: () => Checked): Checked {
  try {
    return run();
  } catch (error) {
    if (error instanceof SchoolgateError && error.code === 'check_query') throw new UsageError(error.publicText);
    throw error;
  }
}

/** The policy in force on this machine, or the files where none is published yet, and the index in force. */
async function openCheck(context: CliContext): Promise<CheckUrl> {
  const { policySources } = await import('./policy-sources.ts');
  const { loadCurrentIndex, readManifest } = await import('../categories/current-index.ts');
  const { createCheckUrl } = await import('../policy/check-url.ts');
  const { destinations } = await import('../gateway/destinations.ts');
  const { addressRanges } = await import('../kernel/ip.ts');
  const sources = policySources(context);
  const { policy, serial } = sources.published() ?? { policy: sources.onDisk(), serial: 0 };
  if (readManifest(sources.layout) === null) await buildFirstIndex(context, sources.listsDir);
  return createCheckUrl({
    policy,
    serial,
    people: sources.people(),
    live: sources.live(),
    index: loadCurrentIndex(sources.layout),
    destinations: destinations(addressRanges(policy.network.allowDestinations), new Set()),
  });
}

async function buildFirstIndex(context: CliContext, listsDir: string): Promise<void> {
  const { buildIndex } = await import('../categories/build-index.ts');
  const { createDataFolders, dataLayout } = await import('../config/data-layout.ts');
  const { readEnvironment } = await import('../config/environment.ts');
  const layout = dataLayout(readEnvironment(context.env, context.cwd).dataDir);
  context.stderr.write('The lists are compiled once before the first check…\n');
  createDataFolders(layout);
  const { alarms } = await buildIndex({ listsDir, layout, clock: context.clock });
  for (const alarm of alarms) context.stderr.write(`${alarm}\n`);
}

/** A screen's worth of an entry: an expression may be a page long. */
function shorten(entry: string): string {
  return entry.length > 100 ? `${entry.slice(0, 99)}…` : entry;
}

function headOf({ verdict, action }: Checked['verdict']): string {
  if (verdict === 'allow') return 'ALLOWED';
  return action === 'warn' ? 'WARNED ' : 'BLOCKED';
}

function text(
  asked: string,
  { verdict, hostOnly, identified, unknownPerson }: Checked,
  entries: readonly string[],
): string {
  const { explain } = verdict;
  const lines = [
    `${headOf(verdict)}  ${verdict.canonical ?? asked}`,
    `  Said to the person  ${explain.user}`,
    `  For staff           ${explain.staff}`,
    `  Categories          ${verdict.categories.join(', ') || 'none'}`,
    ...entries.map((entry, i) => `  ${i === 0 ? 'On lists' : '        '}            ${entry}`),
    `  Flagged             ${verdict.flagged ? 'yes' : 'no'}`,
    `  Level               ${verdict.level}${verdict.user === null ? '' : `, for ${verdict.user}`}`,
    `  At                  ${verdict.at}`,
    `  Policy              ${verdict.serial === 0 ? 'as it stands on disk; none is published here yet' : `serial ${verdict.serial}, in force on this machine`}`,
  ];
  if (hostOnly) lines.push('Judged by its host alone: over https a gateway sees no path, and neither does this check.');
  if (unknownPerson)
    lines.push(`Neither policy nor directory knows ${verdict.user}, who therefore gets the strictest level.`);
  else if (identified === 'range') lines.push('The level is that of the address range.');
  lines.push('Lists of illegal material are never consulted here.');
  return `${lines.join('\n')}\n`;
}

/** Output is written in pieces of about this many characters. */
const WRITE_AT = 64 * 1024;

async function runBatch(context: CliContext, checkUrl: CheckUrl, file: string): Promise<void> {
  const { readLines } = await import('./read-lines.ts');
  const now = context.clock();
  let line = 0;
  let bad = 0;
  let out = '';
  for await (const read of readLines(await openFile(file))) {
    line++;
    if (read === '') continue;
    const answer = answerLine(checkUrl, read, now);
    if ('error' in answer) bad++;
    out += `${JSON.stringify('error' in answer ? { ...answer, line } : answer)}\n`;
    if (out.length < WRITE_AT) continue;
    if (!context.stdout.write(out)) await once(context.stdout, 'drain');
    out = '';
  }
  context.stdout.write(out);
  if (bad === 0) return;
  const text = `${bad} of ${line} lines could not be checked; "error" in the output says why.`;
  throw new SchoolgateError('batch', 'client', text);
}

async function openFile(file: string): Promise<Readable> {
  const unreadable = (why: string): UsageError => new UsageError(`${file} cannot be read (${why}).`);
  const stream = createReadStream(file);
  try {
    await once(stream, 'open');
    if ((await stat(file)).isDirectory()) throw unreadable('it is a folder');
    return stream;
  } catch (error) {
    throw error instanceof UsageError ? error : unreadable((error as NodeJS.ErrnoException).code ?? String(error));
  }
}

function answerLine(checkUrl: CheckUrl, line: string, now: number): Checked['verdict'] | { readonly error: string } {
  try {
    return checkUrl(readQuery(line), now).verdict;
  } catch (error) {
    if (error instanceof SchoolgateError) return { error: error.publicText };
    throw error;
  }
}

const FIELDS = ['url', 'user', 'level', 'from', 'at'];

function readQuery(line: string): CheckQuery {
  const query = parseJson(line);
  if (typeof query !== 'object' || query === null || Array.isArray(query)) throw unusable('is not a JSON object');
  for (const [key, value] of Object.entries(query)) {
    if (!FIELDS.includes(key)) throw unusable(`has a field "${key}"; known are ${FIELDS.join(', ')}`);
    if (typeof value !== 'string') throw unusable(`has a "${key}" that is not a text`);
  }
  if (!('url' in query)) throw unusable('has no "url"');
  return query as CheckQuery;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw unusable('is not JSON');
  }
}

function unusable(what: string): SchoolgateError {
  return new SchoolgateError('check_query', 'client', `The line ${what}.`);
}
