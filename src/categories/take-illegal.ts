import { isoTime } from '../kernel/clock.ts';
import { type Problem, SchoolgateError } from '../kernel/errors.ts';
import type { IllegalList } from './catalogue.ts';
import { readKeyedFile } from './fetched-lists.ts';
import { entryKey, type IllegalContent, illegalReader } from './illegal-content.ts';
import { canaryEntry, type KeyedEntry } from './illegal-entry.ts';
import { entriesDigest, type KeyedList } from './illegal-file.ts';
import { canaryName, type IllegalKeys } from './illegal-keys.ts';
import type { IndexedList } from './match.ts';
import { readLines } from './read-source.ts';

/** What is known of an enforced list: counts and times, and as `sha256` the digest of what is enforced in its keyed form. */
export interface IllegalListFacts extends IndexedList {
  readonly format: string;
  /** Entries in force, with those kept although the source has lost them. */
  readonly enforced: number;
  /** Of these the entries of single pages; null where they cannot be told from hosts, because the list holds hashes. */
  readonly pages: number | null;
  /** Since when, without a break, the list is enforced, ISO 8601. */
  readonly enforcedSince: string;
  /** False: the catalogue does not name or enable it any more, and it is enforced from what was kept. */
  readonly catalogued: boolean;
}

/** A list and what is enforced of it. */
export interface EnforcedList {
  readonly keyed: KeyedList;
  readonly facts: IllegalListFacts;
}

/** What became of one list. `enforced` is null when it never loaded. */
export interface TakenIllegal {
  readonly enforced: EnforcedList | null;
  readonly rejectedLines: readonly number[];
  readonly alarm: string | null;
  readonly problems: readonly Problem[];
}

export interface TakeIllegalOptions {
  readonly keys: IllegalKeys;
  readonly catalogueFile: string;
  /** ms since the epoch. */
  readonly now: number;
  readonly maxRejected: number;
}

/** A list may lose this part of its entries in one update; when more are gone, the old ones stay enforced beside the new. */
const MOST_LOST = 0.2;

/**
 * Reads an illegal list. Whatever its source is now, nothing that was enforced is given up by accident: a source that is missing,
 * unreadable or empty leaves the kept entries in force, and one that lost more than 20 % of them is enforced together with them.
 */
export async function takeIllegal(
  list: IllegalList,
  before: EnforcedList | null,
  options: TakeIllegalOptions,
): Promise<TakenIllegal> {
  const content = await read(list, options);
  const rejectedLines = typeof content === 'string' ? [] : content.rejectedLines;
  const fault =
    typeof content === 'string' ? content : content.accepted === 0 ? 'its source has no usable entry' : null;
  if (fault !== null && before === null) {
    const reason = `list "${list.id}": ${fault}, and it never loaded`;
    const problems = [{ file: options.catalogueFile, line: list.line, reason }];
    return { enforced: null, rejectedLines, alarm: `Illegal list "${list.id}": ${fault}.`, problems };
  }
  if (fault !== null) return keepBefore(before!, true, fault, options);
  const { entries, accepted, duplicates, rejected } = content as IllegalContent;
  const old = before?.keyed.entries ?? [];
  const gone = goneFrom(entries, old);
  const isShrunk = counted(gone).length > counted(old).length * MOST_LOST;
  const kept = withCanary(isShrunk ? [...entries, ...gone] : entries, list.id, options.keys);
  const facts: IllegalListFacts = {
    id: list.id,
    category: list.category,
    format: list.format,
    entries: accepted + duplicates + rejected,
    accepted,
    duplicates,
    rejected,
    enforced: counted(kept).length,
    sha256: entriesDigest(counted(kept)),
    pages: pagesOf(kept),
    loadedAt: list.fetchedAt ?? isoTime(options.now),
    enforcedSince: before?.facts.enforcedSince ?? isoTime(options.now),
    fromLastGood: isShrunk,
    catalogued: true,
  };
  const alarm = isShrunk
    ? `Illegal list "${list.id}": more than 20 % of its entries are gone from its source; all of them stay enforced beside the new ones until two people ran "schoolgate lists remove ${list.id}".`
    : null;
  const keyed = { id: list.id, category: list.category, entries: kept };
  return { enforced: { keyed, facts }, rejectedLines, alarm, problems: [] };
}

/** A list that the catalogue does not name any more goes on being enforced: nobody takes one away alone. */
export function keepUncatalogued(before: EnforcedList, options: TakeIllegalOptions): TakenIllegal {
  const why = `it is not in the catalogue any more, or switched off there, and two people have to run "schoolgate lists remove ${before.facts.id}" before it ends`;
  return keepBefore(before, false, why, options);
}

function keepBefore(
  before: EnforcedList,
  catalogued: boolean,
  why: string,
  { keys }: TakeIllegalOptions,
): TakenIllegal {
  const { id, loadedAt } = before.facts;
  const facts = { ...before.facts, fromLastGood: true, catalogued };
  const keyed = { ...before.keyed, entries: withCanary(before.keyed.entries, id, keys) };
  const alarm = `Illegal list "${id}": ${why}; what was loaded on ${loadedAt} stays enforced.`;
  return { enforced: { keyed, facts }, rejectedLines: [], alarm, problems: [] };
}

/** What can be said of a list of which only the kept form is left. `since`: ISO 8601. */
export function factsOfKept({ id, category, entries }: KeyedList, since: string): IllegalListFacts {
  const enforced = counted(entries).length;
  const counts = {
    entries: enforced,
    accepted: enforced,
    duplicates: 0,
    rejected: 0,
    enforced,
    sha256: entriesDigest(counted(entries)),
    pages: pagesOf(entries),
  };
  const format = entries.some(({ kind }) => kind === 'hash') ? 'illegal-hashes' : 'illegal-urls';
  const times = { loadedAt: since, enforcedSince: since };
  return { id, category, format, ...counts, ...times, fromLastGood: true, catalogued: false };
}

/** The content, or why there is none: never in the words of the list. */
async function read(list: IllegalList, options: TakeIllegalOptions): Promise<IllegalContent | string> {
  if (list.path === null) return 'it was not fetched yet';
  if (list.fetch !== null) return readFetched(list.path, list, options);
  const reader = illegalReader(options.keys, list.format, options.maxRejected);
  try {
    await readLines(list.path, reader.line);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return `its source cannot be read${code === undefined ? '' : ` (${code})`}`;
  }
  return reader.end();
}

function readFetched(path: string, { fetched }: IllegalList, { keys }: TakeIllegalOptions): IllegalContent | string {
  try {
    return { entries: readKeyedFile(path, keys), ...fetched! };
  } catch (error) {
    const why = error instanceof SchoolgateError ? 'is damaged, or was keyed by another key' : 'cannot be read';
    return `what was fetched of it ${why}`;
  }
}

function goneFrom(now: readonly KeyedEntry[], before: readonly KeyedEntry[]): KeyedEntry[] {
  const there = new Set(now.map(entryKey));
  return before.filter((entry) => !there.has(entryKey(entry)));
}

/** Without our own: marks and canaries. */
function counted(entries: readonly KeyedEntry[]): KeyedEntry[] {
  return entries.filter(({ kind }) => kind !== 'below' && kind !== 'canary');
}

function withCanary(entries: readonly KeyedEntry[], id: string, keys: IllegalKeys): KeyedEntry[] {
  return [...entries.filter(({ kind }) => kind !== 'canary'), canaryEntry(keys, canaryName(keys, id))];
}

function pagesOf(entries: readonly KeyedEntry[]): number | null {
  return entries.some(({ kind }) => kind === 'hash') ? null : entries.filter(({ kind }) => kind === 'page').length;
}
