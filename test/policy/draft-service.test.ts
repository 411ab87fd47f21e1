import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { NO_DIRECTORY } from '../../src/identity/directory-snapshot.ts';
import { examineTexts, readTexts } from '../../src/policy/load.ts';
import type { PolicyTexts } from '../../src/policy/texts.ts';
import { mergeTexts, withFile } from '../../src/policy/texts.ts';
import { filledIn, formPart, namesInRules, policyForm, withoutPart } from '../../src/policy/draft-form.ts';
import { writePolicyFiles } from '../../src/policy/write-files.ts';
import { type ControlPlane, START, controlPlane, twoPeople } from '../helpers/control-plane.ts';
import { CATEGORIES, JUNIOR, SCHOOL } from './small-school.ts';

const RULES =
  'people:\n  # Plays too much\n  - { name: a.smith, level: junior }\ngroups:\n  - name: 9x\n    allow: [open.example]\n';
const ID = (n: number): string => `01J0000000000000000000001${n}`;

/** A school whose policy is a folder, and the people who change it. */
function school(t: Test, settings = '') {
  const folder = t.testdir({
    'school.yaml': `# Ours\n${SCHOOL}${settings}`,
    'rules.yaml': RULES,
    levels: { 'junior.yaml': JUNIOR, 'senior.yaml': 'title: Senior\nvoice: teen\nextends: junior\n' },
  });
  const categories = CATEGORIES.map(({ id, title, locked, flag }) => ({
    id,
    title,
    locked,
    flag,
    description: '',
    uksic: '',
  }));
  const catalogue = { categories, lists: [], offered: [] };
  const state = { problem: null as string | null };
  const plane = controlPlane({
    policyFiles: {
      read: () => readTexts(folder),
      examine: (texts) => examineTexts(texts, catalogue, { people: NO_DIRECTORY, now: START }),
      write: (before, after) => state.problem ?? writePolicyFiles(folder, before, after),
    },
  });
  t.teardown(() => plane.close());
  plane.policy.look();
  const people = twoPeople(plane);
  const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
  return { plane, folder, state, text, ...people, level: (change: (text: string) => string) => levels(plane, change) };
}

function levels(plane: ControlPlane, change: (text: string) => string): PolicyTexts {
  const files = plane.policy.published()!.files!;
  return withFile(files, 'levels/junior.yaml', change(files['levels/junior.yaml']!));
}

const opened = (text: string): string => text.replace('games: block', 'games: allow # for the club');
const closed = (text: string): string => text.replace('news: monitor', 'news: block');

/** Drafts and proposes; gives the hash that was seen. */
function propose(
  plane: ControlPlane,
  actor: Parameters<ControlPlane['drafts']['begin']>[0],
  n: number,
  files: PolicyTexts,
) {
  const { revision } = plane.drafts.begin(actor, ID(n));
  plane.drafts.save(actor, ID(n), revision, files);
  const hash = plane.drafts.view(ID(n)).hash!;
  plane.drafts.propose(actor, ID(n), hash, 'a club');
  return hash;
}

void t.test('a draft is written, proposed, approved, in force and on disk, each step once', async (t) => {
  const { plane, text, head, manager, level } = school(t);
  const { drafts, policy } = plane;
  const first = drafts.begin(manager, ID(1));
  t.same(drafts.begin(manager, ID(1)), first, 'a form that was sent twice');
  t.throws(() => drafts.save(head, ID(1), 1, level(opened)), { code: 'draft_not_yours' });
  drafts.save(
    manager,
    ID(1),
    1,
    level(() => 'title: ['),
  );
  t.match(drafts.view(ID(1)), { hash: null, examined: { problems: [{ file: 'levels/junior.yaml', line: 1 }] } });
  t.throws(() => drafts.propose(manager, ID(1), 'a'.repeat(64), 'why'), { code: 'policy_invalid' });
  t.throws(() => drafts.save(manager, ID(1), 1, level(opened)), { code: 'draft_changed' }, 'an older page');
  drafts.save(manager, ID(1), 2, level(opened));
  t.equal(drafts.save(manager, ID(1), 1, level(opened)).revision, 3, 'gone back to, and sent again unchanged');
  const { hash, changes } = drafts.view(ID(1));
  t.match(changes, [{ text: /^All levels: Games is now allowed/, loosens: true }]);
  drafts.propose(manager, ID(1), hash!, 'a club');
  t.throws(() => drafts.publishAlone(manager, ID(1), hash!, 'me'), { code: 'policy_alone' });
  t.match(drafts.approve(head, ID(1), hash!), { serial: 2, way: 'two-people' });
  t.match(drafts.approve(head, ID(1), hash!), { serial: 2 }, 'approved twice is approved once');
  t.throws(() => drafts.refuse(head, ID(1), 'no'), { code: 'draft_decided' });
  t.match(text('levels/junior.yaml'), 'games: allow # for the club');
  t.match(text('school.yaml'), '# Ours');
  t.match(policy.status(), { disk: 'same', notWritten: null, drafts: [] });
  t.equal(policy.published()!.snapshot.levels['senior']!.categories['games']!.action, 'allow');
  t.equal(plane.acts().filter((act) => act.startsWith('policy.published')).length, 2);
});

void t.test(
  'what opens something for pupils takes headteacher or safeguarding lead; what closes may take one',
  async (t) => {
    const { plane, head, manager, level } = school(t, 'changes: { tighteningAlone: true }\n');
    const { drafts } = plane;
    const hash = propose(plane, head, 1, level(opened));
    t.throws(() => drafts.approve(manager, ID(1), hash), { code: 'policy_loosens' });
    t.throws(() => drafts.approve(head, ID(1), hash), { code: 'policy_own' });
    drafts.withdraw(head, ID(1), 'nobody else may');
    const tighter = propose(plane, manager, 2, level(closed));
    t.match(drafts.view(ID(2)), { isEnoughAlone: true, changes: [{ tightens: true }] });
    t.match(drafts.publishAlone(manager, ID(2), tighter, 'news is noise'), { way: 'alone', approver: null });
    const both = propose(
      plane,
      manager,
      3,
      level((text) => opened(text).replace('chat: warn', 'chat: block')),
    );
    t.throws(() => drafts.publishAlone(manager, ID(3), both, 'mixed'), { code: 'policy_alone' });
  },
);

void t.test('an overtaken draft is brought up to date, and nothing that was typed is lost', async (t) => {
  const { plane, head, manager, level } = school(t);
  const { drafts } = plane;
  const hash = propose(plane, manager, 1, level(opened));
  const other = propose(plane, manager, 2, level(closed));
  const apart = withFile(plane.policy.published()!.files!, 'rules.yaml', null);
  propose(plane, manager, 3, apart);
  drafts.approve(head, ID(1), hash);
  t.throws(() => drafts.approve(head, ID(2), other), { code: 'policy_stale' });
  t.same(drafts.view(ID(2)).stale!.conflicts, ['levels/junior.yaml'], 'both changed it');
  t.throws(() => drafts.rebase(manager, ID(2), 2, {}), { code: 'draft_conflict' });
  const resolved = closed(plane.policy.published()!.files!['levels/junior.yaml']!);
  t.match(drafts.rebase(manager, ID(2), 2, { 'levels/junior.yaml': resolved }), { state: 'open', revision: 3 });
  t.match(drafts.view(ID(2)), { stale: null, changes: [{ text: /^All levels: News is now blocked/ }] });
  t.same(drafts.view(ID(3)).stale!.conflicts, []);
  drafts.rebase(manager, ID(3), 2, {});
  t.equal(drafts.view(ID(3)).draft.files['rules.yaml'], undefined);
  t.match(drafts.view(ID(3)).draft.files['levels/junior.yaml'], 'for the club');
  t.match(mergeTexts({ a: '1' }, { a: '2' }, { a: '2', b: '3' }), { texts: { a: '2', b: '3' }, conflicts: [] });
});

void t.test('going back is a change like any other', async (t) => {
  const { plane, head, manager, level, text } = school(t);
  const { drafts } = plane;
  drafts.approve(head, ID(1), propose(plane, manager, 1, level(closed)));
  t.throws(() => drafts.revert(manager, ID(2), 1, ''), { code: 'invalid_fields' });
  t.throws(() => drafts.revert(manager, ID(2), 9, 'back'), { code: 'version_unknown' });
  t.throws(() => drafts.revert(manager, ID(2), 2, 'back'), { code: 'policy_nothing' });
  const draft = drafts.revert(manager, ID(2), 1, 'news is needed');
  t.equal(drafts.revert(manager, ID(2), 1, 'news is needed').id, draft.id, 'twice is once');
  t.match(draft, { state: 'proposed' });
  t.match(drafts.approve(head, ID(2), drafts.view(ID(2)).hash!), { serial: 3, author: manager.personId });
  t.equal(text('levels/junior.yaml'), JUNIOR);
});

void t.test('an emergency is in force at once, told, and reviewed by somebody else', async (t) => {
  const { plane, head, manager, level, text } = school(t);
  const { drafts, policy } = plane;
  const emergency = (n: number, change: (text: string) => string): void => {
    const hash = propose(plane, manager, n, level(change));
    t.throws(() => drafts.publishInEmergency(manager, ID(n), hash, ' '), { code: 'invalid_fields' });
    drafts.publishInEmergency(manager, ID(n), hash, 'exams begin now');
    drafts.publishInEmergency(manager, ID(n), hash, 'exams begin now');
  };
  emergency(1, opened);
  t.match(policy.status(), { published: { serial: 2, way: 'emergency' }, toReview: [{ serial: 2 }] });
  t.same(plane.emergencies, [2], 'told once');
  t.throws(() => drafts.review(manager, 2, 'kept', 'mine'), { code: 'policy_own' });
  t.throws(() => drafts.review(head, 2, 'kept', ''), { code: 'invalid_fields' });
  t.throws(() => drafts.review(head, 1, 'kept', 'what'), { code: 'version_unknown' });
  drafts.review(head, 2, 'reverted', 'ask first');
  drafts.review(head, 2, 'reverted', 'ask first');
  t.match(policy.published(), { serial: 3, way: 'review' });
  t.equal(text('levels/junior.yaml'), JUNIOR);
  emergency(2, closed);
  drafts.review(head, 4, 'kept', 'well done');
  t.throws(() => drafts.review(head, 4, 'reverted', 'no'), { code: 'draft_decided' });
  t.match(policy.status(), { published: { serial: 4 }, toReview: [] });
});

void t.test('what stands on disk is never written over unseen', async (t) => {
  const { plane, folder, head, manager, level, text } = school(t);
  const hash = propose(plane, manager, 1, level(opened));
  writeFileSync(join(folder, 'school.yaml'), text('school.yaml').replace('Test School', 'Other School'));
  plane.drafts.approve(head, ID(1), hash);
  t.match(text('school.yaml'), 'Test School');
  const [kept] = plane.policy.status().drafts;
  t.match(kept, { state: 'open', author: null, diskHash: null });
  t.match(kept!.files['school.yaml'], 'Other School');
  t.notSame(plane.drafts.view(kept!.id).stale, null);
  appendFileSync(join(folder, 'school.yaml'), '# a comment\n');
  plane.policy.look();
  t.match(plane.policy.published()!.files!['school.yaml'], '# a comment', 'comments are taken as they are');
  writeFileSync(join(folder, 'school.yaml'), 'name: [');
  plane.drafts.approve(head, ID(2), propose(plane, manager, 2, level(closed)));
  t.equal(plane.policy.status().drafts.filter(({ files }) => files['school.yaml'] === 'name: [').length, 1);
  t.match(text('school.yaml'), '# a comment');
});

void t.test('a folder that cannot be written says so, and is written when it can be', async (t) => {
  const { plane, state, head, manager, level, text } = school(t);
  state.problem = 'The policy folder cannot be written (EROFS).';
  plane.drafts.approve(head, ID(1), propose(plane, manager, 1, level(opened)));
  plane.policy.look();
  t.match(plane.policy.status(), { disk: 'different', notWritten: /EROFS/, drafts: [], published: { serial: 2 } });
  t.equal(text('levels/junior.yaml'), JUNIOR);
  plane.drafts.approve(head, ID(2), propose(plane, manager, 2, level(closed)));
  state.problem = null;
  plane.policy.look();
  t.match(plane.policy.status(), { disk: 'same', notWritten: null, drafts: [], published: { serial: 3 } });
  t.match(text('levels/junior.yaml'), /for the club[^]*news: block/);
});

void t.test('files are replaced whole, and those that somebody has changed are left to them', async (t) => {
  const folder = t.testdir({ 'school.yaml': 'a', 'rules.yaml': 'mine', levels: { 'a.yaml': 'x' } });
  const before = { 'school.yaml': 'a', 'rules.yaml': 'r', 'levels/a.yaml': 'x' };
  const after = { 'school.yaml': 'b', 'rules.yaml': 's', 'agreements/c.yaml': 'c', '../out.yaml': 'never' };
  t.match(writePolicyFiles(folder, before, after), /^rules\.yaml on disk was changed by hand/);
  t.same(readTexts(folder), { files: { 'school.yaml': 'b', 'rules.yaml': 'mine', 'agreements/c.yaml': 'c' } });
  rmSync(join(folder, 'rules.yaml'));
  mkdirSync(join(folder, 'rules.yaml'));
  t.match(writePolicyFiles(folder, before, after), /cannot be written/);
});

void t.test('forms change what was changed in them, and leave comments where they are', async (t) => {
  const { plane } = school(t);
  const { files, snapshot } = plane.policy.published()!;
  const form = (file: string, part = '') => {
    const found = policyForm(files!, formPart(file, part)!, snapshot);
    if ('problems' in found) throw new Error('no form');
    return found.form;
  };
  const level = form('levels/junior.yaml');
  t.match(level.values, { title: 'Junior', uncategorised: 'allow', allow: 'helpline.example\nmixed.example/ok' });
  t.notOk(
    level.categories.some(({ id }) => id === 'category.csam'),
    'locked ones are not asked',
  );
  t.same(filledIn(files!, level, level.values), files, 'nothing typed, nothing changed');
  const typed = {
    ...level.values,
    allow: 'helpline.example\r\nnew.example',
    hours: 'mon tue 7:30-18:00\non holidays',
    'category.games': 'warn',
  };
  const changed = filledIn(files!, level, { ...typed, 'category.unheard-of': 'block', injected: 'x' })![
    'levels/junior.yaml'
  ]!;
  t.match(changed, /games: warn[^]*unheard-of: block/);
  t.match(changed, /allow: \[ helpline\.example, new\.example \]/);
  t.match(changed, /days:\n\s+- mon\n\s+- tue\n\s+from: 07:30|days: \[ mon, tue \]/);
  t.notMatch(changed, 'injected');
  const person = form('rules.yaml', 'people:a.smith');
  const rules = filledIn(files!, person, { ...person.values, block: 'games.example' })!;
  t.match(rules['rules.yaml'], /# Plays too much[^]*block: \[ games\.example \]|# Plays too much[^]*- games\.example/);
  const added = form('rules.yaml', 'groups:10y');
  t.ok(added.isNew);
  const more = filledIn(files!, added, { allow: 'x.example', 'category.chat': 'allow' })!;
  t.same(namesInRules(more)!.groups, ['9x', '10y']);
  t.same(namesInRules(withoutPart(more, formPart('rules.yaml', 'groups:9x')!)!)!.groups, ['10y']);
  t.equal(formPart('rules.yaml', 'lessons:0'), null);
  t.match(policyForm(withFile(files!, 'rules.yaml', 'people: x'), formPart('rules.yaml', 'people:a')!, snapshot), {
    problems: [{}],
  });
});
