import t from 'tap';
import type { Actor } from '../../src/audit/entry.ts';
import { buildIndex } from '../../src/categories/build-index.ts';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import type { LessonAnswer } from '../../src/lessons/ask.ts';
import type { TypedLesson } from '../../src/lessons/terms.ts';
import { START, controlPlane, testPolicy, twoPeople } from '../helpers/control-plane.ts';
import { rosterFiles } from '../helpers/rosters.ts';
import { PROJECT } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const HOUR = 3_600_000;
const PEOPLE = `username,id,given name,family name,role,year,classes,teaches
t.ash,t1,Tess,Ash,teacher,,,5A;5B
t.oak,t2,Tim,Oak,teacher,,,5B
office,s1,Olive,Office,staff,,,
ann,p1,Ann,Ames,pupil,5,5A,
bob,p2,Bob,Bell,pupil,5,5B,
`;
const TYPED: TypedLesson = {
  title: 'Volcanoes',
  sites: 'https://volcano.example/etna\nwww.bet365.com\nnever.example',
  classes: ['5A'],
  pupils: '',
  from: '2026-11-23T09:00',
  until: '2026-11-23T10:00',
};

const folder = tempFolder(t);

/** A school with an index of the starter lists, where ks2 may not open gambling. */
async function school() {
  const rule = 'levels/ks2.yaml#categories.gambling';
  const base = testPolicy();
  const level = base.levels['ks2']!;
  const policy = testPolicy({
    levels: { ...base.levels, ks2: { ...level, categories: { gambling: { action: 'block', rule } } } },
    categories: { ...base.categories, gambling: { title: 'Gambling', locked: false, flag: true } },
    identity: { mode: 'open', ranges: [], levels: { years: { 5: 'ks2' }, roles: {} } },
  });
  const dataDir = `${folder}/data`;
  const layout = dataLayout(dataDir);
  createDataFolders(layout);
  const plane = controlPlane({ disk: { snapshot: policy }, dataDir });
  t.teardown(() => plane.close());
  await buildIndex({ listsDir: `${PROJECT}/blocklists`, layout, clock: plane.clock });
  plane.policy.look();
  const people = twoPeople(plane);
  await plane.directory.import(null, rosterFiles({ 'people.csv': PEOPLE }), false);
  const actor = (userName: string): Actor => {
    const id = plane.record.read((tx) => tx.get('SELECT id FROM people WHERE user_name = ?', userName))!['id'];
    return { personId: String(id), userName, address: '10.1.1.1' };
  };
  return { plane, ...people, tess: actor('t.ash'), tim: actor('t.oak'), office: actor('office'), ann: actor('ann') };
}

function done(answer: LessonAnswer): Extract<LessonAnswer, { state: 'done' }> {
  if (answer.state !== 'done') throw new Error(JSON.stringify(answer));
  return answer;
}

void t.test('a list is given, told of, made longer, added to, ended and given again', async (t) => {
  const { plane, tess, tim, manager } = await school();
  const { lessons, clock } = plane;
  const checked = done(await lessons.answer(tess, { act: 'check', typed: TYPED }));
  t.match(checked.answers, [
    { site: 'volcano.example', forWhom: '5A', opens: true, todo: null },
    { site: 'www.bet365.com', opens: false, why: /“Gambling”/, todo: /Ask for an unblock/ },
    { site: 'never.example', opens: false, todo: /No unblock/ },
  ]);
  t.same(checked.view.standing, [], 'checking gives nothing');

  const given = done(await lessons.answer(tess, { act: 'give', typed: TYPED }));
  const id = given.id!;
  t.match(given.view.standing, [{ id, state: 'in force', givenBy: 't.ash', mayChange: true }]);
  t.same(
    given.view.standing[0]!.closed!.map(({ site }) => site),
    ['www.bet365.com', 'never.example'],
  );
  await plane.publishing.send();
  const sent = { id, groups: ['5A'], people: [], from: START, until: START + HOUR };
  t.match(plane.last('live')!.lessons, [{ ...sent, hosts: ['volcano.example', 'www.bet365.com', 'never.example'] }]);

  const now = done(
    await lessons.answer(tess, { act: 'look-up', className: '5A', sites: 'volcano.example/lava, other.example' }),
  );
  t.match(now.answers, [
    { site: 'volcano.example/lava', opens: true },
    { site: 'other.example', opens: false, why: /lesson list/, todo: /Add it/ },
  ]);
  const elsewhere = done(await lessons.answer(tess, { act: 'look-up', className: '5B', sites: 'other.example' }));
  t.match(elsewhere.answers, [{ opens: true, forWhom: '5B' }], 'another class is not bound');

  await lessons.answer(tess, { act: 'add', id, site: 'https://maps.example/x' });
  await lessons.answer(tess, { act: 'prolong', id, minutes: 15 });
  const hosts = ['volcano.example', 'www.bet365.com', 'never.example', 'maps.example'];
  t.match(
    plane.record.read((tx) => tx.get('SELECT sites, ends_at FROM lessons')),
    {
      sites: JSON.stringify(hosts),
      ends_at: START + HOUR + 15 * 60_000,
    },
  );
  t.match(await lessons.answer(tess, { act: 'add', id, site: 'co.uk' }), {
    state: 'wrong',
    fields: [{ field: `add-${id}` }],
  });

  await t.rejects(lessons.answer(tim, { act: 'end', id }), { code: 'lesson_unknown' }, 'he does not teach 5A');
  clock.advance(10 * 60_000);
  const after = done(await lessons.answer(manager, { act: 'end', id }));
  t.match(after.view, { standing: [], earlier: [{ id, state: 'ended', closed: [] }] });
  await t.rejects(lessons.answer(tess, { act: 'prolong', id, minutes: 15 }), { code: 'lesson_move' });
  await plane.publishing.send();
  t.same(plane.last('live')!.lessons, []);
  t.same(done(await lessons.answer(tim, { act: 'see' })).view.earlier, [], 'nor does he see it');
  t.same(plane.acts().slice(-4), [
    'lesson.given t.ash',
    'lesson.site-added t.ash',
    'lesson.prolonged t.ash',
    'lesson.ended n.manager',
  ]);
});

void t.test('each to whom they may, and nothing for pupils', async (t) => {
  const { plane, tess, tim, office, ann, manager, head } = await school();
  const { lessons, clock } = plane;
  t.same(done(await lessons.answer(tess, { act: 'see' })).view.classes, ['5A', '5B']);
  t.same(done(await lessons.answer(tim, { act: 'see' })).view.classes, ['5B']);
  for (const anybody of [office, manager, head])
    t.same(done(await lessons.answer(anybody, { act: 'see' })).view.classes, ['5A', '5B']);
  for (const ask of [{ act: 'see' }, { act: 'give', typed: TYPED }] as const)
    t.same(await lessons.answer(ann, ask), { state: 'not-staff' });
  t.match(await lessons.answer(tim, { act: 'give', typed: TYPED }), { state: 'wrong', fields: [{ field: 'classes' }] });
  t.match(await lessons.answer(tim, { act: 'look-up', className: '5A', sites: 'a.example' }), {
    fields: [{ field: 'className' }],
  });
  const single = { ...TYPED, classes: [], pupils: 'bob bell' };
  const { view } = done(await lessons.answer(tim, { act: 'give', typed: single }));
  t.match(view.standing, [{ classes: [], pupils: [{ user: 'bob', name: 'Bob Bell' }] }]);
  await plane.publishing.send();
  t.match(plane.last('live')!.lessons, [{ groups: [], people: ['bob'] }]);
  clock.advance(HOUR);
  t.match(done(await lessons.answer(tim, { act: 'see' })).view, { standing: [], earlier: [{ state: 'over' }] });
  for (let i = 0; i < 40; i++)
    await lessons.answer(tim, { act: 'give', typed: { ...single, until: '2026-11-23T11:00' } });
  await t.rejects(lessons.answer(tim, { act: 'give', typed: { ...single, until: '2026-11-23T11:00' } }), {
    code: 'lesson_many',
  });
});

void t.test('without an index nothing is claimed, and without a policy nothing given', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const { manager } = twoPeople(plane);
  await t.rejects(plane.lessons.answer(manager, { act: 'see' }), { code: 'no_policy' });
  plane.disk = { snapshot: testPolicy({ groups: { chess: { entries: { allow: [], block: [] }, categories: {} } } }) };
  plane.policy.look();
  const given = done(await plane.lessons.answer(manager, { act: 'give', typed: { ...TYPED, classes: ['chess'] } }));
  t.match(given.view, { classes: ['chess'], standing: [{ closed: null }] });
  t.equal(
    done(await plane.lessons.answer(manager, { act: 'check', typed: { ...TYPED, classes: ['chess'] } })).answers,
    null,
  );
});
