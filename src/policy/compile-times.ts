import type { DocumentPath, YamlDocument } from '../config/yaml-document.ts';
import { type Compiling, compileBothWays, compileCategories, report } from './compile-entries.ts';
import { compileWindows } from './compile-windows.ts';
import type { TimesSetting } from './document.ts';
import { withoutEntries } from './overlay.ts';
import type { TimedRules } from './snapshot.ts';
import type { Action } from './verdict.ts';

type Document = YamlDocument<unknown>;

/** One entry of `times:`, of whomever. */
interface Written {
  readonly name: string;
  readonly when: TimesSetting;
  readonly where?: readonly string[];
  readonly closed?: boolean;
  readonly categories?: Readonly<Record<string, Action>>;
  readonly uncategorised?: Action;
  readonly allow?: readonly string[];
  readonly block?: readonly string[];
}

const NOTHING_INHERITED: readonly TimedRules[] = [];

/**
 * Compiles `times:`; `path` is where its owner stands, `rulePrefix` such as `levels/ks2.yaml#`. An entry with `when: []` lifts
 * the one of its name that is inherited.
 */
export function compileTimes(
  to: Compiling,
  document: Document,
  path: DocumentPath,
  written: readonly Written[],
  rulePrefix: string,
  inherited = NOTHING_INHERITED,
): TimedRules[] {
  return written.flatMap((entry, i) => {
    const at = [...path, 'times', i];
    if (written.findIndex(({ name }) => name === entry.name) < i) {
      report(to, document, [...at, 'name'], `"${entry.name}" is the name of an entry above; each needs its own`);
    }
    if (entry.when.length > 0) return compileOne(to, document, at, entry, rulePrefix);
    if (!inherited.some(({ name }) => name === entry.name)) {
      report(to, document, [...at, 'when'], '"when" names no time; write always, or one such as lunch');
    } else if (Object.keys(entry).length > 2) {
      const reason = `an empty "when" lifts the inherited "${entry.name}"; remove what else is said here`;
      report(to, document, [...at, 'when'], reason);
    }
    return [];
  });
}

function compileOne(
  to: Compiling,
  document: Document,
  at: DocumentPath,
  entry: Written,
  rulePrefix: string,
): TimedRules {
  const { name, uncategorised, where } = entry;
  const rule = `${rulePrefix}times.${name}`;
  const rules: TimedRules = {
    name,
    rule,
    when: compileWindows(to, document, [...at, 'when'], entry.when),
    ...(where !== undefined && { where: compileWhere(to, document, [...at, 'where'], where) }),
    closed: entry.closed ?? false,
    entries: compileBothWays(to, document, at, entry, `${rule}.`),
    categories: compileCategories(to, document, at, entry.categories ?? {}, `${rule}.`),
    ...(uncategorised !== undefined && { uncategorised: { action: uncategorised, rule: `${rule}.uncategorised` } }),
  };
  if (rules.closed && speaks({ ...rules, closed: false })) {
    report(to, document, [...at, 'closed'], '"closed" closes everything; remove it, or what else is said beside it');
  } else if (!speaks(rules)) {
    report(to, document, at, `"${name}" changes nothing; say what holds then, such as closed: true`);
  }
  return rules;
}

function compileWhere(
  to: Compiling,
  document: Document,
  at: DocumentPath,
  where: readonly string[],
): NonNullable<TimedRules['where']> {
  if (where.length === 0) report(to, document, at, '"where" names no place; leave it out for everywhere');
  for (const [i, place] of where.entries()) {
    if (to.places.has(place)) continue;
    const known = [...to.places.keys()].join(', ') || 'none yet';
    const reason = `"${place}" is not a place; describe it under "places" in school.yaml (there are ${known})`;
    report(to, document, [...at, i], reason);
  }
  return { places: where, cidrs: where.flatMap((place) => to.places.get(place) ?? []) };
}

function speaks({ closed, entries, categories, uncategorised }: TimedRules): boolean {
  const said = entries.allow.length + entries.block.length + Object.keys(categories).length;
  return closed || said > 0 || uncategorised !== undefined;
}

/**
 * A level's timed rules with what it inherits, which stands first. An entry of the same name replaces the inherited one. What a
 * level itself says of a category or site for all times replaces what was inherited for some: it is the nearer word.
 */
export function inheritTimes(
  to: Compiling,
  document: Document,
  written: readonly Written[],
  inherited: readonly TimedRules[],
  own: Pick<TimedRules, 'entries' | 'categories'> & { readonly uncategorised: boolean },
): TimedRules[] {
  const replaced = new Set(written.map(({ name }) => name));
  const kept = inherited.filter(({ name }) => !replaced.has(name)).map((rules) => withoutSaid(rules, own));
  return [...kept.filter(speaks), ...compileTimes(to, document, [], written, `${document.file}#`, inherited)];
}

function withoutSaid(rules: TimedRules, own: Parameters<typeof inheritTimes>[4]): TimedRules {
  const { uncategorised, ...rest } = rules;
  const categories = Object.entries(rules.categories).filter(([id]) => !Object.hasOwn(own.categories, id));
  return {
    ...rest,
    entries: withoutEntries(rules.entries, own.entries),
    categories: Object.fromEntries(categories),
    ...(uncategorised !== undefined && !own.uncategorised && { uncategorised }),
  };
}
