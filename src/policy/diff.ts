import {
  BY_DEFAULT,
  BY_LEVEL,
  type PolicyChange,
  type Subject,
  compare,
  diffAction,
  diffActions,
  diffEntries,
  sitesText,
  tightening,
} from './diff-rules.ts';
import { diffAlerts } from './diff-alerts.ts';
import { diffPerson, isForPupils } from './diff-people.ts';
import { diffSafeguarding } from './diff-safeguarding.ts';
import { diffSchool } from './diff-school.ts';
import { diffCalendar, diffTimes } from './diff-times.ts';
import { isoTime } from '../kernel/clock.ts';
import { SAFE_SEARCH_WORDS, YOUTUBE_WORDS, safeSearchOf, youtubeOf } from './safe-search.ts';
import type { CompiledLevel, GroupRules, PolicySnapshot } from './snapshot.ts';
import { diffTopics } from './topics.ts';
import { hoursText } from './times-text.ts';

export type { PolicyChange } from './diff-rules.ts';

type Two = readonly [before: PolicySnapshot, after: PolicySnapshot];

const NO_RULES: GroupRules = { entries: { allow: [], block: [] }, categories: {} };

/** All differences from one policy to the next, in plain English: the school, its levels, groups, people, lesson lists, what makes a concern. */
export function diffPolicies(before: PolicySnapshot, after: PolicySnapshot): PolicyChange[] {
  return [
    ...diffSchool(before, after),
    ...diffCalendar(before, after),
    ...diffLevels(before, after),
    ...namesOf(before.groups, after.groups).flatMap((name) => diffGroup(name, before, after)),
    ...namesOf(before.people, after.people).flatMap((name) => diffPerson(name, before, after)),
    ...diffLessons(before, after),
    ...diffTopics(before, after),
    ...diffSafeguarding(before, after),
    ...diffAlerts(before, after),
  ];
}

function namesOf(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
}

/** What changes alike for several levels, because they extend the one that was changed or were changed with it, is one line. */
function diffLevels(...[before, after]: Two): PolicyChange[] {
  const names = namesOf(before.levels, after.levels);
  const told = names.flatMap((name) => {
    const { title } = after.levels[name] ?? before.levels[name]!;
    // Most begin with whom they are about.
    return diffLevel(name, before, after).map((change) => {
      const what = change.text.startsWith(title) ? change.text.slice(title.length) : null;
      return { title, change, what, key: what ?? `${name} ${change.text}` };
    });
  });
  return [...Map.groupBy(told, ({ key }) => key).values()].map((alike) => foldAlike(alike, names.length));
}

interface ToldOfLevel {
  readonly title: string;
  readonly change: PolicyChange;
  /** Without the title; null: it does not begin with it. */
  readonly what: string | null;
}

function foldAlike(alike: readonly ToldOfLevel[], levels: number): PolicyChange {
  const { change, what } = alike[0]!;
  if (what === null || alike.length === 1) return change;
  const whom = alike.length === levels ? 'All levels' : namesText(alike.map(({ title }) => title));
  return {
    text: `${whom}${what}`,
    loosens: alike.some((one) => one.change.loosens),
    ...tightening(alike.every((one) => one.change.tightens === true)),
  };
}

function namesText(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
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
    ...diffVoice(subject, old.voice, next.voice),
    ...diffActions(subject, old.categories, next.categories, BY_DEFAULT, after.categories),
    ...diffAction(subject, 'sites on no list', old.uncategorised.action, next.uncategorised.action),
    ...diffEntries(subject, old.entries, next.entries),
    ...diffDownloads(subject, old.downloads, next.downloads),
    ...diffHours(subject, old.hours, next.hours),
    ...diffTimes(subject, old, next, after.categories),
    ...diffSafeSettings(subject, old, next),
  ];
}

const READERS = { child: 'a child', teen: 'a teenager', adult: 'an adult' } as const;

/** A level that speaks to adults is no pupils' level from then on, so what is opened later would not be seen as loosening. */
function diffVoice({ name }: Subject, old: CompiledLevel['voice'], next: CompiledLevel['voice']): PolicyChange[] {
  if (old === next) return [];
  return [{ text: `${name}: pages now speak to ${READERS[next]} (was ${READERS[old]})`, loosens: next === 'adult' }];
}

function diffDownloads(
  { name, pupils }: Subject,
  old: CompiledLevel['downloads'],
  next: CompiledLevel['downloads'],
): PolicyChange[] {
  const { added, removed } = compare(old?.extensions ?? [], next?.extensions ?? []);
  return [
    ...added.map((ending) => {
      const text = `${name}: ${ending} files are now refused on plain http`;
      return pupils ? { text, loosens: false, tightens: true as const } : { text, loosens: false };
    }),
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

function diffSafeSettings({ name, pupils }: Subject, old: CompiledLevel, next: CompiledLevel): PolicyChange[] {
  const search = [safeSearchOf(old).value, safeSearchOf(next).value] as const;
  const video = [youtubeOf(old).value, youtubeOf(next).value] as const;
  const changes: PolicyChange[] = [];
  if (search[0] !== search[1]) {
    const text = `${name}: SafeSearch is now ${SAFE_SEARCH_WORDS[search[1]]} (was ${SAFE_SEARCH_WORDS[search[0]]})`;
    changes.push({ text, loosens: pupils && search[1] === 'off', ...tightening(pupils && search[1] === 'on') });
  }
  if (video[0] !== video[1]) {
    const text = `${name}: YouTube is now ${YOUTUBE_WORDS[video[1]]} (was ${YOUTUBE_WORDS[video[0]]})`;
    const isWeaker = STRICTEST_FIRST.indexOf(video[1]) > STRICTEST_FIRST.indexOf(video[0]);
    changes.push({ text, loosens: pupils && isWeaker, ...tightening(pupils && !isWeaker) });
  }
  return changes;
}

const STRICTEST_FIRST = ['strict', 'moderate', 'off'];

function diffGroup(name: string, ...[before, after]: Two): PolicyChange[] {
  const [old, next] = [before.groups[name] ?? NO_RULES, after.groups[name] ?? NO_RULES];
  // Who is in a group is not known here, so it may hold pupils.
  const subject = { name: `Group ${name}`, pupils: true };
  return [
    ...diffActions(subject, old.categories, next.categories, BY_LEVEL, after.categories),
    ...diffEntries(subject, old.entries, next.entries),
    ...diffTimes(subject, old, next, after.categories, BY_LEVEL),
  ];
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
