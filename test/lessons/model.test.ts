import * as fc from 'fast-check';
import t from 'tap';
import {
  type Lesson,
  MAX_LENGTH_MS,
  MAX_SITES,
  MOVES,
  addSite,
  end,
  prolong,
  stateAt,
  toTeacherLesson,
} from '../../src/lessons/model.ts';
import { type RoleReach, type School, audiencesOf, reachOf, reaches } from '../../src/lessons/reach.ts';

const MINUTE = 60_000;
const GIVEN: Lesson = {
  id: '01J00000000000000000000000',
  title: 'Volcanoes',
  sites: ['volcano.example'],
  classes: ['9X'],
  pupils: [],
  from: 100 * MINUTE,
  until: 160 * MINUTE,
  given: { by: 'teacher', at: 50 * MINUTE },
  ended: null,
};
const ENDED = end(GIVEN, { by: 'teacher', at: 120 * MINUTE });

await t.test('where a list stands is decided by its end and the clock', async (t) => {
  const table: [what: string, lesson: Lesson, minute: number, state: string][] = [
    ['given, before its start', GIVEN, 99, 'to come'],
    ['at its start', GIVEN, 100, 'in force'],
    ['just before its end', GIVEN, 160 - 1 / MINUTE, 'in force'],
    ['at its end', GIVEN, 160, 'over'],
    ['ended early', ENDED, 130, 'ended'],
    ['ended early, after its time', ENDED, 170, 'ended'],
  ];
  for (const [what, lesson, minute, state] of table) t.equal(stateAt(lesson, minute * MINUTE), state, what);
});

await t.test('every move is legal from its own states only', async (t) => {
  const at = { 'to come': 60, 'in force': 130, over: 160, ended: 130 };
  for (const [move, legal] of Object.entries(MOVES)) {
    for (const [state, minute] of Object.entries(at)) {
      const lesson = state === 'ended' ? ENDED : GIVEN;
      const now = minute * MINUTE;
      const make = {
        end: () => end(lesson, { by: 'teacher', at: now }),
        prolong: () => prolong(lesson, MINUTE, now),
        add: () => addSite(lesson, 'more.example', now),
      }[move]!;
      if (legal.includes(state as never)) t.ok(make(), `${move} when ${state}`);
      else t.throws(make, { code: 'lesson_move' }, `${move} when ${state}`);
    }
  }
});

await t.test('a list grows to its bounds and no further', async (t) => {
  t.equal(prolong(GIVEN, 10 * MINUTE, 120 * MINUTE).until, 170 * MINUTE);
  t.equal(prolong(GIVEN, MAX_LENGTH_MS - 60 * MINUTE, 120 * MINUTE).until - GIVEN.from, MAX_LENGTH_MS);
  t.throws(() => prolong(GIVEN, MAX_LENGTH_MS - 60 * MINUTE + 1, 120 * MINUTE), { code: 'lesson_move' });
  t.equal(addSite(GIVEN, 'volcano.example', 120 * MINUTE), GIVEN, 'on it already');
  let full = GIVEN;
  for (let i = 1; i < MAX_SITES; i++) full = addSite(full, `s${i}.example`, 120 * MINUTE);
  t.throws(() => addSite(full, 'one-more.example', 120 * MINUTE), { code: 'lesson_move' });
  t.same(toTeacherLesson(full), {
    id: GIVEN.id,
    groups: ['9X'],
    people: [],
    hosts: full.sites,
    from: GIVEN.from,
    until: GIVEN.until,
  });
});

await t.test('whatever people try, in any order and at any time', async () => {
  const attempt = fc.record({ move: fc.constantFrom('end', 'prolong', 'add'), wait: fc.integer({ min: 0, max: 90 }) });
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 12 }), (attempts) => {
      let lesson = GIVEN;
      let now = 50 * MINUTE;
      for (const { move, wait } of attempts) {
        now += wait * MINUTE;
        const before = lesson;
        try {
          if (move === 'end') lesson = end(lesson, { by: 'teacher', at: now });
          else lesson = move === 'add' ? addSite(lesson, `s${now}.example`, now) : prolong(lesson, 30 * MINUTE, now);
        } catch {
          lesson = before;
        }
        // What is over stays over, nothing lasts too long, and whom it is for never changes.
        if (stateAt(before, now) === 'over' && stateAt(lesson, now) !== 'over') return false;
        if (before.ended !== null && lesson !== before) return false;
        if (lesson.until - lesson.from > MAX_LENGTH_MS || lesson.classes !== GIVEN.classes) return false;
      }
      return true;
    }),
  );
});

const SCHOOL: School = {
  classes: ['9X', '9Y', 'Chess'],
  pupils: [
    { user: 'ann', fullName: 'Ann A', classes: ['9X', 'Chess'], level: 'ks3' },
    { user: 'bob', fullName: 'Bob B', classes: ['9Y'], level: 'ks3' },
    { user: 'cy', fullName: 'Cy C', classes: ['Chess'], level: 'ks4' },
  ],
  members: new Map([
    ['t', { roles: ['teacher'], teaches: ['9X'] }],
    ['office', { roles: ['staff'], teaches: [] }],
    ['head-of-year', { roles: ['teacher'], teaches: [] }],
    ['pupil', { roles: ['pupil'], teaches: [] }],
    ['sixth-former', { roles: ['pupil', 'staff'], teaches: ['9X'] }],
    ['parent', { roles: ['parent'], teaches: [] }],
  ]),
};

await t.test('whom somebody may give a list to', async (t) => {
  const table: [person: string, byRole: RoleReach, classes: readonly string[] | null, pupils: readonly string[]][] = [
    ['t', 'none', ['9X'], ['ann']],
    ['t', 'any', ['9X', '9Y', 'Chess'], ['ann', 'bob', 'cy']],
    ['office', 'none', ['9X', '9Y', 'Chess'], ['ann', 'bob', 'cy']],
    ['head-of-year', 'none', ['9X', '9Y', 'Chess'], ['ann', 'bob', 'cy']],
    ['pupil', 'none', null, []],
    ['sixth-former', 'none', null, []],
    ['parent', 'none', null, []],
    ['guest', 'none', null, []],
    ['guest', 'any', ['9X', '9Y', 'Chess'], ['ann', 'bob', 'cy']],
    ['guest', 'taught', ['9X', '9Y', 'Chess'], ['ann', 'bob', 'cy']],
    ['t', 'taught', ['9X'], ['ann']],
    ['pupil', 'taught', null, []],
  ];
  for (const [person, byRole, classes, pupils] of table) {
    const reach = reachOf(SCHOOL, person, byRole);
    t.same(reach?.classes ?? null, classes, `${person} ${byRole}`);
    t.same(reach?.pupils.map(({ user }) => user) ?? [], pupils, `${person} ${byRole}`);
  }
  const own = reachOf(SCHOOL, 't', 'none')!;
  t.ok(reaches(own, { classes: ['9X'], pupils: ['ann'] }));
  t.notOk(reaches(own, { classes: ['9X', '9Y'], pupils: [] }));
  t.notOk(reaches(own, { classes: [], pupils: ['bob'] }));
  t.ok(reaches(reachOf(SCHOOL, 'office', 'none')!, { classes: ['gone'], pupils: ['left'] }));
});

await t.test('a class is asked about once for each level in it', async (t) => {
  const asked = audiencesOf(SCHOOL, { classes: ['Chess', 'Empty'], pupils: ['bob', 'left'] }, 'ks1');
  t.same(asked, [
    { level: 'ks3', classes: ['Chess'], name: 'Chess' },
    { level: 'ks4', classes: ['Chess'], name: 'Chess' },
    { level: 'ks1', classes: ['Empty'], name: 'Empty' },
    { level: 'ks3', classes: ['9Y'], name: 'Bob B' },
    { level: 'ks1', classes: [], name: 'left' },
  ]);
});
