import { isoTime } from '../kernel/clock.ts';
import { type PolicyChange, type Subject, compare, diffEntries } from './diff-rules.ts';
import { diffTimes } from './diff-times.ts';
import type { PersonRules, PolicySnapshot } from './snapshot.ts';

type Person = PolicySnapshot['people'][string];

const NO_RULES: PersonRules = { entries: { allow: [], block: [] }, suspended: null };

/** A level that speaks to children or teenagers, or that anybody unknown gets; one that is not there is taken for one. */
export function isForPupils(policy: PolicySnapshot, level: string): boolean {
  return policy.levels[level]?.voice !== 'adult' || level === policy.strictestLevel;
}

/** Differences in what is said of one person; either policy may say nothing. */
export function diffPerson(name: string, before: PolicySnapshot, after: PolicySnapshot): PolicyChange[] {
  const [old, next] = [before.people[name], after.people[name]];
  const wasPupil = old !== undefined && isForPupils(before, old.level);
  const isPupil = next !== undefined && isForPupils(after, next.level);
  const subject = { name, pupils: wasPupil || isPupil };
  const [was, now] = [old?.rules ?? NO_RULES, next?.rules ?? NO_RULES];
  return [
    ...diffMembership(subject, old, next),
    ...diffSuspension(subject, was.suspended, now.suspended),
    ...diffEntries(subject, was.entries, now.entries),
    ...diffTimes(subject, was, now, after.categories),
  ];
}

function diffMembership({ name, pupils }: Subject, old: Person | undefined, next: Person | undefined): PolicyChange[] {
  if (next === undefined) return [{ text: `${name} is gone (had level ${old!.level})`, loosens: false }];
  if (old === undefined) return [{ text: `${name} is new, with level ${next.level}`, loosens: pupils }];
  const groups = compare(old.groups, next.groups);
  const level = { text: `${name} now has level ${next.level} (was ${old.level})`, loosens: pupils };
  return [
    ...(old.level === next.level ? [] : [level]),
    ...groups.added.map((group) => ({ text: `${name} joins group ${group}`, loosens: pupils })),
    ...groups.removed.map((group) => ({ text: `${name} leaves group ${group}`, loosens: pupils })),
  ];
}

function diffSuspension(
  { name, pupils }: Subject,
  old: PersonRules['suspended'],
  next: PersonRules['suspended'],
): PolicyChange[] {
  if (next === null) return old === null ? [] : [{ text: `${name} is no longer suspended`, loosens: pupils }];
  if (old !== null && old.until === next.until) return [];
  const end = next.until === null ? 'until further notice' : `until ${isoTime(next.until)}`;
  const isShorter = old !== null && (next.until ?? Infinity) < (old.until ?? Infinity);
  return [{ text: `${name} is suspended ${end}`, loosens: isShorter && pupils }];
}
