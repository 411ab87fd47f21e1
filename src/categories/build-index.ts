import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { isoTime, type Clock } from '../kernel/clock.ts';
import { InvalidInputError, type Problem } from '../kernel/errors.ts';
import { buildIllegal, type IllegalSummary } from './build-illegal.ts';
import { loadCatalogue } from './catalogue.ts';
import { CATALOGUE_FILE } from './catalogue-files.ts';
import { createIndexCompiler } from './compile-lists.ts';
import { publishIndex, readInputs, readManifest, type Inputs } from './current-index.ts';
import { withFetched } from './fetched-lists.ts';
import type { IllegalFacts } from './illegal-store.ts';
import type { IndexedList } from './match.ts';
import { takeList, type ListSummary, type TakeOptions, type TakenList } from './take-list.ts';

export interface BuildOptions {
  readonly listsDir: string;
  readonly layout: DataLayout;
  readonly clock: Clock;
  /** Told now and then which list is being read and how far it is. */
  readonly onProgress?: (listId: string, entries: number) => void;
  /** How many rejected lines of each list are kept in the summary; 20 if not given. */
  readonly maxRejected?: number;
}

export interface BuildSummary {
  /** In the order of the catalogue. A list with a problem and without a last good copy has no entries. */
  readonly lists: readonly ListSummary[];
  /** Lists of locked categories. */
  readonly illegal: readonly IllegalSummary[];
  readonly index: {
    readonly path: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly domains: number;
    readonly urls: number;
    readonly ranges: number;
    readonly expressions: number;
  };
  /** What an adult should know: one sentence each. */
  readonly alarms: readonly string[];
  /** Whether a list of a locked category is loaded. */
  readonly hasIllegalList: boolean;
}

/**
 * Compiles the catalogue into the category index and puts it in force. A list that cannot be used is replaced by its last good copy;
 * without one it is left out and reported. Throws, and leaves the index in force as it is: an InvalidInputError for a bad catalogue or
 * for a locked list that never loaded, a SchoolgateError when a file changed while it was read.
 */
export async function buildIndex(options: BuildOptions): Promise<BuildSummary> {
  const { listsDir, layout, clock } = options;
  const catalogue = withFetched(loadCatalogue(listsDir), layout.fetchedLists);
  const inputs = await readInputs(listsDir, layout, catalogue);
  const taken: TakenList[] = [];
  const compiler = createIndexCompiler(seedOf(inputs.contents));
  const loaded: ListSummary[] = [];
  for (const list of catalogue.lists) {
    const one = await takeList(list, takeOptions(options, inputs, list.id));
    taken.push(one);
    if (one.text === null) continue;
    loaded.push(one.summary);
    compiler.addList(list, one.text);
  }
  const illegal = await buildIllegal(catalogue, {
    listsDir,
    layout,
    inForce: illegalInForce(layout),
    now: clock(),
    maxRejected: options.maxRejected ?? 20,
  });
  refuseWithoutLocked(illegal.problems);
  const bytes = compiler.encode();
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { hosts: domains, ...counts } = compiler.counts;
  const size = { bytes: bytes.length, domains, ...counts };
  const alarms = [
    ...taken.flatMap(({ alarm }) => (alarm === null ? [] : [alarm])),
    ...compiler.alarms,
    ...illegal.alarms,
  ];
  const illegalFacts = illegal.write();
  const file = publishIndex(layout, bytes, {
    sha256,
    inputs: inputs.fingerprint,
    builtAt: isoTime(clock()),
    ...size,
    lists: loaded.map(indexedList),
    held: taken.flatMap(({ held }) => held ?? []),
    ...(illegalFacts !== null && { illegal: illegalFacts }),
    alarms,
  });
  return {
    lists: taken.map(({ summary }) => summary),
    illegal: illegal.summaries,
    index: { path: file, sha256, ...size },
    alarms,
    hasIllegalList: illegalFacts !== null,
  };
}

function takeOptions(options: BuildOptions, inputs: Inputs, listId: string): TakeOptions {
  return {
    catalogueFile: join(options.listsDir, CATALOGUE_FILE),
    folder: options.layout.lastGoodLists,
    now: options.clock(),
    expected: inputs.files,
    maxRejected: options.maxRejected ?? 20,
    onEntries: (entries) => options.onProgress?.(listId, entries),
  };
}

/** Null too when `current.json` is damaged: the build mends that. */
function illegalInForce(layout: DataLayout): IllegalFacts | null {
  try {
    return readManifest(layout)?.illegal ?? null;
  } catch {
    return null;
  }
}

/** From the inputs, so that the same inputs give the same bytes and nobody can prepare a collision for every school. */
function seedOf(contents: string): { a: number; b: number } {
  const bytes = Buffer.from(contents, 'hex');
  return { a: bytes.readInt32LE(0), b: bytes.readInt32LE(4) };
}

function refuseWithoutLocked(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new InvalidInputError('A list of a locked category never loaded, and nothing is served without it', problems);
}

function indexedList(summary: ListSummary): IndexedList {
  const { id, category, entries, accepted, duplicates, rejected, sha256, loadedAt, fromLastGood } = summary;
  return { id, category, entries, accepted, duplicates, rejected, sha256, loadedAt, fromLastGood };
}
