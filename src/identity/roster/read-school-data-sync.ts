import { readYoungestYear } from '../school-years.ts';
import { Gathering } from './gather.ts';
import { type Day, clean, orderOfDays, readDay, readRole } from './read-fields.ts';
import type { RosterInput } from './read-one-roster.ts';
import { type Columns, type TableRow, readTable } from './read-table.ts';
import type { Roster } from './roster.ts';

// Microsoft School Data Sync. v2.1: users, roles, orgs, classes, enrollments. The older one, with its UK columns: Student, Teacher,
// School, Section, StudentEnrollment, TeacherRoster. Column names are Microsoft's.
const USERS: Columns = {
  required: ['sourcedId', 'username'],
  optional: ['givenName', 'familyName'],
  passedOver: ['activeDirectoryMatchId', 'email', 'phone', 'sms'],
};
const ROLES: Columns = {
  required: ['userSourcedId', 'role'],
  optional: ['orgSourcedId', 'grade', 'roleStartDate', 'roleEndDate'],
  passedOver: ['sessionSourcedId', 'isPrimary'],
};
const ORGS: Columns = { required: ['sourcedId', 'name'], optional: ['parentSourcedId'], passedOver: ['type'] };
const CLASSES: Columns = {
  required: ['sourcedId', 'title'],
  optional: ['orgSourcedId'],
  passedOver: ['sessionSourcedIds', 'courseSourcedId'],
};
const ENROLLMENTS: Columns = { required: ['classSourcedId', 'userSourcedId', 'role'] };

const DFE = 'School DfE Number';
const STUDENT: Columns = {
  required: ['ID', 'Username'],
  optional: [DFE, 'First Name', 'Last Name', 'Grade', 'Status'],
  passedOver: [
    'State ID',
    'Secondary Email',
    'Student Number',
    'Middle Name',
    'Birthdate',
    'Graduation Year',
    'Mailing Address',
    'Mailing City',
    'Mailing State',
    'Mailing Zip',
    'Mailing Country',
  ],
};
const TEACHER: Columns = {
  required: ['ID', 'Username'],
  optional: [DFE, 'First Name', 'Last Name', 'Status'],
  passedOver: ['State ID', 'Teacher Number', 'Middle Name', 'Secondary Email', 'Title', 'Qualification'],
};
const SCHOOL: Columns = {
  required: ['DfE Number', 'Name'],
  passedOver: [
    'School Number',
    'School NCES_ID',
    'State ID',
    'Grade Low',
    'Grade High',
    'Principal SIS ID',
    'Principal Name',
    'Principal Secondary Email',
    'Address',
    'City',
    'State',
    'Country',
    'Postal Code',
    'Phone',
    'Zone',
  ],
};
const SECTION: Columns = { required: ['ID', 'Section Name'], optional: [DFE] };
const STUDENT_ENROLLMENT: Columns = { required: ['Section ID', 'ID'] };

/** Goes through one table, if the folder has it; gives whether it has. */
type Each = (name: string, columns: Columns, take: (row: TableRow) => void) => Promise<boolean>;

function tablesOf({ files }: RosterInput, to: Gathering): Each {
  return async (name, columns, take) => {
    const file = files.get(name);
    if (file === undefined) return false;
    for await (const row of readTable(file, columns, to.findings)) take(row);
    return true;
  };
}

export async function readSchoolDataSync(input: RosterInput): Promise<Roster> {
  const to = new Gathering();
  const each = tablesOf(input, to);
  const orgs = new Set<string>();
  const hasOrgs = await each('orgs', ORGS, (row) => void orgs.add(row.get('sourcedId')));
  const checkOrg = (row: TableRow): void => {
    const org = row.get('orgSourcedId');
    if (hasOrgs && org !== '' && !orgs.has(org)) {
      to.findings.report(row, `belongs to ${clean(org)}, which is not in orgs.csv; kept all the same`);
    }
  };
  await each('users', USERS, (row) =>
    to.addPerson(row, { ...namesOf(row, 'sourcedId', 'givenName', 'familyName'), ...NOTHING_SAID }),
  );
  const roles: TableRow[] = [];
  await each('roles', ROLES, (row) => void roles.push(row));
  const over = takeRoles(to, roles, input.today, checkOrg);
  await each('classes', CLASSES, (row) => {
    checkOrg(row);
    to.addClass(row, row.get('sourcedId'), row.get('title'));
  });
  const saysClasses = await each('enrollments', ENROLLMENTS, (row) => {
    const role = readRole(row.get('role'));
    if (role === null) return to.findings.report(row, `"${clean(row.get('role'))}" is not a known role; left out`);
    takeMembership(
      to,
      row,
      row.get('classSourcedId'),
      row.get('userSourcedId'),
      role === 'pupil' ? 'classes' : 'teaches',
    );
  });
  for (const { row, userName } of to.withoutRole()) {
    to.findings.report(row, `roles.csv gives ${clean(userName)} no role that is in force; kept without a role`);
  }
  if (over > 0) to.findings.notes.push(`roles.csv: ${over} roles are not in force on ${input.today}.`);
  const says = { classes: saysClasses, teaches: saysClasses };
  return to.finish('sds-v2.1', 'sds', { scope: 'all', says });
}

const NOTHING_SAID = { year: null, yearText: '', roles: [], status: 'active' } as const;

/** Gives how many are not in force. */
function takeRoles(to: Gathering, rows: readonly TableRow[], today: Day, checkOrg: (row: TableRow) => void): number {
  const order = orderOfDays(rows.flatMap((row) => [row.get('roleStartDate'), row.get('roleEndDate')]));
  let over = 0;
  for (const row of rows) {
    const id = row.get('userSourcedId');
    const role = readRole(row.get('role'));
    const days = ['roleStartDate', 'roleEndDate'].map((column) => {
      const text = row.get(column);
      const day = text === '' ? null : readDay(text, order);
      if (text !== '' && day === null) to.findings.report(row, `"${clean(text)}" is not a date; the line is left out`);
      return text !== '' && day === null ? undefined : day;
    });
    checkOrg(row);
    if (!to.has(id)) to.findings.report(row, `the user ${clean(id)} is not in users.csv; the line is left out`);
    else if (role === null) to.findings.report(row, `"${clean(row.get('role'))}" is not a known role; left out`);
    else if (days.includes(undefined)) continue;
    else if ((days[0] ?? today) > today || (days[1] ?? today) < today) over++;
    else takeRole(to, row, id, role);
  }
  return over;
}

function takeRole(to: Gathering, row: TableRow, id: string, role: NonNullable<ReturnType<typeof readRole>>): void {
  const year = readYoungestYear(row.get('grade'));
  to.addRole(id, role);
  if (role !== 'pupil') return;
  if (year !== 'unknown') return to.setYear(id, year);
  to.findings.report(row, `"${clean(row.get('grade'))}" is not a school year from R to 13; kept without a year`);
}

export async function readSchoolDataSyncUk(input: RosterInput): Promise<Roster> {
  const to = new Gathering();
  const each = tablesOf(input, to);
  const schools = new Set<string>();
  const hasSchools = await each('school', SCHOOL, (row) => void schools.add(row.get('DfE Number')));
  const checkSchool = (row: TableRow): void => {
    const school = row.get(DFE);
    if (hasSchools && school !== '' && !schools.has(school)) {
      to.findings.report(row, `the school ${clean(school)} is not in School.csv; kept all the same`);
    }
  };
  const person = (role: 'pupil' | 'teacher') => (row: TableRow) => {
    checkSchool(row);
    const status = statusOf(row, to);
    if (status === null) return to.passOver(row.get('ID'));
    const [yearText, names] = [row.get('Grade'), namesOf(row, 'ID', 'First Name', 'Last Name')];
    return to.addPerson(row, { ...names, year: readYoungestYear(yearText), yearText, roles: [role], status });
  };
  await each('student', STUDENT, person('pupil'));
  await each('teacher', TEACHER, person('teacher'));
  // Without one of the two the roster cannot say who of the others has left.
  const scope = input.files.has('student') && input.files.has('teacher') ? 'all' : 'changes';
  await each('section', SECTION, (row) => {
    checkSchool(row);
    to.addClass(row, row.get('ID'), row.get('Section Name'));
  });
  const join = (as: 'classes' | 'teaches') => (row: TableRow) =>
    takeMembership(to, row, row.get('Section ID'), row.get('ID'), as);
  const classes = await each('studentenrollment', STUDENT_ENROLLMENT, join('classes'));
  const teaches = await each('teacherroster', STUDENT_ENROLLMENT, join('teaches'));
  return to.finish('sds-uk', 'sds', { scope, says: { classes, teaches } });
}

function statusOf(row: TableRow, to: Gathering): 'active' | 'left' | null {
  const status = row.get('Status').toLowerCase();
  if (status === '' || status === 'active') return 'active';
  if (status === 'inactive' || status === 'deleted') return 'left';
  to.findings.report(row, `"${clean(row.get('Status'))}" is neither Active nor Inactive; the person stays as they are`);
  return null;
}

function namesOf(row: TableRow, id: string, given: string, family: string) {
  return {
    sourceId: row.get(id),
    userName: row.get('username'),
    givenName: row.get(given),
    familyName: row.get(family),
  };
}

function takeMembership(
  to: Gathering,
  row: TableRow,
  classId: string,
  personId: string,
  as: 'classes' | 'teaches',
): void {
  const name = to.className(classId);
  if (name === undefined)
    to.findings.report(row, `the class ${clean(classId)} is not in the roster; the line is left out`);
  else if (!to.has(personId))
    to.findings.report(row, `the person ${clean(personId)} is not in the roster; the line is left out`);
  else to.join(personId, name, as);
}
