import type { Actor } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { AlarmCode } from '../events/catalogue.ts';
import type { Clock } from '../kernel/clock.ts';
import { InvalidInputError, SchoolgateError } from '../kernel/errors.ts';
import type { RecordDatabase, Tx } from '../store/database.ts';
import { addressText } from './address-text.ts';
import { ageText } from './age-text.ts';
import { type AnyList, listsToFetch, loadCatalogue, type OfferedList } from './catalogue.ts';
import { isIndexCurrent, isIndexSound, readManifest } from './current-index.ts';
import { enabledText, writeCatalogue } from './edit-catalogue.ts';
import { type FetchOptions, type FetchOutcome, fetchPolitely, stopping } from './fetch-list.ts';
import type { FetchKeyed } from './download-keyed.ts';
import type { SourceClient } from './fetch-source.ts';
import { readState, writeState } from './fetched-lists.ts';
import { acceptContent } from './last-good.ts';
import { isIllegalFormat } from './illegal-format.ts';
import { type ListChange, listChanges } from './list-changes.ts';
import { type ListStatus, listStatuses } from './list-status.ts';
import { hashFile } from './read-source.ts';
import { isDue, staleAfter } from './refresh-times.ts';
import { type ListContentMark, listsInForce, storeInForce } from './repository.ts';
import type { RetryPorts } from './retry.ts';

/** What an update came to. */
export interface UpdateReport {
  readonly fetched: readonly FetchOutcome[];
  /** Lists whose content in force changed, those of locked categories too. */
  readonly changes: readonly ListChange[];
  /** What an adult should know: one sentence each. */
  readonly alarms: readonly string[];
}

/** How far an act on the lists is: another one goes first, so many of so many lists were fetched, or the index is being built. */
export type Step =
  | { readonly doing: 'waiting' | 'building' }
  | { readonly doing: 'fetching'; readonly done: number; readonly of: number };

export type OnStep = (step: Step) => void;

/** Which lists to fetch: all, those whose time has come or whose last try failed, or these. */
export type Which = 'all' | 'due' | readonly string[];

/** The lists: fetched, built, switched on, accepted, watched. One change at a time; all reject with `stopping` after `stop`. */
export interface Lists {
  status(): readonly ListStatus[];
  /** Catalogued and switched off. */
  offered(): readonly OfferedList[];
  /** Fetches now, and builds where something changed. Throws `list_unknown` for a list that is not fetched. */
  update(actor: Actor, which: Which, onStep?: OnStep): Promise<UpdateReport>;
  /** What the timetable does for all lists of one time: fetches at a moment of chance within ten minutes. Rejects to be called again. */
  refresh(refresh: string, due: number): Promise<UpdateReport>;
  /**
   * Switches a catalogued list on for somebody who has read and accepts its licence, named as the catalogue has it: fetched first,
   * so that one that cannot be had changes nothing. Throws `list_unknown`, `list_enabled`, `licence_other`, `source_unusable`, and
   * `lists_folder` when the catalogue has to be changed by hand: then the acceptance alone is on record.
   */
  enable(actor: Actor, id: string, licence: string, onStep?: OnStep): Promise<UpdateReport>;
  /** Takes an update that waits for a person although it lost so many entries. Throws `list_not_held` when another or none waits. */
  accept(actor: Actor, id: string, sha256: string, onStep?: OnStep): Promise<UpdateReport>;
  /**
   * Builds an index anew that was damaged on disk, before a worker has to start with it; puts on record what changed without us, tells of
   * lists that were not fetched for long, and fetches those that never were.
   */
  watch(): Promise<void>;
  /** Ends what is under way. */
  stop(): Promise<void>;
}

export interface ListsOptions {
  readonly listsDir: string;
  readonly layout: DataLayout;
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly client: SourceClient;
  readonly fetchKeyed: FetchKeyed;
  readonly retry: RetryPorts;
  /** Builds the index where lists have changed and sends it to gateways; tells of what an adult should know, and gives it. */
  readonly rebuild: () => Promise<readonly string[]>;
  readonly raise: (code: AlarmCode, text: string) => void;
}

/** Schools must not ask a publisher in the same second. */
const SPREAD_MS = 10 * 60_000;
/** After an index could not be mended. */
const MEND_AGAIN_MS = 15 * 60_000;
/** Who changed what nobody signed in for. */
const BY_FILE = 'file';
const BY_CONSOLE = 'console';

export function createLists(options: ListsOptions): Lists {
  const { listsDir, layout, clock, retry } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const fetching: FetchOptions = { ...options, root: layout.fetchedLists, signal };
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(() => {
      if (signal.aborted) throw stopping();
      return work();
    });
    last = next.catch(() => {});
    return next;
  };

  const update = async (by: string, lists: readonly AnyList[], onStep?: OnStep): Promise<UpdateReport> => {
    const fetched = await fetchInSteps(lists, fetching, onStep);
    for (const { problem, isNews } of fetched)
      if (problem !== null && isNews) options.raise('list-not-fetched', problem);
    const isChanged = fetched.some(({ result }) => result === 'changed');
    const built =
      isChanged || !(await isIndexCurrent(listsDir, layout)) ? await rebuild(options, by, onStep) : NOTHING_BUILT;
    return { fetched, ...built };
  };

  let mendAt = 0;
  const mend = async (): Promise<void> => {
    const wasBuilt = options.record.read((tx) => listsInForce(tx).size > 0);
    if (!wasBuilt || clock() < mendAt || (await isIndexSound(layout))) return;
    await options.rebuild();
    if (!(await isIndexSound(layout))) mendAt = clock() + MEND_AGAIN_MS;
    else options.raise('index-damaged', 'The index of the lists was damaged on disk, and was built anew.');
  };

  return {
    status: () =>
      listStatuses(
        loadCatalogue(listsDir),
        readManifest(layout),
        (list) => readState(layout.fetchedLists, list),
        clock(),
      ),
    offered: () => loadCatalogue(listsDir).offered.map(shown),
    update: (actor, which, onStep) => alone(() => update(actor.userName, choose(options, which), onStep)),
    refresh: async (refresh, due) => {
      await retry.wait(retry.random() * SPREAD_MS, signal);
      return await alone(async () => {
        const lists = listsToFetch(loadCatalogue(listsDir)).filter((list) => list.fetch!.refresh === refresh);
        const report = await update(
          BY_CONSOLE,
          lists.filter((list) => !isFetchedSince(options, list, due)),
        );
        const failed = report.fetched.find(({ again }) => again);
        if (failed !== undefined) throw new SchoolgateError('source_unusable', 'upstream', failed.problem!);
        return report;
      });
    },
    enable: (actor, id, licence, onStep) => alone(() => enable(options, fetching, { actor, id, licence }, onStep)),
    accept: (actor, id, sha256, onStep) => alone(() => accept(options, { actor, id, sha256 }, onStep)),
    watch: () =>
      alone(async () => {
        await mend();
        noteChanges(options, BY_FILE);
        const lists = listsNow(listsDir);
        for (const list of lists) tellIfStale(options, list);
        const fresh = lists.filter((list) => readState(layout.fetchedLists, list).triedAt === null);
        if (fresh.length > 0) await update(BY_CONSOLE, fresh);
        else if (await isUnbuilt(options, lists)) await rebuild(options, BY_CONSOLE);
      }),
    async stop() {
      stop.abort();
      await last;
    },
  };
}

const NOTHING_BUILT = { changes: [], alarms: [] };

async function fetchInSteps(
  lists: readonly AnyList[],
  fetching: FetchOptions,
  onStep: OnStep = () => {},
): Promise<FetchOutcome[]> {
  const of = lists.length;
  let done = 0;
  onStep({ doing: 'fetching', done, of });
  return await fetchPolitely(lists, { ...fetching, onDone: () => onStep({ doing: 'fetching', done: ++done, of }) });
}

async function rebuild(
  options: ListsOptions,
  by: string,
  onStep?: OnStep,
): Promise<Pick<UpdateReport, 'changes' | 'alarms'>> {
  onStep?.({ doing: 'building' });
  const said = await options.rebuild();
  // None also when somebody else had just built the same: the catalogue is watched.
  const alarms = said.length > 0 ? said : (readManifest(options.layout)?.alarms ?? []);
  return { changes: noteChanges(options, by), alarms };
}

/** Puts every list whose content in force is another than on record into the audit record, whoever built it. */
function noteChanges({ record, audit, layout, raise }: ListsOptions, by: string): readonly ListChange[] {
  const marks = marksInForce(layout);
  // What is in force without an index on disk is what was.
  if (marks === null) return [];
  const changes = record.write((tx) => {
    const found = listChanges(listsInForce(tx), marks);
    for (const { id, before, after } of found) {
      audit.append(tx, { actor: by, action: 'list.changed', subject: `list:${id}`, before, after });
      storeInForce(tx, id, after);
    }
    return found;
  });
  for (const { warning } of changes) if (warning !== null) raise('list-grew', warning);
  return changes;
}

function marksInForce(layout: DataLayout): ReadonlyMap<string, ListContentMark> | null {
  const manifest = readManifest(layout);
  if (manifest === null) return null;
  const open = manifest.lists.map(({ id, accepted, sha256 }) => [id, { entries: accepted, sha256 }] as const);
  const locked = (manifest.illegal?.lists ?? []).map(
    ({ id, enforced, sha256 }) => [id, { entries: enforced, sha256 }] as const,
  );
  return new Map([...open, ...locked]);
}

function choose({ listsDir, layout, clock }: ListsOptions, which: Which): AnyList[] {
  const lists = listsToFetch(loadCatalogue(listsDir));
  if (which === 'all') return lists;
  if (which === 'due') {
    return lists.filter((list) => {
      const { fetchedAt, error } = readState(layout.fetchedLists, list);
      return error !== null || isDue(list.fetch!.refresh, fetchedAt === null ? null : Date.parse(fetchedAt), clock());
    });
  }
  return which.map((id) => lists.find((list) => list.id === id) ?? unknown(id, 'is not an enabled https list'));
}

/** None while the catalogue is not valid: the policy's files include it, and their watch tells what is wrong. */
function listsNow(listsDir: string): readonly AnyList[] {
  try {
    return listsToFetch(loadCatalogue(listsDir));
  } catch (error) {
    if (error instanceof InvalidInputError) return [];
    throw error;
  }
}

/** Whether a list was fetched and is not in force, and nothing has been built since. */
async function isUnbuilt({ listsDir, layout }: ListsOptions, lists: readonly AnyList[]): Promise<boolean> {
  const manifest = readManifest(layout);
  const built = new Set([...(manifest?.lists ?? []), ...(manifest?.illegal?.lists ?? [])].map(({ id }) => id));
  const isWaiting = lists.some((list) => !built.has(list.id) && readState(layout.fetchedLists, list).content !== null);
  return isWaiting && !(await isIndexCurrent(listsDir, layout));
}

function isFetchedSince({ layout }: ListsOptions, list: AnyList, due: number): boolean {
  const { fetchedAt, error } = readState(layout.fetchedLists, list);
  return error === null && fetchedAt !== null && Date.parse(fetchedAt) >= due;
}

async function enable(
  options: ListsOptions,
  fetching: FetchOptions,
  { actor, id, licence }: { readonly actor: Actor; readonly id: string; readonly licence: string },
  onStep?: OnStep,
): Promise<UpdateReport> {
  const { listsDir, record, audit } = options;
  const catalogue = loadCatalogue(listsDir);
  const offer = catalogue.offered.find((one) => one.id === id);
  if (offer === undefined) {
    if (![...catalogue.lists, ...catalogue.illegal].some((list) => list.id === id))
      unknown(id, 'is not in the catalogue');
    throw new SchoolgateError('list_enabled', 'client', `List "${id}" is switched on already.`);
  }
  if (offer.licence === null || offer.licence !== licence) {
    const now = offer.licence === null ? 'has none; write it there' : `says "${offer.licence}"; read that one`;
    throw new SchoolgateError('licence_other', 'client', `The licence of "${id}" in the catalogue ${now} first.`);
  }
  const { list } = enabledText(listsDir, id);
  await refuseWithoutFile(list);
  const fetched = list.fetch === null ? [] : await fetchInSteps([list], fetching, onStep);
  for (const { problem } of fetched) {
    if (problem !== null) throw new SchoolgateError('source_unusable', 'upstream', `${problem} It stays switched off.`);
  }
  const put = (action: 'list.enabled' | 'list.licence-accepted', tx: Tx): void => {
    const after = { source: addressText(list.source), licence };
    audit.append(tx, { actor: actor.userName, action, subject: `list:${id}`, after, address: actor.address });
  };
  try {
    record.write((tx) => {
      put('list.enabled', tx);
      // Read once more: somebody may have edited the catalogue while the list was fetched.
      writeCatalogue(listsDir, enabledText(listsDir, id));
    });
  } catch (error) {
    if (error instanceof SchoolgateError && error.code === 'lists_folder') {
      record.write((tx) => put('list.licence-accepted', tx));
    }
    throw error;
  }
  return { fetched, ...(await rebuild(options, actor.userName, onStep)) };
}

/** A list of a locked category that is named and never loads stops everything at the next start. */
async function refuseWithoutFile({ id, format, path, fetch }: AnyList): Promise<void> {
  if (!isIllegalFormat(format) || fetch !== null) return;
  await hashFile(path!).catch((error: NodeJS.ErrnoException) => {
    const text = `${path} cannot be read (${error.code}); "${id}" stays switched off.`;
    throw new SchoolgateError('source_unusable', 'client', text);
  });
}

async function accept(
  options: ListsOptions,
  { actor, id, sha256 }: { readonly actor: Actor; readonly id: string; readonly sha256: string },
  onStep?: OnStep,
): Promise<UpdateReport> {
  const { layout, record, audit } = options;
  const held = readManifest(layout)?.held.find((one) => one.id === id);
  if (held === undefined || held.sha256 !== sha256) {
    const what = held === undefined ? 'no update waits for a person' : 'another update waits by now; look at it first';
    throw new SchoolgateError('list_not_held', 'client', `Of list "${id}" ${what}.`);
  }
  record.write((tx) => {
    const { entries, before } = held;
    audit.append(tx, {
      actor: actor.userName,
      action: 'list.accepted',
      subject: `list:${id}`,
      before: { entries: before },
      after: { entries, sha256 },
      address: actor.address,
    });
    acceptContent(layout.lastGoodLists, id, sha256);
  });
  return { fetched: [], ...(await rebuild(options, actor.userName, onStep)) };
}

/** Once for each time that a list gets too old. */
function tellIfStale({ layout, clock, raise }: ListsOptions, list: AnyList): void {
  const state = readState(layout.fetchedLists, list);
  const since = state.fetchedAt ?? state.failingSince;
  if (since === null || state.staleTold) return;
  const age = clock() - Date.parse(since);
  if (age <= staleAfter(list.fetch!.refresh, clock())) return;
  const why = state.error === null ? '' : ` (${state.error})`;
  raise(
    'list-not-fetched',
    `List "${list.id}" has not been fetched well for ${ageText(age)}${why}. Filtering goes on with what was there.`,
  );
  writeState(layout.fetchedLists, list, { ...state, staleTold: true });
}

function shown({ id, category, source, licence, homepage, line, position }: OfferedList): OfferedList {
  return { id, category, source: addressText(source), licence, homepage, line, position };
}

function unknown(id: string, why: string): never {
  throw new SchoolgateError(
    'list_unknown',
    'client',
    `"${id}" ${why}; npx schoolgate lists status shows what there is.`,
  );
}
