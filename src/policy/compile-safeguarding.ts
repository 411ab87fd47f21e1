import type { DocumentPath, YamlDocument } from '../config/yaml-document.ts';
import { type Compiling, report } from './compile-entries.ts';
import { unknownLevel } from './compile-rules.ts';
import { minuteOfDay } from './compile-windows.ts';
import type { SafeguardingDocument, ThemeDocument } from './safeguarding-document.ts';
import {
  ALL_THEMES,
  type ConcernRule,
  SEVERITIES,
  type SafeguardingRules,
  type Theme,
  type ThemeRules,
  parseDuration,
  wordsOf,
} from './safeguarding-rules.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { DAY_MS } from '../kernel/clock.ts';

type Document = YamlDocument<SafeguardingDocument>;

/** Compiles `safeguarding.yaml`. A school without it is told of no concern; what is left out is left out, so that the same files keep their hash. */
export function compileSafeguarding(
  to: Compiling,
  document: Document | null,
  levelIds: ReadonlySet<string>,
): Pick<PolicySnapshot, 'safeguarding'> {
  if (document === null) return {};
  const { levels = {}, background = [], searches, themes } = document.value;
  for (const level of Object.keys(levels)) {
    if (!levelIds.has(level)) report(to, document, ['levels', level], unknownLevel(level));
  }
  for (const [i, category] of background.entries()) checkCategory(to, document, ['background', i], category);
  const owners = new Map<string, Theme>();
  const compiled = ALL_THEMES.flatMap((theme) => {
    const said = themes[theme];
    return said === undefined ? [] : [[theme, compileTheme(to, document, theme, said, owners)] as const];
  });
  const rules: SafeguardingRules = {
    night: compileNight(to, document),
    levels,
    background,
    searches,
    themes: Object.fromEntries(compiled),
  };
  return { safeguarding: rules };
}

function compileNight(to: Compiling, document: Document): SafeguardingRules['night'] {
  const { night } = document.value;
  if (night === undefined) return null;
  const minuteOf = (end: 'from' | 'to'): number => {
    const minute = minuteOfDay(night[end]);
    if (minute !== null && minute < 1440) return minute;
    report(to, document, ['night', end], `"${night[end]}" is not a time of day; write it as "21:00"`);
    return 0;
  };
  return { from: minuteOf('from'), to: minuteOf('to'), times: night.times };
}

/** `owners`: which theme a category has been given to; a visit counts for one. */
function compileTheme(
  to: Compiling,
  document: Document,
  theme: Theme,
  said: ThemeDocument,
  owners: Map<string, Theme>,
): ThemeRules {
  const path: DocumentPath = ['themes', theme];
  const { categories = {}, not = [] } = said;
  for (const category of Object.keys(categories)) {
    const at = [...path, 'categories', category];
    const other = owners.get(category);
    if (other !== undefined)
      report(to, document, at, `"${category}" belongs to ${other} already; it can have one theme`);
    else if (document.value.background?.includes(category) === true) {
      report(to, document, at, `"${category}" is background, which makes no concern; name it at one of the two places`);
    } else checkCategory(to, document, at, category);
    owners.set(category, theme);
  }
  return {
    categories,
    phrases: compilePhrases(to, document, path, said),
    not: not.map((text, i) => compilePhrase(to, document, [...path, 'not', i], text)),
    rules: compileRules(to, document, path, said),
  };
}

function compilePhrases(
  to: Compiling,
  document: Document,
  path: DocumentPath,
  { searches = {} }: ThemeDocument,
): ThemeRules['phrases'] {
  const seen = new Set<string>();
  return SEVERITIES.flatMap((severity) =>
    (searches[severity] ?? []).map((text, i) => {
      const at = [...path, 'searches', severity, i];
      const words = compilePhrase(to, document, at, text);
      if (seen.has(words.join(' '))) report(to, document, at, `"${text}" is here twice`);
      seen.add(words.join(' '));
      return { words, severity };
    }),
  );
}

function compilePhrase(to: Compiling, document: Document, at: DocumentPath, text: string): readonly string[] {
  const words = wordsOf(text);
  if (words.length === 0) report(to, document, at, `"${text}" has no letters`);
  if (words.some((word) => !/^[^*]+$|^[^*]{3,}\*$/u.test(word))) {
    report(to, document, at, `"${text}": a star stands at the end of a word of three letters or more`);
  }
  return words;
}

function compileRules(to: Compiling, document: Document, path: DocumentPath, { rules }: ThemeDocument): ConcernRule[] {
  return rules.map(({ name, severity, points, within, ...said }, i) => {
    const at = [...path, 'rules', i];
    const withinMs = parseDuration(within);
    if (withinMs === null) {
      const reason = `"${within}" is no time; write one such as "30 minutes", "1 hour" or "7 days", up to 28 days`;
      report(to, document, [...at, 'within'], reason);
    }
    if (rules.findIndex((other) => other.name === name) < i) {
      report(to, document, [...at, 'name'], `"${name}" is the name of a rule above; each needs its own`);
    }
    const { days = 1, sites = 1, searchesOnly = false, alertAgain = false } = said;
    if (withinMs !== null && days > withinMs / DAY_MS + 1) {
      report(to, document, [...at, 'days'], `${within} never touch ${days} days`);
    }
    const rule = `${document.file}#${path.join('.')}.rules.${name}`;
    return { rule, name, severity, points, withinMs: withinMs ?? 0, days, sites, searchesOnly, alertAgain };
  });
}

function checkCategory(to: Compiling, document: Document, path: DocumentPath, id: string): void {
  if (to.categories.has(id)) return;
  report(to, document, path, `"${id}" is not a category; see categories.yaml for their names`);
}
