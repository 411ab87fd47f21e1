import type { DecisionRequest } from './decide.ts';
import { createMomentAt, windowAt } from './schedule.ts';
import type { DayWindow, PolicySnapshot, TimedRules } from './snapshot.ts';
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
  const moment = createMomentAt(policy)(now);
  const inForce = owners
    .flatMap((owner) => owner?.times ?? [])
    .map((timed) => ({ timed, window: windowAt(timed.when, moment) }))
    .filter(({ timed, window }) => window !== undefined && holds(timed, rule));
  // A name may begin as another does, with a dot after it.
  const nearest = inForce.toSorted((a, b) => b.timed.rule.length - a.timed.rule.length)[0];
  return nearest === undefined ? null : inForceText(nearest.timed, nearest.window!);
}

function inForceText({ where }: TimedRules, window: DayWindow): string {
  const times = window.word === undefined ? '' : ` (${datedText(window)})`;
  return `in force at ${windowsText([window])}${times}${where === undefined ? '' : ` in ${where.places.join(', ')}`}`;
}

function holds(timed: TimedRules, rule: string): boolean {
  return rule === timed.rule || rule.startsWith(`${timed.rule}.`);
}
