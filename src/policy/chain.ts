import { addressRanges } from '../kernel/ip.ts';
import type { Asked, StepRule } from './asked.ts';
import { type DecisionRequest, PRECEDENCE, decide, toAsked } from './decide.ts';
import { lessonsAbout, lessonsInForce } from './lesson-lists.ts';
import type { PreparedLive, PreparedPolicy } from './prepare.ts';
import { createMomentAt, windowAt } from './schedule.ts';
import type { Entry, TimedRules } from './snapshot.ts';
import * as steps from './steps.ts';
import type { Action, Decision, Reason, Step } from './verdict.ts';
import { winningRule, writtenTable } from './written.ts';

/** One rule of the precedence, and what it had to say of a request. */
export interface ChainLink {
  /** The contract's step; several links may share one. */
  readonly step: Step;
  /** What was asked, in plain words. */
  readonly asked: string;
  /**
   * `spoke`: this is its answer, or would have been, had no earlier link decided. `not-in-force`: it has a rule about this, which
   * holds at another time or for others. `never-asked`: a check does not ask it.
   */
  readonly said: 'spoke' | 'nothing' | 'not-in-force' | 'never-asked';
  readonly action: Action | null;
  readonly reason: Reason | null;
  readonly category: string | null;
  /** Where the rule stands that it speaks of. */
  readonly rule: string | null;
  /** The one that decided. */
  readonly decided: boolean;
}

interface LinkKind {
  readonly step: Step;
  readonly asked: string;
  /** Where a rule stands that is about this request, but not now or not for this person; null: there is none. */
  readonly idle?: (asked: Asked) => string | null;
}

type StepName = {
  [Name in keyof typeof steps]: (typeof steps)[Name] extends StepRule ? Name : never;
}[keyof typeof steps];

const KINDS: Readonly<Record<StepName, LinkKind>> = {
  illegal: { step: 'illegal', asked: 'lists of illegal material' },
  never: { step: 'never', asked: 'the school’s never-list' },
  stillNeeded: { step: 'person-block', asked: 'sign-in and agreement' },
  suspension: {
    step: 'person-block',
    asked: 'suspension',
    idle: ({ person, live, who }) =>
      person?.suspended?.rule ?? (who.user === null ? undefined : live.suspended.get(who.user)?.rule) ?? null,
  },
  personClosed: {
    step: 'person-block',
    asked: 'times closed to the person',
    idle: (asked) => idleTime(asked, timesOf(asked).person, closes),
  },
  personBlock: {
    step: 'person-block',
    asked: 'the person’s own blocked sites',
    idle: (asked) => idleTime(asked, timesOf(asked).person, ({ entries }) => names(entries.block, asked)),
  },
  lesson: {
    step: 'lesson',
    asked: 'lesson lists',
    // One that is in force and said nothing names the site.
    idle: ({ policy, live, who, now }) =>
      lessonsInForce(policy, live, who, now).length > 0
        ? null
        : (lessonsAbout(policy, live, who)[0]?.lesson.rule ?? null),
  },
  unblock: {
    step: 'unblock',
    asked: 'unblocks',
    idle: ({ live, host, match }) => {
      const about =
        live.byHost.find(host)[0] ??
        live.byCategory.find((one) => match.categories.some((id) => one.categories.has(id)));
      return about === undefined ? null : `unblock:${about.grant.id}`;
    },
  },
  personAllow: {
    step: 'person-allow',
    asked: 'the person’s own allowed sites',
    idle: (asked) => idleTime(asked, timesOf(asked).person, ({ entries }) => names(entries.allow, asked)),
  },
  groupClosed: {
    step: 'group',
    asked: 'times closed to classes and groups',
    idle: (asked) => idleTime(asked, timesOf(asked).groups, closes),
  },
  group: {
    step: 'group',
    asked: 'classes and groups',
    idle: (asked) => idleTime(asked, timesOf(asked).groups, isAbout(asked)),
  },
  levelClosed: {
    step: 'level',
    asked: 'times closed to the level',
    idle: (asked) => asked.level.level.hours?.rule ?? idleTime(asked, timesOf(asked).level, closes),
  },
  levelWritten: {
    step: 'level',
    asked: 'the level’s written sites, times and downloads',
    idle: (asked) => idleTime(asked, timesOf(asked).level, isAbout(asked)),
  },
  levelCategories: { step: 'level', asked: 'the level’s categories' },
};

type Times = readonly TimedRules[];

function timesOf({ policy: { snapshot }, who }: Asked): Readonly<Record<'person' | 'groups' | 'level', Times>> {
  return {
    person: (who.user === null ? undefined : snapshot.people[who.user]?.rules?.times) ?? [],
    groups: who.groups.flatMap((name) => snapshot.groups[name]?.times ?? []),
    level: snapshot.levels[who.level]?.times ?? [],
  };
}

/** The first of somebody's timed rules that has to do with the request, and holds at another time or place. */
function idleTime({ policy, now, who }: Asked, times: Times, isMeant: (rules: TimedRules) => boolean): string | null {
  const moment = createMomentAt(policy.snapshot)(now);
  const isHere = ({ where }: TimedRules): boolean => where === undefined || addressRanges(where.cidrs).has(who.client);
  const isIdle = (rules: TimedRules): boolean => windowAt(rules.when, moment) === undefined || !isHere(rules);
  return times.find((rules) => isMeant(rules) && isIdle(rules))?.rule ?? null;
}

function closes({ closed }: TimedRules): boolean {
  return closed;
}

function isAbout(asked: Asked): (rules: TimedRules) => boolean {
  return ({ entries, categories }) =>
    names([...entries.allow, ...entries.block], asked) ||
    asked.match.categories.some((id) => Object.hasOwn(categories, id));
}

function names(entries: readonly Entry[], asked: Asked): boolean {
  return winningRule([writtenTable({ allow: entries })], asked) !== null;
}

const NAMES = new Map<unknown, string>(Object.entries(steps).map(([name, step]) => [step, name]));

/** Address, port and destination are looked at before any rule. */
const TARGET: LinkKind = { step: 'target', asked: 'address, port and destination' };

/** What every rule of the precedence says of a request, in its order, for somebody who wants to see why. Throws as `decide`. */
export function consult(
  policy: PreparedPolicy,
  live: PreparedLive,
  request: DecisionRequest,
  now: number,
): readonly ChainLink[] {
  const { host, violation } = request;
  if (violation !== null || host === null) return [spoke(TARGET, decide(policy, live, request, now), true)];
  const asked = toAsked(policy, live, request, host, now);
  const links = [silent(TARGET, 'nothing')];
  for (const step of PRECEDENCE) {
    const kind = KINDS[NAMES.get(step) as StepName];
    const said = step(asked);
    if (step === steps.illegal) links.push(silent(kind, 'never-asked'));
    else if (said !== null) links.push(spoke(kind, said, !links.some(({ decided }) => decided)));
    else links.push(quiet(kind, asked));
  }
  return links;
}

function quiet(kind: LinkKind, asked: Asked): ChainLink {
  const rule = kind.idle?.(asked) ?? null;
  return rule === null ? silent(kind, 'nothing') : { ...silent(kind, 'not-in-force'), rule };
}

function silent({ step, asked }: LinkKind, said: ChainLink['said']): ChainLink {
  return { step, asked, said, action: null, reason: null, category: null, rule: null, decided: false };
}

function spoke({ asked }: LinkKind, decision: Decision, decided: boolean): ChainLink {
  const { step, action, reason, category, rule } = decision;
  return { step, asked, said: 'spoke', action, reason, category, rule, decided };
}
