import { withoutParameters } from '../kernel/url.ts';
import { rangeText, readRange } from './address-range.ts';
import type { ExpressionLookup } from './expression.ts';
import { hashHost, hashUrl, type Hash } from './hash.ts';
import type { IndexFile } from './index-file.ts';
import type { EntryMatch } from './match.ts';
import { pathPrefixes } from './path-prefix.ts';
import type { RangeLookup } from './range-lookup.ts';
import { findEntry } from './slot-table.ts';

/** The parts of an open index. */
export interface OpenParts {
  readonly file: IndexFile;
  readonly ranges: RangeLookup | null;
  readonly expressions: ExpressionLookup | null;
}

/** Asks again, entry by entry, what a look-up asks in one pass. */
export function explainMatch(parts: OpenParts, host: string, path: string | null): EntryMatch[] {
  const found = [
    ...explainNames(parts.file, host, path),
    ...explainRanges(parts, host),
    ...explainExpressions(parts, host, path),
  ];
  const excepted = new Set(found.flatMap(({ form, list }) => (form === 'exception' ? [list] : [])));
  return found.filter(({ form, list }) => form === 'exception' || !excepted.has(list));
}

/** `bet365.com and everything under it`, `expression no. 3, (casino|poker)`: where and how an entry matched, in words. */
export function entryText({ form, entry, number }: EntryMatch): string {
  if (form === 'host' && /[a-z]/.test(entry) && !entry.includes(':')) return `${entry} and everything under it`;
  if (form === 'exception') return `not on this list, which excepts ${entry}`;
  if (form === 'expression') return `expression no. ${number}, ${entry}`;
  return entry;
}

function explainNames(file: IndexFile, host: string, path: string | null): EntryMatch[] {
  const prefixes = path === null ? [] : [...new Set([path, withoutParameters(path)].flatMap(pathPrefixes))];
  return hostAndParents(host).flatMap((name) => {
    const set = setOf(file, hashHost(name, file.seed));
    const own = entries(file, set, 'host', name);
    if (file.sets[set]?.hasUrlsBelow !== true) return own;
    const below = prefixes.flatMap((prefix) => {
      return entries(file, setOf(file, hashUrl(name + prefix, file.seed, name.length)), 'url', name + prefix);
    });
    return own.concat(below);
  });
}

/** The longest first. */
function hostAndParents(host: string): string[] {
  const labels = host.split('.');
  return labels.map((_, i) => labels.slice(i).join('.')).filter((name, i) => i === 0 || name.includes('.'));
}

function explainRanges({ file, ranges }: OpenParts, host: string): EntryMatch[] {
  const count = ranges?.find(host) ?? 0;
  return Array.from({ length: count }, (_, i) => {
    const text = rangeText(readRange(`${host}/${ranges!.lengths[i]!}`));
    return entries(file, ranges!.sets[i]!, 'range', text);
  }).flat();
}

function explainExpressions({ file, expressions }: OpenParts, host: string, path: string | null): EntryMatch[] {
  return (expressions?.find(host, path) ?? []).map((position) => {
    const { list, source } = file.expressions[position]!;
    const { id, category } = file.lists[list]!;
    const number = position - file.expressions.findIndex((one) => one.list === list) + 1;
    return { list: id, category, form: 'expression', entry: source, number };
  });
}

function setOf({ table }: IndexFile, { high, low }: Hash): number {
  return findEntry(table, high, low);
}

function entries({ sets, lists }: IndexFile, set: number, form: EntryMatch['form'], entry: string): EntryMatch[] {
  return sets[set]!.lists.map((position) => {
    const { id, category, excepts } = lists[position]!;
    return { list: id, category, form: excepts === undefined ? form : 'exception', entry };
  });
}
