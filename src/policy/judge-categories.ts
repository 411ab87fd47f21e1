import type { CategoryTraits } from './snapshot.ts';
import type { Action } from './verdict.ts';

/** The category whose help sites and schoolwork pass over every other category but the ones below and the locked ones. */
export const KNOWN_GOOD = 'known-good';
/** A good name may have been broken into: these are not passed over. */
const NOT_PASSED_OVER: ReadonlySet<string> = new Set(['malware', 'phishing']);

const SEVERITY: Readonly<Record<Action, number>> = { allow: 0, monitor: 1, warn: 2, block: 3 };

export interface CategoryRule {
  readonly action: Action;
  readonly rule: string;
}

/** The severer of two rules for the same category; of equals the first. */
export function severer(a: CategoryRule | undefined, b: CategoryRule): CategoryRule {
  return a === undefined || SEVERITY[b.action] > SEVERITY[a.action] ? b : a;
}

/** What somebody says of a category; undefined: nothing. */
export type RuleOf = (category: string) => CategoryRule | undefined;

export interface CategoryWinner extends CategoryRule {
  readonly category: string;
}

/** Whether these categories make a site known good: schoolwork, or help. */
export function isKnownGood(categories: readonly string[]): boolean {
  return categories.includes(KNOWN_GOOD) && !categories.some((category) => NOT_PASSED_OVER.has(category));
}

/**
 * Which category decides: known-good over all but malware and phishing; otherwise block > warn > monitor > allow, and of
 * equals first one that is worth an adult's eye. Null: nothing is said of any of them.
 */
export function judgeCategories(
  categories: readonly string[],
  ruleOf: RuleOf,
  traits: ReadonlyMap<string, CategoryTraits>,
): CategoryWinner | null {
  const passesOver = categories.includes(KNOWN_GOOD) && ruleOf(KNOWN_GOOD) !== undefined;
  let winner: CategoryWinner | null = null;
  let weight = -1;
  for (const category of categories) {
    if (passesOver && category !== KNOWN_GOOD && !NOT_PASSED_OVER.has(category)) continue;
    const said = ruleOf(category);
    if (said === undefined) continue;
    const own = SEVERITY[said.action] * 2 + (traits.get(category)?.flag === true ? 1 : 0);
    if (own <= weight) continue;
    weight = own;
    winner = { category, action: said.action, rule: said.rule };
  }
  return winner;
}
