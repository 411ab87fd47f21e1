import type { Who } from '../identity/who.ts';
import type { PreparedLesson, PreparedLive, PreparedPolicy } from './prepare.ts';

/** Whether any lesson list, whenever it is in force, is about this person. Allocates nothing: it is asked for every request. */
export function hasLessons(policy: PreparedPolicy, live: PreparedLive, { user, groups }: Who): boolean {
  if (user !== null && live.lessonsOfPerson.has(user)) return true;
  for (const group of groups) if (policy.lessons.has(group) || live.lessonsOfGroup.has(group)) return true;
  return false;
}

/** Every lesson list that is about somebody, whenever it is in force: the policy's and their teachers'. */
export function lessonsAbout(policy: PreparedPolicy, live: PreparedLive, who: Who): PreparedLesson[] {
  const ofGroups = who.groups.flatMap((group) => [
    ...(policy.lessons.get(group) ?? []),
    ...(live.lessonsOfGroup.get(group) ?? []),
  ]);
  const own = who.user === null ? [] : (live.lessonsOfPerson.get(who.user) ?? []);
  return [...ofGroups, ...own];
}

/** The lesson lists that bind somebody at an instant. Of several a site may be on any. */
export function lessonsInForce(policy: PreparedPolicy, live: PreparedLive, who: Who, now: number): PreparedLesson[] {
  return lessonsAbout(policy, live, who).filter(({ lesson }) => lesson.from <= now && now < lesson.until);
}

/** What somebody is told who is bound by lesson lists. */
export interface LessonNotice {
  /** When the last of them ends, ms since the epoch. */
  readonly until: number;
  /** Hosts that are on any of them. */
  readonly sites: readonly string[];
}

/** Null when no lesson list binds them at this instant. */
export function lessonNotice(policy: PreparedPolicy, live: PreparedLive, who: Who, now: number): LessonNotice | null {
  const inForce = lessonsInForce(policy, live, who, now);
  if (inForce.length === 0) return null;
  return {
    until: Math.max(...inForce.map(({ lesson }) => lesson.until)),
    sites: [...new Set(inForce.flatMap(({ lesson }) => lesson.sites.map(({ host }) => host)))],
  };
}

/** Whether a teacher's lesson list begins or ends after one instant and not after another: what was decided before may be over. */
export function lessonsChange(live: PreparedLive, after: number, notAfter: number): boolean {
  for (const lists of [...live.lessonsOfGroup.values(), ...live.lessonsOfPerson.values()]) {
    for (const { lesson } of lists) {
      if ([lesson.from, lesson.until].some((at) => after < at && at <= notAfter)) return true;
    }
  }
  return false;
}
