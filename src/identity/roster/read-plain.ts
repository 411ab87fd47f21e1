import { canonicalUser } from '../user-name.ts';
import { readYear } from '../school-years.ts';
import { Gathering } from './gather.ts';
import { clean, readList, readName, readRole } from './read-fields.ts';
import { type Columns, type TableRow, readTable } from './read-table.ts';
import type { PersonKind, Roster, RosterFile, SchoolRole } from './roster.ts';

/**
 * Our own form, for schools whose system exports none of the others: one file, one line a person. Several roles, classes and groups
 * stand in one value with `;` between them. Without `id` the user name is the id.
 */
export const PLAIN: Columns = {
  required: ['username', 'role'],
  optional: ['id', 'given name', 'family name', 'year', 'classes', 'teaches', 'groups', 'status'],
};

export async function readPlain(file: RosterFile): Promise<Roster> {
  const to = new Gathering();
  let says = { classes: false, teaches: false };
  for await (const row of readTable(file, PLAIN, to.findings)) {
    says = { classes: row.has('classes'), teaches: row.has('teaches') };
    takePerson(to, row);
  }
  for (const { row, userName } of to.withoutRole())
    to.findings.report(row, `nothing says what ${clean(userName)} is; kept without a role`);
  return to.finish('plain', 'plain', { scope: 'all', says });
}

function takePerson(to: Gathering, row: TableRow): void {
  const userName = row.get('username');
  const id = row.get('id');
  const sourceId = id === '' ? (canonicalUser(userName) ?? '') : id;
  const status = statusOf(row.get('status'));
  if (status === null) {
    to.findings.report(row, `"${clean(row.get('status'))}" is neither active nor left; the person stays as they are`);
    return to.passOver(sourceId);
  }
  const yearText = row.get('year');
  const { kind, roles } = rolesOf(to, row);
  to.addPerson(row, {
    sourceId,
    userName,
    givenName: row.get('given name'),
    familyName: row.get('family name'),
    kind,
    year: readYear(yearText),
    yearText,
    roles,
    status,
    ...(row.has('groups') && { groups: readList(row.get('groups'), /;/).map(readName).sort() }),
  });
  for (const name of readList(row.get('classes'), /;/)) to.join(sourceId, readName(name), 'classes');
  for (const name of readList(row.get('teaches'), /;/)) to.join(sourceId, readName(name), 'teaches');
}

function rolesOf(to: Gathering, row: TableRow): { readonly kind: PersonKind; readonly roles: SchoolRole[] } {
  const roles: SchoolRole[] = [];
  let kind: PersonKind = 'person';
  for (const word of readList(row.get('role'), /[;,]/)) {
    const role = readRole(word);
    if (word.toLowerCase() === 'class') kind = 'class';
    else if (role !== null) roles.push(role);
    else
      to.findings.report(
        row,
        `"${clean(word)}" is not a role (pupil, teacher, staff, parent or class); kept without it`,
      );
  }
  return { kind, roles: kind === 'class' ? [] : roles };
}

function statusOf(text: string): 'active' | 'left' | null {
  const status = text.toLowerCase();
  if (status === '' || status === 'active') return 'active';
  return status === 'left' || status === 'leaver' || status === 'inactive' ? 'left' : null;
}
