import { entryText } from './entry.ts';
import type { CompiledLevel, Entries, Entry, GroupRules, TimedRules } from './snapshot.ts';

/** The entries of `base` under those of `own`: the same entry said again replaces what was said before, whichever way that went. */
export function overlayEntries(base: Entries, own: Entries): Entries {
  const kept = withoutEntries(base, own);
  return { allow: [...kept.allow, ...own.allow], block: [...kept.block, ...own.block] };
}

/** The entries of `base` that `own` says nothing of. */
export function withoutEntries(base: Entries, own: Entries): Entries {
  const said = new Set([...own.allow, ...own.block].map(entryText));
  if (said.size === 0) return base;
  const kept = (entries: readonly Entry[]): Entry[] => entries.filter((entry) => !said.has(entryText(entry)));
  return { allow: kept(base.allow), block: kept(base.block) };
}

/** A level or group with timed rules in force: as if it were extended by each of them, in their order. */
export function overlayTimed<T extends GroupRules & Partial<Pick<CompiledLevel, 'uncategorised'>>>(
  base: T,
  layers: readonly TimedRules[],
): T {
  if (layers.length === 0) return base;
  const uncategorised = layers.findLast((layer) => layer.uncategorised !== undefined)?.uncategorised;
  return {
    ...base,
    entries: timedEntries(base.entries, layers),
    categories: Object.assign({}, base.categories, ...layers.map(({ categories }) => categories)),
    ...(uncategorised !== undefined && { uncategorised }),
  };
}

/** The entries of somebody with timed rules in force. */
export function timedEntries(base: Entries, layers: readonly TimedRules[]): Entries {
  return layers.reduce((entries, layer) => overlayEntries(entries, layer.entries), base);
}
