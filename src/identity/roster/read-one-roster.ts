import { readYoungestYear } from '../school-years.ts';
import { Gathering } from './gather.ts';
import { type Day, clean, orderOfDays, readDay, readList, readRole } from './read-fields.ts';
import { type Columns, type TableRow, readTable } from './read-table.ts';
import type { KnownBefore, Roster, RosterFile } from './roster.ts';

// OneRoster CSV tables, 1EdTech, versions 1.1 (2017) and 1.2 (2022). Field names are theirs.
const MANIFEST: Columns = { required: ['propertyName', 'value'] };
const USERS: Columns = {
  required: ['sourcedId', 'username'],
  optional: [
    'status',
    'enabledUser',
    'role',
    'givenName',
    'familyName',
    'grades',
    'orgSourcedIds',
    'primaryOrgSourcedId',
  ],
  passedOver: words(
    'dateLastModified userIds userId middleName identifier email sms phone agentSourcedIds agents pronouns',
    'userMasterIdentifier preferredGivenName preferredMiddleName preferredFamilyName resourceSourcedIds',
  ),
};
const ROLES: Columns = {
  required: ['userSourcedId', 'role'],
  optional: ['status', 'beginDate', 'endDate', 'orgSourcedId'],
  passedOver: ['sourcedId', 'dateLastModified', 'roleType', 'userProfileSourcedId'],
};
const ORGS: Columns = {
  required: ['sourcedId', 'name'],
  optional: ['status', 'parentSourcedId'],
  passedOver: ['dateLastModified', 'type', 'identifier'],
};
const SESSIONS: Columns = {
  required: ['sourcedId', 'startDate', 'endDate'],
  optional: ['status'],
  passedOver: ['dateLastModified', 'title', 'type', 'parentSourcedId', 'schoolYear'],
};
const CLASSES: Columns = {
  required: ['sourcedId', 'title'],
  optional: ['status', 'schoolSourcedId', 'termSourcedIds'],
  passedOver: words(
    'dateLastModified grade grades courseSourcedId classCode classType location subjects subjectCodes periods',
    'resourceSourcedIds',
  ),
};
const ENROLLMENTS: Columns = {
  required: ['classSourcedId', 'userSourcedId', 'role'],
  optional: ['status', 'beginDate', 'endDate'],
  passedOver: ['sourcedId', 'dateLastModified', 'schoolSourcedId', 'primary'],
};
const TABLES = {
  academicSessions: SESSIONS,
  orgs: ORGS,
  classes: CLASSES,
  users: USERS,
  roles: ROLES,
  enrollments: ENROLLMENTS,
};
type Table = keyof typeof TABLES;
type Mode = 'bulk' | 'delta' | 'absent';

/** From when to when something holds; null: it has no such end. */
interface Span {
  readonly from: Day | null;
  readonly until: Day | null;
}

const ALWAYS: Span = { from: null, until: null };

/** Files by name in small letters, without `.csv`. `today`: what has ended before it, or begins after it, is not in force. */
export interface RosterInput {
  readonly files: ReadonlyMap<string, RosterFile>;
  readonly today: Day;
  /** What the directory knows of a source, for files that hold changes only. */
  readonly known: (source: string) => KnownBefore;
}

export async function readOneRoster(input: RosterInput, version: '1.1' | '1.2'): Promise<Roster> {
  return await new Reader(input, version).read();
}

class Reader {
  readonly #to = new Gathering();
  readonly #input: RosterInput;
  #version: '1.1' | '1.2';
  readonly #modes = new Map<string, Mode>();
  #source = 'oneroster';
  #known: KnownBefore = { classes: new Map(), people: new Set() };
  /** Null: no file says which there are. */
  #orgs: ReadonlySet<string> | null = null;
  readonly #sessions = new Map<string, Span>();
  /** Of classes that exist; those of others are named to say why somebody is not in them. */
  readonly #spans = new Map<string, Span>();
  readonly #deleted = new Set<string>();
  #over = 0;

  constructor(input: RosterInput, version: '1.1' | '1.2') {
    this.#input = input;
    this.#version = version;
  }

  async read(): Promise<Roster> {
    await this.#readManifest();
    this.#known = this.#input.known(this.#source);
    await this.#each('academicSessions', (row, order) => this.#takeSession(row, order));
    await this.#readOrgs();
    await this.#each('users', (row) => this.#takeUser(row));
    await this.#each('roles', (row, order) => this.#takeRole(row, order));
    await this.#each('classes', (row) => this.#takeClass(row));
    await this.#each('enrollments', (row, order) => this.#takeEnrollment(row, order));
    for (const { row, userName } of this.#to.withoutRole()) {
      this.#to.findings.report(
        row,
        `nothing says today what ${clean(userName)} is (pupil, teacher …); kept without a role`,
      );
    }
    if (this.#over > 0) {
      this.#to.findings.notes.push(`${this.#over} roles and enrolments are not in force on ${this.#input.today}.`);
    }
    const scope = this.#mode('users') === 'bulk' ? 'all' : 'changes';
    const says = { classes: this.#isWhole(), teaches: this.#isWhole() };
    return this.#to.finish(`oneroster-${this.#version}`, this.#source, { scope, says });
  }

  async #readManifest(): Promise<void> {
    const file = this.#input.files.get('manifest');
    if (file === undefined) return;
    for await (const row of readTable(file, MANIFEST, this.#to.findings)) {
      const [name, value] = [row.get('propertyName'), row.get('value')];
      if (name === 'oneroster.version' && (value === '1.1' || value === '1.2')) this.#version = value;
      if (name === 'source.systemCode' && value.toLowerCase() !== 'absent') this.#source = `oneroster:${clean(value)}`;
      const table = /^file\.(\w+)$/.exec(name)?.[1];
      if (table === undefined || !Object.hasOwn(TABLES, table)) continue;
      const mode = value.toLowerCase();
      if (mode !== 'bulk' && mode !== 'delta' && mode !== 'absent') {
        this.#to.findings.report(row, `"${clean(value)}" is none of bulk, delta and absent; ${table}.csv is not read`);
        this.#to.findings.unread++;
        this.#modes.set(table, 'absent');
        continue;
      }
      this.#modes.set(table, mode);
      const isThere = this.#input.files.has(table.toLowerCase());
      if (mode !== 'absent' && !isThere) {
        this.#to.findings.report(
          row,
          `announces ${table}.csv as ${mode}, and the folder has none; nothing is known from it`,
        );
        this.#modes.set(table, 'absent');
        // Without the people nobody can be said to have left.
        if (table === 'users') this.#to.findings.unread++;
      } else if (mode === 'absent' && isThere) {
        this.#to.findings.notes.push(`${table}.csv is not read: manifest.csv says that it is absent.`);
      }
    }
  }

  #mode(table: Table): Mode {
    const file = this.#input.files.has(table.toLowerCase());
    return file ? (this.#modes.get(table) ?? 'bulk') : 'absent';
  }

  /** People and their classes are all here: whoever is in no class has none. */
  #isWhole(): boolean {
    return this.#mode('users') === 'bulk' && this.#mode('enrollments') === 'bulk';
  }

  async #each(table: Table, take: (row: TableRow, order: ReturnType<typeof orderOfDays>) => void): Promise<void> {
    if (this.#mode(table) === 'absent') return;
    const file = this.#input.files.get(table.toLowerCase())!;
    const columns = TABLES[table];
    const rows: TableRow[] = [];
    for await (const row of readTable(file, columns, this.#to.findings)) rows.push(row);
    const days = ['beginDate', 'endDate', 'startDate'].flatMap((column) => rows.map((row) => row.get(column)));
    const order = orderOfDays(days);
    for (const row of rows) take(row, order);
  }

  async #readOrgs(): Promise<void> {
    const parents: [TableRow, string][] = [];
    const ids = new Set<string>();
    await this.#each('orgs', (row) => {
      ids.add(row.get('sourcedId'));
      if (row.get('parentSourcedId') !== '') parents.push([row, row.get('parentSourcedId')]);
    });
    if (this.#mode('orgs') !== 'bulk') return;
    for (const [row, parent] of parents) {
      if (!ids.has(parent))
        this.#to.findings.report(row, `its parent ${clean(parent)} is not in this file; nothing hangs on it`);
    }
    this.#orgs = ids;
  }

  #takeSession(row: TableRow, order: ReturnType<typeof orderOfDays>): void {
    if (statusOf(row) !== 'active') return;
    const span = this.#span(row, 'startDate', 'endDate', order);
    if (span !== null) this.#sessions.set(row.get('sourcedId'), span);
  }

  #takeUser(row: TableRow): void {
    const status = statusOf(row);
    const sourceId = row.get('sourcedId');
    if (status === null) {
      this.#to.findings.report(row, unknownStatus(row));
      return this.#to.passOver(sourceId);
    }
    const role = row.get('role');
    const known = role === '' ? null : readRole(role);
    if (role !== '' && known === null)
      this.#to.findings.report(row, `"${clean(role)}" is not a known role; kept without it`);
    for (const org of readList(`${row.get('orgSourcedIds')},${row.get('primaryOrgSourcedId')}`, /,/)) {
      if (this.#orgs !== null && !this.#orgs.has(org)) {
        this.#to.findings.report(row, `belongs to ${clean(org)}, which is not in orgs.csv; kept all the same`);
      }
    }
    this.#to.addPerson(row, {
      sourceId,
      userName: row.get('username'),
      givenName: row.get('givenName'),
      familyName: row.get('familyName'),
      year: readYoungestYear(row.get('grades')),
      yearText: row.get('grades'),
      roles: known === null ? [] : [known],
      status: status === 'active' && row.get('enabledUser').toLowerCase() !== 'false' ? 'active' : 'left',
    });
  }

  #takeRole(row: TableRow, order: ReturnType<typeof orderOfDays>): void {
    if (statusOf(row) !== 'active') return;
    const role = readRole(row.get('role'));
    if (role === null)
      return this.#to.findings.report(row, `"${clean(row.get('role'))}" is not a known role; left out`);
    if (!this.#isPerson(row)) return;
    const span = this.#span(row, 'beginDate', 'endDate', order);
    if (span !== null && this.#isInForce(span)) this.#to.addRole(row.get('userSourcedId'), role);
  }

  #takeClass(row: TableRow): void {
    const id = row.get('sourcedId');
    if (statusOf(row) !== 'active') return void this.#deleted.add(id);
    this.#to.addClass(row, id, row.get('title'));
    const terms = readList(row.get('termSourcedIds'), /,/);
    if (this.#mode('academicSessions') === 'bulk') {
      for (const term of terms.filter((one) => !this.#sessions.has(one))) {
        this.#to.findings.report(row, `its term ${clean(term)} is not in academicSessions.csv; it does not count`);
      }
    }
    this.#spans.set(id, spanOver(terms.flatMap((term) => this.#sessions.get(term) ?? [])));
  }

  #takeEnrollment(row: TableRow, order: ReturnType<typeof orderOfDays>): void {
    const status = statusOf(row);
    const [classId, personId] = [row.get('classSourcedId'), row.get('userSourcedId')];
    const className = this.#to.className(classId) ?? this.#knownClass(classId);
    const role = readRole(row.get('role'));
    if (status !== 'active' && this.#isWhole()) return;
    if (className === undefined) {
      const isDeleted = this.#deleted.has(classId);
      const why = isDeleted ? 'is to be deleted' : 'is not in classes.csv';
      // A class that nobody described cannot be asked about; the reference hangs in the air all the same.
      return this.#to.findings.report(row, `the class ${clean(classId)} ${why}; the enrolment is left out`);
    }
    if (!this.#isPerson(row)) return;
    if (role === null)
      return this.#to.findings.report(row, `"${clean(row.get('role'))}" is not a known role; left out`);
    const own = this.#span(row, 'beginDate', 'endDate', order);
    if (own === null) return;
    const term = this.#spans.get(classId) ?? ALWAYS;
    const inForce = this.#isInForce({ from: own.from ?? term.from, until: own.until ?? term.until });
    const as = role === 'pupil' ? 'classes' : 'teaches';
    if (!this.#isWhole()) this.#to.move({ personId, className, as, joins: inForce && status === 'active' });
    if (!inForce || status !== 'active') return;
    // Version 1.2 keeps roles apart; where that file is missing, what somebody does in a class says what they are.
    if (this.#version === '1.2' && this.#mode('roles') === 'absent') this.#to.addRole(personId, role);
    this.#to.join(personId, className, as);
  }

  #knownClass(id: string): string | undefined {
    return this.#mode('classes') === 'bulk' || this.#deleted.has(id) ? undefined : this.#known.classes.get(id);
  }

  #isPerson(row: TableRow): boolean {
    const id = row.get('userSourcedId');
    if (this.#to.has(id) || (this.#mode('users') !== 'bulk' && this.#known.people.has(id))) return true;
    this.#to.findings.report(row, `the user ${clean(id)} is not in users.csv; the line is left out`);
    return false;
  }

  /** Null, with a problem, when a date is none. */
  #span(row: TableRow, from: string, until: string, order: ReturnType<typeof orderOfDays>): Span | null {
    const read = (column: string): Day | null | undefined => {
      const text = row.get(column);
      if (text === '') return null;
      const day = readDay(text, order);
      if (day === null)
        this.#to.findings.report(row, `"${clean(text)}" in ${column} is not a date; the line is left out`);
      return day ?? undefined;
    };
    const [start, end] = [read(from), read(until)];
    return start === undefined || end === undefined ? null : { from: start, until: end };
  }

  #isInForce({ from, until }: Span): boolean {
    const { today } = this.#input;
    const isInForce = (from === null || from <= today) && (until === null || until >= today);
    if (!isInForce) this.#over++;
    return isInForce;
  }
}

/** Null: it is none that OneRoster knows. A status that is missing means active, as in bulk files. */
function statusOf(row: TableRow): 'active' | 'left' | null {
  const status = row.get('status').toLowerCase();
  if (status === '' || status === 'active') return 'active';
  return status === 'tobedeleted' || status === 'inactive' ? 'left' : null;
}

function unknownStatus(row: TableRow): string {
  return `"${clean(row.get('status'))}" is neither active nor tobedeleted; the person stays as they are`;
}

function words(...texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split(' '));
}

/** From the first beginning to the last end; of none: always. */
function spanOver(spans: readonly Span[]): Span {
  const days = (pick: (span: Span) => Day | null): Day[] => spans.flatMap((span) => pick(span) ?? []).sort();
  return { from: days(({ from }) => from)[0] ?? null, until: days(({ until }) => until).at(-1) ?? null };
}
