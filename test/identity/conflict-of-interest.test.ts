import t from 'tap';
import type { Person } from '../../src/identity/accounts.ts';
import { hearersOf, isSubject, maySee, type Subjects } from '../../src/identity/conflict-of-interest.ts';
import { ALL_ROLES, type Role } from '../../src/identity/roles.ts';

const person = (id: string, ...roles: Role[]): Person => ({ id, userName: id, fullName: id, roles });
const dsl = person('dsl', 'safeguarding-lead');
const deputy = person('deputy', 'safeguarding-lead', 'teacher');
const head = person('head', 'headteacher');
const chair = person('chair', 'chair-of-governors', 'governor');
const vice = person('vice', 'vice-chair-of-governors', 'governor');
const teacher = person('teacher', 'teacher');
const manager = person('manager', 'network-manager');
const SCHOOL = [dsl, deputy, head, chair, vice, teacher, manager];
const about = (...ids: string[]): Subjects => ({ personIds: ids, isStaff: true });
const PUPIL: Subjects = { personIds: ['pupil'], isStaff: false };

const names = (subjects: Subjects, people: readonly Person[]): string =>
  hearersOf(subjects, people)
    .map((group) => group.map(({ id }) => id).join('+'))
    .join(' > ');

void t.test('who hears, first to last', async (t) => {
  const headIsLead = person('both', 'headteacher', 'safeguarding-lead');
  const small = [headIsLead, chair, vice, teacher];
  const everything = person('all', ...ALL_ROLES);
  const rows: [what: string, subjects: Subjects, people: readonly Person[], expected: string][] = [
    ['a pupil', PUPIL, SCHOOL, 'dsl+deputy > head > chair > vice'],
    [
      'a device that nobody was signed in on',
      { personIds: [], isStaff: false },
      SCHOOL,
      'dsl+deputy > head > chair > vice',
    ],
    ['a teacher', about('teacher'), SCHOOL, 'head > chair > vice'],
    ['the network manager', about('manager'), SCHOOL, 'head > chair > vice'],
    ['the safeguarding lead: their deputy is not told', about('dsl'), SCHOOL, 'head > chair > vice'],
    ['the head: the safeguarding lead, who answers to the head, is not told', about('head'), SCHOOL, 'chair > vice'],
    ['the chair', about('chair'), SCHOOL, 'vice'],
    ['the vice-chair', about('vice'), SCHOOL, 'chair'],
    ['the head and a teacher together', about('head', 'teacher'), SCHOOL, 'chair > vice'],
    ['the head and the chair together', about('head', 'chair'), SCHOOL, 'vice'],
    ['a pupil, where the head is the safeguarding lead', PUPIL, small, 'both > both > chair > vice'],
    ['the head who is the safeguarding lead', about('both'), small, 'chair > vice'],
    ['the head, where there is no chair', about('head'), [head, vice, dsl], 'vice'],
    ['the head, where nobody governs', about('head'), [head, dsl, teacher], ''],
    ['whoever holds all roles', about('all'), [everything, dsl, head], ''],
    [
      'one of two heads: the other is a peer',
      about('head'),
      [...SCHOOL, person('co-head', 'headteacher')],
      'chair > vice',
    ],
    ['a pupil, before there is a safeguarding lead', PUPIL, [head, manager], 'head'],
  ];
  for (const [what, subjects, people, expected] of rows) t.equal(names(subjects, people), expected, what);
});

void t.test('nobody ever hears of or sees what is about themselves, whatever their roles', async (t) => {
  for (const role of ALL_ROLES) {
    for (const other of ALL_ROLES) {
      const subject = person('subject', role, other);
      const people = [...SCHOOL, subject];
      for (const isStaff of [true, false]) {
        const subjects = { personIds: ['subject'], isStaff };
        t.notOk(hearersOf(subjects, people).flat().includes(subject), `${role} and ${other} is not told`);
        t.notOk(maySee(subjects, subject, people, true), `${role} and ${other} does not see it, even when told`);
      }
    }
  }
});

void t.test('who sees what, for every role and subject', async (t) => {
  const seers = (subjects: Subjects, told: readonly string[] = []): string =>
    SCHOOL.filter((one) => maySee(subjects, one, SCHOOL, told.includes(one.id)))
      .map(({ id }) => id)
      .join(' ');
  t.equal(seers(PUPIL), 'dsl deputy head');
  t.equal(seers(PUPIL, ['teacher']), 'dsl deputy head teacher', 'whoever was sent it');
  t.equal(seers(about('teacher')), 'head');
  t.equal(seers(about('dsl')), 'head');
  t.equal(seers(about('head')), 'chair');
  t.equal(seers(about('head'), ['vice']), 'chair vice', 'and whoever it went on to');
  t.equal(seers(about('chair')), 'vice');
  t.ok(isSubject(about('head'), 'head'));
});
