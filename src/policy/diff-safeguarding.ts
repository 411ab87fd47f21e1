import { type PolicyChange, compare } from './diff-rules.ts';
import {
  ALL_THEMES,
  SEVERITIES,
  type SafeguardingRules,
  THEMES,
  type ThemeRules,
  ruleText,
} from './safeguarding-rules.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { timeOfDay } from '../identity/signed-in-devices.ts';

type Two<T> = readonly [before: T, after: T];

/** Differences in what makes a concern. Less of it loosens: what an adult would have been told, nobody may be. */
export function diffSafeguarding(...[before, after]: Two<PolicySnapshot>): PolicyChange[] {
  const [old, next] = [before.safeguarding, after.safeguarding];
  if (next === undefined)
    return old === undefined ? [] : [{ text: 'Nothing becomes a concern any more', loosens: true }];
  if (old === undefined) return [{ text: 'Concerns are made by the rules of safeguarding.yaml', loosens: false }];
  return [
    ...diffLines('Concerns', weightLines(old, before), weightLines(next, after), true),
    ...ALL_THEMES.flatMap((theme) => diffTheme(theme, [old.themes[theme], next.themes[theme]], after)),
  ];
}

function weightLines({ night, levels, background, searches }: SafeguardingRules, policy: PolicySnapshot): string[] {
  return [
    ...(night === null ? [] : [`${timeOfDay(night.from)} to ${timeOfDay(night.to)} counts ${night.times} times`]),
    ...Object.entries(levels).map(([level, times]) => `${policy.levels[level]?.title ?? level} counts ${times} times`),
    ...background.map((category) => `${titleOf(category, policy)} is background`),
    ...SEVERITIES.map((severity) => `a search for a phrase of ${severity} has ${searches[severity]} points`),
  ];
}

function diffTheme(
  theme: keyof typeof THEMES,
  [old, next]: Two<ThemeRules | undefined>,
  policy: PolicySnapshot,
): PolicyChange[] {
  const name = `Concerns, ${THEMES[theme]}`;
  if (next === undefined)
    return old === undefined ? [] : [{ text: `${name}: nothing becomes one any more`, loosens: true }];
  if (old === undefined) return [{ text: `${name}: rules are new`, loosens: false }];
  return [
    ...diffLines(name, lines(old, policy), lines(next, policy), true),
    ...diffLines(name, old.not.map(falseFriend), next.not.map(falseFriend), false),
  ];
}

function lines({ categories, phrases, rules }: ThemeRules, policy: PolicySnapshot): string[] {
  return [
    ...Object.entries(categories).map(([id, points]) => `a visit to ${titleOf(id, policy)} has ${points} points`),
    ...phrases.map(({ words, severity }) => `a search for “${words.join(' ')}” is ${severity}`),
    ...rules.map((rule) => `“${rule.name}” makes ${ruleText(rule)}`),
  ];
}

function falseFriend(words: readonly string[]): string {
  return `“${words.join(' ')}” is a false friend`;
}

/** `lessLoosens`: whether a line that goes means that less becomes a concern; else one that comes does. A changed line is both. */
function diffLines(
  name: string,
  before: readonly string[],
  after: readonly string[],
  lessLoosens: boolean,
): PolicyChange[] {
  const { added, removed } = compare(before, after);
  return [
    ...added.map((line) => ({ text: `${name}: now ${line}`, loosens: !lessLoosens })),
    ...removed.map((line) => ({ text: `${name}: no longer ${line}`, loosens: lessLoosens })),
  ];
}

function titleOf(category: string, { categories }: PolicySnapshot): string {
  return categories[category]?.title ?? category;
}
