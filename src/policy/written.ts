import { type AddressRanges, addressRanges, canonicalAddress, isWithin, rangeBits } from '../kernel/ip.ts';
import { withoutParameters } from '../kernel/url.ts';
import { isRange } from './entry.ts';
import { HostTable } from './host-table.ts';
import type { Entries, Entry } from './snapshot.ts';

/** A written entry, ready to be matched. */
export interface WrittenRule {
  readonly entry: Entry;
  readonly allows: boolean;
}

/** Written entries, ready to be asked. */
export interface WrittenTable {
  readonly byHost: HostTable<WrittenRule>;
  /** Entries for ranges of addresses; few schools have any. */
  readonly ranges: readonly (WrittenRule & { readonly range: AddressRanges })[];
}

/** What written entries are asked about. */
export interface Destination {
  /** Canonical. */
  readonly host: string;
  /** Canonical path and query; null where it cannot be seen (CONNECT): then only entries for whole hosts match. */
  readonly path: string | null;
  /** Where the host leads, canonical, as far as it is known. */
  readonly addresses: readonly string[];
}

export function writtenTable(entries: Partial<Entries>): WrittenTable {
  const rules = [...rulesOf(entries.allow ?? [], true), ...rulesOf(entries.block ?? [], false)];
  return {
    byHost: new HostTable(rules.filter(({ entry }) => !isRange(entry)).map((rule) => [rule.entry.host, rule])),
    ranges: rules
      .filter(({ entry }) => isRange(entry))
      .map((rule) => Object.assign(rule, { range: addressRanges([rule.entry.host]) })),
  };
}

function rulesOf(entries: readonly Entry[], allows: boolean): WrittenRule[] {
  return entries.map((entry) => ({ entry, allows }));
}

/**
 * The written rule that wins: the longest host, then the longest path, then the longest range; of two that are equal, the one that
 * blocks. Null: none matches.
 */
export function winningRule(
  tables: readonly WrittenTable[],
  { host, path, addresses }: Destination,
  wanted: 'any' | 'allow' | 'block' = 'any',
): WrittenRule | null {
  let winner: WrittenRule | null = null;
  const consider = (rule: WrittenRule, matches: boolean): void => {
    if (wanted !== 'any' && rule.allows !== (wanted === 'allow')) return;
    if (matches && (winner === null || beats(rule, winner))) winner = rule;
  };
  for (const { byHost, ranges } of tables) {
    for (const rule of byHost.find(host)) consider(rule, matchesPath(rule, path));
    for (const rule of ranges) consider(rule, matchesAddresses(rule, addresses));
  }
  return winner;
}

/** Whoever has a site chooses its addresses: what blocks counts for any of them, what allows only for all. */
function matchesAddresses({ allows, range }: WrittenTable['ranges'][number], addresses: readonly string[]): boolean {
  if (!allows) return addresses.some((address) => range.has(address));
  return addresses.length > 0 && addresses.every((address) => range.has(address));
}

/** The longest other rule of a table that is about everything that an entry is about; null: none. */
export function widerRule(table: WrittenTable, entry: Entry): WrittenRule | null {
  let longest: WrittenRule | null = null;
  const isAddress = isRange(entry) || canonicalAddress(entry.host) !== null;
  const around = isAddress ? table.ranges.filter((rule) => isWithin(entry.host, rule.entry.host)) : [];
  for (const rule of [...table.byHost.find(entry.host), ...around]) {
    if (rule.entry.rule === entry.rule || !covers(rule.entry, entry)) continue;
    if (longest === null || beats(rule, longest)) longest = rule;
  }
  return longest;
}

/** For entries of which one's host lies under the other's, or in its range. */
function covers(wide: Entry, narrow: Entry): boolean {
  return wide.path === null || (narrow.path !== null && liesUnder(wide.path, narrow.path));
}

function beats(rule: WrittenRule, other: WrittenRule): boolean {
  const [range, otherRange] = [isRange(rule.entry), isRange(other.entry)];
  // What is said of a site by its name is nearer than what is said of wherever it stands.
  if (range !== otherRange) return otherRange;
  if (range) {
    const bits = rangeBits(rule.entry.host) - rangeBits(other.entry.host);
    return bits === 0 ? other.allows && !rule.allows : bits > 0;
  }
  const hosts = rule.entry.host.length - other.entry.host.length;
  if (hosts !== 0) return hosts > 0;
  const paths = (rule.entry.path?.length ?? 0) - (other.entry.path?.length ?? 0);
  return paths === 0 ? other.allows && !rule.allows : paths > 0;
}

/**
 * Whether a rule is about a canonical path. Servers that leave out `;` parameters read another path than those that do not: what
 * blocks counts in either reading, what allows only in both.
 */
function matchesPath({ entry, allows }: WrittenRule, path: string | null): boolean {
  if (entry.path === null) return true;
  if (path === null) return false;
  const isUnder = liesUnder(entry.path, path);
  const plain = withoutParameters(path);
  if (plain === path || isUnder !== allows) return isUnder;
  return liesUnder(entry.path, plain);
}

/**
 * Whether a path lies at or under a prefix, on a segment boundary (or, in a query, on a parameter's). Capitals make no difference,
 * as in the lists: most servers do not tell them apart, so /Games would be a way past /games.
 */
function liesUnder(prefix: string, path: string): boolean {
  if (!path.toLowerCase().startsWith(prefix)) return false;
  const next = path.charAt(prefix.length);
  return next === '' || (prefix.includes('?') ? next === '&' : next === '/' || next === '?');
}
