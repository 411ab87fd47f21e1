import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { decodeIllegal, encodeIllegal, type KeyedList } from './illegal-file.ts';
import { openIllegal } from './illegal-index.ts';
import { readIllegalKeys } from './illegal-key-file.ts';
import type { IllegalKeys } from './illegal-keys.ts';
import type { IllegalIndex } from './illegal-match.ts';
import { type EnforcedList, factsOfKept, type IllegalListFacts } from './take-illegal.ts';

const ILLEGAL_NAME = /^illegal-([0-9a-f]{64})\.sgf$/;

/** What `current.json` says of the illegal lists in force. */
export interface IllegalFacts {
  readonly file: string;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  readonly bytes: number;
  readonly lists: readonly IllegalListFacts[];
}

/** What is enforced now; without the lists whose kept form cannot be read, of which `facts` still knows. */
export interface EnforcedNow {
  readonly facts: readonly IllegalListFacts[];
  readonly lists: ReadonlyMap<string, EnforcedList>;
}

/** `inForce` null: `current.json` is lost or says nothing; a file that lies there is enforced all the same. */
export function readEnforced(layout: DataLayout, keys: IllegalKeys, inForce: IllegalFacts | null): EnforcedNow {
  if (inForce === null) return readStray(layout, keys);
  const facts = inForce.lists;
  let kept: readonly KeyedList[];
  try {
    kept = decodeIllegal(keys, readFileSync(join(layout.index, inForce.file))).lists;
  } catch {
    return { facts, lists: new Map() };
  }
  const pairs = facts.flatMap((one): [string, EnforcedList][] => {
    const keyed = kept.find(({ id }) => id === one.id);
    return keyed === undefined ? [] : [[one.id, { keyed, facts: one }]];
  });
  return { facts, lists: new Map(pairs) };
}

/** Whether anything is or was enforced here. */
export function hasIllegalFile(layout: DataLayout): boolean {
  return existsSync(layout.index) && readdirSync(layout.index).some((name) => ILLEGAL_NAME.test(name));
}

function readStray(layout: DataLayout, keys: IllegalKeys): EnforcedNow {
  const pairs = readdirSync(layout.index)
    .filter((name) => ILLEGAL_NAME.test(name))
    .flatMap((name): [string, EnforcedList][] => {
      const path = join(layout.index, name);
      const since = statSync(path).mtime.toISOString();
      const { lists } = decodeIllegal(keys, readFileSync(path));
      return lists.map((keyed) => [keyed.id, { keyed, facts: factsOfKept(keyed, since) }]);
    });
  const lists = new Map(pairs);
  return { facts: [...lists.values()].map(({ facts }) => facts), lists };
}

/** Writes the file of these lists; it is in force once `current.json` names it. Null when there are none. */
export function writeIllegal(
  layout: DataLayout,
  keys: IllegalKeys,
  lists: readonly EnforcedList[],
): IllegalFacts | null {
  if (lists.length === 0) return null;
  const bytes = encodeIllegal(
    keys,
    lists.map(({ keyed }) => keyed),
  );
  const { sha256 } = decodeIllegal(keys, bytes);
  const file = `illegal-${sha256}.sgf`;
  replaceFile(join(layout.index, file), bytes);
  return { file, sha256, bytes: bytes.length, lists: lists.map(({ facts }) => facts) };
}

/** Deletes every illegal file but the one in force: an older one could hold a list that was taken away. */
export function sweepIllegal(layout: DataLayout, inForce: string | null): void {
  for (const name of readdirSync(layout.index)) {
    if (ILLEGAL_NAME.test(name) && name !== inForce) rmSync(join(layout.index, name), { force: true });
  }
}

/** Opens the illegal lists that these facts are about. Throws a SchoolgateError if their file or key is not as it was built. */
export function loadIllegal(layout: DataLayout, facts: IllegalFacts): IllegalIndex {
  const keys = readIllegalKeys(layout.illegalKey);
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(layout.index, facts.file));
  } catch (cause) {
    throw unusable(cause);
  }
  const index = openIllegal(bytes, keys);
  if (index.sha256 !== facts.sha256) throw unusable();
  return index;
}

function unusable(cause?: unknown): SchoolgateError {
  return new SchoolgateError(
    'illegal_unusable',
    'us',
    'The file of the illegal lists is missing or not the one that was built. Run "schoolgate lists build".',
    { cause },
  );
}
