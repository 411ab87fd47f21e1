import t from 'tap';
import { fullName } from '../../src/identity/directory/model.ts';
import type { Asker } from '../../src/unblock/wish-service.ts';
import { ANSWERS, type Wish, type WishAnswer, answerWish, readWishAsk, wishState } from '../../src/unblock/wish.ts';
import { NO_TERMS } from '../../src/unblock/terms.ts';
import {
  START,
  type ControlPlane,
  controlPlane,
  staffMember,
  testPolicy,
  twoPeople,
} from '../helpers/control-plane.ts';
import { queuedMail } from '../helpers/queued-mail.ts';
import { rosterFiles } from '../helpers/rosters.ts';
import { policyFiles } from '../policy/small-school.ts';

const DAY = 86_400_000;
const ROSTER = `username,role,year,classes,teaches,given name,family name
amy.ash,pupil,5,5A,,Amy,Ash
bob.bell,pupil,5,5B,,Bob,Bell
t.adams,teacher,,,5A,Tess,Adams
t.brown,teacher,,,5B,Theo,Brown
`;

async function school(): Promise<ControlPlane & { readonly asker: (userName: string) => Asker }> {
  const identity = { mode: 'open' as const, ranges: [], levels: { years: { 5: 'ks2' }, roles: {} } };
  const plane = controlPlane({ disk: { snapshot: testPolicy({ identity }) } });
  plane.policy.look();
  const imported = await plane.directory.import(null, rosterFiles({ 'people.csv': ROSTER }), true);
  if (imported.outcome !== 'imported') throw new Error(JSON.stringify(imported));
  const asker = (userName: string): Asker => {
    const person = plane.directory.members().find((one) => one.userName === userName)!;
    return { personId: person.id, userName, fullName: fullName(person), address: '10.1.2.3' };
  };
  return Object.assign(plane, { asker });
}

const NEEDED = { kind: 'open', sites: 'https://tudors.example/maps\ntudors.example', reason: ' my homework ' } as const;

void t.test('a pupil asks, their teacher passes it on, and the pupil reads what became of it', async (t) => {
  const plane = await school();
  t.teardown(() => plane.close());
  const { head } = twoPeople(plane);
  const [amy, adams, brown] = ['amy.ash', 't.adams', 't.brown'].map(plane.asker) as [Asker, Asker, Asker];
  for (const { personId } of [adams, brown]) plane.giveRole(personId, 'teacher');

  const asked = plane.wishes.desk(amy, { act: 'make', key: 'k1', ...NEEDED });
  t.match(asked, {
    state: 'done',
    view: { fullName: 'Amy Ash', isPupil: true, wishes: [{ hosts: ['tudors.example'], state: /Nobody has answered/ }] },
  });
  plane.wishes.desk(amy, { act: 'make', key: 'k1', ...NEEDED });
  t.equal(plane.wishes.toAnswer(adams.personId).length, 1, 'sent twice is asked once');
  const mailed = queuedMail(plane).map(({ to, about }) => [to, about.split('#')[0]]);
  t.strictSame(mailed, [['t.adams', 'wishes:open']], 'their teacher is mailed, and nobody else');
  t.strictSame(plane.wishes.toAnswer(brown.personId), [], 'a teacher of another class does not see it');
  t.equal(plane.wishes.toAnswer(head.personId).length, 1, 'who decides unblocks does');
  t.strictSame(plane.wishes.toAnswer(amy.personId), [], 'and a pupil sees no list');
  const { id } = plane.wishes.toAnswer(adams.personId)[0]!;

  const terms = { ...NO_TERMS, topic: 'Tudors', reason: 'History', hosts: ['tudors.example'], pupils: ['amy.ash'] };
  const times = { from: START, until: START + DAY };
  const passOn = (actor: Asker, key: string) => plane.unblocks.request(actor, { ...terms, ...times }, key, id);
  await t.rejects(passOn(brown, 'b'), { code: 'wish_unknown' });
  const unblock = await passOn(adams, 'a');
  t.equal((await passOn(adams, 'a')).id, unblock.id, 'the form again is the same request');
  await t.rejects(passOn(adams, 'other'), { code: 'wish_answered' });
  t.equal(plane.unblocks.list(9).length, 1, 'nothing half done');
  const told = (): string => {
    const answer = plane.wishes.desk(amy, { act: 'see' });
    return answer.state === 'done' ? answer.view.wishes[0]!.state : answer.state;
  };
  t.match(told(), 'waits for a decision');
  plane.unblocks.move(head, unblock.id, 'approve', '');
  t.match(told(), 'It is open now');
  plane.clock.advance(DAY);
  t.match(told(), 'Its time is over');
  t.strictSame(
    plane.acts().filter((act) => act.startsWith('wish.')),
    ['wish.made amy.ash', 'wish.answered t.adams'],
  );
});

void t.test('refused with a word', async (t) => {
  const plane = await school();
  t.teardown(() => plane.close());
  const [amy, adams] = ['amy.ash', 't.adams'].map(plane.asker) as [Asker, Asker];
  plane.giveRole(adams.personId, 'teacher');
  const wish = plane.wishes.make(amy, NEEDED, null);
  t.throws(() => plane.wishes.refuse(adams, wish.id, ' '), { code: 'invalid_fields' });
  t.throws(() => plane.wishes.takeUp(adams, wish.id, [], 'x'), { code: 'wish_answered' }, 'a wish to open');
  plane.wishes.refuse(adams, wish.id, 'Use the book on page 12.');
  t.match(plane.wishes.desk(amy, { act: 'see' }), { view: { wishes: [{ word: 'Use the book on page 12.' }] } });
  t.throws(() => plane.wishes.refuse(adams, wish.id, 'No.'), { code: 'wish_answered' });
});

void t.test('a site that should be blocked becomes a change of the policy, for two people', async (t) => {
  const files = policyFiles();
  const plane = controlPlane({ policyFiles: files });
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  const teacher = { ...staffMember(plane, 't.adams', 'teacher'), fullName: 'Tess Adams' };
  const told = (): string => {
    const answer = plane.wishes.desk(teacher, { act: 'see' });
    return answer.state === 'done' ? answer.view.wishes[0]!.state : answer.state;
  };
  const wish = plane.wishes.make(teacher, { kind: 'close', sites: 'bad.example', reason: 'It bullies.' }, null);
  const takeUp = (actor = manager, places = ['levels/junior.yaml'], reason = 'Bullying') =>
    plane.wishes.takeUp(actor, wish.id, places, reason);
  t.throws(() => takeUp(teacher), { code: 'wish_unknown' }, 'not a teacher’s');
  const table: [what: string, places: string[], reason: string, said: string][] = [
    ['nowhere', [], 'x', 'Say for whom'],
    ['in a file that is no place', ['rules.yaml'], 'x', 'Choose from the places'],
    ['without a reason', ['levels/junior.yaml'], ' ', 'Say why'],
  ];
  for (const [what, places, reason, said] of table) {
    t.throws(() => takeUp(manager, places, reason), { code: 'invalid_fields', message: new RegExp(said) }, what);
  }
  t.equal(plane.wishes.get(manager.personId, wish.id).state, 'waiting', 'nothing is half done');
  t.equal(plane.policy.status().drafts.length, 0);

  const { draftId } = takeUp();
  t.equal(takeUp().draftId, draftId, 'sent twice is done once');
  t.throws(() => takeUp(head), { code: 'wish_answered' });
  t.match(told(), 'waits for a decision');
  const { draft, hash, changes } = plane.drafts.view(draftId!);
  t.match(draft, { state: 'proposed', author: manager.personId, reason: 'Bullying' });
  t.match(changes, [{ text: /bad\.example/, loosens: false }]);
  t.throws(() => plane.drafts.approve(manager, draftId!, hash!), { code: 'policy_own' });
  plane.drafts.approve(head, draftId!, hash!);
  t.match(files.texts['levels/junior.yaml'], 'bad.example', 'in the files');
  t.match(told(), 'is blocked now');

  const again = plane.wishes.make(teacher, { kind: 'close', sites: 'bad.example', reason: 'Still' }, null);
  const twice = (): unknown => plane.wishes.takeUp(manager, again.id, ['levels/junior.yaml'], 'x');
  t.throws(twice, { code: 'invalid_fields', message: /already/ });
  plane.wishes.refuse(manager, again.id, 'It is blocked.');
  t.match(told(), 'The answer is no');
});

void t.test('what cannot be asked for', async (t) => {
  const plane = await school();
  t.teardown(() => plane.close());
  const amy = plane.asker('amy.ash');
  const table: [what: string, sites: string, reason: string, fields: string[]][] = [
    ['nothing', ' \n', ' ', ['sites', 'reason']],
    ['no site', 'not a site!', 'x', ['sites']],
    ['everything under uk', 'co.uk', 'x', ['sites']],
    ['the school’s never-list', 'www.never.example', 'x', ['sites']],
    ['a novel', 'a.example', 'x'.repeat(301), ['reason']],
    ['too many', Array.from({ length: 11 }, (_, i) => `a${i}.example`).join(), 'x', ['sites']],
  ];
  for (const [what, sites, reason, fields] of table) {
    const answer = plane.wishes.desk(amy, { act: 'make', kind: 'open', key: what, sites, reason });
    t.match(answer, { state: 'wrong', fields: fields.map((field) => ({ field })) }, what);
  }
  for (let i = 0; i < 10; i++) plane.wishes.make(amy, NEEDED, `form ${i}`);
  t.throws(() => plane.wishes.make(amy, NEEDED, 'one more'), { code: 'wish_many' });
  plane.clock.advance(14 * DAY);
  t.ok(plane.wishes.make(amy, NEEDED, 'later'), 'what nobody answered has lapsed');
});

void t.test('every answer is legal to what waits and is of its kind, and to nothing else', async (t) => {
  const wish: Wish = {
    id: '01J00000000000000000000000',
    kind: 'open',
    state: 'waiting',
    hosts: ['a.example'],
    reason: 'x',
    asked: { by: 'amy', userName: 'amy', at: START },
    answered: null,
    word: '',
    unblockId: null,
    draftId: null,
  };
  const states = [...new Set(Object.values(ANSWERS).map(({ to }) => to)), 'waiting'] as Wish['state'][];
  for (const kind of ['open', 'close'] as const) {
    for (const state of states) {
      for (const answer of Object.keys(ANSWERS) as WishAnswer[]) {
        for (const age of [0, 15 * DAY]) {
          const act = { by: 'teacher', at: START + age };
          const isLegal = state === 'waiting' && age === 0 && ANSWERS[answer].kinds.includes(kind);
          const run = () => answerWish({ ...wish, kind, state }, answer, act, 'a word');
          const what = `${answer} of ${kind}, ${wishState({ ...wish, state }, act.at)}`;
          if (isLegal) t.equal(run().state, ANSWERS[answer].to, what);
          else t.throws(run, { code: 'wish_answered' }, what);
        }
      }
    }
  }
  for (const bad of [
    '',
    '{',
    '[]',
    '{"act":"make","kind":"both","sites":"","reason":"","key":""}',
    '{"act":"see',
    'null',
  ]) {
    t.equal(readWishAsk(bad), null, bad);
  }
  t.strictSame(readWishAsk('{"act":"see","more":1}'), { act: 'see' });
});
