import type { DataLayout } from '../config/data-layout.ts';
import { putInForce, readManifest } from './current-index.ts';
import { forgetFetched } from './fetched-lists.ts';
import { readIllegalKeys } from './illegal-key-file.ts';
import { readEnforced, sweepIllegal, writeIllegal } from './illegal-store.ts';

/** Ids of the illegal lists that are enforced. */
export function enforcedLists(layout: DataLayout): string[] {
  return (readManifest(layout)?.illegal?.lists ?? []).map(({ id }) => id);
}

/**
 * Deletes everything that is kept of an illegal list. To be called when two people have agreed; the index must be built anew then: a
 * list that the catalogue still names (`isNamed`) is loaded from its file, or from what was fetched of it, again. Throws a SchoolgateError when the file or key cannot be read.
 */
export function removeIllegal(layout: DataLayout, listId: string, isNamed: boolean): void {
  const manifest = readManifest(layout);
  if (manifest?.illegal === undefined) return;
  const keys = readIllegalKeys(layout.illegalKey);
  const { illegal, ...rest } = manifest;
  const kept = [...readEnforced(layout, keys, illegal).lists.values()].filter(({ facts }) => facts.id !== listId);
  const facts = writeIllegal(layout, keys, kept);
  // Inputs that no build can have: whatever the catalogue says, this is not what it comes to.
  putInForce(layout, { ...rest, inputs: '', ...(facts !== null && { illegal: facts }) });
  sweepIllegal(layout, facts?.file ?? null);
  if (!isNamed) forgetFetched(layout.fetchedLists, listId);
}
