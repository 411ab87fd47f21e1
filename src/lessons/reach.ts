/** Somebody who learns at the school, or an account that a class shares. */
export interface Pupil {
  /** Canonical user name. */
  readonly user: string;
  readonly fullName: string;
  /** Classes and groups by name. */
  readonly classes: readonly string[];
  readonly level: string;
}

/** What lesson lists need to know of the school. */
export interface School {
  readonly pupils: readonly Pupil[];
  /** Every class and group by name, in order. */
  readonly classes: readonly string[];
  /** By person's id: what a roster says of them. */
  readonly members: ReadonlyMap<string, { readonly roles: readonly string[]; readonly teaches: readonly string[] }>;
}

/** Whom somebody may give a lesson list to. */
export interface Reach {
  readonly classes: readonly string[];
  readonly pupils: readonly Pupil[];
  /** Any class of the school, not only the ones they teach. */
  readonly isAnybody: boolean;
}

/** What somebody's roles in the console let them do, before any roster is asked: any class, the classes they teach, or nothing. */
export type RoleReach = 'any' | 'taught' | 'none';

/**
 * Teachers reach the classes they teach; staff without classes, and whoever may by their role in the console, any. Null: not for them to
 * give. Whoever is a pupil reaches nobody by a roster, whatever else they are.
 */
export function reachOf(school: School, personId: string, byRole: RoleReach): Reach | null {
  const { pupils, classes } = school;
  if (byRole === 'any') return { classes, pupils, isAnybody: true };
  const member = school.members.get(personId) ?? { roles: [], teaches: [] };
  const isStaff = byRole === 'taught' || member.roles.some((role) => role === 'teacher' || role === 'staff');
  if (!isStaff || member.roles.includes('pupil')) return null;
  if (member.teaches.length === 0) return { classes, pupils, isAnybody: true };
  const own = new Set(member.teaches);
  const taught = pupils.filter((pupil) => pupil.classes.some((name) => own.has(name)));
  return { classes: [...own].sort(), pupils: taught, isAnybody: false };
}

/** Whether all of an audience lies within reach. */
export function reaches(
  reach: Reach,
  audience: { readonly classes: readonly string[]; readonly pupils: readonly string[] },
): boolean {
  if (reach.isAnybody) return true;
  return (
    audience.classes.every((name) => reach.classes.includes(name)) &&
    audience.pupils.every((user) => reach.pupils.some((pupil) => pupil.user === user))
  );
}

/** A level and the classes whose rules count with it: what a verdict is asked for. */
export interface Audience {
  readonly level: string;
  readonly classes: readonly string[];
  /** In words, such as `9X`. */
  readonly name: string;
}

/**
 * Those whom a list is for, as far as rules tell them apart: each class with each level of its pupils, and single pupils. A class with
 * nobody in it counts as of the strictest level.
 */
export function audiencesOf(
  school: School,
  { classes, pupils }: { readonly classes: readonly string[]; readonly pupils: readonly string[] },
  strictest: string,
): Audience[] {
  const ofClasses = classes.flatMap((name) => {
    const levels = new Set(school.pupils.filter((one) => one.classes.includes(name)).map(({ level }) => level));
    return [...(levels.size === 0 ? [strictest] : levels)].map((level) => ({ level, classes: [name], name }));
  });
  const single = pupils.map((user) => {
    const pupil = school.pupils.find((one) => one.user === user);
    return { level: pupil?.level ?? strictest, classes: pupil?.classes ?? [], name: pupil?.fullName ?? user };
  });
  return [...ofClasses, ...single];
}
