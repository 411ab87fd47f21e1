import {
  BY_DEFAULT,
  type PolicyChange,
  type Subject,
  compare,
  diffAction,
  diffActions,
  diffEntries,
} from './diff-rules.ts';
import { entryText } from './entry.ts';
import { overlayEntries } from './overlay.ts';
import type { CategoryTraits, CompiledLevel, Entries, GroupRules, PolicySnapshot, TimedRules } from './snapshot.ts';
import { datedText, situationText } from './times-text.ts';

/** Whoever has timed rules, with what holds for them at other times. */
export interface TimedOwner {
  readonly entries: Entries;
  readonly categories?: GroupRules['categories'];
  readonly uncategorised?: CompiledLevel['uncategorised'];
  readonly times?: readonly TimedRules[];
}

type Unnamed = Parameters<typeof diffActions>[3];

/** Differences in what holds for somebody at some times and places, each against what else would hold there. */
export function diffTimes(
  subject: Subject,
  before: TimedOwner,
  after: TimedOwner,
  categories: Readonly<Record<string, CategoryTraits>>,
  unnamed: Unnamed = BY_DEFAULT,
): PolicyChange[] {
  const [old, next] = [before.times ?? [], after.times ?? []];
  const names = [...new Set([...old, ...next].map(({ name }) => name))];
  const diffOne = (name: string): PolicyChange[] => {
    const was = old.find((one) => one.name === name);
    const is = next.find((one) => one.name === name);
    const held = { name: `${subject.name}, “${name}” (${situationText((is ?? was)!)})`, pupils: subject.pupils };
    const said = diffSaid(held, [before, was], [after, is], categories, unnamed);
    return [...diffSituation(held, was, is), ...diffClosed(held, was, is), ...said];
  };
  return [...names.flatMap(diffOne), ...diffOrder(subject, old, next)];
}

function diffSituation(
  { name, pupils }: Subject,
  was: TimedRules | undefined,
  is: TimedRules | undefined,
): PolicyChange[] {
  if (was === undefined || is === undefined || situationText(was) === situationText(is)) return [];
  return [{ text: `${name} holds at other times or places than before (was: ${situationText(was)})`, loosens: pupils }];
}

function diffClosed(
  { name, pupils }: Subject,
  was: TimedRules | undefined,
  is: TimedRules | undefined,
): PolicyChange[] {
  const [old, next] = [was?.closed ?? false, is?.closed ?? false];
  if (old === next) return [];
  return [{ text: `${name}: the web is ${next ? 'now' : 'no longer'} closed then`, loosens: pupils && old }];
}

type Held = readonly [owner: TimedOwner, rules: TimedRules | undefined];

/** Of the owner's own rules only those count that the timed ones change, then or now. */
function diffSaid(
  subject: Subject,
  old: Held,
  next: Held,
  traits: Readonly<Record<string, CategoryTraits>>,
  unnamed: Unnamed,
): PolicyChange[] {
  const rules = [old[1], next[1]].filter((one) => one !== undefined);
  const ids = new Set(rules.flatMap(({ categories }) => Object.keys(categories)));
  const sites = new Set(rules.flatMap(({ entries }) => [...entries.allow, ...entries.block].map(entryText)));
  const actions = ([owner, held]: Held): GroupRules['categories'] => {
    const own = Object.entries(owner.categories ?? {}).filter(([id]) => ids.has(id));
    return { ...Object.fromEntries(own), ...held?.categories };
  };
  const entries = ([owner, held]: Held): Entries => {
    const allow = owner.entries.allow.filter((entry) => sites.has(entryText(entry)));
    const block = owner.entries.block.filter((entry) => sites.has(entryText(entry)));
    return overlayEntries({ allow, block }, held?.entries ?? { allow: [], block: [] });
  };
  return [
    ...diffActions(subject, actions(old), actions(next), unnamed, traits),
    ...diffUncategorised(subject, old, next),
    ...diffEntries(subject, entries(old), entries(next)),
  ];
}

function diffUncategorised(subject: Subject, ...[old, next]: [Held, Held]): PolicyChange[] {
  if (old[1]?.uncategorised === undefined && next[1]?.uncategorised === undefined) return [];
  const action = ([owner, rules]: Held): CompiledLevel['uncategorised'] =>
    (rules?.uncategorised ?? owner.uncategorised)!;
  return diffAction(subject, 'sites on no list', action(old).action, action(next).action);
}

function diffOrder({ name, pupils }: Subject, old: readonly TimedRules[], next: readonly TimedRules[]): PolicyChange[] {
  const kept = (these: readonly TimedRules[], others: readonly TimedRules[]): string =>
    JSON.stringify(these.map((one) => one.name).filter((one) => others.some((other) => other.name === one)));
  if (kept(old, next) === kept(next, old)) return [];
  return [
    { text: `${name}: its times stand in another order, and of several at once the lower counts`, loosens: pupils },
  ];
}

/** Differences in the school's year and day. They move every rule that holds at certain times. */
export function diffCalendar(before: PolicySnapshot, after: PolicySnapshot): PolicyChange[] {
  const { added, removed } = compare(calendarLines(before), calendarLines(after));
  const loosens = hasTimes(before) || hasTimes(after);
  return [
    ...added.map((line) => ({ text: `The calendar has ${line}`, loosens })),
    ...removed.map((line) => ({ text: `The calendar no longer has ${line}`, loosens })),
  ];
}

function calendarLines({ calendar }: PolicySnapshot): string[] {
  if (calendar === undefined) return [];
  return [
    ...calendar.terms.map(({ name, from, to }) => `the term ${name} from ${from} to ${to}`),
    ...calendar.holidays.map(({ name, from, to }) => `the holiday ${name} from ${from} to ${to}`),
    ...calendar.slots.map((slot) => `the slot ${slot.word}, ${datedText(slot)}`),
  ];
}

function hasTimes({ levels, groups, people }: PolicySnapshot): boolean {
  return (
    Object.values(levels).some(({ hours, times }) => hours !== null || times !== undefined) ||
    Object.values(groups).some(({ times }) => times !== undefined) ||
    Object.values(people).some(({ rules }) => rules?.times !== undefined)
  );
}
