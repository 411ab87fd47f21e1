import { withoutParameters } from '../kernel/url.ts';
import { HostTable } from './host-table.ts';
import type { Entries, Entry } from './snapshot.ts';

/** A written entry, ready to be matched. */
export interface WrittenRule {
  readonly entry: Entry;
  readonly allows: boolean;
}

export type WrittenTable = HostTable<WrittenRule>;

export function writtenTable(entries: Partial<Entries>): WrittenTable {
  return new HostTable([...rulesOf(entries.allow ?? [], true), ...rulesOf(entries.block ?? [], false)]);
}

function rulesOf(entries: readonly Entry[], allows: boolean): [string, WrittenRule][] {
  return entries.map((entry) => [entry.host, { entry, allows }]);
}

/**
 * The written rule that wins for a host and path: the longest host, then the longest path; of two that are equal, the one
 * that blocks. `path` null (CONNECT) meets only entries for whole hosts. Null: none matches.
 */
export function winningRule(
  tables: readonly WrittenTable[],
  host: string,
  path: string | null,
  wanted: 'any' | 'allow' | 'block' = 'any',
): WrittenRule | null {
  let winner: WrittenRule | null = null;
  for (const table of tables) {
    for (const rule of table.find(host)) {
      if (wanted !== 'any' && rule.allows !== (wanted === 'allow')) continue;
      if (matchesPath(rule, path) && (winner === null || beats(rule, winner))) winner = rule;
    }
  }
  return winner;
}

/** The longest other rule of a table that is about everything that an entry is about; null: none. */
export function widerRule(table: WrittenTable, entry: Entry): WrittenRule | null {
  let longest: WrittenRule | null = null;
  for (const rule of table.find(entry.host)) {
    if (rule.entry.rule === entry.rule || !covers(rule.entry, entry)) continue;
    if (longest === null || beats(rule, longest)) longest = rule;
  }
  return longest;
}

/** For entries of which one's host lies under the other's. */
function covers(wide: Entry, narrow: Entry): boolean {
  return wide.path === null || (narrow.path !== null && liesUnder(wide.path, narrow.path));
}

function beats(rule: WrittenRule, other: WrittenRule): boolean {
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
