import { type Erased, erasedRows } from '../../kernel/erased.ts';
import type { ReadTx, Row, Tx } from '../../store/database.ts';
import type { DirectoryPerson, Suspension } from '../directory-snapshot.ts';
import type { KnownBefore, PersonKind, SchoolRole } from '../roster/roster.ts';
import type { SchoolYear } from '../school-years.ts';
import { canonicalUser } from '../user-name.ts';
import { type Account, type PersonFacts, type StoredPerson, fullName } from './model.ts';

const LISTS = ['classes', 'teaches', 'groups'] as const;

const PEOPLE = `SELECT people.id, people.user_name, directory.*,
    EXISTS (SELECT 1 FROM person_roles WHERE person_roles.person_id = id) AS is_console_user
  FROM directory JOIN people ON id = person_id`;

/** Everybody who was ever in a roster, by user name. */
export function listDirectory(tx: ReadTx): StoredPerson[] {
  const memberships = membershipsOf(tx.all('SELECT person_id, kind, name FROM memberships ORDER BY name'));
  return tx.all(`${PEOPLE} ORDER BY user_key`).map((row) => toPerson(row, memberships));
}

/** Null: no roster ever named them. */
export function findStoredPerson(tx: ReadTx, id: string): StoredPerson | null {
  const row = tx.get(`${PEOPLE} WHERE id = ?`, id);
  const sql = 'SELECT person_id, kind, name FROM memberships WHERE person_id = ? ORDER BY name';
  return row === undefined ? null : toPerson(row, membershipsOf(tx.all(sql, id)));
}

type Memberships = ReadonlyMap<string, Record<(typeof LISTS)[number], string[]>>;
const NO_MEMBERSHIPS = { classes: [], teaches: [], groups: [] };

function membershipsOf(rows: readonly Row[]): Memberships {
  const memberships = new Map<string, Record<(typeof LISTS)[number], string[]>>();
  for (const row of rows) {
    const id = String(row['person_id']);
    const lists = memberships.get(id) ?? { classes: [], teaches: [], groups: [] };
    lists[row['kind'] as (typeof LISTS)[number]].push(String(row['name']));
    memberships.set(id, lists);
  }
  return memberships;
}

const PUPIL: readonly SchoolRole[] = ['pupil'];

/** Nearly everybody is a pupil and nothing else. */
function rolesOf(json: string): readonly SchoolRole[] {
  return json === '["pupil"]' ? PUPIL : (JSON.parse(json) as SchoolRole[]);
}

function toPerson(row: Row, memberships: Memberships): StoredPerson {
  return {
    ...(memberships.get(String(row['id'])) ?? NO_MEMBERSHIPS),
    id: String(row['id']),
    source: String(row['source']),
    sourceId: String(row['source_id']),
    userName: String(row['user_name']),
    givenName: String(row['given_name']),
    familyName: String(row['family_name']),
    kind: row['kind'] as PersonKind,
    roles: rolesOf(String(row['roles'])),
    year: row['year'] as SchoolYear | null,
    leftAt: row['left_at'] === null ? null : Number(row['left_at']),
    isConsoleUser: row['is_console_user'] === 1,
  };
}

/** Accounts of people whom no roster has named. */
export function accountsOutside(tx: ReadTx): Account[] {
  return tx
    .all('SELECT id, user_key FROM people WHERE id NOT IN (SELECT person_id FROM directory)')
    .map((row) => ({ id: String(row['id']), userKey: String(row['user_key']) }));
}

export function knownBefore(tx: ReadTx, source: string): KnownBefore {
  const classes = tx.all('SELECT source_id, name FROM roster_classes WHERE source = ?', source);
  const people = tx.all('SELECT source_id FROM directory WHERE source = ? AND left_at IS NULL', source);
  return {
    classes: new Map(classes.map((row) => [String(row['source_id']), String(row['name'])])),
    people: new Set(people.map((row) => String(row['source_id']))),
  };
}

/**
 * Takes user names from whoever has them now: they have left, or are being given another one. A key with a colon is nobody's,
 * because no user name has one. Gives how many names somebody had; that they passed on is kept as long as `since` (ms) is earlier.
 */
export function freeUserNames(tx: Tx, userNames: readonly string[], at: number, since: number): number {
  tx.run('DELETE FROM names_passed_on WHERE at < ?', since);
  return userNames.reduce((sum, name) => {
    const key = canonicalUser(name);
    const freed = tx.run(`UPDATE people SET user_key = ':' || id WHERE user_key = ?`, key);
    if (freed > 0) tx.run('INSERT OR REPLACE INTO names_passed_on (user_key, at) VALUES (?, ?)', key, at);
    return sum + freed;
  }, 0);
}

/** Somebody who has no row in `people` yet. */
export function insertAccountOf(tx: Tx, id: string, facts: PersonFacts, at: number): void {
  const sql = 'INSERT INTO people (id, user_name, user_key, full_name, created_at) VALUES (?, ?, ?, ?, ?)';
  tx.run(sql, id, facts.userName, canonicalUser(facts.userName), fullName(facts), at);
}

export interface Placed {
  readonly id: string;
  readonly source: string;
  readonly sourceId: string;
  readonly facts: PersonFacts;
}

/** Puts somebody into the directory, or what a roster says of them in place of what it said. */
export function placePerson(tx: Tx, { id, source, sourceId, facts }: Placed): void {
  const { userName, kind, givenName, familyName, roles, year } = facts;
  const key = canonicalUser(userName);
  // How somebody with a role in the console is called there is not a roster's to say.
  tx.run(
    `UPDATE people SET user_name = ?, user_key = ?,
       full_name = CASE WHEN id IN (SELECT person_id FROM person_roles) THEN full_name ELSE ? END WHERE id = ?`,
    userName,
    key,
    fullName(facts),
    id,
  );
  tx.run(
    `INSERT INTO directory (person_id, source, source_id, kind, given_name, family_name, roles, year)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (person_id) DO UPDATE SET source = excluded.source, source_id = excluded.source_id, kind = excluded.kind,
       given_name = excluded.given_name, family_name = excluded.family_name, roles = excluded.roles, year = excluded.year,
       left_at = NULL`,
    id,
    source,
    sourceId,
    kind,
    givenName,
    familyName,
    JSON.stringify(roles),
    year,
  );
  tx.run('DELETE FROM memberships WHERE person_id = ?', id);
  for (const list of LISTS) {
    for (const name of facts[list]) {
      tx.run('INSERT INTO memberships (person_id, kind, name) VALUES (?, ?, ?)', id, list, name);
    }
  }
}

export function markLeft(tx: Tx, id: string, at: number): void {
  tx.run('UPDATE directory SET left_at = ? WHERE person_id = ?', at, id);
}

/** `all`: the classes are the source's only ones; else they are added to those that are known. */
export function keepClasses(tx: Tx, source: string, classes: ReadonlyMap<string, string>, all: boolean): void {
  if (all) tx.run('DELETE FROM roster_classes WHERE source = ?', source);
  const sql = 'INSERT OR REPLACE INTO roster_classes (source, source_id, name) VALUES (?, ?, ?)';
  for (const [id, name] of classes) tx.run(sql, source, id, name);
}

/** For gateways: everybody who belongs to the school. Null: no roster was ever imported. */
export function directoryPeople(tx: ReadTx): DirectoryPerson[] | null {
  if (tx.get('SELECT 1 FROM directory LIMIT 1') === undefined) return null;
  const groups = Map.groupBy(
    tx.all(`SELECT DISTINCT person_id, name FROM memberships WHERE kind <> 'teaches' ORDER BY name`),
    (row) => String(row['person_id']),
  );
  return tx
    .all(
      `SELECT person_id, user_key, kind, roles, year FROM directory JOIN people ON id = person_id
       WHERE left_at IS NULL ORDER BY user_key`,
    )
    .map((row) => ({
      name: String(row['user_key']),
      kind: row['kind'] as PersonKind,
      roles: JSON.parse(String(row['roles'])) as SchoolRole[],
      year: row['year'] as SchoolYear | null,
      groups: (groups.get(String(row['person_id'])) ?? []).map((one) => String(one['name'])),
    }));
}

/** Classes that somebody learns in, and groups, by their canonical user name. */
export function groupsOf(tx: ReadTx, userKey: string): string[] {
  const sql = `SELECT name FROM memberships JOIN people ON people.id = person_id WHERE user_key = ? AND kind IN ('classes', 'groups')`;
  return tx.all(sql, userKey).map((row) => String(row['name']));
}

/** What a roster says of somebody who belongs to the school; null: none names them. */
export function findListed(tx: ReadTx, personId: string): Pick<DirectoryPerson, 'kind' | 'roles' | 'year'> | null {
  const row = tx.get('SELECT kind, roles, year FROM directory WHERE person_id = ? AND left_at IS NULL', personId);
  if (row === undefined) return null;
  return {
    kind: row['kind'] as PersonKind,
    roles: JSON.parse(String(row['roles'])) as SchoolRole[],
    year: row['year'] as SchoolYear | null,
  };
}

/** Keeps what gateways were sent; what was kept of a serial stays. */
export function keepVersion(tx: Tx, serial: number, at: number, snapshot: Uint8Array): void {
  tx.run('INSERT OR IGNORE INTO directory_versions (serial, at, snapshot) VALUES (?, ?, ?)', serial, at, snapshot);
}

/** What gateways had at an instant; null: it is not kept. */
export function versionAt(tx: ReadTx, at: number): { readonly serial: number; readonly snapshot: Uint8Array } | null {
  const row = tx.get('SELECT serial, snapshot FROM directory_versions WHERE at <= ? ORDER BY serial DESC LIMIT 1', at);
  return row === undefined ? null : { serial: Number(row['serial']), snapshot: row['snapshot'] as Uint8Array };
}

/** User keys of who left after `from` and by `until`, and has not come back. */
export function leftBetween(tx: ReadTx, from: number, until: number): string[] {
  return tx
    .all(
      `SELECT user_key FROM directory JOIN people ON id = person_id
       WHERE left_at > ? AND left_at <= ? AND user_key NOT LIKE ':%' ORDER BY user_key`,
      from,
      until,
    )
    .map((row) => String(row['user_key']));
}

/** For gateways: who is suspended at `now`, and who has left since `leftSince` and may still be known to a gateway. */
export function suspensionsAt(tx: ReadTx, now: number, leftSince: number): Suspension[] {
  const suspended = tx.all(
    `SELECT user_key, until FROM suspensions JOIN people ON id = person_id
     WHERE until IS NULL OR until > ? ORDER BY user_key`,
    now,
  );
  const left = tx.all(
    `SELECT user_key FROM directory JOIN people ON id = person_id
     WHERE left_at > ? AND user_key NOT LIKE ':%'
       AND NOT EXISTS (
         SELECT 1 FROM person_roles WHERE person_roles.person_id = id AND (ends_at IS NULL OR ends_at > ?)
       ) ORDER BY user_key`,
    leftSince,
    now,
  );
  return [
    ...suspended.map((row) => suspension(row, 'suspended', row['until'] === null ? null : Number(row['until']))),
    ...left.map((row) => suspension(row, 'left', null)),
  ];
}

function suspension(row: Row, why: 'suspended' | 'left', until: number | null): Suspension {
  const user = String(row['user_key']);
  return { user, until, rule: `directory#people.${user}.${why}` };
}

export interface StoredSuspension {
  readonly personId: string;
  readonly until: number | null;
  readonly reason: string | null;
  /** A person's id. */
  readonly by: string;
  readonly at: number;
}

/** Of everybody, or of one person; also those whose end has come. */
export function listSuspensions(tx: ReadTx, personId: string | null = null): StoredSuspension[] {
  const sql = 'SELECT * FROM suspensions WHERE ?1 IS NULL OR person_id = ?1';
  return tx.all(sql, personId).map((row) => ({
    personId: String(row['person_id']),
    until: row['until'] === null ? null : Number(row['until']),
    reason: row['reason'] as string | null,
    by: String(row['suspended_by']),
    at: Number(row['suspended_at']),
  }));
}

export function isSuspendedAt(tx: ReadTx, personId: string, now: number): boolean {
  const sql = 'SELECT 1 FROM suspensions WHERE person_id = ? AND (until IS NULL OR until > ?)';
  return tx.get(sql, personId, now) !== undefined;
}

export function storeSuspension(tx: Tx, { personId, until, reason, by, at }: StoredSuspension): void {
  tx.run(
    'INSERT OR REPLACE INTO suspensions (person_id, until, reason, suspended_by, suspended_at) VALUES (?, ?, ?, ?, ?)',
    personId,
    until,
    reason,
    by,
    at,
  );
}

/** Returns whether there was one. */
export function deleteSuspension(tx: Tx, personId: string): boolean {
  return tx.run('DELETE FROM suspensions WHERE person_id = ?', personId) > 0;
}

/** Id and name of whoever has this user name, whether a roster names them or not. */
export function findPerson(tx: ReadTx, userKey: string): { id: string; userName: string } | null {
  const row = tx.get('SELECT id, user_name FROM people WHERE user_key = ?', userKey);
  return row === undefined ? null : { id: String(row['id']), userName: String(row['user_name']) };
}

export function findPersonById(tx: ReadTx, id: string): { id: string; userName: string } | null {
  const row = tx.get('SELECT user_name FROM people WHERE id = ?', id);
  return row === undefined ? null : { id, userName: String(row['user_name']) };
}

export interface StoredPassword {
  readonly personId: string;
  /** From a card, to be changed by its owner. */
  readonly isTemporary: boolean;
  readonly changedAt: number;
}

/** How everybody's password came about, or one person's. */
export function listPasswords(tx: ReadTx, personId: string | null = null): StoredPassword[] {
  const sql = 'SELECT person_id, temporary, changed_at FROM passwords WHERE ?1 IS NULL OR person_id = ?1';
  return tx.all(sql, personId).map((row) => ({
    personId: String(row['person_id']),
    isTemporary: row['temporary'] === 1,
    changedAt: Number(row['changed_at']),
  }));
}

/** The systems whose rosters were imported. */
export function listSources(tx: ReadTx): string[] {
  return tx.all('SELECT DISTINCT source FROM directory ORDER BY source').map((row) => String(row['source']));
}

export function storeTemporaryPassword(tx: Tx, personId: string, hash: string, at: number): void {
  tx.run(
    `INSERT INTO passwords (person_id, hash, changed_at, temporary) VALUES (?, ?, ?, 1)
     ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at, temporary = 1`,
    personId,
    hash,
    at,
  );
}

/** Who left before `before` (ms) and never had a role in the console: what people did there names them. */
const GONE = 'FROM directory WHERE left_at < ? AND person_id NOT IN (SELECT person_id FROM person_roles)';
/** What belongs to a person and to nothing else, in an order that references allow. */
const OF_PERSON = [
  'memberships',
  'directory',
  'suspensions',
  'passwords',
  'recovery_codes',
  'second_factors',
  'device_sessions',
  'sessions',
] as const;

/** Leaves a number where rows speak of somebody who left before `before`, ms; a roster that names them again names somebody new. */
export function eraseLeavers(tx: Tx, before: number, most: number): Erased[] {
  const rows = tx.all(`SELECT person_id AS id, left_at AS at ${GONE} ORDER BY left_at LIMIT ?`, before, most);
  for (const { id } of rows) {
    for (const table of OF_PERSON) tx.run(`DELETE FROM ${table} WHERE person_id = ?`, id!);
    const sql = `UPDATE people SET user_name = 'left:' || lower(substr(id, -8)), user_key = ':' || id, full_name = '' WHERE id = ?`;
    tx.run(sql, id!);
  }
  return erasedRows('person', rows);
}

/** When the first of them left who is to be erased one day, ms; null: nobody. */
export function oldestLeaver(tx: ReadTx): number | null {
  const at = tx.get(`SELECT min(left_at) AS at ${GONE}`, Number.MAX_SAFE_INTEGER)?.['at'];
  return at === undefined || at === null ? null : Number(at);
}

/** What gateways had at `at` (ms) is needed for the time from then on. */
const SUPERSEDED = `FROM (SELECT serial AS id, lead(at) OVER (ORDER BY serial) AS at FROM directory_versions) WHERE at < ?`;

/** Versions of the directory that another one had replaced before `before`, ms. */
export function eraseVersions(tx: Tx, before: number, most: number): Erased[] {
  const rows = tx.all(`SELECT id, at ${SUPERSEDED} ORDER BY id LIMIT ?`, before, most);
  for (const { id } of rows) tx.run('DELETE FROM directory_versions WHERE serial = ?', id!);
  return erasedRows('directory', rows);
}

/** When the oldest version that is kept was replaced, ms; null: there is one at most. */
export function oldestVersion(tx: ReadTx): number | null {
  const at = tx.get(`SELECT min(at) AS at ${SUPERSEDED}`, Number.MAX_SAFE_INTEGER)?.['at'];
  return at === undefined || at === null ? null : Number(at);
}
