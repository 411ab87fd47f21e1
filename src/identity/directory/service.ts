import { type Actor, payloadOf } from '../../audit/entry.ts';
import type { Purpose } from '../../audit/purpose.ts';
import { type Audit, newestRows } from '../../audit/service.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type Problem, SchoolgateError } from '../../kernel/errors.ts';
import type { IdMaker } from '../../kernel/ids.ts';
import { localInput } from '../../kernel/local-time.ts';
import type { Publishing } from '../../publishing/service.ts';
import type { ReadTx, RecordDatabase, Tx } from '../../store/database.ts';
import type { DirectorySnapshot, Suspension } from '../directory-snapshot.ts';
import type { GivenLevel, IdentityRules } from '../identify.ts';
import type { Passwords } from '../passwords.ts';
import { readRoster } from '../roster/read-roster.ts';
import { FORMATS, type Roster, type RosterFile } from '../roster/roster.ts';
import type { DeviceSignIn } from '../repository.ts';
import { canonicalUser } from '../user-name.ts';
import type { LogInCard } from './cards.ts';
import type { RosteredPerson, StoredPerson } from './model.ts';
import { type ImportPlan, importDigest, planImport } from './plan-import.ts';
import { lift, makeCards, suspend } from './access-service.ts';
import { listPeople, lookAtPerson, rememberPeople } from './people-service.ts';
import {
  accountsOutside,
  directoryPeople,
  freeUserNames,
  insertAccountOf,
  keepClasses,
  knownBefore,
  listDirectory,
  listSources,
  markLeft,
  placePerson,
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
  /** Stands for the whole difference: the same one is the same import. */
  readonly digest: string;
}

/** Somebody in a list. */
export interface ListedPerson {
  readonly id: string;
  readonly userName: string;
  readonly fullName: string;
  /** For lists in the order of family names. */
  readonly familyName: string;
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

/** Everything that staff may know of one person. Instants are ms since the epoch. */
export interface PersonDetails extends ListedPerson {
  readonly source: string;
  readonly sourceId: string;
  readonly leftAt: number | null;
  /** What gives them their level; null: there is no policy yet, or they have left. */
  readonly levelBy: GivenLevel['by'] | null;
  /** Has a role in the console, so that no card may replace their password. */
  readonly isConsoleUser: boolean;
  readonly passwordChangedAt: number | null;
  readonly suspension: {
    readonly until: number | null;
    readonly reason: string | null;
    /** User name. */
    readonly by: string;
    readonly at: number;
  } | null;
  /** The last sign-in on record; a gateway puts none on record that comes with a request. */
  readonly lastSignIn: {
    readonly how: 'device' | 'console';
    readonly at: number;
    readonly address: string | null;
  } | null;
  readonly devices: readonly DeviceSignIn[];
}

/** A class that somebody learns or teaches in. */
export interface ClassSummary {
  readonly name: string;
  readonly pupils: number;
  /** Of its pupils, youngest first. */
  readonly years: readonly string[];
  /** Full names. */
  readonly teachers: readonly string[];
}

/** The last import from a source. */
export interface LastImport {
  readonly source: string;
  /** ISO 8601. */
  readonly at: string;
  /** User name; `file`: the drop folder. */
  readonly by: string;
  readonly added: number;
  readonly changed: number;
  readonly left: number;
}

/** A person by what they are called now, or for good. */
export type Whom = { readonly userName: string } | { readonly id: string };

export interface Suspending {
  /** Ms since the epoch; null: until it is lifted. */
  readonly until: number | null;
  readonly reason: string | null;
}

/** Whose cards are made. */
export type CardsFor = { readonly className: string } | { readonly id: string } | { readonly classOrUser: string };

/** Who belongs to the school. */
export interface Directory {
  /** What an import would do. Throws `roster_unknown`. */
  preview(files: readonly RosterFile[]): Promise<ImportReport>;
  /**
   * Takes a roster over, all of it in one transaction or nothing. `accept`: somebody has seen its problems and who leaves.
   * `by` null: the timetable. `digest`: of the preview that was seen. Throws `roster_unknown`, `import_stale`.
   */
  import(by: Actor | null, files: readonly RosterFile[], accept: boolean, digest?: string): Promise<ImportReport>;
  lastImports(): LastImport[];
  /** Who fits; looking is put on record, with what else the reader asked their page for. */
  list(actor: Actor, filter: PeopleFilter, asked?: Readonly<Record<string, string>>): ListedPerson[];
  /** Looking is put on record. Throws `person_unknown`. */
  person(actor: Actor, id: string, purpose: Purpose): PersonDetails;
  /** Names no pupil. */
  classes(): readonly ClassSummary[];
  /** Everybody who belongs to the school, for deciding what somebody may do. Showing people to somebody is `list`. */
  members(): RosteredPerson[];
  /** Everybody who is or was a pupil, so that their names can be left out where nobody is to read them. */
  pupils(): RosteredPerson[];
  /** Full name of somebody who is or was in a roster, for whoever may read of them; null: nobody has this id. */
  nameOf(id: string): string | null;
  /** Throws `person_unknown`, or an InvalidFieldsError. */
  suspend(actor: Actor, whom: Whom, suspending: Suspending): void;
  /** Throws `person_unknown`, `person_not_suspended`. */
  lift(actor: Actor, whom: Whom): void;
  /** Gives everybody in a class, or one person, a new temporary password. Throws `class_unknown`. */
  makeCards(actor: Actor, whose: CardsFor): Promise<readonly LogInCard[]>;
}

export interface PeopleFilter {
  readonly level?: string;
  readonly className?: string;
}

export interface DirectoryOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly publishing: Publishing;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly timeZone: () => string;
  /** Null before the first policy. */
  readonly policy: () => IdentityRules | null;
  /** Credentials that were wrong may be right now. */
  readonly onPasswords: () => void;
  /** Ends what somebody has open elsewhere: they have left, or have another password. */
  readonly endSessionsOf: (personId: string, why: 'left the school' | 'password changed') => void;
}

/** An import that disables more of a source's people than this part needs a person's word. */
const MOST_LEAVING = 0.1;
/** Gateways know who signed in for a quarter of an hour, and one that is cut off for longer; whoever left is cut for a day. */
export const LEFT_MS = 86_400_000;

/** For whoever asks of one person, by id or by user name, such as one of the access history. */
export {
  eraseLeavers,
  eraseVersions,
  findListed,
  findPerson,
  groupsOf,
  oldestLeaver,
  oldestVersion,
} from './repository.ts';

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
  const everybody = rememberPeople(options);
  return {
    preview: async (files) => {
      const roster = await read(options, files);
      const plan = options.record.read((tx) => plannedImport(tx, roster));
      return reportOf(roster, plan, 'preview');
    },
    import: (by, files, accept, digest) => importRoster(options, by, files, accept, digest),
    lastImports: () => options.record.read(lastImports),
    list: (actor, filter, asked = {}) => listPeople(options, everybody(), actor, filter, asked),
    person: (actor, id, purpose) => lookAtPerson(options, actor, id, purpose),
    classes: () => everybody().classes,
    members: () => everybody().people.filter(({ leftAt }) => leftAt === null),
    pupils: () => everybody().people.filter(({ kind, roles }) => kind === 'person' && roles.includes('pupil')),
    nameOf: (id) => everybody().names.get(id) ?? null,
    suspend: (actor, whom, suspending) => suspend(options, actor, whom, suspending),
    lift: (actor, whom) => lift(options, actor, whom),
    makeCards: (actor, whose) => makeCards(options, actor, whose),
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
  digest?: string,
): Promise<ImportReport> {
  const { record, publishing } = options;
  const roster = await read(options, files);
  const { report, leaving } = record.write((tx) => {
    const plan = plannedImport(tx, roster);
    if (digest !== undefined && digest !== importDigest(roster, plan)) throw stale();
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
  const passedOn = freeUserNames(tx, newNames(plan), now, now - LEFT_MS);
  for (const { sourceId, facts, account } of plan.added) {
    const id = account ?? newId();
    if (account === null) insertAccountOf(tx, id, facts, now);
    placePerson(tx, { id, source, sourceId, facts });
  }
  for (const { before, sourceId, facts } of plan.changed) placePerson(tx, { id: before.id, source, sourceId, facts });
  keepClasses(tx, source, roster.classes, roster.scope === 'all' && !roster.isIncomplete);
  publishing.callFor(tx, 'people');
  if (plan.leaving.length + plan.changed.length + passedOn > 0) publishing.callFor(tx, 'live');
}

/** The user names of people who had none here, or another one. */
function newNames({ added, changed }: ImportPlan): string[] {
  const isNew = ({ before, facts }: ImportPlan['changed'][number]): boolean =>
    before.leftAt !== null || canonicalUser(before.userName) !== canonicalUser(facts.userName);
  return [...added.filter(({ account }) => account === null), ...changed.filter(isNew)].map(
    ({ facts }) => facts.userName,
  );
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
    digest: importDigest(roster, plan),
  };
}

function stale(): SchoolgateError {
  const text = 'The directory has changed since this preview was made. Read the new one, and accept that.';
  return new SchoolgateError('import_stale', 'client', text);
}

function lastImports(tx: ReadTx): LastImport[] {
  return listSources(tx).flatMap((source) =>
    newestRows(tx, `roster:${source}`, 1).map((row) => {
      const after = payloadOf(row)?.after as { added: number; changed: number; left: string[] } | null | undefined;
      const { added = 0, changed = 0, left = [] } = after ?? {};
      return { source, at: row.at, by: row.actor, added, changed, left: left.length };
    }),
  );
}
