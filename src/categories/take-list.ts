import { ageText } from './age-text.ts';
import { isoTime } from '../kernel/clock.ts';
import { SchoolgateError, type Problem } from '../kernel/errors.ts';
import type { CatalogueList } from './catalogue.ts';
import { lastGoodPath, readLastGood, saveLastGood, type LastGoodCopy } from './last-good.ts';
import { readList, type ListContent } from './list-content.ts';
import type { IndexedList } from './match.ts';
import { sourceFiles, type SourceFile } from './read-source.ts';

/** What became of one list. */
export interface ListSummary extends IndexedList {
  readonly expressionsNotRead: number;
  /** The first rejected lines, each with its place. */
  readonly rejectedSamples: readonly Problem[];
  /** Why the source could not be used as it is; empty when all is well. */
  readonly problems: readonly Problem[];
}

export interface TakenList {
  readonly list: CatalogueList;
  readonly summary: ListSummary;
  /** The entries to index; null when there are none to be had. */
  readonly text: Buffer | null;
  readonly alarm: string | null;
}

export interface TakeOptions {
  readonly catalogueFile: string;
  /** Where last good copies lie. */
  readonly folder: string;
  /** ms since the epoch. */
  readonly now: number;
  /** Hex SHA-256 that each file had when the build began. */
  readonly expected: ReadonlyMap<string, string>;
  readonly maxRejected: number;
  readonly onEntries: (entries: number) => void;
}

/** A list may lose this part of its entries in one update; more is taken for a broken download. */
const MOST_SHRINK = 0.2;

/**
 * Reads a list, or takes its last good copy when the source is missing, unreadable, empty or shrank by more than 20 %. What is read
 * well becomes the last good copy. Rejects with a SchoolgateError when a file changed since the build began.
 */
export async function takeList(list: CatalogueList, options: TakeOptions): Promise<TakenList> {
  const rejectedSamples: Problem[] = [];
  const copy = readLastGood(options.folder, list.id);
  const content = await readSource(list, options, rejectedSamples);
  if (typeof content === 'string') return standIn(list, options, copy, content, rejectedSamples);
  const fault = faultOf(content, list, copy, options.folder);
  if (fault !== null) return standIn(list, options, copy, fault, rejectedSamples);
  const { text, ...counts } = content;
  const loadedAt = isoTime(options.now);
  saveLastGood(options.folder, list.id, { ...counts, source: list.source, format: list.format, loadedAt }, text);
  const summary = { ...counts, id: list.id, category: list.category, loadedAt, fromLastGood: false, rejectedSamples };
  return { list, summary: { ...summary, problems: [] }, text, alarm: null };
}

/** The content, or why there is none. */
async function readSource(
  list: CatalogueList,
  options: TakeOptions,
  rejectedSamples: Problem[],
): Promise<ListContent | string> {
  const files = sourceFiles(list);
  if (files.length === 0) return `its source ${list.source} does not exist or holds no list`;
  const changed: string[] = [];
  const content = await readQuietly(files, {
    onEntries: options.onEntries,
    onRejected: (problem) => {
      if (rejectedSamples.length < options.maxRejected) rejectedSamples.push(problem);
    },
    onFile: (path, sha256) => {
      if (options.expected.get(path) !== sha256) changed.push(path);
    },
  });
  if (changed.length > 0) {
    throw new SchoolgateError(
      'lists_changed',
      'client',
      `${changed.join(', ')} changed while it was being read; run the command again.`,
    );
  }
  return content;
}

async function readQuietly(
  files: readonly SourceFile[],
  options: Parameters<typeof readList>[1],
): Promise<ListContent | string> {
  try {
    return await readList(files, options);
  } catch (error) {
    return `its source cannot be read (${(error as Error).message})`;
  }
}

function faultOf(
  content: ListContent,
  list: CatalogueList,
  copy: LastGoodCopy | 'damaged' | null,
  folder: string,
): string | null {
  if (content.accepted === 0) return `its source ${list.source} has no entry that can be used as "${list.format}"`;
  if (copy === null || copy === 'damaged' || copy.source !== list.source || copy.format !== list.format) return null;
  if (content.accepted >= copy.accepted * (1 - MOST_SHRINK)) return null;
  return (
    `its source shrank from ${copy.accepted} to ${content.accepted} entries, more than 20 % at once ` +
    `(if that is meant, delete ${lastGoodPath(folder, list.id)} and build again)`
  );
}

function standIn(
  list: CatalogueList,
  options: TakeOptions,
  copy: LastGoodCopy | 'damaged' | null,
  fault: string,
  rejectedSamples: readonly Problem[],
): TakenList {
  const problems = [{ file: options.catalogueFile, line: list.line, reason: `list "${list.id}": ${fault}` }];
  const common = { id: list.id, category: list.category, rejectedSamples, problems };
  if (copy === null || copy === 'damaged') {
    const none = {
      entries: 0,
      accepted: 0,
      duplicates: 0,
      rejected: 0,
      expressionsNotRead: 0,
      loadedAt: isoTime(options.now),
    };
    const why = copy === null ? 'there is no last good copy' : 'its last good copy is damaged';
    const alarm = `List "${list.id}": ${fault}; ${why}, so nothing is filtered by it.`;
    return { list, summary: { ...common, ...none, fromLastGood: false }, text: null, alarm };
  }
  const { text, source: _source, format: _format, ...facts } = copy;
  const age = ageText(options.now - Date.parse(copy.loadedAt));
  const alarm = `List "${list.id}": ${fault}; its last good copy, ${age} old with ${copy.accepted} entries, stands in.`;
  return { list, summary: { ...common, ...facts, fromLastGood: true }, text: text(), alarm };
}
