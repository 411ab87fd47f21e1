import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import { watchPolicyFiles } from '../../src/policy/watch.ts';
import { controlPlane, manualClock, proposeDisk, testPolicy, twoPeople } from '../helpers/control-plane.ts';
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

void t.test('with two accounts a change on disk becomes a draft, which takes two people', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  plane.disk = { snapshot: B };
  plane.policy.look();
  t.match(plane.policy.status(), {
    disk: 'different',
    published: { serial: 1 },
    needsSecondPerson: true,
    drafts: [{ state: 'open', author: null }],
  });
  t.not(plane.policy.status().changes.length, 0);
  plane.policy.look();
  t.equal(plane.different.length, 1, 'told once');
  t.equal(plane.policy.status().drafts.length, 1, 'and drafted once');

  const { id } = plane.policy.status().drafts[0]!;
  t.throws(() => plane.drafts.propose(manager, id, C.hash, 'why'), { code: 'policy_changed' });
  t.throws(() => plane.drafts.propose(manager, id, B.hash, ' '), { code: 'invalid_fields' });
  t.throws(() => plane.drafts.approve(head, id, B.hash), { code: 'draft_decided' }, 'nobody stands for it yet');
  plane.drafts.propose(manager, id, B.hash, 'the school has a new name');
  t.throws(() => plane.drafts.propose(head, id, B.hash, 'me too'), { code: 'draft_not_yours' });
  t.throws(() => plane.drafts.approve(manager, id, B.hash), { code: 'policy_own' });
  t.throws(() => plane.drafts.approve(head, '01J00000000000000000000009', B.hash), { code: 'draft_unknown' });
  t.match(plane.policy.published(), { serial: 1 }, 'nothing yet');

  t.match(plane.drafts.approve(head, id, B.hash), {
    serial: 2,
    way: 'two-people',
    author: manager.personId,
    approver: head.personId,
  });
  await plane.publishing.send();
  t.match(plane.last('policy'), { hash: B.hash });
  t.match(plane.policy.status(), { disk: 'same', drafts: [] });
  const row = plane.record.read((tx) => newestRows(tx, 'policy:2', 1))[0]!;
  t.match(row, { actor: 'n.manager', approver: 'h.teacher' });
  t.strictSame(plane.acts(), [
    'policy.published file',
    'policy.drafted file',
    'policy.proposed n.manager',
    'policy.published n.manager',
  ]);
});

void t.test('a draft of files stands for what is on disk, and for nothing else', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  plane.disk = { snapshot: B };
  plane.policy.look();
  const first = proposeDisk(plane, manager, 'one');
  plane.disk = { snapshot: C };
  plane.policy.look();
  t.throws(() => plane.drafts.approve(head, first.id, first.hash), { code: 'draft_decided' }, 'the files have changed');
  const second = proposeDisk(plane, manager, 'two');
  t.throws(() => plane.drafts.refuse(head, second.id, ''), { code: 'invalid_fields' });
  t.match(plane.policy.status(), { drafts: [{ id: second.id }] }, 'a refusal without a word is none');
  plane.drafts.refuse(head, second.id, 'not this term');
  plane.policy.look();
  t.match(plane.policy.status(), { disk: 'different', drafts: [] }, 'what was refused does not come back by itself');
  const third = plane.policy.draftOfFiles(head);
  t.equal(plane.policy.draftOfFiles(head).id, third.id, 'asked twice is one draft');
  plane.disk = { snapshot: testPolicy() };
  plane.policy.look();
  t.match(plane.policy.status(), { disk: 'same', drafts: [] }, 'put back by hand');
  t.match(plane.policy.published(), { serial: 1 });
  t.equal(plane.acts().filter((act) => act === 'policy.superseded file').length, 2);
});

void t.test('files that were refused are put back, and stay in a draft', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { manager } = twoPeople(plane);
  t.throws(() => plane.policy.restoreFiles(manager), { code: 'policy_nothing' });
  plane.disk = { snapshot: B };
  plane.policy.restoreFiles(manager);
  t.match(plane.disk, { snapshot: testPolicy() });
  t.match(plane.policy.status(), { disk: 'same', drafts: [{ state: 'open', diskHash: null }] });
  plane.policy.look();
  t.equal(plane.policy.status().drafts.length, 1, 'it lives on without the disk');
});

void t.test('what was published and proposed outlives the console', async (t) => {
  const path = join(t.testdir(), 'record.sqlite');
  const clock = manualClock();
  const before = controlPlane({ path, clock });
  before.policy.look();
  const { head, manager } = twoPeople(before);
  before.disk = { snapshot: B };
  before.policy.look();
  const { id, hash } = proposeDisk(before, manager, 'new name');
  await before.close();
  const after = controlPlane({ path, clock, disk: { snapshot: B } });
  t.teardown(() => after.close());
  t.match(after.policy.published(), { serial: 1 });
  after.policy.look();
  t.match(after.policy.status(), { drafts: [{ id }] });
  t.match(after.drafts.approve(head, id, hash), { serial: 2 });
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
