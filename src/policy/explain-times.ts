import type { DecisionRequest } from './decide.ts';
import { createMomentAt, windowAt } from './schedule.ts';
import type { PolicySnapshot, TimedRules } from './snapshot.ts';
import { datedText, hoursText, windowsText } from './times-text.ts';

/**
 * Which time made a rule hold at an instant, such as `in force at lunch (Mon Tue Wed Thu Fri 12:20–13:10 in term time)`; null: the
 * rule holds at all times.
 */
export function timeOfRule(rule: string, { who }: DecisionRequest, policy: PolicySnapshot, now: number): string | null {
  const level = policy.levels[who.level];
  if (level?.hours?.rule === rule) return `outside the hours (${hoursText(level.hours.windows)})`;
  const person = who.user === null ? null : policy.people[who.user]?.rules;
  const owners = [level, person, ...who.groups.map((group) => policy.groups[group])];
  const timed = owners.flatMap((owner) => owner?.times ?? []).filter((one) => holds(one, rule));
  // A name may begin as another does, with a dot after it.
  const nearest = timed.toSorted((a, b) => b.rule.length - a.rule.length)[0];
  const window = nearest && windowAt(nearest.when, createMomentAt(policy)(now));
  if (window === undefined) return null;
  const place = nearest?.where === undefined ? '' : ` in ${nearest.where.places.join(', ')}`;
  const times = window.word === undefined ? '' : ` (${datedText(window)})`;
  return `in force at ${windowsText([window])}${times}${place}`;
}

function holds(timed: TimedRules, rule: string): boolean {
  return rule === timed.rule || rule.startsWith(`${timed.rule}.`);
}
