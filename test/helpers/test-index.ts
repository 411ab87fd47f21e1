import { type CategoryIndex, type CategoryMatch, NO_MATCH } from '../../src/categories/match.ts';
import { isWithin } from '../../src/kernel/host.ts';

/** A category index over a few names, for tests of what comes after it: host (or host/path prefix) → categories. */
export function createTestIndex(listed: Readonly<Record<string, readonly string[]>>): CategoryIndex {
  const kept = new Map<string, CategoryMatch>();
  const index: CategoryIndex = {
    sha256: '0'.repeat(64),
    lists: [],
    match: (host, path) => {
      const found = Object.entries(listed).filter(([entry]) => matches(entry, host, path));
      const categories = [...new Set(found.flatMap(([, ids]) => ids))].sort();
      if (categories.length === 0) return NO_MATCH;
      const key = categories.join(' ');
      const match = kept.get(key) ?? { categories, lists: categories.map((id) => `test-${id}`) };
      kept.set(key, match);
      return match;
    },
    // Every address here is taken for one of a list of addresses.
    matchAddress: (address) => index.match(address, null),
  };
  return index;
}

function matches(entry: string, host: string, path: string | null): boolean {
  const slash = entry.indexOf('/');
  if (slash < 0) return isWithin(host, entry);
  return isWithin(host, entry.slice(0, slash)) && path !== null && path.startsWith(entry.slice(slash));
}
