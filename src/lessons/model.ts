import { SchoolgateError } from '../kernel/errors.ts';
import type { TeacherLesson } from '../policy/snapshot.ts';

/** "Only these sites, this hour": what a teacher gives, and to whom. */
export interface LessonTerms {
  /** By which it is found again. */
  readonly title: string;
  /** Canonical hosts; each stands for itself and everything under it. */
  readonly sites: readonly string[];
  /** Classes and groups by name. */
  readonly classes: readonly string[];
  /** Canonical user names. */
  readonly pupils: readonly string[];
  /** In force from (inclusive) to (exclusive), ms since the epoch. */
  readonly from: number;
  readonly until: number;
}

/** A person's act: who (a person's id), and when (ms since the epoch). */
export interface Act {
  readonly by: string;
  readonly at: number;
}

export interface Lesson extends LessonTerms {
  readonly id: string;
  readonly given: Act;
  /** Ended before its time. */
  readonly ended: Act | null;
}

/** Where it stands at an instant, which but for `ended` the clock alone decides. */
export type LessonState = 'to come' | 'in force' | 'over' | 'ended';

export type LessonMove = 'end' | 'prolong' | 'add';

const STANDING: readonly LessonState[] = ['to come', 'in force'];

/** Every legal move, and where it may be made from. What is not here cannot happen. */
export const MOVES: Readonly<Record<LessonMove, readonly LessonState[]>> = {
  end: STANDING,
  prolong: STANDING,
  add: STANDING,
};

/** Five hours: a school day without its ends. What holds for longer belongs into the policy, where two people see it. */
export const MAX_LENGTH_MS = 5 * 3_600_000;
/** As many as a pupil can be shown on one page. */
export const MAX_SITES = 30;

export function stateAt({ from, until, ended }: Lesson, now: number): LessonState {
  if (ended !== null) return 'ended';
  if (now >= until) return 'over';
  return now >= from ? 'in force' : 'to come';
}

export function isStanding(lesson: Lesson, now: number): boolean {
  return STANDING.includes(stateAt(lesson, now));
}

/** The list ended before its time. Throws a SchoolgateError (`lesson_move`) where that is not legal, as all of these do. */
export function end(lesson: Lesson, act: Act): Lesson {
  assertLegal(lesson, 'end', act.at);
  return { ...lesson, ended: act };
}

/** Longer by so many ms. */
export function prolong(lesson: Lesson, ms: number, now: number): Lesson {
  assertLegal(lesson, 'prolong', now);
  const until = lesson.until + ms;
  if (until - lesson.from > MAX_LENGTH_MS) throw refusal('A lesson list can last five hours at most.');
  return { ...lesson, until };
}

/** With one more site, a canonical host; one that is on it already changes nothing. */
export function addSite(lesson: Lesson, site: string, now: number): Lesson {
  assertLegal(lesson, 'add', now);
  if (lesson.sites.includes(site)) return lesson;
  if (lesson.sites.length >= MAX_SITES) throw refusal(`A lesson list can hold ${MAX_SITES} sites at most.`);
  return { ...lesson, sites: [...lesson.sites, site] };
}

function assertLegal(lesson: Lesson, move: LessonMove, now: number): void {
  const state = stateAt(lesson, now);
  if (MOVES[move].includes(state)) return;
  throw refusal(`This lesson list is ${state === 'ended' ? 'ended' : 'over'}. Give it again, and change it there.`);
}

function refusal(text: string): SchoolgateError {
  return new SchoolgateError('lesson_move', 'client', text);
}

/** What gateways are told of a list. */
export function toTeacherLesson({ id, classes, pupils, sites, from, until }: Lesson): TeacherLesson {
  return { id, groups: classes, people: pupils, hosts: sites, from, until };
}
