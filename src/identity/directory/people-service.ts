import { type Actor, payloadOf } from '../../audit/entry.ts';
import type { Purpose } from '../../audit/purpose.ts';
import { newestRowOf } from '../../audit/service.ts';
import { isoTime } from '../../kernel/clock.ts';
import { SchoolgateError } from '../../kernel/errors.ts';
import type { ReadTx } from '../../store/database.ts';
import { type GivenLevel, givenLevel } from '../identify.ts';
import { devicesOf, findUserName } from '../repository.ts';
import { YEARS } from '../school-years.ts';
import { canonicalUser } from '../user-name.ts';
import { type RosteredPerson, fullName } from './model.ts';
import {
  type StoredPassword,
  type StoredSuspension,
  findStoredPerson,
  listDirectory,
  listSuspensions,
  listPasswords,
} from './repository.ts';
import type { ClassSummary, DirectoryOptions, ListedPerson, PeopleFilter, PersonDetails } from './service.ts';

// Looking at people. Whoever looks at somebody who can be told apart is put on record in the same transaction.

/** Somebody with what they are known by. */
interface Known extends RosteredPerson {
  /** Canonical user name; null: somebody else has it by now. */
  readonly name: string | null;
}

/** Everybody who was ever in a roster. */
export interface KnownPeople {
  readonly people: readonly Known[];
  readonly classes: readonly ClassSummary[];
  /** Full names by id. */
  readonly names: ReadonlyMap<string, string>;
}

/**
 * Reads everybody again when an import has called for another snapshot: nothing else changes them. With 5,000 people and 45,000
 * memberships reading takes some 200 ms, and a page is to take 60.
 */
export function rememberPeople({ record, publishing }: DirectoryOptions): () => KnownPeople {
  let known: (KnownPeople & { readonly serial: number }) | null = null;
  return () => {
    const serial = publishing.serial('people');
    if (known?.serial !== serial) {
      const people = record.read(listDirectory).map(withName);
      known = {
        serial,
        people,
        classes: classesOf(people),
        names: new Map(people.map((one) => [one.id, fullName(one)])),
      };
    }
    return known;
  };
}

function withName(person: RosteredPerson): Known {
  return { ...person, name: person.leftAt === null ? canonicalUser(person.userName) : null };
}

export function listPeople(
  options: DirectoryOptions,
  { people }: KnownPeople,
  actor: Actor,
  filter: PeopleFilter,
  asked: Readonly<Record<string, string>>,
): ListedPerson[] {
  const { record, audit, clock, policy } = options;
  return record.write((tx) => {
    const [now, rules] = [clock(), policy()];
    const passwords = new Map(listPasswords(tx).map((one) => [one.personId, one]));
    const suspensions = new Map(listSuspensions(tx).map((one) => [one.personId, one]));
    const found = people
      .map((person) => {
        const level = levelOf(person, rules)?.level ?? null;
        return listed(person, level, suspensions.get(person.id), passwords.get(person.id), now);
      })
      .filter(({ level, classes, teaches }) => {
        const { className } = filter;
        const isInClass = className === undefined || classes.includes(className) || teaches.includes(className);
        return isInClass && (filter.level === undefined || level === filter.level);
      });
    const { userName, address } = actor;
    const after = { ...filter, ...asked, found: found.length };
    audit.append(tx, { actor: userName, action: 'people.listed', subject: 'people', after, address });
    return found;
  });
}

export function lookAtPerson(options: DirectoryOptions, actor: Actor, id: string, purpose: Purpose): PersonDetails {
  const { record, audit, clock, policy } = options;
  return record.write((tx) => {
    const person = findStoredPerson(tx, id);
    if (person === null) throw new SchoolgateError('person_unknown', 'client', 'There is nobody with this id.');
    const now = clock();
    const suspension = listSuspensions(tx, id)[0];
    const password = listPasswords(tx, id)[0];
    const given = levelOf(withName(person), policy());
    const shown = listed(person, given?.level ?? null, suspension, password, now);
    audit.look(tx, actor, { action: 'person.looked-at', subject: `person:${id}`, purpose });
    const { source, sourceId, leftAt, isConsoleUser } = person;
    return {
      ...shown,
      source,
      sourceId,
      leftAt,
      isConsoleUser,
      levelBy: given?.by ?? null,
      passwordChangedAt: password?.changedAt ?? null,
      suspension: isInForce(suspension, now)
        ? { ...suspension, by: findUserName(tx, suspension.by) ?? suspension.by }
        : null,
      lastSignIn: lastSignIn(tx, id),
      devices: devicesOf(tx, id),
    };
  });
}

/** The very level that gateways give. */
function levelOf({ name, kind, roles, year }: Known, rules: ReturnType<DirectoryOptions['policy']>): GivenLevel | null {
  return rules === null || name === null ? null : givenLevel(rules, { name, kind, roles, year });
}

function listed(
  person: RosteredPerson,
  level: string | null,
  suspension: StoredSuspension | undefined,
  password: StoredPassword | undefined,
  now: number,
): ListedPerson {
  const isSuspended = isInForce(suspension, now);
  const { id, userName, familyName, kind, roles, year, classes, teaches, groups, leftAt } = person;
  return {
    id,
    userName,
    fullName: fullName(person),
    familyName,
    kind,
    roles,
    year,
    classes,
    teaches,
    groups,
    level,
    status: leftAt !== null ? 'left' : isSuspended ? 'suspended' : 'active',
    suspendedUntil: isSuspended && suspension.until !== null ? isoTime(suspension.until) : null,
    password: password === undefined ? 'none' : password.isTemporary ? 'temporary' : 'own',
  };
}

function isInForce(suspension: StoredSuspension | undefined, now: number): suspension is StoredSuspension {
  return suspension !== undefined && (suspension.until === null || suspension.until > now);
}

function lastSignIn(tx: ReadTx, id: string): PersonDetails['lastSignIn'] {
  const row = newestRowOf(tx, `person:${id}`, ['device.signed-in', 'session.opened']);
  if (row === null) return null;
  return {
    how: row.action === 'session.opened' ? 'console' : 'device',
    at: Date.parse(row.at),
    address: payloadOf(row)?.address ?? null,
  };
}

function classesOf(people: readonly RosteredPerson[]): ClassSummary[] {
  const byName = new Map<string, { pupils: number; years: Set<string>; teachers: string[] }>();
  const classNamed = (name: string) => {
    const known = byName.get(name) ?? { pupils: 0, years: new Set(), teachers: [] };
    byName.set(name, known);
    return known;
  };
  for (const person of people) {
    if (person.leftAt !== null) continue;
    for (const name of person.teaches) classNamed(name).teachers.push(fullName(person));
    for (const name of person.kind === 'person' ? person.classes : []) {
      const one = classNamed(name);
      one.pupils++;
      if (person.year !== null) one.years.add(person.year);
    }
  }
  return [...byName].map(([name, { pupils, years, teachers }]) => ({
    name,
    pupils,
    teachers,
    years: YEARS.filter((year) => years.has(year)),
  }));
}
