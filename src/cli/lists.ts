import type { BuildSummary } from '../categories/build-index.ts';
import { ageText } from '../categories/age-text.ts';
import { type CanaryFindings, readFindings } from '../categories/canary-findings.ts';
import type { IndexManifest } from '../categories/current-index.ts';
import type { ListStatus } from '../categories/list-status.ts';
import { createDataFolders, dataLayout, type DataLayout } from '../config/data-layout.ts';
import { readEnvironment } from '../config/environment.ts';
import { SchoolgateError, formatProblem } from '../kernel/errors.ts';
import type { CliContext, RegisterCommand } from './context.ts';
import { illegalLines, NO_ILLEGAL_LIST } from './illegal-lines.ts';
import { addListChanges } from './list-updates.ts';

/** Rejected lines of one list that are printed unless all are asked for. */
const REJECTED_SHOWN = 20;
const HEALTH = { 'in-force': 'ok', 'last-good': 'last good copy', 'not-loaded': 'not loaded' } as const;

/** `lists build` and `lists status`, and what changes the lists. */
export const registerLists: RegisterCommand = (program, context) => {
  const lists = program.command('lists').description('the lists that say what a site is');
  lists
    .command('build')
    .description('compile the catalogue into the category index')
    .option('--rejected', `print every rejected line, not the first ${REJECTED_SHOWN} of each list`)
    .action((options: { rejected?: boolean }) => build(context, options.rejected === true));
  lists
    .command('status')
    .description('age, counts and health of the lists in force')
    .action(() => status(context));
  addListChanges(lists, context);
};

async function build(context: CliContext, showAll: boolean): Promise<void> {
  const { buildIndex } = await import('../categories/build-index.ts');
  const { listsDir, layout } = folders(context);
  const progress = progressLine(context.stdout);
  const maxRejected = showAll ? Number.POSITIVE_INFINITY : REJECTED_SHOWN;
  const options = { listsDir, layout, clock: context.clock, maxRejected, onProgress: progress.show };
  const summary = await buildIndex(options).finally(progress.clear);
  context.stdout.write(`${buildText(summary)}\n`);
  if (summary.alarms.length > 0) throw new SchoolgateError('lists_incomplete', 'client', summary.alarms.join('\n'));
}

async function status(context: CliContext): Promise<void> {
  const { loadCatalogue } = await import('../categories/catalogue.ts');
  const { readState } = await import('../categories/fetched-lists.ts');
  const { listStatuses } = await import('../categories/list-status.ts');
  const { isIndexCurrent, loadCurrentIndex, readManifest } = await import('../categories/current-index.ts');
  const { listsDir, layout } = folders(context);
  loadCurrentIndex(layout);
  const manifest = readManifest(layout)!;
  const statuses = listStatuses(
    loadCatalogue(listsDir),
    manifest,
    (list) => readState(layout.fetchedLists, list),
    context.clock(),
  );
  const isCurrent = await isIndexCurrent(listsDir, layout);
  context.stdout.write(`${statusText(manifest, statuses, readFindings(layout), context.clock())}\n`);
  if (!isCurrent) context.stdout.write('The lists on disk have changed since. Run "schoolgate lists build".\n');
  if (manifest.alarms.length > 0) throw new SchoolgateError('lists_incomplete', 'client', manifest.alarms.join('\n'));
}

function folders(context: CliContext): { listsDir: string; layout: DataLayout } {
  const { listsDir, dataDir } = readEnvironment(context.env, context.cwd);
  const layout = dataLayout(dataDir);
  createDataFolders(layout);
  return { listsDir, layout };
}

function buildText(summary: BuildSummary): string {
  const all = [...summary.lists, ...summary.illegal];
  const rows = all.map((list) => [
    list.id,
    list.category,
    count(list.entries),
    count(list.accepted),
    count(list.duplicates),
    count(list.rejected),
    buildRemark(list),
  ]);
  const head = ['list', 'category', 'entries', 'accepted', 'duplicates', 'rejected', ''];
  const rejected = all.flatMap((list) => {
    const lines = list.rejectedSamples.map((problem) => `  ${formatProblem(problem)}`);
    const more = list.fromLastGood ? 0 : list.rejected - lines.length;
    return lines.concat(more > 0 ? [`  … and ${count(more)} more of ${list.id}; --rejected prints them all`] : []);
  });
  return [
    ...table(head, rows),
    ...(rejected.length > 0 ? ['', 'Rejected lines:', ...rejected] : []),
    '',
    `Index: ${contents(summary.index)} in ${count(summary.index.bytes)} bytes.`,
    ...(summary.hasIllegalList ? [] : [NO_ILLEGAL_LIST]),
  ].join('\n');
}

function buildRemark(list: BuildSummary['lists'][number] | BuildSummary['illegal'][number]): string {
  const remarks: string[] = [];
  if (list.fromLastGood) remarks.push('last good copy');
  else if ('problems' in list && list.problems.length > 0) remarks.push('not loaded');
  return remarks.join('; ');
}

function statusText(
  manifest: IndexManifest,
  lists: readonly ListStatus[],
  canaries: CanaryFindings,
  now: number,
): string {
  const since = (at: string | null): string => (at === null ? '-' : ageText(now - Date.parse(at)));
  const rows = lists.map(({ id, category, entries, loadedAt, health, fetch }) => [
    id,
    category,
    count(entries),
    since(loadedAt),
    HEALTH[health],
    fetch === null ? 'local' : fetch.fetchedAt === null ? 'never' : `${since(fetch.fetchedAt)} ago`,
    fetch === null || fetch.next === null ? '-' : `${fetch.next.slice(0, 16)}Z`,
  ]);
  // Enforced from what was kept, although the catalogue does not name them any more.
  const keptRows = (manifest.illegal?.lists ?? [])
    .filter(({ id }) => !lists.some((list) => list.id === id))
    .map(({ id, category, accepted, loadedAt }) => [
      id,
      category,
      count(accepted),
      since(loadedAt),
      HEALTH['last-good'],
      '-',
      '-',
    ]);
  return [
    ...table(['list', 'category', 'entries', 'age', 'health', 'fetched', 'next fetch'], [...rows, ...keptRows]),
    '',
    ...lists.flatMap(({ id, fetch }) =>
      fetch === null || fetch.error === null
        ? []
        : [
            `${id}: last try ${since(fetch.triedAt)} ago: ${fetch.error}` +
              `${fetch.setAside === null ? '' : ` (what came lies at ${fetch.setAside})`}.`,
          ],
    ),
    `Index: ${contents(manifest)}, built ${manifest.builtAt}.`,
    ...illegalLines(manifest.illegal, canaries, now),
  ].join('\n');
}

/** Columns as wide as their widest cell; cells that are numbers stand to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const isNumber = head.map((_, i) => rows.length > 0 && rows.every((row) => /^[\d,]+$/.test(row[i]!)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, i) => (isNumber[i] === true ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

interface ProgressLine {
  readonly show: (listId: string, entries: number) => void;
  readonly clear: () => void;
}

function progressLine(stdout: NodeJS.WriteStream): ProgressLine {
  const clear = (): void => void (stdout.isTTY && stdout.write('\r\u001b[K'));
  return {
    clear,
    show: (listId, entries) => {
      if (stdout.isTTY) stdout.write(`\r\u001b[KReading ${listId}: ${count(entries)} entries`);
    },
  };
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}

type IndexSize = Pick<IndexManifest, 'domains' | 'urls' | 'ranges' | 'expressions'>;

/** `1,429,019 hosts and 78,584 URLs`; ranges and expressions only where there are any. */
function contents({ domains, urls, ranges, expressions }: IndexSize): string {
  const rest = [
    ...(ranges > 0 ? [`${count(ranges)} ranges of addresses`] : []),
    ...(expressions > 0 ? [`${count(expressions)} expressions`] : []),
  ];
  return new Intl.ListFormat('en-GB').format([`${count(domains)} hosts`, `${count(urls)} URLs`, ...rest]);
}
