// Importing rosters into the directory, suspending people, and what gateways are sent of it.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { ImportReport } from '../../src/identity/directory/service.ts';
import { readRosterFiles } from '../../src/identity/roster/read-files.ts';
import type { RosterFile } from '../../src/identity/roster/roster.ts';
import { prepareIdentity } from '../../src/identity/identify.ts';
import { type ControlPlane, controlPlane, testPolicy, twoPeople } from '../helpers/control-plane.ts';
import { generatedRoster, rosterFiles } from '../helpers/rosters.ts';

const HEADER = 'username,id,given name,family name,role,year,classes,groups,status';

function plain(...lines: readonly string[]): RosterFile[] {
  return rosterFiles({ 'people.csv': [HEADER, ...lines].join('\n') });
}

function plane(t: { teardown(end: () => Promise<void>): unknown }): ControlPlane & ReturnType<typeof twoPeople> {
  const made = controlPlane();
  t.teardown(() => made.close());
  made.policy.look();
  return Object.assign(made, twoPeople(made));
}

/** Counts, and the sentences. */
function counts({ outcome, added, changed, leaving, same, problems, needs }: ImportReport) {
  return { outcome, added: added.length, changed, leaving, same, problems: problems.length, needs };
}

const PUPILS = Array.from({ length: 20 }, (_, i) => `p${i},${i},Pat,Pupil ${i},pupil,${1 + (i % 6)},${1 + (i % 6)}a,,`);

await t.test('a first import, a second without change, a preview that changes nothing', async (t) => {
  const p = plane(t);
  const files = plain(...PUPILS, 'tess,t1,Tess,Teacher,teacher,,,,');
  const expected = { added: 21, changed: [], leaving: [], same: 0, problems: 0, needs: [] };
  t.strictSame(counts(await p.directory.preview(files)), { outcome: 'preview', ...expected });
  t.equal(p.last('people'), undefined, 'nothing was sent');
  t.strictSame(counts(await p.directory.import(p.manager, files, false)), { outcome: 'imported', ...expected });
  const sent = p.publishing.serial('people');
  const acts = p.acts();
  t.equal(acts.at(-1), 'people.imported n.manager');
  const again = await p.directory.import(p.manager, files, false);
  t.strictSame(counts(again), {
    outcome: 'unchanged',
    added: 0,
    changed: [],
    leaving: [],
    same: 21,
    problems: 0,
    needs: [],
  });
  t.strictSame([p.publishing.serial('people'), p.acts()], [sent, acts], 'nothing sent, nothing on record');
  await p.publishing.send();
  t.equal(p.last('people')!.people.length, 21);
  t.strictSame(p.last('people')!.people[0], {
    name: 'p0',
    kind: 'person',
    roles: ['pupil'],
    year: '1',
    groups: ['1a'],
  });
});

await t.test('changes in words, leavers disabled, and back again', async (t) => {
  const p = plane(t);
  await p.directory.import(p.manager, plain(...PUPILS), false);
  const changed = [
    'p0.new,0,Pat,Pupil 0,pupil,2,2a;choir,,',
    ...PUPILS.slice(1, 18),
    'p18,18,Pat,Pupil 18,pupil,1,1a,chess,',
    'p19,19,Pat,Pupil 19,pupil,2,2a,,left',
  ];
  const report = await p.directory.import(p.manager, plain(...changed), false);
  t.strictSame(counts(report), {
    outcome: 'imported',
    added: 0,
    leaving: ['p19'],
    same: 17,
    problems: 0,
    needs: [],
    changed: ['p0.new: user name p0 → p0.new; year 1 → 2; joins 2a; joins choir; leaves 1a', 'p18: joins group chess'],
  });
  await p.publishing.send();
  t.notOk(p.last('people')!.people.some(({ name }) => name === 'p19'));
  t.strictSame(
    p.last('live')!.suspensions,
    [{ user: 'p19', until: null, rule: 'directory#people.p19.left' }],
    'cut at once',
  );
  p.clock.advance(25 * 3_600_000);
  await p.publishing.resend();
  t.strictSame(p.last('live')!.suspensions, [], 'after a day no gateway knows them any more');
  const back = await p.directory.import(p.manager, plain(...PUPILS), false);
  t.match(back.changed.at(-1), /^p19: comes back$/);
});

await t.test('more than a tenth leaving, and problems, need a person’s word', async (t) => {
  const p = plane(t);
  await p.directory.import(p.manager, plain(...PUPILS), false);
  const before = p.acts();
  const few = plain(...PUPILS.slice(0, 17));
  const refused = await p.directory.import(p.manager, few, false);
  t.strictSame(
    [refused.outcome, refused.needs],
    ['refused', ['It would disable 3 of 20 people, which is more than 10 %.']],
  );
  const wrong = await p.directory.import(p.manager, plain(...PUPILS, 'x,x,X,X,boss,,,,'), false);
  t.strictSame([wrong.outcome, wrong.needs, wrong.added], ['refused', ['The roster has 2 problems.'], ['x']]);
  t.strictSame(p.acts(), before, 'nothing was imported');
  t.equal(p.directory.list(p.head, {}).length, 20);
  t.equal(
    (await p.directory.import(p.manager, plain(...PUPILS.slice(0, 18)), false)).outcome,
    'imported',
    'a tenth does not',
  );
  t.equal((await p.directory.import(p.manager, plain(...PUPILS.slice(0, 15)), true)).outcome, 'imported', 'accepted');
});

await t.test('a line that cannot be read makes nobody a leaver, accepted or not', async (t) => {
  const p = plane(t);
  await p.directory.import(p.manager, plain(...PUPILS), false);
  const broken = await p.directory.import(p.manager, plain(...PUPILS.slice(0, 15), 'p1"5,15,,,pupil,1,,,'), true);
  t.strictSame([broken.outcome, broken.leaving], ['unchanged', []]);
  const unnamed = plain(...PUPILS.slice(0, 19), ',19,No,Name,pupil,1,,,');
  t.strictSame((await p.directory.import(p.manager, unnamed, true)).leaving, [], 'p19 is there, by their id');
});

await t.test('user names: swapped, taken over from a leaver, of the console', async (t) => {
  const p = plane(t);
  await p.directory.import(p.manager, plain(...PUPILS), false);
  const ids = () =>
    new Map(
      p.record.read((tx) => tx.all('SELECT user_key, id FROM people')).map((row) => [row['user_key'], row['id']]),
    );
  const before = ids();
  const swapped = ['p1,0,Pat,Pupil 0,pupil,1,1a,,', 'p0,1,Pat,Pupil 1,pupil,2,2a,,', ...PUPILS.slice(2)];
  p.clock.advance(1);
  t.equal((await p.directory.import(p.manager, plain(...swapped), false)).outcome, 'imported');
  t.strictSame(
    [ids().get('p0'), ids().get('p1')],
    [before.get('p1'), before.get('p0')],
    'ids are people’s, not names’',
  );
  const renewed = async (): Promise<string[]> => {
    await p.publishing.send();
    return (p.last('live')!.renewals ?? []).filter(({ at }) => at === p.clock()).map(({ user }) => user);
  };
  t.strictSame(await renewed(), ['p0', 'p1'], 'what gateways remember of either name counts no more');

  // A new pupil with the name of one who left gets neither their id nor their password.
  const cards = await p.directory.makeCards(p.manager, { classOrUser: 'p19' });
  const credentials = { name: 'p19', password: cards[0]!.password, address: '10.0.0.1' };
  t.match(await p.accounts.verify(credentials), { user: 'p19' });
  const replaced = [...swapped.slice(0, 19), 'p19,99,New,Pupil,pupil,3,3a,,'];
  p.clock.advance(1);
  t.equal((await p.directory.import(p.manager, plain(...replaced), false)).outcome, 'imported');
  t.not(ids().get('p19'), before.get('p19'));
  t.ok((await renewed()).includes('p19'), 'nor has a gateway’s memory: the name is somebody else’s');
  t.equal(await p.accounts.verify({ ...credentials, address: '10.0.0.2' }), 'wrong');

  // The network manager is in the staff's roster: the same person, with their own id, password and role.
  const staff = await p.directory.import(p.manager, plain(...replaced, 'N.Manager,s1,Nadia,Manager,staff,,,,'), false);
  t.strictSame(staff.added, ['N.Manager']);
  t.equal(ids().get('n.manager'), p.manager.personId);
  t.match(
    p.accounts.people().find(({ id }) => id === p.manager.personId),
    { roles: ['network-manager'] },
  );
  const other = plain(...replaced, 'new,s1,Nadia,Manager,staff,,,,', 'h.teacher,s2,Helen,Teacher,teacher,,,,');
  t.equal((await p.directory.import(p.manager, other, false)).outcome, 'imported');
  const thief = plain(...replaced, 'new,s1,Nadia,Manager,staff,,,,', 'h.teacher,s3,Other,Teacher,teacher,,,,');
  const clash = await p.directory.import(p.manager, thief, false);
  t.match(clash.problems, [{ file: 'people.csv', line: 23, reason: /h.teacher belongs to somebody else/ }]);
});

await t.test('nobody with a role in the console is made a pupil by a roster', async (t) => {
  const p = plane(t);
  const staff = ['h.teacher,s2,Helen,Teacher,teacher,,,,', 'x,s9,Xan,Other,staff,,,,'];
  await p.directory.import(p.manager, plain(...PUPILS, ...staff), false);
  const table: [string, string[]][] = [
    ['somebody of the roster', [...PUPILS, 'h.teacher,s2,Helen,Teacher,pupil,3,3a,,', staff[1]!]],
    ['an account that no roster named', [...PUPILS, ...staff, 'N.Manager,s7,Nadia,Manager,pupil,3,3a,,']],
  ];
  for (const [what, lines] of table) {
    const report = await p.directory.import(p.manager, plain(...lines), true);
    t.match(report.problems, [{ file: 'people.csv', reason: /has or had a role in the console/ }], what);
    t.strictSame([report.changed, report.added, report.leaving], [[], [], []], what);
  }
  p.staff.changeRoles(p.head, p.manager.personId, { roles: [], endsAt: null });
  const lines = [...PUPILS, ...staff, 'N.Manager,s7,Nadia,Manager,pupil,3,3a,,'];
  const report = await p.directory.import(p.manager, plain(...lines), true);
  t.equal(report.problems.length, 1, 'nor somebody who had one: what they did names them');
});

await t.test('another system’s roster knows the same people by their user names', async (t) => {
  const p = plane(t);
  await p.directory.import(p.manager, plain(...PUPILS), false);
  const id = p.record.read((tx) => tx.get(`SELECT id FROM people WHERE user_key = 'p3'`))!['id'];
  const other = rosterFiles({
    'users.csv': 'sourcedId,enabledUser,role,username,givenName,familyName,grades\nu3,true,student,P3,Pat,Pupil 3,5\n',
  });
  const report = await p.directory.import(p.manager, other, false);
  t.strictSame(counts(report), {
    outcome: 'imported',
    added: 0,
    leaving: [],
    same: 0,
    problems: 0,
    needs: [],
    changed: ['P3: user name p3 → P3; year 4 → 5; source plain → oneroster'],
  });
  t.equal(p.record.read((tx) => tx.get(`SELECT id FROM people WHERE user_key = 'p3'`))!['id'], id);
  t.match(
    p.directory.list(p.head, { className: '4a' }).map(({ userName }) => userName),
    ['p15', 'P3', 'p9'],
    'classes stay',
  );
});

await t.test('a delta adds, moves and removes whom it names', async (t) => {
  const p = plane(t);
  const bulk = generatedRoster(40);
  await p.directory.import(p.manager, rosterFiles(bulk), false);
  const delta = rosterFiles({
    'manifest.csv': 'propertyName,value\noneroster.version,1.1\nfile.users,delta\nfile.enrollments,delta\n',
    'users.csv':
      'sourcedId,status,enabledUser,role,username,givenName,familyName,grades\nnew,active,true,student,newcomer,New,One,7\np5,tobedeleted,true,student,pupil5,,,7\n',
    'enrollments.csv':
      'sourcedId,status,classSourcedId,userSourcedId,role\n1,active,c0,new,student\n2,tobedeleted,c1,p7,student\n3,active,c0,p7,student\n',
  });
  const report = await p.directory.import(p.manager, delta, false);
  t.strictSame(counts(report), {
    outcome: 'imported',
    added: 1,
    leaving: ['pupil5'],
    same: 0,
    problems: 0,
    needs: [],
    changed: ['pupil7: joins 7x0; leaves 8x1'],
  });
  t.strictSame(
    p.directory
      .list(p.head, { className: '7x0' })
      .map(({ userName, status }) => `${userName} ${status}`)
      .filter((one) => /newcomer|pupil7 |teacher/.test(one)),
    ['newcomer active', 'pupil7 active', 'teacher0 active'],
  );
});

await t.test('20,000 lines with three errors: nothing, until they are accepted or mended', async (t) => {
  const p = plane(t);
  const texts = generatedRoster(9_700);
  const users = texts['users.csv']!.replace(/^p77,.*$/m, 'p77,active,,true,school,student,,,No,Name,9').replace(
    /^p78,(.*),\d+$/m,
    'p78,$1,99',
  );
  const enrollments = texts['enrollments.csv']!.replace(/^e9000,active,,c\d+,/m, 'e9000,active,,c-none,');
  const broken = rosterFiles({ ...texts, 'users.csv': users, 'enrollments.csv': enrollments });
  const refused = await p.directory.import(p.manager, broken, false);
  t.strictSame([refused.outcome, refused.needs], ['refused', ['The roster has 3 problems.']]);
  t.ok(refused.lines > 20_000);
  t.equal(p.directory.list(p.head, {}).length, 0);
  const accepted = await p.directory.import(p.manager, broken, true);
  t.strictSame([accepted.outcome, accepted.added.length], ['imported', 9_700 + 324 - 1]);
  const mended = await p.directory.import(p.manager, rosterFiles(texts), false);
  t.strictSame([mended.outcome, mended.added, mended.leaving], ['imported', ['pupil77'], []]);
});

await t.test('suspended: now, until a time, and lifted', async (t) => {
  const p = plane(t);
  await p.directory.import(p.manager, plain(...PUPILS), false);
  const standing = async () => {
    await p.publishing.send();
    return p.last('live')?.suspensions?.map(({ user, until }) => [user, until]) ?? [];
  };
  const until = p.clock() + 3_600_000;
  p.directory.suspend(p.head, { userName: 'P1' }, { until, reason: null });
  p.directory.suspend(p.manager, { userName: 'p2' }, { until: null, reason: null });
  t.strictSame(await standing(), [
    ['p1', until],
    ['p2', null],
  ]);
  t.match(
    p.directory.list(p.head, {}).filter(({ status }) => status === 'suspended'),
    [
      { userName: 'p1', suspendedUntil: '2026-11-23T10:00:00.000Z' },
      { userName: 'p2', suspendedUntil: null },
    ],
  );
  p.directory.lift(p.head, { userName: 'p2' });
  t.strictSame(await standing(), [['p1', until]]);
  p.clock.set(until);
  t.match(
    p.directory.list(p.head, {}).find(({ userName }) => userName === 'p1'),
    { status: 'active' },
  );
  t.throws(() => p.directory.lift(p.head, { userName: 'p2' }), { code: 'person_not_suspended' });
  t.throws(() => p.directory.suspend(p.head, { userName: 'nobody' }, { until: null, reason: null }), {
    code: 'person_unknown',
  });
  t.throws(() => p.directory.suspend(p.head, { userName: 'p1' }, { until: until - 1, reason: null }), {
    code: 'invalid_fields',
  });
  t.strictSame(
    p.acts().filter((act) => act.startsWith('person.s')),
    ['person.suspended h.teacher', 'person.suspended n.manager', 'person.suspension-lifted h.teacher'],
  );
});

await t.test('log-in cards: a password for the proxy, and none for the console', async (t) => {
  const p = plane(t);
  await p.directory.import(p.manager, plain(...PUPILS, 'n.manager,s,Nadia,Manager,staff,,1a,,'), false);
  t.equal(await p.accounts.verify({ name: 'p0', password: '', address: '10.0.0.1' }), 'wrong');
  const cards = await p.directory.makeCards(p.manager, { classOrUser: '1a' });
  t.strictSame(
    cards.map(({ userName }) => userName),
    ['p0', 'p12', 'p18', 'p6'],
    'no card for somebody with a role',
  );
  t.match(cards[0]!.password, /^[a-z]{3}-\d{3}-[a-z]{3}-\d{3}$/);
  t.equal(new Set(cards.map(({ password }) => password)).size, 4);
  const { password } = cards[0]!;
  t.match(await p.accounts.verify({ name: 'P0', password, address: '10.0.0.2' }), { user: 'p0' });
  await t.rejects(p.sessions.signIn({ userName: 'p0', password, code: '', address: '10.0.0.3' }), {
    code: 'sign_in_refused',
  });
  t.match(
    p.directory.list(p.head, { className: '1a' }).map((one) => one.password),
    ['own', 'temporary'],
  );
  t.equal(p.accounts.people().length, 2, 'pupils are not the two people of a change');
  t.strictSame(
    p.accounts.people().map(({ userName }) => userName),
    ['h.teacher', 'n.manager'],
  );
  await p.directory.import(p.manager, plain(...PUPILS.slice(1)), true);
  t.equal(await p.accounts.verify({ name: 'p0', password, address: '10.0.0.4' }), 'wrong', 'whoever has left');
  await t.rejects(p.directory.makeCards(p.manager, { classOrUser: '9z' }), { code: 'class_unknown' });
  const kept = p.record.read((tx) => JSON.stringify(tx.all('SELECT * FROM audit')));
  t.notOk(cards.some((card) => kept.includes(card.password)));
});

await t.test('levels: by year, by role, by what the policy writes of a person', async (t) => {
  const p = plane(t);
  const files = plain(
    'ann,1,Ann,A,pupil,2,2a,,',
    'bob,2,Bob,B,pupil;staff,4,,art,',
    'cat,3,Cat,C,teacher;parent,,,,',
    'dan,4,Dan,D,pupil,,,,',
    'eve,5,Eve,E,pupil,9,9x,choir,',
    '3c,6,,,class,3,3c,,',
  );
  await p.directory.import(p.manager, files, false);
  await p.publishing.send();
  const levels = { years: { 2: 'ks1', 4: 'ks2', 3: 'ks2' }, roles: { teacher: 'staff' } };
  const people = { eve: { level: 'ks4', groups: ['club'], rules: null } };
  const rules = { ...testPolicy({ people }), identity: { mode: 'open' as const, ranges: [], levels } };
  const identify = prepareIdentity(rules, p.last('people'));
  const table: [string, string, string[]][] = [
    ['ann', 'ks1', ['2a']],
    ['bob', 'ks2', ['art']],
    ['cat', 'staff', []],
    ['dan', 'ks1', []],
    ['eve', 'ks4', ['club', '9x', 'choir']],
    ['3c', 'ks2', ['3c']],
    ['stranger', 'ks1', []],
  ];
  for (const [name, level, groups] of table) {
    const who = identify('10.0.0.1', name);
    t.strictSame([who.level, [...who.groups].sort()], [level, groups.toSorted()], name);
  }
  const before = prepareIdentity({ ...rules, identity: { mode: 'open', ranges: [] } }, p.last('people'));
  t.equal(before('10.0.0.1', 'cat').level, 'ks1', 'a policy from before rosters gives nobody a level');
});

const SAMPLES = fileURLToPath(new URL('../../../shared/data/roster', import.meta.url));

await t.test(
  'the samples of real systems, twice',
  { skip: existsSync(SAMPLES) ? false : 'no samples here' },
  async (t) => {
    for (const name of readdirSync(SAMPLES)) {
      const p = plane(t);
      const files = readRosterFiles(join(SAMPLES, name));
      const first = await p.directory.import(p.manager, files, true);
      t.equal(first.outcome, 'imported', name);
      t.equal(p.directory.list(p.head, {}).length, first.added.length, name);
      const second = await p.directory.import(p.manager, files, true);
      t.strictSame([second.outcome, second.same], ['unchanged', first.added.length], name);
    }
  },
);
