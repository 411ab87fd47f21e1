import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, isoTime } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { ageText } from './age-text.ts';
import type { AnyList } from './catalogue.ts';
import type { FetchKeyed } from './download-keyed.ts';
import { type Download, downloadSource, UnfitError } from './download-source.ts';
import { type SourceClient, SourceError } from './fetch-source.ts';
import { contentOf, type FetchState, fetchedFolder, readState, writeState } from './fetched-lists.ts';
import { isIllegalFormat } from './illegal-format.ts';
import { type RetryPorts, withRetries } from './retry.ts';
import { readCredentials } from './source-credentials.ts';

/** What became of fetching one list. */
export interface FetchOutcome {
  readonly id: string;
  readonly result: 'changed' | 'unchanged' | 'failed';
  /** Why it failed, and what stays in force. */
  readonly problem: string | null;
  /** It failed in a way that may pass. */
  readonly again: boolean;
  /** Nobody was told of this failure yet. */
  readonly isNews: boolean;
}

export interface FetchOptions {
  /** Where fetched lists lie. */
  readonly root: string;
  readonly client: SourceClient;
  /** Fetches lists of locked categories, whose text this process must not see. */
  readonly fetchKeyed: FetchKeyed;
  readonly retry: RetryPorts;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of each list that is done with, of however many. */
  readonly onDone?: () => void;
}

/**
 * Fetches one https list if its source has something new. A failure, of our own disk too, leaves what was fetched before, and is written
 * down. Rejects only when told to stop.
 */
export async function fetchList(list: AnyList, options: FetchOptions): Promise<FetchOutcome> {
  const { root, retry, clock, signal } = options;
  const state = readState(root, list);
  const folder = fetchedFolder(root, list.id);
  const content = contentOf(list, state);
  const isHere = content !== null && existsSync(join(folder, content.name));
  const attempt = async (): ReturnType<FetchKeyed> => await download(list, isHere ? content : null, folder, options);
  const isWorthAgain = (error: unknown): boolean => error instanceof SourceError && error.again;
  try {
    const got = await withRetries(attempt, isWorthAgain, retry, signal);
    const now = isoTime(clock());
    const well = { ...state, fetchedAt: now, triedAt: now, error: null, failingSince: null, staleTold: false };
    if (got === 'not-modified') {
      writeState(root, list, well);
      return outcome(list.id, 'unchanged');
    }
    const previous = content === null || content.name === got.name ? state.previous : content.name;
    writeState(root, list, { ...well, content: got, previous, setAside: null });
    return outcome(list.id, isHere && content.sha256 === got.sha256 ? 'unchanged' : 'changed');
  } catch (error) {
    if (signal.aborted) throw error;
    return fail(list, state, error instanceof SourceError ? error : notKept(error), options);
  }
}

async function download(
  { id, category, format, fetch }: AnyList,
  content: Download | null,
  folder: string,
  { client, fetchKeyed, signal }: FetchOptions,
): ReturnType<FetchKeyed> {
  const { url, maxBytes, sha256, credentials } = fetch!;
  const { name = null, etag = null, lastModified = null } = content ?? {};
  const request = { url, maxBytes, sha256, etag, lastModified };
  if (isIllegalFormat(format)) {
    return await fetchKeyed({ ...request, id, category, format, credentials, folder, content: name }, signal);
  }
  const authorization = credentials === null ? {} : { authorization: readCredentials(credentials) };
  return await downloadSource(client, { ...request, ...authorization, isFolder: format === 'ut1' }, folder, signal);
}

/** A full disk, or a folder that is not ours. Throws on what is no error of the file system. */
function notKept(error: unknown): SourceError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
  return new SourceError(`what came could not be written to the data folder (${code})`, true, { cause: error });
}

function outcome(id: string, result: 'changed' | 'unchanged'): FetchOutcome {
  return { id, result, problem: null, again: false, isNews: false };
}

function fail(list: AnyList, state: FetchState, error: SourceError, { root, clock }: FetchOptions): FetchOutcome {
  const now = isoTime(clock());
  const setAside = error instanceof UnfitError ? error.kept : null;
  const failed = { ...state, triedAt: now, error: error.publicText, failingSince: state.failingSince ?? now, setAside };
  try {
    writeState(root, list, failed);
  } catch (cause) {
    // The disk refuses this as well; it is told all the same, if more than once.
    notKept(cause);
  }
  const kept =
    contentOf(list, state) === null
      ? 'nothing has been fetched of it yet'
      : `what was fetched ${ageText(clock() - Date.parse(state.fetchedAt!))} ago stays in force`;
  const look = error instanceof UnfitError && error.kept !== null ? `; what came lies at ${error.kept}` : '';
  const problem = `List "${list.id}" could not be updated: ${error.publicText}${look}; ${kept}.`;
  // Told once: when it begins to fail, and when it fails in another way.
  return { id: list.id, result: 'failed', problem, again: error.again, isNews: state.error !== error.publicText };
}

/** Lists of one host one after the other, different hosts side by side: no publisher is asked for thirty files at once. */
export async function fetchPolitely(lists: readonly AnyList[], options: FetchOptions): Promise<FetchOutcome[]> {
  const byHost = Map.groupBy(lists, (list) => new URL(list.fetch!.url).host);
  const outcomes = await Promise.allSettled(
    Array.from(byHost.values(), async (same) => {
      const done: FetchOutcome[] = [];
      for (const list of same) {
        done.push(await fetchList(list, options));
        options.onDone?.();
      }
      return done;
    }),
  );
  // Not before all have ended: nothing may go on writing behind the back of whoever comes next.
  return outcomes.flatMap((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/** Of a use case that was told to stop. */
export function stopping(): SchoolgateError {
  return new SchoolgateError('stopping', 'us', 'Schoolgate is stopping; run the command again when it runs.');
}
