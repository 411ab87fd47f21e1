import type { PersonKind, RosterPerson, SchoolRole } from '../roster/roster.ts';
import type { SchoolYear } from '../school-years.ts';

/** What a roster says of somebody, complete. */
export interface PersonFacts {
  readonly userName: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly kind: PersonKind;
  readonly roles: readonly SchoolRole[];
  readonly year: SchoolYear | null;
  readonly classes: readonly string[];
  readonly teaches: readonly string[];
  readonly groups: readonly string[];
}

/** Somebody in the directory. */
export interface StoredPerson extends PersonFacts {
  /** Ours, and stable. */
  readonly id: string;
  readonly source: string;
  readonly sourceId: string;
  /** Ms since the epoch; null: belongs to the school. */
  readonly leftAt: number | null;
  /** Has a role in the console: their user name is never anybody else's. */
  readonly isConsoleUser: boolean;
}

/** Somebody as an import has left them: nothing else changes this. */
export type RosteredPerson = Omit<StoredPerson, 'isConsoleUser'>;

/** An account that no roster has named so far. */
export interface Account {
  readonly id: string;
  readonly userKey: string;
}

const NONE: Pick<PersonFacts, 'classes' | 'teaches' | 'groups'> = { classes: [], teaches: [], groups: [] };

/** A roster's person over what is known: what the roster does not speak of stays. `merge`: memberships are added, never taken. */
export function factsOf(person: RosterPerson, before: StoredPerson | null, merge: boolean): PersonFacts {
  const { userName, givenName, familyName, kind, roles, year } = person;
  const lists = (['classes', 'teaches', 'groups'] as const).map((name) => {
    const old = (before ?? NONE)[name];
    const said = person[name] ?? old;
    return [name, merge ? [...new Set([...old, ...said])].sort() : said] as const;
  });
  return { userName, givenName, familyName, kind, roles, year, ...(Object.fromEntries(lists) as typeof NONE) };
}

/** How a person is called. */
export function fullName({ givenName, familyName, userName }: PersonFacts): string {
  return `${givenName} ${familyName}`.trim() || userName;
}

/** What differs, in words; empty: nothing. */
export function changesOf(before: StoredPerson, after: PersonFacts, source: string): string[] {
  const changes: string[] = [];
  const say = (what: string, old: string, now: string): void => {
    if (old !== now) changes.push(`${what} ${old === '' ? '(none)' : old} → ${now === '' ? '(none)' : now}`);
  };
  if (before.leftAt !== null) changes.push('comes back');
  say('user name', before.userName, after.userName);
  say('name', `${before.givenName} ${before.familyName}`.trim(), `${after.givenName} ${after.familyName}`.trim());
  say('kind', before.kind, after.kind);
  say('roles', before.roles.join(', '), after.roles.join(', '));
  say('year', before.year ?? '', after.year ?? '');
  say('source', before.source, source);
  for (const [list, joins, leaves] of WORDS) {
    changes.push(...after[list].filter((name) => !before[list].includes(name)).map((name) => `${joins} ${name}`));
    changes.push(...before[list].filter((name) => !after[list].includes(name)).map((name) => `${leaves} ${name}`));
  }
  return changes;
}

const WORDS = [
  ['classes', 'joins', 'leaves'],
  ['teaches', 'teaches', 'no longer teaches'],
  ['groups', 'joins group', 'leaves group'],
] as const;
