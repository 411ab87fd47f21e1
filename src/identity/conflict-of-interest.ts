import type { Person } from './accounts.ts';
import type { Role } from './roles.ts';

/** Whom something is about: a concern, an alert, an incident. */
export interface Subjects {
  /** Ids of the people whom the console knows; a device that nobody was signed in on is nobody's. */
  readonly personIds: readonly string[];
  /** One of them works for the school, or governs it. */
  readonly isStaff: boolean;
}

/** Who hears of concerns, first to last (Keeping children safe in education, part four: about staff the head, about the head the chair). */
export const HEARERS = [
  'safeguarding-lead',
  'headteacher',
  'chair-of-governors',
  'vice-chair-of-governors',
] as const satisfies readonly Role[];

/** Of those, who hear of staff. */
const OF_STAFF: readonly Role[] = HEARERS.slice(1);

/** Whether somebody is the subject. By person: no role of theirs makes a difference. */
export function isSubject({ personIds }: Subjects, personId: string): boolean {
  return personIds.includes(personId);
}

/**
 * Who hears, in the order in which they are told: the first of them at once, each further group when nobody before it has
 * taken notice. Nobody of them is a subject; a group that would be empty is left out.
 */
export function hearersOf(subjects: Subjects, people: readonly Person[]): readonly (readonly Person[])[] {
  return rolesThatHear(subjects, people)
    .map((role) => people.filter((person) => person.roles.includes(role) && !isSubject(subjects, person.id)))
    .filter((group) => group.length > 0);
}

/** Nobody judges their peers or whoever is set over them: it begins above the highest role that a subject holds. */
function rolesThatHear(subjects: Subjects, people: readonly Person[]): readonly Role[] {
  if (!subjects.isStaff) return HEARERS;
  const held = new Set(people.filter(({ id }) => isSubject(subjects, id)).flatMap(({ roles }) => roles));
  const highest = OF_STAFF.findLastIndex((role) => held.has(role));
  const above = OF_STAFF.slice(highest + 1);
  // Over the vice-chair there is the chair alone.
  return above.length > 0 ? above : ['chair-of-governors'];
}

/**
 * Whether somebody may see what is about these people. About pupils: whoever hears of pupils by day, the safeguarding lead and
 * the head. About staff: whoever is the first to hear, and nobody else whatever their roles. `isTold`: it was sent to them.
 */
export function maySee(subjects: Subjects, person: Person, people: readonly Person[], isTold = false): boolean {
  if (isSubject(subjects, person.id)) return false;
  if (isTold) return true;
  if (subjects.isStaff) return hearersOf(subjects, people)[0]?.some(({ id }) => id === person.id) ?? false;
  return person.roles.some((role) => role === 'safeguarding-lead' || role === 'headteacher');
}
