import type { PersonKind, SchoolRole } from './roster/roster.ts';
import type { SchoolYear } from './school-years.ts';

/** Somebody whom a roster names, as gateways need them. */
export interface DirectoryPerson {
  /** Canonical user name. */
  readonly name: string;
  readonly kind: PersonKind;
  readonly roles: readonly SchoolRole[];
  readonly year: SchoolYear | null;
  /** Classes they learn in, and groups: what rules for groups go by. */
  readonly groups: readonly string[];
}

/** Everybody who belongs to the school. Travels as JSON in a signed snapshot, when a roster has changed something. */
export interface DirectorySnapshot {
  readonly people: readonly DirectoryPerson[];
}

export const NO_DIRECTORY: DirectorySnapshot = { people: [] };

/** Somebody who may use nothing. `until` in ms since the epoch; null: until further notice. */
export interface Suspension {
  /** Canonical user name. */
  readonly user: string;
  readonly until: number | null;
  readonly rule: string;
}

/** Which level a roster's people get, by school year and by role, as a policy says it. */
export interface RosterLevels {
  readonly years: Readonly<Record<string, string>>;
  readonly roles: Readonly<Record<string, string>>;
}

/** What holds where `school.yaml` says nothing: the key stages of England. */
export const DEFAULT_LEVELS: RosterLevels = {
  years: {
    R: 'ks1',
    1: 'ks1',
    2: 'ks1',
    3: 'ks2',
    4: 'ks2',
    5: 'ks2',
    6: 'ks2',
    7: 'ks3',
    8: 'ks3',
    9: 'ks3',
    10: 'ks4',
    11: 'ks4',
    12: 'sixth-form',
    13: 'sixth-form',
  },
  roles: { teacher: 'staff', staff: 'staff', parent: 'guest' },
};

/**
 * The level of somebody from a roster; null: nothing says one. Who is a pupil, whatever else they are, has the level of their
 * year; a class account too.
 */
export function rosterLevel(
  person: Pick<DirectoryPerson, 'kind' | 'roles' | 'year'>,
  levels: RosterLevels,
): string | null {
  const { kind, roles, year } = person;
  if (kind === 'class' || roles.includes('pupil')) return year === null ? null : own(levels.years, year);
  const role = (['teacher', 'staff', 'parent'] as const).find((one) => roles.includes(one));
  return role === undefined ? null : own(levels.roles, role);
}

function own(names: Readonly<Record<string, string>>, key: string): string | null {
  return Object.hasOwn(names, key) ? names[key]! : null;
}
