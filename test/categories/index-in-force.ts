import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type IndexManifest, publishIndex } from '../../src/categories/current-index.ts';
import type { DataLayout } from '../../src/config/data-layout.ts';
import { encodeSmall, factsOf, type SmallList } from './small-index.ts';

/** Puts an index over these lists in force, as a build does; gives its facts. */
export function putSmallInForce(
  layout: DataLayout,
  lists: readonly SmallList[],
  seed?: { a: number; b: number },
): void {
  const bytes = encodeSmall(lists, seed);
  publishIndex(layout, bytes, {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    inputs: '',
    builtAt: '2026-11-23T08:00:00.000Z',
    bytes: bytes.length,
    domains: lists.reduce((sum, { entries }) => sum + entries.length, 0),
    urls: 0,
    ranges: 0,
    expressions: 0,
    lists: factsOf(lists),
    alarms: [],
    held: [],
  });
}

/** Adds a second file to the index in force: keyed fingerprints, as far as shipping sees them. */
export function addIllegalFile(layout: DataLayout, current: IndexManifest, bytes: Uint8Array): void {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const file = `illegal-${sha256}.sgf`;
  writeFileSync(join(layout.index, file), bytes);
  writeFileSync(join(layout.index, 'current.json'), JSON.stringify({ ...current, illegal: { file, sha256 } }));
}
