// Every reader of rosters, over made-up folders, random texts, and the samples of ../shared/data where they are.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import t from 'tap';
import { orderOfDays, readDay, readRole } from '../../src/identity/roster/read-fields.ts';
import { readCsv } from '../../src/identity/roster/read-csv.ts';
import { readRosterFiles } from '../../src/identity/roster/read-files.ts';
import { readRoster } from '../../src/identity/roster/read-roster.ts';
import type { KnownBefore, Roster, RosterFile } from '../../src/identity/roster/roster.ts';
import { readYear, readYoungestYear } from '../../src/identity/school-years.ts';
import { formatProblem } from '../../src/kernel/errors.ts';
import { UNKNOWN_BEFORE, generatedRoster, rosterFiles } from '../helpers/rosters.ts';

const TODAY = '2026-11-22';

function read(files: readonly RosterFile[], known: KnownBefore = UNKNOWN_BEFORE, today = TODAY): Promise<Roster> {
  return readRoster(files, { today, known: () => known });
}

/** People as `user name roles year | classes | teaches`, and problems as they are printed. */
function told(roster: Roster) {
  const people = roster.people.map(({ userName, roles, year, classes, teaches, status }) =>
    [
      userName,
      ...roles,
      year ?? '-',
      status === 'left' ? 'left' : '',
      '|',
      classes?.join(';') ?? '?',
      '|',
      teaches?.join(';') ?? '?',
    ]
      .filter((part) => part !== '')
      .join(' '),
  );
  return { format: roster.format, people, problems: roster.problems.map(formatProblem) };
}

const USERS_11 =
  'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,grades,password';

await t.test('OneRoster 1.1, with everything that a real export does', async (t) => {
  const roster = await read(
    rosterFiles({
      'manifest.csv':
        'propertyName,value\r\noneroster.version,1.1\r\nfile.users,bulk\r\nfile.classes,bulk\r\nfile.enrollments,bulk\r\nfile.orgs,bulk\r\nfile.academicSessions,bulk\r\nfile.courses,bulk\r\nsource.systemCode,MIS7\r\n',
      'orgs.csv': 'sourcedId,name,parentSourcedId\r\ns1,School,\r\n',
      'academicSessions.csv':
        'sourcedId,title,type,startDate,endDate\r\nautumn,Autumn,term,01/09/2026,18/12/2026\r\nlast,Last year,schoolYear,1/09/2025,20/07/2026\r\n',
      'Users.csv': [
        `\ufeff${USERS_11},colour`,
        'u1,active,1/05/2023,TRUE,s1,student,Ann.Smith,"{LDAP:12},{LTI:15}",Ann,"Smith, Jones",09,Password1-,red',
        'u2,,,TRUE,"s1,s9",teacher,t.brown,,Tom,Brown,,x,',
        'u3,tobedeleted,,TRUE,s1,student,gone,,Gone,Girl,9,x,',
        'u4,active,,FALSE,s1,student,off,,Off,Switched,9,x,',
        'u5,active,,TRUE,s1,aide,aide,,"An ""Aide""",Person,,x,',
        'u6,active,,TRUE,s1,wizard,merlin,,Mer,Lin,,x,',
        'u7,active,,TRUE,s1,student,ANN.SMITH,,Other,Ann,9,x,',
        'u8,active,,TRUE,s1,student,,,No,Name,9,x,',
        'u9,paused,,TRUE,s1,student,paused,,Pau,Sed,9,x,',
        'u1,active,,TRUE,s1,student,again,,Twice,Named,9,x,',
        'u10,active,,TRUE,s1,student,year20,,Year,Twenty,20,x,',
        '',
      ].join('\r\n'),
      'classes.csv':
        'sourcedId,status,title,termSourcedIds\r\nc1,active,9x,autumn\r\nc2,tobedeleted,9y,autumn\r\nc3,,9z,last\r\nc4,,9w,"autumn,never"\r\n',
      'enrollments.csv': [
        'sourcedId,status,classSourcedId,userSourcedId,role,beginDate,endDate',
        'e1,,c1,u1,student,,',
        'e2,,c1,u2,teacher,,',
        'e3,,c2,u1,student,,',
        'e4,,c3,u1,student,,',
        'e5,tobedeleted,c4,u1,student,,',
        'e6,,c4,u99,student,,',
        'e7,,c4,u5,student,soon,',
        'e8,,c4,u5,aide,2027-01-04,',
      ].join('\n'),
    }),
  );
  t.strictSame(told(roster), {
    format: 'oneroster-1.1',
    people: [
      'Ann.Smith pupil 9 | 9x |',
      't.brown teacher - |  | 9x',
      'gone pupil 9 left |  |',
      'off pupil 9 left |  |',
      'aide staff - |  |',
      'merlin - |  |',
      'year20 pupil - |  |',
    ].map((line) => line.replaceAll('|  |', '| |')),
    problems: [
      'Users.csv:3: belongs to s9, which is not in orgs.csv; kept all the same',
      'Users.csv:7: "wizard" is not a known role; kept without it',
      'Users.csv:7: nothing says today what merlin is (pupil, teacher …); kept without a role',
      'Users.csv:8: the user name ANN.SMITH is that of line 2 as well; this person is left out',
      'Users.csv:9: has no user name; the person is left out',
      'Users.csv:10: "paused" is neither active nor tobedeleted; the person stays as they are',
      'Users.csv:11: the id u1 stands on line 2 already; this line is left out',
      'Users.csv:12: "20" is not a school year from R to 13; kept without a year',
      'classes.csv:5: its term never is not in academicSessions.csv; it does not count',
      'enrollments.csv:4: the class c2 is to be deleted; the enrolment is left out',
      'enrollments.csv:7: the user u99 is not in users.csv; the line is left out',
      'enrollments.csv:8: "soon" in beginDate is not a date; the line is left out',
    ],
  });
  t.strictSame([roster.source, roster.scope, roster.isIncomplete], ['oneroster:MIS7', 'all', false]);
  t.strictSame([...roster.unusable].sort(), ['u7', 'u8', 'u9'], 'whose line cannot be used has not left');
  t.strictSame(roster.people[0]!.familyName, 'Smith, Jones');
  t.strictSame(roster.people[4]!.givenName, 'An "Aide"');
  t.match(roster.notes, [
    'Users.csv: columns that are not read: colour.',
    /passwords/,
    /2 roles and enrolments are not in force/,
  ]);
  t.notMatch(JSON.stringify(roster.people), /Password1-/);
});

await t.test('OneRoster 1.2: roles in a file of their own, one person several', async (t) => {
  const roster = await read(
    rosterFiles({
      'users.csv':
        'sourcedId,enabledUser,username,givenName,familyName,grades,primaryOrgSourcedId\nu1,true,ann,Ann,A,"10,09",\nu2,true,bob,Bob,B,,\n',
      'roles.csv':
        'sourcedId,userSourcedId,roleType,role,beginDate,endDate\nr1,u1,primary,student,,\nr2,u2,primary,teacher,2026-09-01,\nr3,u2,secondary,parent,,\nr4,u2,secondary,student,,2026-07-01\nr5,u7,primary,student,,\n',
    }),
  );
  t.strictSame(told(roster), {
    format: 'oneroster-1.2',
    people: ['ann pupil 9 | ? | ?', 'bob parent teacher - | ? | ?'],
    problems: ['roles.csv:6: the user u7 is not in users.csv; the line is left out'],
  });
});

await t.test('a delta speaks only of whom it names', async (t) => {
  const known = { classes: new Map([['c1', '9x']]), people: new Set(['u1', 'u2']) };
  const roster = await read(
    rosterFiles({
      'manifest.csv':
        'propertyName,value\noneroster.version,1.1\nfile.users,delta\nfile.enrollments,delta\nfile.classes,absent\n',
      'users.csv': `${USERS_11}\nu3,active,,TRUE,,student,new,,New,One,9,\nu2,tobedeleted,,TRUE,,student,gone,,Gone,One,9,\n`,
      'enrollments.csv':
        'sourcedId,status,classSourcedId,userSourcedId,role\ne1,active,c1,u3,student\ne2,tobedeleted,c1,u1,student\ne3,active,c9,u1,student\ne4,active,c1,u9,student\n',
    }),
    known,
  );
  t.strictSame(told(roster), {
    format: 'oneroster-1.1',
    people: ['new pupil 9 | ? | ?', 'gone pupil 9 left | ? | ?'],
    problems: [
      'enrollments.csv:4: the class c9 is not in classes.csv; the enrolment is left out',
      'enrollments.csv:5: the user u9 is not in users.csv; the line is left out',
    ],
  });
  t.equal(roster.scope, 'changes');
  t.strictSame(roster.moves, [
    { personId: 'u3', className: '9x', as: 'classes', joins: true },
    { personId: 'u1', className: '9x', as: 'classes', joins: false },
  ]);
});

await t.test('School Data Sync, both forms', async (t) => {
  const two = await read(
    rosterFiles({
      'users.csv':
        'sourcedId,username,givenName,familyName,password\n1,a@s.example,A,One,x\n2,b@s.example,B,Two,x\n3,c@s.example,C,Three,x\n',
      'roles.csv':
        'userSourcedId,orgSourcedId,role,grade,roleStartDate,roleEndDate\n1,10,student,R,9/13/2026,\n1,10,student,ps9,9/13/2026,\n2,11,professor,,9/1/2026,7/20/2027\n3,10,teacher,,9/1/2020,7/20/2021\n4,10,student,1,,\n',
      'orgs.csv': 'sourcedId,name\n10,School\n',
      'classes.csv': 'sourcedId,orgSourcedId,title\n20,10,Reception\n',
      'enrollments.csv': 'classSourcedId,userSourcedId,role\n20,1,student\n20,2,teacher\n21,1,student\n20,9,student\n',
    }),
  );
  t.strictSame(told(two), {
    format: 'sds-v2.1',
    people: ['a@s.example pupil R | Reception |', 'b@s.example teacher - | | Reception', 'c@s.example - | |'],
    problems: [
      'roles.csv:4: belongs to 11, which is not in orgs.csv; kept all the same',
      'roles.csv:6: the user 4 is not in users.csv; the line is left out',
      'enrollments.csv:4: the class 21 is not in the roster; the line is left out',
      'enrollments.csv:5: the person 9 is not in the roster; the line is left out',
      'users.csv:4: roles.csv gives c@s.example no role that is in force; kept without a role',
    ],
  });
  const uk = await read(
    rosterFiles({
      'School.csv': 'DfE Number,Name\n1,Alder Vale\n',
      'Student.csv':
        'ID,School DfE Number,First Name,Last Name,Username,Grade,Status\n5,1,Ora,Klein,OKlein,9,Active\n6,2,Bea,Mill,BMill,10,Inactive\n7,1,Cy,Park,CPark,10,Maybe\n',
      'Teacher.csv': 'ID,School DfE Number,First Name,Last Name,Username\n8,1,Craig,Beane,CBeane\n',
      'Section.csv': 'ID,School DfE Number,Section Name\n9,1,Maths\n',
      'StudentEnrollment.csv': 'Section ID,ID\n9,5\n9,99\n',
      'TeacherRoster.csv': 'Section ID,ID\n9,8\n',
    }),
  );
  t.strictSame(told(uk), {
    format: 'sds-uk',
    people: ['OKlein pupil 9 | Maths |', 'BMill pupil 10 left | |', 'CBeane teacher - | | Maths'],
    problems: [
      'Student.csv:3: the school 2 is not in School.csv; kept all the same',
      'Student.csv:4: "Maybe" is neither Active nor Inactive; the person stays as they are',
      'StudentEnrollment.csv:3: the person 99 is not in the roster; the line is left out',
    ],
  });
});

await t.test('plain CSV, in the words a school would write', async (t) => {
  const roster = await read(
    rosterFiles({
      'people.csv':
        'Username,Given Name,Family name,ROLE,year,classes,groups,status,Tutor\nann,Ann,A,pupil,Year 4,4b; 4b;choir ,chess;art,,x\n4b-class,,,class,4,4b,,,\nbob,Bob,B,teacher; parent,,,,,\nold,,,staff,,,,leaver,\nwho,,,,,,,,\nx,,,boss,,,,,\nwide,,,pupil,1,,,,,,more\n',
    }),
  );
  t.strictSame(told(roster), {
    format: 'plain',
    people: [
      'ann pupil 4 | 4b;choir | ?',
      '4b-class 4 | 4b | ?',
      'bob parent teacher - | | ?',
      'old staff - left | | ?',
      'who - | | ?',
      'x - | | ?',
    ],
    problems: [
      'people.csv:6: nothing says what who is; kept without a role',
      'people.csv:7: "boss" is not a role (pupil, teacher, staff, parent or class); kept without it',
      'people.csv:7: nothing says what x is; kept without a role',
      'people.csv:8: has 11 values and the header 9 columns; the line is left out',
    ],
  });
  t.strictSame(
    [roster.people[0]!.groups, roster.people[1]!.kind, roster.isIncomplete],
    [['art', 'chess'], 'class', true],
  );
});

await t.test('what is no roster is told so in one sentence', async (t) => {
  const table: [string, Record<string, string>][] = [
    ['an empty folder', {}],
    ['other columns', { 'users.csv': 'a,b\n1,2\n' }],
    ['another name', { 'books.csv': 'title,author\n' }],
    ['an empty file', { 'users.csv': '' }],
    ['no text', { 'users.csv': '\u0000\u0001' }],
  ];
  for (const [name, texts] of table) {
    await t.rejects(read(rosterFiles(texts)), { code: 'roster_unknown', message: /^This is no roster[^\n]*$/ }, name);
  }
  const without = await read(rosterFiles({ 'manifest.csv': 'propertyName,value\nfile.users,bulk\n' }));
  t.strictSame([without.people, without.isIncomplete], [[], true], 'users are announced and missing: nobody has left');
});

await t.test(
  'a quotation mark that breaks the file is told by its line, and nobody is taken to have left',
  async (t) => {
    const texts = generatedRoster(20);
    for (const [broken, expected] of [
      [
        'p3,active,2026-09-01,true,school,student,pu"pil,,Pat,P,9',
        /users.csv:\d+: a quotation mark stands where none may/,
      ],
      [
        'p3,active,2026-09-01,true,school,student,"pupil3,,Pat,P,9',
        /users.csv:\d+: a quotation mark (?:is opened here|stands where)/,
      ],
    ] as const) {
      const files = rosterFiles({ ...texts, 'users.csv': texts['users.csv']!.replace(/^p3,.*$/m, broken) });
      const roster = await read(files);
      t.match(formatProblem(roster.problems[0]!), expected);
      t.equal(roster.isIncomplete, true);
      t.ok(roster.people.length >= 4, 'what stands before is read');
    }
  },
);

await t.test('20,000 lines with three errors', async (t) => {
  const texts = generatedRoster(9_700);
  const users = texts['users.csv']!.replace(/^p77,.*$/m, 'p77,active,,true,school,student,,,No,Name,9').replace(
    /^p5000,.*$/m,
    'p5000,active,,true,school,student,pupil4999,,Same,Name,9',
  );
  const enrollments = texts['enrollments.csv']!.replace(/^e9000,active,,c\d+,/m, 'e9000,active,,c-none,');
  const roster = await read(rosterFiles({ ...texts, 'users.csv': users, 'enrollments.csv': enrollments }));
  t.ok(roster.lines > 20_000, `${roster.lines} lines`);
  t.equal(roster.people.length, 9_700 + 324 - 2);
  const line = (text: string, start: string): number =>
    text.split('\r\n').findIndex((one) => one.startsWith(start)) + 1;
  t.match(roster.problems, [
    { file: 'users.csv', line: line(users, 'p77,') },
    { file: 'users.csv', line: line(users, 'p5000,') },
    { file: 'enrollments.csv', line: line(enrollments, 'e9000,') },
  ]);
  t.equal(roster.problems.length, 3);
});

await t.test('days, years and roles', async (t) => {
  const days: [string, string | null, string | null][] = [
    ['2026-02-28', '2026-02-28', '2026-02-28'],
    ['2023-05-01T18:25:43.511Z', '2023-05-01', '2023-05-01'],
    ['2017-05-06 08:01:05', '2017-05-06', '2017-05-06'],
    ['1/05/2023', '2023-05-01', '2023-01-05'],
    ['15/06/2023', '2023-06-15', null],
    ['8/24/2021', null, '2021-08-24'],
    ['29/02/2027', null, null],
    ['2026-13-01', null, null],
    ['soon', null, null],
    ['', null, null],
  ];
  for (const [text, dayFirst, monthFirst] of days) {
    t.strictSame([readDay(text, 'day-first'), readDay(text, 'month-first')], [dayFirst, monthFirst], text);
  }
  t.equal(orderOfDays(['', '1/2/2026', '8/24/2021']), 'month-first');
  t.equal(orderOfDays(['1/2/2026', '24/8/2021']), 'day-first');
  t.equal(orderOfDays(['2026-01-01', '1/2/2026']), 'day-first');
  const years: [string, string | null][] = [
    ['9', '9'],
    ['09', '9'],
    ['Year 9', '9'],
    ['Yr9', '9'],
    ['y13', '13'],
    ['R', 'R'],
    ['Reception', 'R'],
    ['KG', 'R'],
    ['14', 'unknown'],
    ['1O', 'unknown'],
    ['ps1', null],
    ['UG', null],
    ['Nursery', null],
    ['', null],
  ];
  for (const [text, year] of years) t.equal(readYear(text), year, text);
  t.equal(readYoungestYear('09,10,11'), '9');
  t.equal(readYoungestYear('10, KG'), 'R');
  t.strictSame(['Student', 'siteAdministrator', 'constructor', ''].map(readRole), ['pupil', 'staff', null, null]);
});

await t.test('CSV: what was written comes back, whatever it holds, by its line', async () => {
  const value = fc.string({
    unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r\n', ' ', ';', '€', '\t'),
    maxLength: 8,
  });
  const record = fc
    .array(value, { minLength: 1, maxLength: 5 })
    .filter((values) => values.some((one) => one.trim() !== ''));
  const quote = (one: string): string => `"${one.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 20 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      async (rows, end, bom) => {
        const text = `${bom ? '\ufeff' : ''}${rows.map((values) => values.map(quote).join(',') + end).join('')}`;
        const expected = [];
        let line = 1;
        for (const values of rows) {
          expected.push({ line, values: values.map((one) => one.replaceAll('\r\n', '\n').trim()) });
          line += 1 + values.join('').split('\n').length - 1;
        }
        const found = [];
        for await (const one of readCsv({ name: 'x.csv', text })) found.push(one);
        return JSON.stringify(found) === JSON.stringify(expected);
      },
    ),
  );
});

await t.test('any text is read or refused, never thrown over', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'sourcedId',
      'username',
      'role',
      'enabledUser',
      'u1',
      'student',
      ',',
      '\n',
      '\r',
      '"',
      '""',
      '\ufeff',
      '\u0000',
    ),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
  const names = fc.constantFrom('users.csv', 'manifest.csv', 'classes.csv', 'Student.csv', 'roles.csv', 'x.csv');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(names, text), { maxLength: 4 }), async (files) => {
      const named = Object.fromEntries(files);
      const whole = {
        ...named,
        ...(named['users.csv'] !== undefined && { 'users.csv': `${USERS_11}\n${named['users.csv']}` }),
      };
      try {
        const roster = await read(rosterFiles(whole));
        return roster.people.every(
          ({ sourceId, userName, status }) => sourceId !== '' && (userName !== '' || status === 'left'),
        );
      } catch (error) {
        return (error as { code?: string }).code === 'roster_unknown';
      }
    }),
  );
});

const SAMPLES = fileURLToPath(new URL('../../../shared/data/roster', import.meta.url));

await t.test('the samples of real systems', { skip: existsSync(SAMPLES) ? false : 'no samples here' }, async (t) => {
  const expected: Record<
    string,
    readonly [format: string, people: number, classes: number, problems: readonly RegExp[]]
  > = {
    'oneroster-1.1-moodle': [
      'oneroster-1.1',
      6,
      0,
      [/manifest.csv:4: .*academicSessions/, /:6: .*classes/, /:11: .*enrollments/, /:13: .*orgs/],
    ],
    'oneroster-1.1-oat': ['oneroster-1.1', 2, 3, []],
    'oneroster-1.2-moodle': [
      'oneroster-1.2',
      6,
      1,
      [
        /orgs.csv:2: its parent/,
        ...[5, 6, 7].map((line) => new RegExp(`enrollments.csv:${line}: .*to be deleted`)),
        ...[3, 4, 7].map((line) => new RegExp(`users.csv:${line}: nothing says today`)),
      ],
    ],
    'microsoft-sds-uk': ['sds-uk', 24, 28, []],
    'microsoft-sds-v2.1': ['sds-v2.1', 8, 2, [/users.csv:3: /, /users.csv:6: /]],
  };
  // While the terms of the samples last.
  const days: Record<string, string> = { 'oneroster-1.2-moodle': '2022-04-01', 'microsoft-sds-v2.1': '2021-10-01' };
  for (const [name, [format, people, classes, problems]] of Object.entries(expected)) {
    const roster = await read(readRosterFiles(join(SAMPLES, name)), UNKNOWN_BEFORE, days[name] ?? TODAY);
    t.strictSame([roster.format, roster.people.length, roster.classes.size], [format, people, classes], name);
    t.match(roster.problems.map(formatProblem), problems, name);
    t.equal(roster.problems.length, problems.length, name);
  }
});
