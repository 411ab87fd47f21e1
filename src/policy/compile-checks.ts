import type { YamlDocument } from '../config/yaml-document.ts';
import { readSite } from '../categories/typed-site.ts';
import { type Compiling, report } from './compile-entries.ts';
import type { SchoolDocument } from './document.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** Compiles `checks`; what is left out is left out, so that the same files keep their hash. */
export function compileChecks(
  to: Compiling,
  document: YamlDocument<SchoolDocument>,
  categories: ReadonlyMap<string, { readonly locked: boolean }>,
): Pick<PolicySnapshot, 'checks'> {
  const { checks } = document.value;
  if (checks === undefined) return {};
  const site = (path: readonly (string | number)[], typed: string): string => {
    const host = readSite(typed);
    if (typeof host === 'string') return host;
    report(to, document, ['checks', ...path], host.reason);
    return typed;
  };
  const refused = Object.entries(checks.refused ?? {}).map(([category, typed]) => {
    const known = categories.get(category);
    if (known === undefined || known.locked) {
      const why = known === undefined ? 'is no category' : 'is locked, and tested by its canary';
      report(to, document, ['checks', 'refused', category], `"${category}" ${why}`);
    }
    return [category, site(['refused', category], typed)] as const;
  });
  return {
    checks: {
      ...(checks.everyDays !== undefined && { everyDays: checks.everyDays }),
      ...(checks.refused !== undefined && { refused: Object.fromEntries(refused) }),
      ...(checks.open !== undefined && { open: checks.open.map((typed, i) => site(['open', i], typed)) }),
    },
  };
}
