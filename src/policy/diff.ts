import {
  BY_DEFAULT,
  BY_LEVEL,
  type PolicyChange,
  compare,
  diffAction,
  diffActions,
  diffEntries,
  hoursText,
  sitesText,
} from './diff-rules.ts';
import { diffSchool } from './diff-school.ts';
import { isoTime } from '../kernel/clock.ts';
import type { CompiledLevel, GroupRules, PersonRules, PolicySnapshot } from './snapshot.ts';

export type { PolicyChange } from './diff-rules.ts';

type Two = readonly [before: PolicySnapshot, after: PolicySnapshot];

const NO_RULES: GroupRules & PersonRules = { entries: { allow: [], block: [] }, categories: {}, suspended: null };

/** All differences from one policy to the next, in plain English: the school, its levels, groups, people, lesson lists. */
export function diffPolicies(before: PolicySnapshot, after: PolicySnapshot): PolicyChange[] {
  return [
    ...diffSchool(before, after),
    ...namesOf(before.levels, after.levels).flatMap((name) => diffLevel(name, before, after)),
    ...namesOf(before.groups, after.groups).flatMap((name) => diffGroup(name, before, after)),
    ...namesOf(before.people, after.people).flatMap((name) => diffPerson(name, before, after)),
    ...diffLessons(before, after),
  ];
}

function namesOf(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
}

/** A level that speaks to children or teenagers, or that anybody unknown gets; one that is not there is taken for one. */
function isForPupils(policy: PolicySnapshot, name: string): boolean {
  return policy.levels[name]?.voice !== 'adult' || name === policy.strictestLevel;
}

function diffLevel(name: string, ...[before, after]: Two): PolicyChange[] {
  const [old, next] = [before.levels[name], after.levels[name]];
  const pupils = isForPupils(before, name) || isForPupils(after, name);
  if (next === undefined) return [{ text: `The level ${old!.title} is gone`, loosens: false }];
  if (old === undefined) return [{ text: `The level ${next.title} is new`, loosens: isForPupils(after, name) }];
  const subject = { name: next.title, pupils };
  return [
    ...(old.title === next.title
      ? []
      : [{ text: `The level ${old.title} is now called ${next.title}`, loosens: false }]),
    ...(old.voice === next.voice
      ? []
      : [{ text: `${next.title}: pages now speak to a ${next.voice} (was ${old.voice})`, loosens: false }]),
    ...diffActions(subject, old.categories, next.categories, BY_DEFAULT, after.categories),
    ...diffAction(subject, 'sites on no list', old.uncategorised.action, next.uncategorised.action),
    ...diffEntries(subject, old.entries, next.entries),
    ...diffDownloads(subject, old.downloads, next.downloads),
    ...diffHours(subject, old.hours, next.hours),
  ];
}

type Subject = Parameters<typeof diffEntries>[0];

function diffDownloads(
  { name, pupils }: Subject,
  old: CompiledLevel['downloads'],
  next: CompiledLevel['downloads'],
): PolicyChange[] {
  const { added, removed } = compare(old?.extensions ?? [], next?.extensions ?? []);
  return [
    ...added.map((ending) => ({ text: `${name}: ${ending} files are now refused on plain http`, loosens: false })),
    ...removed.map((ending) => ({ text: `${name}: ${ending} files are no longer refused`, loosens: pupils })),
  ];
}

function diffHours(
  { name, pupils }: Subject,
  old: CompiledLevel['hours'],
  next: CompiledLevel['hours'],
): PolicyChange[] {
  const [was, now] = [hoursText(old?.windows ?? null), hoursText(next?.windows ?? null)];
  // Other hours may close one and open another; only from "always" to something is surely tighter.
  return was === now
    ? []
    : [{ text: `${name}: the web is now open ${now} (was: ${was})`, loosens: pupils && old !== null }];
}

function diffGroup(name: string, ...[before, after]: Two): PolicyChange[] {
  const [old, next] = [before.groups[name] ?? NO_RULES, after.groups[name] ?? NO_RULES];
  // Who is in a group is not known here, so it may hold pupils.
  const subject = { name: `Group ${name}`, pupils: true };
  return [
    ...diffActions(subject, old.categories, next.categories, BY_LEVEL, after.categories),
    ...diffEntries(subject, old.entries, next.entries),
  ];
}

function diffPerson(name: string, ...[before, after]: Two): PolicyChange[] {
  const [old, next] = [before.people[name], after.people[name]];
  const pupils = isForPupils(before, old?.level ?? '') || isForPupils(after, next?.level ?? '');
  const subject = { name, pupils };
  const loosens = pupils;
  const changes: PolicyChange[] = [];
  if (old === undefined) changes.push({ text: `${name} is new, with level ${next!.level}`, loosens });
  if (next === undefined)
    changes.push({ text: `${name} is gone (had level ${old!.level})`, loosens: old?.rules !== null && loosens });
  if (old !== undefined && next !== undefined) {
    if (old.level !== next.level)
      changes.push({ text: `${name} now has level ${next.level} (was ${old.level})`, loosens });
    const groups = compare(old.groups, next.groups);
    changes.push(...groups.added.map((group) => ({ text: `${name} joins group ${group}`, loosens })));
    changes.push(...groups.removed.map((group) => ({ text: `${name} leaves group ${group}`, loosens })));
  }
  const [was, now] = [old?.rules ?? NO_RULES, next?.rules ?? NO_RULES];
  return [...changes, ...diffSuspension(subject, was, now), ...diffEntries(subject, was.entries, now.entries)];
}

function diffSuspension(
  { name, pupils }: Subject,
  { suspended: old }: PersonRules,
  { suspended: next }: PersonRules,
): PolicyChange[] {
  const end = (one: NonNullable<PersonRules['suspended']>): string =>
    one.until === null ? 'until further notice' : `until ${isoTime(one.until)}`;
  if (next === null) return old === null ? [] : [{ text: `${name} is no longer suspended`, loosens: pupils }];
  if (old !== null && old.until === next.until) return [];
  const isShorter = old !== null && (next.until ?? Infinity) < (old.until ?? Infinity);
  return [{ text: `${name} is suspended ${end(next)}`, loosens: isShorter && pupils }];
}

function diffLessons(before: PolicySnapshot, after: PolicySnapshot): PolicyChange[] {
  const text = ({ group, from, until, sites }: PolicySnapshot['lessons'][number]): string =>
    `group ${group} may only open ${sitesText(sites)} from ${isoTime(from)} to ${isoTime(until)}`;
  const { added, removed } = compare(before.lessons.map(text), after.lessons.map(text));
  return [
    ...added.map((lesson) => ({ text: `New lesson list: ${lesson}`, loosens: false })),
    ...removed.map((lesson) => ({ text: `Lesson list taken away: ${lesson}`, loosens: true })),
  ];
}
