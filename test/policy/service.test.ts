import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import { watchPolicyFiles } from '../../src/policy/watch.ts';
import { controlPlane, manualClock, testPolicy, twoPeople } from '../helpers/control-plane.ts';
import { eventually } from '../helpers/listening.ts';

const B = testPolicy({ hash: 'b'.repeat(64), school: 'Test Primary Academy' });
const C = testPolicy({ hash: 'c'.repeat(64), school: 'Another name' });

void t.test('while fewer than two people have accounts, files apply on save', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  t.equal(plane.policy.published(), null);
  plane.policy.look();
  plane.policy.look();
  await plane.publishing.send();
  t.equal(plane.bus.sent.length, 1, 'the same files are not published twice');
  plane.disk = { snapshot: B };
  plane.policy.look();
  await plane.publishing.send();
  t.match(plane.last('policy'), { school: 'Test Primary Academy' });
  t.match(plane.policy.published(), { serial: 2, author: null, approver: null });
  t.strictSame(plane.acts(), ['policy.published file', 'policy.published file']);
  const row = plane.record.read((tx) => newestRows(tx, 'policy:2', 1))[0]!;
  t.match(JSON.parse(row.payload), { before: { serial: 1 }, after: { serial: 2, changes: [/Test Primary Academy/] } });
});

void t.test('what does not validate is never used, and told once', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const problems = [{ file: 'school.yaml', line: 3, reason: '"nmae" is not a known setting' }];
  plane.disk = { problems };
  plane.policy.look();
  plane.policy.look();
  t.match(plane.policy.status(), { disk: 'invalid', problems, published: { serial: 1 }, changes: [] });
  t.strictSame(plane.invalid, [problems]);
  plane.disk = { snapshot: testPolicy() };
  plane.policy.look();
  t.match(plane.policy.status(), { disk: 'same', problems: [] });
  plane.disk = { problems };
  plane.policy.look();
  t.equal(plane.invalid.length, 2, 'told again after it was good in between');
});

void t.test('a first policy that is invalid publishes nothing', async (t) => {
  const plane = controlPlane({ disk: { problems: [{ file: 'school.yaml', reason: 'is missing' }] } });
  t.teardown(() => plane.close());
  plane.policy.look();
  await plane.publishing.resend();
  t.equal(plane.policy.published(), null);
  t.strictSame(plane.bus.sent, []);
});

void t.test('with two accounts a change on disk takes two people', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  plane.disk = { snapshot: B };
  plane.policy.look();
  t.match(plane.policy.status(), {
    disk: 'different',
    published: { serial: 1 },
    diskHash: B.hash,
    needsSecondPerson: true,
  });
  t.not(plane.policy.status().changes.length, 0);
  plane.policy.look();
  t.equal(plane.different.length, 1, 'told once');

  t.throws(() => plane.policy.propose(manager, C.hash, 'why'), { code: 'policy_changed' });
  t.throws(() => plane.policy.propose(manager, B.hash, ' '), { code: 'invalid_fields' });
  const { id } = plane.policy.propose(manager, B.hash, 'the school has a new name');
  t.throws(() => plane.policy.propose(head, B.hash, 'me too'), { code: 'policy_proposed' });
  t.throws(() => plane.policy.approve(manager, id), { code: 'policy_own' });
  t.throws(() => plane.policy.approve(head, 'another'), { code: 'policy_decided' });
  t.match(plane.policy.published(), { serial: 1 }, 'nothing yet');

  t.match(plane.policy.approve(head, id), { serial: 2, author: manager.personId, approver: head.personId });
  await plane.publishing.send();
  t.match(plane.last('policy'), { hash: B.hash });
  t.match(plane.policy.status(), { disk: 'same', proposal: null });
  t.throws(() => plane.policy.approve(head, id), { code: 'policy_decided' });
  t.throws(() => plane.policy.propose(manager, B.hash, 'again'), { code: 'policy_nothing' });
  const row = plane.record.read((tx) => newestRows(tx, 'policy:2', 1))[0]!;
  t.match(row, { actor: 'n.manager', approver: 'h.teacher' });
  t.strictSame(plane.acts(), ['policy.published file', 'policy.proposed n.manager', 'policy.published n.manager']);
});

void t.test('a proposal stands for what is on disk, and for nothing else', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  plane.disk = { snapshot: B };
  plane.policy.look();
  const first = plane.policy.propose(manager, B.hash, 'one');
  plane.disk = { snapshot: C };
  plane.policy.look();
  t.throws(() => plane.policy.approve(head, first.id), { code: 'policy_decided' }, 'the files have changed since');
  const second = plane.policy.propose(manager, C.hash, 'two');
  t.throws(() => plane.policy.refuse(head, second.id, ''), { code: 'invalid_fields' });
  t.match(plane.policy.status(), { proposal: { id: second.id } }, 'a refusal without a reason is none');
  plane.policy.refuse(head, second.id, 'not this term');
  t.match(plane.policy.status(), { disk: 'different', proposal: null });
  const third = plane.policy.propose(head, C.hash, 'three');
  plane.policy.refuse(head, third.id, 'I take it back');
  t.match(plane.policy.published(), { serial: 1 });
  t.equal(plane.acts().filter((act) => act === 'policy.superseded file').length, 1);
});

void t.test('what was published and proposed outlives the console', async (t) => {
  const path = join(t.testdir(), 'record.sqlite');
  const clock = manualClock();
  const before = controlPlane({ path, clock });
  before.policy.look();
  const { head, manager } = twoPeople(before);
  before.disk = { snapshot: B };
  before.policy.look();
  const { id } = before.policy.propose(manager, B.hash, 'new name');
  await before.close();
  const after = controlPlane({ path, clock, disk: { snapshot: B } });
  t.teardown(() => after.close());
  t.match(after.policy.published(), { serial: 1 });
  after.policy.look();
  t.match(after.policy.status(), { proposal: { id } });
  t.match(after.policy.approve(head, id), { serial: 2 });
});

void t.test('files are read once they have settled', async (t) => {
  const folder = t.testdir({ 'school.yaml': 'name: A', 'notes.txt': 'x' });
  let told = 0;
  const stop = watchPolicyFiles([folder], () => told++);
  t.teardown(stop);
  writeFileSync(join(folder, 'notes.txt'), 'not ours');
  writeFileSync(join(folder, 'school.yaml'), 'name: B');
  writeFileSync(join(folder, 'school.yaml'), 'name: BB');
  await eventually('the change is told', () => told > 0);
  t.equal(told, 1, 'once for both');
  mkdirSync(join(folder, 'levels'));
  writeFileSync(join(folder, 'levels', 'ks1.yaml'), 'title: One');
  await eventually('a new level is told', () => told === 2);
});
