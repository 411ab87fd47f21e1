import type { RosterFile } from '../../src/identity/roster/roster.ts';

export const UNKNOWN_BEFORE = { classes: new Map<string, string>(), people: new Set<string>() };

/** Files from texts by name. */
export function rosterFiles(texts: Readonly<Record<string, string>>): RosterFile[] {
  return Object.entries(texts).map(([name, text]) => ({ name, text }));
}

/** A OneRoster 1.1 folder with one school: pupils of years 7 to 11 in classes of thirty, and a teacher for each class. */
export function generatedRoster(pupils: number): Record<string, string> {
  const classes = Math.ceil(pupils / 30);
  const users = [
    'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,grades',
  ];
  const enrollments = [
    'sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,beginDate,endDate',
  ];
  const table = ['sourcedId,status,dateLastModified,title,schoolSourcedId,termSourcedIds'];
  for (let c = 0; c < classes; c++) {
    table.push(`c${c},active,,${7 + (c % 5)}x${c},school,`);
    users.push(`t${c},active,,true,school,teacher,teacher${c},,Terry,Teacher${c},`);
    enrollments.push(`et${c},active,,c${c},school,t${c},teacher,,`);
  }
  for (let p = 0; p < pupils; p++) {
    const c = p % classes;
    users.push(
      `p${p},active,2026-09-01,true,school,student,pupil${p},"{MIS:${p}},{UPN:A${p}}",Pat,"Pupil, ${p}",${7 + (c % 5)}`,
    );
    enrollments.push(`e${p},active,,c${c},school,p${p},student,2026-09-01,2027-07-20`);
  }
  const text = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n`;
  return {
    'orgs.csv':
      'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\r\nschool,,,Alder Vale,school,1,\r\n',
    'users.csv': text(users),
    'classes.csv': text(table),
    'enrollments.csv': text(enrollments),
  };
}

const GIVEN =
  'Amelia Oliver Isla Muhammad Zoë Noah Aoife Jakub Siân Kwame Priya Tomasz Grace Leo Mary-Anne Ayaan Freya Idris Niamh Jean-Luc'.split(
    ' ',
  );
const FAMILY =
  'Smith O’Connor Khan Jones Nowak Featherstonehaugh-Cholmondeley Patel Brown Núñez Williams Okonkwo MacDonald Singh Evans Ó'.split(
    ' ',
  );
const SUBJECTS = ['En', 'Ma', 'Sc', 'Hi', 'Gg', 'Fr', 'Pe', 'Cs'];

/** A secondary school as one plain CSV file: years 7 to 13, a form and eight sets for each pupil, their teachers and other staff. */
export function plainSchool(pupils: number): string {
  const lines = ['username,id,given name,family name,role,year,classes,teaches,groups,status'];
  const nameOf = (i: number): string =>
    `${GIVEN[i % GIVEN.length]!},${FAMILY[(i * 7 + Math.floor(i / 20)) % FAMILY.length]!}`;
  const sets = new Set<string>();
  for (let i = 0; i < pupils; i++) {
    const year = 7 + (i % 7);
    const set = Math.floor(i / 7) % 8;
    const classes = [`${year}${'ABCDEFGH'[set]!}`, ...SUBJECTS.map((subject) => `${year}x/${subject}${set + 1}`)];
    for (const name of classes) sets.add(name);
    lines.push(`p${i},p-${i},${nameOf(i)},pupil,${year},${classes.join(';')},,${i % 9 === 0 ? 'choir' : ''},`);
  }
  [...sets].forEach((name, i) => {
    lines.push(`t${i},t-${i},${nameOf(i * 3)},${i % 11 === 0 ? 'teacher;staff' : 'teacher'},,,${name},,`);
  });
  return `${lines.join('\r\n')}\r\n`;
}
