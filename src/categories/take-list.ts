import { addressText } from './address-text.ts';
import { ageText } from './age-text.ts';
import { isoTime } from '../kernel/clock.ts';
import { SchoolgateError, type Problem } from '../kernel/errors.ts';
import type { CatalogueList } from './catalogue.ts';
import { acceptedContent, readLastGood, saveLastGood, sha256, type LastGoodCopy } from './last-good.ts';
import { readList, type ListContent } from './list-content.ts';
import type { IndexedList } from './match.ts';
import { sourceFiles, type SourceFile } from './read-source.ts';

/** What became of one list. */
export interface ListSummary extends IndexedList {
  /** The first rejected lines, each with its place. */
  readonly rejectedSamples: readonly Problem[];
  /** Why the source could not be used as it is; empty when all is well. */
  readonly problems: readonly Problem[];
}

/** An update that waits for a person: so many entries went at once that it may be a broken file. */
export interface HeldUpdate {
  readonly id: string;
  /** Entries in the update, and in the last good copy that stands in for it. */
  readonly entries: number;
  readonly before: number;
  /** Of the update's entries, hex: what a person accepts. */
  readonly sha256: string;
  /** Where it can be looked at. */
  readonly path: string;
}

export interface TakenList {
  readonly list: CatalogueList;
  readonly summary: ListSummary;
  /** The entries to index; null when there are none to be had. */
  readonly text: Buffer | null;
  readonly alarm: string | null;
  readonly held: HeldUpdate | null;
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

/** Formats whose lists hold much besides sites. */
const MIXED_FORMATS: ReadonlySet<string> = new Set(['adblock']);

/**
 * Reads a list, or takes its last good copy when the source is missing, unreadable, empty, mostly no entries, or shrank by more than 20 %
 * and nobody accepted that. What is read well becomes the last good copy. Rejects with a SchoolgateError when a file changed since the
 * build began.
 */
export async function takeList(list: CatalogueList, options: TakeOptions): Promise<TakenList> {
  const rejectedSamples: Problem[] = [];
  const copy = readLastGood(options.folder, list.id);
  const content = await readSource(list, options, rejectedSamples);
  if (typeof content === 'string') return standIn(list, options, copy, content, rejectedSamples);
  const fault = faultOf(content, list);
  if (fault !== null) return standIn(list, options, copy, fault, rejectedSamples);
  const { text, ...counts } = content;
  const held = heldUpdate(content, list, copy, options.folder);
  if (held !== null) return { ...standIn(list, options, copy, shrunk(held), rejectedSamples), held };
  const loadedAt = list.fetchedAt ?? isoTime(options.now);
  saveLastGood(options.folder, list.id, { ...counts, source: list.source, format: list.format, loadedAt }, text);
  const facts = { id: list.id, category: list.category, sha256: sha256(text), loadedAt, fromLastGood: false };
  return { list, summary: { ...counts, ...facts, rejectedSamples, problems: [] }, text, alarm: null, held: null };
}

/** The content, or why there is none. */
async function readSource(
  list: CatalogueList,
  options: TakeOptions,
  rejectedSamples: Problem[],
): Promise<ListContent | string> {
  const files = sourceFiles(list);
  if (files.length === 0) {
    const why = list.fetch === null ? 'does not exist or holds no list' : 'has not been fetched yet';
    return `its source ${addressText(list.source)} ${why}`;
  }
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

function faultOf({ entries, accepted, rejected }: ListContent, list: CatalogueList): string | null {
  if (accepted === 0) return `its source ${addressText(list.source)} has no entry that can be used as "${list.format}"`;
  // A page or another format that came over the network has a few lines that look like entries. Lists for advert blockers hold
  // much that is no entry for us, and a school's own file is what somebody wrote.
  if (list.fetch === null || MIXED_FORMATS.has(list.format) || rejected * 2 <= entries) return null;
  return `most of its source ${addressText(list.source)} (${rejected} of ${entries} lines) is no "${list.format}"`;
}

function heldUpdate(
  { accepted, text }: ListContent,
  list: CatalogueList,
  copy: LastGoodCopy | 'damaged' | null,
  folder: string,
): HeldUpdate | null {
  if (copy === null || copy === 'damaged' || copy.source !== list.source || copy.format !== list.format) return null;
  if (accepted >= copy.accepted * (1 - MOST_SHRINK)) return null;
  const content = sha256(text);
  if (acceptedContent(folder, list.id) === content) return null;
  return { id: list.id, entries: accepted, before: copy.accepted, sha256: content, path: list.path! };
}

function shrunk({ id, entries, before }: HeldUpdate): string {
  return (
    `its source shrank from ${before} to ${entries} entries, more than 20 % at once ` +
    `(if that is meant: npx schoolgate lists accept ${id} --user NAME)`
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
      sha256: sha256(new Uint8Array()),
      loadedAt: isoTime(options.now),
    };
    const why = copy === null ? 'there is no last good copy' : 'its last good copy is damaged';
    // One that was just switched on by hand is fetched by the console within a minute, which tells when it cannot be.
    const isNew = list.fetch !== null && list.path === null;
    const alarm = isNew ? null : `List "${list.id}": ${fault}; ${why}, so nothing is filtered by it.`;
    return { list, summary: { ...common, ...none, fromLastGood: false }, text: null, alarm, held: null };
  }
  const { text: unpack, source: _source, format: _format, ...facts } = copy;
  const text = unpack();
  const age = ageText(options.now - Date.parse(copy.loadedAt));
  const alarm = `List "${list.id}": ${fault}; its last good copy, ${age} old with ${copy.accepted} entries, stands in.`;
  const summary = { ...common, ...facts, sha256: sha256(text), fromLastGood: true };
  return { list, summary, text, alarm, held: null };
}
