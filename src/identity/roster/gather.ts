import type { SchoolYear } from '../school-years.ts';
import { canonicalUser } from '../user-name.ts';
import { clean, readName, userNameFault } from './read-fields.ts';
import { Findings, type TableRow } from './read-table.ts';
import type { ClassMove, PersonKind, Roster, RosterFormat, RosterPerson, SchoolRole } from './roster.ts';

interface Draft {
  readonly row: Pick<TableRow, 'file' | 'line'>;
  readonly userName: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly kind: PersonKind;
  readonly status: RosterPerson['status'];
  year: SchoolYear | null;
  readonly roles: Set<SchoolRole>;
  readonly classes: Set<string>;
  readonly teaches: Set<string>;
  readonly groups: readonly string[] | null;
}

/** What a reader says of one person. */
export interface NewPerson {
  readonly sourceId: string;
  readonly userName: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly kind?: PersonKind;
  readonly year: SchoolYear | null | 'unknown';
  readonly yearText: string;
  readonly roles: readonly SchoolRole[];
  readonly groups?: readonly string[];
  readonly status: RosterPerson['status'];
}

interface Says {
  readonly classes: boolean;
  readonly teaches: boolean;
}

/** Puts a roster together from what its files say of people and classes, and finds what does not fit together. */
export class Gathering {
  readonly findings = new Findings();
  readonly #people = new Map<string, Draft>();
  readonly #names = new Map<string, string>();
  readonly #unusable = new Set<string>();
  readonly #classes = new Map<string, string>();
  readonly #moves: ClassMove[] = [];

  /** Adds somebody; a second line for one id or one user name is a problem and is left out. */
  addPerson(row: TableRow, person: NewPerson): void {
    const { sourceId } = person;
    const fault = this.#faultOf(row, person);
    if (fault !== null) {
      this.findings.report(row, fault);
      return this.passOver(sourceId);
    }
    const { kind = 'person', status, roles, groups = null } = person;
    let { year } = person;
    if (year === 'unknown') {
      this.findings.report(row, `"${clean(person.yearText)}" is not a school year from R to 13; kept without a year`);
      year = null;
    }
    if (status === 'active') this.#names.set(canonicalUser(person.userName)!, sourceId);
    this.#unusable.delete(sourceId);
    this.#people.set(sourceId, {
      row: { file: row.file, line: row.line },
      userName: person.userName,
      givenName: readName(person.givenName),
      familyName: readName(person.familyName),
      kind,
      status,
      year,
      roles: new Set(roles),
      classes: new Set(),
      teaches: new Set(),
      groups,
    });
  }

  #faultOf(row: TableRow, { sourceId, userName, status }: NewPerson): string | null {
    if (sourceId === '') return 'has no id; the person is left out';
    const earlier = this.#people.get(sourceId);
    if (earlier !== undefined)
      return `the id ${clean(sourceId)} stands on line ${earlier.row.line} already; this line is left out`;
    // Whoever has left needs no name any more, and theirs may be somebody else's by now.
    if (status === 'left') return null;
    const fault = userNameFault(userName);
    if (fault !== null) return fault;
    const other = this.#people.get(this.#names.get(canonicalUser(userName)!) ?? '');
    if (other === undefined) return null;
    const place = other.row.file === row.file ? `of line ${other.row.line}` : `of ${other.row.file}:${other.row.line}`;
    return `the user name ${clean(userName)} is that ${place} as well; this person is left out`;
  }

  /** Somebody whose line cannot be used: they are there, and stay as they are. */
  passOver(sourceId: string): void {
    if (sourceId !== '' && !this.#people.has(sourceId)) this.#unusable.add(sourceId);
  }

  has(sourceId: string): boolean {
    return this.#people.has(sourceId) || this.#unusable.has(sourceId);
  }

  addRole(sourceId: string, role: SchoolRole): void {
    this.#people.get(sourceId)?.roles.add(role);
  }

  /** A year that another file knows; one that the person's own line gives stands. */
  setYear(sourceId: string, year: SchoolYear | null): void {
    const person = this.#people.get(sourceId);
    if (person !== undefined) person.year ??= year;
  }

  addClass(row: TableRow, id: string, title: string): void {
    const name = readName(title);
    if (id === '' || name === '') this.findings.report(row, 'has no id or no name; the class is left out');
    else if (this.#classes.has(id))
      this.findings.report(row, `the class ${clean(id)} is named twice; the first counts`);
    else this.#classes.set(id, name);
  }

  className(id: string): string | undefined {
    return this.#classes.get(id);
  }

  join(sourceId: string, className: string, as: 'classes' | 'teaches'): void {
    this.#people.get(sourceId)?.[as].add(className);
  }

  move(move: ClassMove): void {
    this.#moves.push(move);
  }

  /** Somebody who is active and of whom no file says what they are. */
  withoutRole(): {
    readonly sourceId: string;
    readonly row: Pick<TableRow, 'file' | 'line'>;
    readonly userName: string;
  }[] {
    return [...this.#people]
      .filter(([, { roles, kind, status }]) => roles.size === 0 && kind === 'person' && status === 'active')
      .map(([sourceId, { row, userName }]) => ({ sourceId, row, userName }));
  }

  /** `says`: whether the roster speaks of who learns and who teaches where. Years are kept of pupils and class accounts only. */
  finish(format: RosterFormat, source: string, { scope, says }: { scope: Roster['scope']; says: Says }): Roster {
    const { problems, notes, lines, unread } = this.findings;
    const people = [...this.#people].map(([sourceId, draft]) => finishPerson(sourceId, draft, says));
    const isIncomplete = unread > 0;
    const unusable = [...this.#unusable];
    const made = { format, source, scope, isIncomplete, people, moves: this.#moves, unusable, classes: this.#classes };
    return { ...made, problems: inOrder(problems), notes, lines };
  }
}

function finishPerson(sourceId: string, draft: Draft, says: Says): RosterPerson {
  const { row, roles, classes, teaches, year, ...facts } = draft;
  return {
    ...facts,
    ...row,
    sourceId,
    roles: [...roles].sort(),
    year: roles.has('pupil') || draft.kind === 'class' ? year : null,
    classes: says.classes ? [...classes].sort() : null,
    teaches: says.teaches ? [...teaches].sort() : null,
  };
}

/** By file as they were read, and by line. */
function inOrder(problems: Findings['problems']): Roster['problems'] {
  const files = [...new Set(problems.map(({ file }) => file))];
  return problems.toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || (a.line ?? 0) - (b.line ?? 0));
}
