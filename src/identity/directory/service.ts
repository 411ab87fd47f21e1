import type { Actor } from '../../audit/entry.ts';
import type { Audit } from '../../audit/service.ts';
import { type Clock, isoTime } from '../../kernel/clock.ts';
import { InvalidFieldsError, type Problem, SchoolgateError } from '../../kernel/errors.ts';
import type { IdMaker } from '../../kernel/ids.ts';
import { localInput } from '../../kernel/local-time.ts';
import type { Publishing } from '../../publishing/service.ts';
import type { ReadTx, RecordDatabase, Tx } from '../../store/database.ts';
import { type DirectorySnapshot, NO_DIRECTORY, type Suspension } from '../directory-snapshot.ts';
import type { Passwords } from '../passwords.ts';
import { readRoster } from '../roster/read-roster.ts';
import { FORMATS, type Roster, type RosterFile } from '../roster/roster.ts';
import { canonicalUser } from '../user-name.ts';
import { type LogInCard, cardPassword } from './cards.ts';
import { type StoredPerson, fullName } from './model.ts';
import { type ImportPlan, planImport } from './plan-import.ts';
import {
  accountsOutside,
  deleteSuspension,
  directoryPeople,
  findPerson,
  freeUserNames,
  insertAccountOf,
  keepClasses,
  knownBefore,
  listDirectory,
  listSuspensions,
  markLeft,
  passwordKinds,
  placePerson,
  storeSuspension,
  storeTemporaryPassword,
  suspensionsAt,
} from './repository.ts';

/** What an import would do, or has done. */
export interface ImportReport {
  /** `refused`: nothing was changed, for the reasons in `needs`; a person may accept them. */
  readonly outcome: 'preview' | 'imported' | 'unchanged' | 'refused';
  /** The form of the roster, in words. */
  readonly format: string;
  readonly lines: number;
  /** User names; of a change with what changes. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly leaving: readonly string[];
  readonly same: number;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
  /** Why a person must accept this, one sentence each. */
  readonly needs: readonly string[];
}

/** Somebody in a list. */
export interface ListedPerson {
  readonly userName: string;
  readonly fullName: string;
  readonly kind: StoredPerson['kind'];
  readonly roles: readonly string[];
  readonly year: string | null;
  readonly classes: readonly string[];
  readonly teaches: readonly string[];
  readonly groups: readonly string[];
  readonly level: string | null;
  readonly status: 'active' | 'suspended' | 'left';
  /** ISO 8601; null: not suspended, or until further notice. */
  readonly suspendedUntil: string | null;
  readonly password: 'own' | 'temporary' | 'none';
}

/** Who belongs to the school. */
export interface Directory {
  /** What an import would do. Throws `roster_unknown`. */
  preview(files: readonly RosterFile[]): Promise<ImportReport>;
  /**
   * Takes a roster over, all of it in one transaction or nothing. `accept`: somebody has seen its problems and who leaves.
   * `by` null: the timetable. Throws `roster_unknown`.
   */
  import(by: Actor | null, files: readonly RosterFile[], accept: boolean): Promise<ImportReport>;
  /** Who fits; looking is put on record. */
  list(actor: Actor, filter: { readonly level?: string; readonly className?: string }): ListedPerson[];
  /** `until` in ms since the epoch; null: until it is lifted. Throws `person_unknown`, or an InvalidFieldsError. */
  suspend(actor: Actor, userName: string, until: number | null): void;
  /** Throws `person_unknown`, `person_not_suspended`. */
  lift(actor: Actor, userName: string): void;
  /** Gives everybody in a class, or one person, a new temporary password. Throws `class_unknown`. */
  makeCards(actor: Actor, classOrUser: string): Promise<readonly LogInCard[]>;
}

export interface DirectoryOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly publishing: Publishing;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly timeZone: () => string;
  /** Gives the level that gateways give somebody, by canonical user name; null before the first policy. */
  readonly levels: (directory: DirectorySnapshot) => (userKey: string) => string | null;
  /** Credentials that were wrong may be right now. */
  readonly onPasswords: () => void;
  /** Ends what somebody has open elsewhere: they were suspended, have left, or have another password. */
  readonly endSessionsOf: (personId: string, why: 'suspended' | 'left the school' | 'password changed') => void;
}

/** An import that disables more of a source's people than this part needs a person's word. */
const MOST_LEAVING = 0.1;
/** Gateways know who signed in for a quarter of an hour, and one that is cut off for longer; whoever left is cut for a day. */
const LEFT_MS = 86_400_000;

/** For `people`; null: no roster was ever imported. */
export function directorySnapshot(tx: ReadTx): DirectorySnapshot | null {
  const people = directoryPeople(tx);
  return people === null ? null : { people };
}

/** For `live`. */
export function suspensionsInForce(tx: ReadTx, now: number): Suspension[] {
  return suspensionsAt(tx, now, now - LEFT_MS);
}

export function createDirectory(options: DirectoryOptions): Directory {
  return {
    preview: async (files) => {
      const roster = await read(options, files);
      const plan = options.record.read((tx) => plannedImport(tx, roster));
      return reportOf(roster, plan, 'preview');
    },
    import: (by, files, accept) => importRoster(options, by, files, accept),
    list: (actor, filter) => list(options, actor, filter),
    suspend: (actor, userName, until) => suspend(options, actor, userName, until),
    lift: (actor, userName) => lift(options, actor, userName),
    makeCards: (actor, classOrUser) => makeCards(options, actor, classOrUser),
  };
}

function read({ record, clock, timeZone }: DirectoryOptions, files: readonly RosterFile[]): Promise<Roster> {
  const today = localInput(clock(), timeZone()).slice(0, 10);
  return readRoster(files, { today, known: (source) => record.read((tx) => knownBefore(tx, source)) });
}

interface PlannedImport extends ImportPlan {
  /** How many people of the source there are now. */
  readonly active: number;
}

function plannedImport(tx: ReadTx, roster: Roster): PlannedImport {
  const stored = listDirectory(tx);
  const active = stored.filter(({ source, leftAt }) => source === roster.source && leftAt === null).length;
  return { ...planImport(roster, stored, accountsOutside(tx)), active };
}

async function importRoster(
  options: DirectoryOptions,
  by: Actor | null,
  files: readonly RosterFile[],
  accept: boolean,
): Promise<ImportReport> {
  const { record, publishing } = options;
  const roster = await read(options, files);
  const { report, leaving } = record.write((tx) => {
    const plan = plannedImport(tx, roster);
    const stop = (outcome: ImportReport['outcome']) => ({ report: reportOf(roster, plan, outcome), leaving: [] });
    if (needsOf(roster, plan).length > 0 && !accept) return stop('refused');
    if (plan.added.length + plan.changed.length + plan.leaving.length === 0) return stop('unchanged');
    apply(options, tx, roster, plan);
    audit(options, tx, by, roster, plan);
    return { report: reportOf(roster, plan, 'imported'), leaving: plan.leaving };
  });
  void publishing.send();
  for (const { id } of leaving) options.endSessionsOf(id, 'left the school');
  return report;
}

function apply({ clock, newId, publishing }: DirectoryOptions, tx: Tx, roster: Roster, plan: ImportPlan): void {
  const now = clock();
  const { source } = roster;
  for (const { id } of plan.leaving) markLeft(tx, id, now);
  // All at once: two people may be given each other's names.
  freeUserNames(
    tx,
    [...plan.added.filter(({ account }) => account === null), ...plan.changed].map(({ facts }) => facts.userName),
  );
  for (const { sourceId, facts, account } of plan.added) {
    const id = account ?? newId();
    if (account === null) insertAccountOf(tx, id, facts, now);
    placePerson(tx, { id, source, sourceId, facts });
  }
  for (const { before, sourceId, facts } of plan.changed) placePerson(tx, { id: before.id, source, sourceId, facts });
  keepClasses(tx, source, roster.classes, roster.scope === 'all' && !roster.isIncomplete);
  publishing.callFor(tx, 'people');
  if (plan.leaving.length + plan.changed.length > 0) publishing.callFor(tx, 'live');
}

function audit({ audit }: DirectoryOptions, tx: Tx, by: Actor | null, roster: Roster, plan: ImportPlan): void {
  const { added, changed, leaving, problems } = plan;
  audit.append(tx, {
    actor: by?.userName ?? 'file',
    action: 'people.imported',
    subject: `roster:${roster.source}`,
    after: {
      format: roster.format,
      added: added.length,
      changed: changed.length,
      left: leaving.map(({ userName }) => userName),
      acceptedProblems: roster.problems.length + problems.length,
    },
    address: by?.address ?? null,
  });
}

function needsOf(roster: Roster, { problems, leaving, active }: PlannedImport): string[] {
  const wrong = roster.problems.length + problems.length;
  const needs: string[] = [];
  if (wrong > 0) needs.push(`The roster has ${wrong} ${wrong === 1 ? 'problem' : 'problems'}.`);
  if (leaving.length > active * MOST_LEAVING) {
    needs.push(`It would disable ${leaving.length} of ${active} people, which is more than 10 %.`);
  }
  return needs;
}

function reportOf(roster: Roster, plan: PlannedImport, outcome: ImportReport['outcome']): ImportReport {
  return {
    outcome,
    format: FORMATS[roster.format],
    lines: roster.lines,
    added: plan.added.map(({ facts }) => facts.userName),
    changed: plan.changed.map(({ facts, changes }) => `${facts.userName}: ${changes.join('; ')}`),
    leaving: plan.leaving.map(({ userName }) => userName),
    same: plan.same,
    problems: [...roster.problems, ...plan.problems],
    notes: roster.notes,
    needs: needsOf(roster, plan),
  };
}

function list(
  { record, audit, clock, levels }: DirectoryOptions,
  actor: Actor,
  filter: { readonly level?: string; readonly className?: string },
): ListedPerson[] {
  return record.write((tx) => {
    const now = clock();
    const directory = directorySnapshot(tx) ?? NO_DIRECTORY;
    const passwords = passwordKinds(tx);
    const suspended = new Map(listSuspensions(tx).map(({ personId, until }) => [personId, until]));
    const levelOf = levels(directory);
    const found = listDirectory(tx)
      .map((person): ListedPerson => {
        const level = person.leftAt === null ? levelOf(canonicalUser(person.userName)!) : null;
        return listed(person, level, suspended.get(person.id), passwords.get(person.id) ?? 'none', now);
      })
      .filter(({ level, classes, teaches }) => {
        const { className } = filter;
        const isInClass = className === undefined || classes.includes(className) || teaches.includes(className);
        return isInClass && (filter.level === undefined || level === filter.level);
      });
    const { personId: _, userName: by, address } = actor;
    audit.append(tx, {
      actor: by,
      action: 'people.listed',
      subject: 'people',
      after: { ...filter, found: found.length },
      address,
    });
    return found;
  });
}

function listed(
  person: StoredPerson,
  level: string | null,
  until: number | null | undefined,
  password: ListedPerson['password'],
  now: number,
): ListedPerson {
  const isSuspended = until !== undefined && (until === null || until > now);
  const { userName, kind, roles, year, classes, teaches, groups, leftAt } = person;
  return {
    userName,
    fullName: fullName(person),
    kind,
    roles,
    year,
    classes,
    teaches,
    groups,
    level,
    status: leftAt !== null ? 'left' : isSuspended ? 'suspended' : 'active',
    suspendedUntil: isSuspended && until !== null ? isoTime(until) : null,
    password,
  };
}

function suspend(options: DirectoryOptions, actor: Actor, userName: string, until: number | null): void {
  const { record, audit, publishing, clock } = options;
  const now = clock();
  if (until !== null && !(until > now)) {
    throw new InvalidFieldsError([{ field: 'until', reason: 'The end of a suspension must lie in the future.' }]);
  }
  const id = record.write((tx) => {
    const person = known(tx, userName);
    storeSuspension(tx, { personId: person.id, until }, actor.personId, now);
    audit.append(tx, {
      actor: actor.userName,
      action: 'person.suspended',
      subject: `person:${person.id}`,
      after: { userName: person.userName, until: until === null ? null : isoTime(until) },
      address: actor.address,
    });
    publishing.callFor(tx, 'live');
    return person.id;
  });
  void publishing.send();
  options.endSessionsOf(id, 'suspended');
}

function lift({ record, audit, publishing }: DirectoryOptions, actor: Actor, userName: string): void {
  record.write((tx) => {
    const person = known(tx, userName);
    if (!deleteSuspension(tx, person.id)) {
      throw new SchoolgateError('person_not_suspended', 'client', `${person.userName} is not suspended.`);
    }
    audit.append(tx, {
      actor: actor.userName,
      action: 'person.suspension-lifted',
      subject: `person:${person.id}`,
      before: { userName: person.userName },
      address: actor.address,
    });
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
}

function known(tx: ReadTx, userName: string): { readonly id: string; readonly userName: string } {
  const key = canonicalUser(userName.trim());
  const person = key === null ? null : findPerson(tx, key);
  if (person === null) throw new SchoolgateError('person_unknown', 'client', 'There is nobody with this user name.');
  return person;
}

async function makeCards(options: DirectoryOptions, actor: Actor, classOrUser: string): Promise<LogInCard[]> {
  const { record, audit, passwords, clock } = options;
  const key = canonicalUser(classOrUser.trim());
  const people = record
    .read(listDirectory)
    // Whoever has a role in the console has a password that no printed card may replace.
    .filter(({ leftAt, isConsoleUser }) => leftAt === null && !isConsoleUser)
    .filter(({ classes, userName }) => classes.includes(classOrUser) || canonicalUser(userName) === key);
  if (people.length === 0) {
    throw new SchoolgateError(
      'class_unknown',
      'client',
      'There is no class, and nobody, of this name in the directory.',
    );
  }
  const cards = people.map((person) => ({ person, password: cardPassword() }));
  const hashes = await Promise.all(cards.map(({ password }) => passwords.hash(password)));
  record.write((tx) => {
    for (const [i, { person }] of cards.entries()) storeTemporaryPassword(tx, person.id, hashes[i]!, clock());
    const after = { for: classOrUser, cards: cards.length };
    const { userName, address } = actor;
    audit.append(tx, { actor: userName, action: 'people.cards-made', subject: 'people', after, address });
  });
  options.onPasswords();
  for (const { person } of cards) options.endSessionsOf(person.id, 'password changed');
  return cards.map(({ person, password }) => ({ fullName: fullName(person), userName: person.userName, password }));
}
