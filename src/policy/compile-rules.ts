import type { YamlDocument } from '../config/yaml-document.ts';
import { canonicalUser } from '../identity/user-name.ts';
import {
  type Compiling,
  NO_ENTRIES,
  compileBothWays,
  compileCategories,
  compileEntries,
  indexOfEntry,
  report,
} from './compile-entries.ts';
import { compileTimes } from './compile-times.ts';
import type { RulesDocument } from './document.ts';
import { isRange } from './entry.ts';
import type { GroupRules, LessonList, PersonRules, PolicySnapshot } from './snapshot.ts';

type Rules = Pick<PolicySnapshot, 'people' | 'groups' | 'lessons'>;
type Document = YamlDocument<RulesDocument>;

/** Compiles `rules.yaml`: people, groups and lesson lists. No file: none of them. `levelIds`: all that have a file. */
export function compileRules(to: Compiling, document: Document | null, levelIds: ReadonlySet<string>): Rules {
  if (document === null) return { people: {}, groups: {}, lessons: [] };
  const groups = compileGroups(to, document);
  return {
    groups,
    people: compilePeople(to, document, levelIds, groups),
    lessons: compileLessons(to, document, groups),
  };
}

function compileGroups(to: Compiling, document: Document): Rules['groups'] {
  const groups = new Map<string, GroupRules>();
  for (const [i, group] of (document.value.groups ?? []).entries()) {
    if (groups.has(group.name)) report(to, document, ['groups', i, 'name'], `group "${group.name}" is described twice`);
    const prefix = `${document.file}#groups.${group.name}.`;
    const times = compileTimes(to, document, ['groups', i], group.times ?? [], prefix);
    groups.set(group.name, {
      entries: compileBothWays(to, document, ['groups', i], group, prefix),
      categories: compileCategories(to, document, ['groups', i], group.categories ?? {}, prefix),
      ...(times.length > 0 && { times }),
    });
  }
  return Object.fromEntries(groups);
}

function compilePeople(
  to: Compiling,
  document: Document,
  levelIds: ReadonlySet<string>,
  groups: Rules['groups'],
): Rules['people'] {
  const people = new Map<string, Rules['people'][string]>();
  for (const [i, person] of (document.value.people ?? []).entries()) {
    const at = ['people', i] as const;
    const name = canonicalUser(person.name);
    if (name === null) {
      report(to, document, [...at, 'name'], `"${person.name}" is not a user name (no colon, no spaces at the ends)`);
    } else if (people.has(name)) {
      report(to, document, [...at, 'name'], `"${person.name}" is described twice; capitals make no difference`);
    }
    if (!levelIds.has(person.level)) report(to, document, [...at, 'level'], unknownLevel(person.level));
    for (const [j, group] of (person.groups ?? []).entries()) {
      if (!Object.hasOwn(groups, group)) report(to, document, [...at, 'groups', j], unknownGroup(group));
    }
    const rules = compilePerson(to, document, i);
    if (name !== null) people.set(name, { level: person.level, groups: [...new Set(person.groups)], rules });
  }
  return Object.fromEntries(people);
}

function compilePerson(to: Compiling, document: Document, i: number): PersonRules | null {
  const person = document.value.people![i]!;
  const prefix = `${document.file}#people.${person.name}.`;
  const entries = compileBothWays(to, document, ['people', i], person, prefix);
  let suspended: PersonRules['suspended'] = null;
  if (person.suspended !== undefined) {
    const until = person.suspended === 'always' ? null : instant(person.suspended);
    if (Number.isNaN(until)) {
      report(to, document, ['people', i, 'suspended'], `"suspended" is "always", or until when: ${INSTANT_HINT}`);
    }
    suspended = { until, rule: `${prefix}suspended` };
  }
  const times = compileTimes(to, document, ['people', i], person.times ?? [], prefix);
  const isEmpty = entries.allow.length === 0 && entries.block.length === 0;
  if (isEmpty && suspended === null && times.length === 0) return null;
  return { suspended, entries: isEmpty ? NO_ENTRIES : entries, ...(times.length > 0 && { times }) };
}

function compileLessons(to: Compiling, document: Document, groups: Rules['groups']): LessonList[] {
  return (document.value.lessons ?? []).map((lesson, i) => {
    if (!Object.hasOwn(groups, lesson.group)) report(to, document, ['lessons', i, 'group'], unknownGroup(lesson.group));
    const from = instant(lesson.from);
    const until = instant(lesson.until);
    if (Number.isNaN(from))
      report(to, document, ['lessons', i, 'from'], `"from" must be a time with its zone: ${INSTANT_HINT}`);
    if (Number.isNaN(until)) {
      report(to, document, ['lessons', i, 'until'], `"until" must be a time with its zone: ${INSTANT_HINT}`);
    }
    if (from >= until) report(to, document, ['lessons', i, 'until'], '"until" must be later than "from"');
    const id = `${lesson.group}@${lesson.from}`;
    const rule = `${document.file}#lessons.${id}`;
    const sites = compileEntries(to, document, ['lessons', i, 'sites'], lesson.sites, `${rule}.sites`);
    for (const site of sites) {
      if (site.path === null && !isRange(site)) continue;
      const reason = isRange(site)
        ? `a lesson’s site is a host, such as example.com, and no range of addresses`
        : `a lesson’s site is a whole host, such as ${site.host}: over https a path cannot be seen`;
      report(to, document, ['lessons', i, 'sites', indexOfEntry(lesson.sites, site)], reason);
    }
    return { id, group: lesson.group, from, until, sites, rule };
  });
}

const INSTANT_HINT = '2026-11-23T09:00:00Z, or with +01:00 in summer';

/** ISO 8601 with a zone, ms since the epoch; NaN if it is not. */
function instant(text: string): number {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
}

/** The sentence for a level that no file describes. */
export function unknownLevel(level: string): string {
  return `"${level}" is not a level; there is no levels/${level}.yaml`;
}

function unknownGroup(group: string): string {
  return `"${group}" is not a group; describe it under "groups"`;
}
