import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../kernel/durable-file.ts';
import type { AnyList, Catalogue } from './catalogue.ts';
import type { Download } from './download-source.ts';
import type { KeyedEntry } from './illegal-entry.ts';
import { decodeIllegal } from './illegal-file.ts';
import { isIllegalFormat } from './illegal-format.ts';
import type { IllegalKeys } from './illegal-keys.ts';

/** What is known of a source that is fetched; `state.json` in the list's own folder. Times: ISO 8601 UTC. */
export interface FetchState {
  /** The source this is about, its address and kind: of another one nothing is known. */
  readonly source: string;
  /** What was fetched last and could be taken; the build reads it. Null: nothing yet. */
  readonly content: Download | null;
  /** Name of the content before it, which a build may still be reading. */
  readonly previous: string | null;
  /** When the source last gave this content or said that it has not changed. */
  readonly fetchedAt: string | null;
  readonly triedAt: string | null;
  /** Of the last try; null: it went well. */
  readonly error: string | null;
  /** Since when no try went well. */
  readonly failingSince: string | null;
  /** Where lies what came at the last try and was no list. */
  readonly setAside: string | null;
  /** An alarm has said that it has not been fetched for long. */
  readonly staleTold: boolean;
}

const STATE = 'state.json';

/** A list's own folder among what was fetched. */
export function fetchedFolder(root: string, id: string): string {
  return join(root, id);
}

/** What is known of a list's source. A state that cannot be read, or is about another source, is as good as none. */
export function readState(root: string, list: AnyList): FetchState {
  const none: FetchState = {
    source: sourceOf(list),
    content: null,
    previous: null,
    fetchedAt: null,
    triedAt: null,
    error: null,
    failingSince: null,
    setAside: null,
    staleTold: false,
  };
  try {
    const state = JSON.parse(readFileSync(join(fetchedFolder(root, list.id), STATE), 'utf8')) as FetchState;
    return state.source === none.source ? { ...none, ...state } : none;
  } catch {
    return none;
  }
}

/**
 * An archive is unpacked to a folder, so the same address fetched for another kind of list is another source. Of a keyed list nothing
 * tells later whether it was what the catalogue pins, so that is part of it.
 */
function sourceOf({ fetch, format }: AnyList): string {
  if (isIllegalFormat(format)) return `${format} ${fetch!.url} ${fetch!.sha256 ?? ''}`.trimEnd();
  return `${format === 'ut1' ? 'folder' : 'file'} ${fetch!.url}`;
}

/** The content that may be used: none where the catalogue has meanwhile pinned another. */
export function contentOf({ fetch, format }: AnyList, { content }: FetchState): Download | null {
  const pinned = isIllegalFormat(format) ? null : fetch!.sha256;
  return content === null || (pinned !== null && pinned !== content.sha256) ? null : content;
}

/** Puts a new state, and with it the content it names, in force; then what no state names any more goes. Throws what the file system throws. */
export function writeState(root: string, { id }: Pick<AnyList, 'id'>, state: FetchState): void {
  const folder = fetchedFolder(root, id);
  replaceFile(join(folder, STATE), `${JSON.stringify(state, null, 2)}\n`);
  for (const name of readdirSync(folder)) {
    const isContent = /^[0-9a-f]{64}(?:\.|$)/.test(name);
    if (isContent && name !== state.content?.name && name !== state.previous) {
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}

/** The catalogue with the place of what was fetched for each https source; without one where nothing was. */
export function withFetched(catalogue: Catalogue, root: string): Catalogue {
  return {
    ...catalogue,
    lists: catalogue.lists.map((list) => {
      const found = locate(list, root);
      return found === null ? list : { ...list, ...found.place };
    }),
    illegal: catalogue.illegal.map((list) => {
      const found = locate(list, root);
      return found === null ? list : { ...list, ...found.place, fetched: found.content.keyed ?? null };
    }),
  };
}

function locate(list: AnyList, root: string): { place: Pick<AnyList, 'path' | 'fetchedAt'>; content: Download } | null {
  if (list.fetch === null) return null;
  const state = readState(root, list);
  const content = contentOf(list, state);
  if (content === null) return null;
  const path = join(fetchedFolder(root, list.id), content.name);
  return existsSync(path) ? { place: { path, fetchedAt: state.fetchedAt }, content } : null;
}

/** The entries of a list of a locked category as it was fetched. Throws what the file system or `decodeIllegal` throws. */
export function readKeyedFile(path: string, keys: IllegalKeys): readonly KeyedEntry[] {
  return decodeIllegal(keys, readFileSync(path)).lists.flatMap(({ entries }) => entries);
}

/** Deletes what was fetched of a list, and all that is known of its source. */
export function forgetFetched(root: string, id: string): void {
  rmSync(fetchedFolder(root, id), { recursive: true, force: true });
}
