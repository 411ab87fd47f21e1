import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { SchoolgateError } from '../kernel/errors.ts';
import type { CheckQuery, Checked, Replay } from '../policy/check-url.ts';
import type { ReplayUrl } from '../policy/replay.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Verdict } from '../policy/verdict.ts';
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
    .option(
      '--at <time>',
      "at this time, also a past one: ISO 8601 with its zone, or 2026-11-23T09:00 on the school's clock",
    )
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
    return withCheck(context, (checkUrl) => runBatch(context, checkUrl, resolve(context.cwd, batch)));
  }
  if (url === undefined) throw new UsageError('Name an address to check, or a file with --batch.');
  return withCheck(context, async (checkUrl) => {
    const checked = await asUsage(checkUrl({ url, ...who }, context.clock()));
    const { checkText } = await import('./check-text.ts');
    context.stdout.write(json === true ? `${JSON.stringify(inFull(checked))}\n` : checkText(url, checked));
  });
}

/** The contract's verdict with the whole way to it. */
function inFull(checked: Checked): object {
  const verdict = withReplay(checked);
  return { ...verdict, explain: { ...verdict.explain, chain: checked.chain() }, matched: checked.matched() };
}

/** The contract's verdict; of a time that is past with what it rests on. */
function withReplay({ verdict, replay }: Checked): Verdict {
  if (replay === null) return verdict;
  const explain: Verdict['explain'] & { replay: Replay } = { ...verdict.explain, replay };
  return { ...verdict, explain };
}

/** What is wrong with a query on the command line is a misuse of the command. */
async function asUsage(checking: Promise<Checked>): Promise<Checked> {
  try {
    return await checking;
  } catch (error) {
    if (error instanceof SchoolgateError && error.code === 'check_query') throw new UsageError(error.publicText);
    throw error;
  }
}

/** The policy in force on this machine, or the files where none is published yet, and the index in force. */
async function withCheck(context: CliContext, work: (checkUrl: ReplayUrl) => Promise<void>): Promise<void> {
  const { policySources } = await import('./policy-sources.ts');
  const { loadCurrentIndex, readManifest } = await import('../categories/current-index.ts');
  const { createReplay } = await import('../policy/replay.ts');
  const { openPast } = await import('../compose/past.ts');
  const { destinations } = await import('../gateway/destinations.ts');
  const { addressRanges } = await import('../kernel/ip.ts');
  const sources = policySources(context);
  const { policy, serial } = sources.published() ?? { policy: sources.onDisk(), serial: 0 };
  if (readManifest(sources.layout) === null) await buildFirstIndex(context, sources.listsDir);
  const past = openPast(sources.layout);
  try {
    const present = {
      policy,
      serial,
      people: sources.people(),
      live: sources.live(),
      index: loadCurrentIndex(sources.layout),
      destinations: ({ network }: PolicySnapshot) => destinations(addressRanges(network.allowDestinations), new Set()),
    };
    await work(createReplay(present, past));
  } finally {
    past.close();
  }
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

/** Output is written in pieces of about this many characters. */
const WRITE_AT = 64 * 1024;

async function runBatch(context: CliContext, checkUrl: ReplayUrl, file: string): Promise<void> {
  const { readLines } = await import('./read-lines.ts');
  const now = context.clock();
  let line = 0;
  let bad = 0;
  let out = '';
  for await (const read of readLines(await openFile(file))) {
    line++;
    if (read === '') continue;
    const answer = await answerLine(checkUrl, read, now);
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

async function answerLine(
  checkUrl: ReplayUrl,
  line: string,
  now: number,
): Promise<Verdict | { readonly error: string }> {
  try {
    return withReplay(await checkUrl(readQuery(line), now));
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
