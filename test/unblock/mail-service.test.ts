import t from 'tap';
import { SHIPPED_ALERTS } from '../../src/policy/alert-rules.ts';
import type { Decision } from '../../src/unblock/mail-words.ts';
import { reminderAt } from '../../src/unblock/queue.ts';
import { NO_TERMS } from '../../src/unblock/terms.ts';
import {
  type ControlPlane,
  START,
  controlPlane,
  staffMember,
  testPolicy,
  twoPeople,
} from '../helpers/control-plane.ts';
import { queuedMail } from '../helpers/queued-mail.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const EVIL = 'Amy Ash\r\nBcc: everybody@evil.example\r\n\r\n<script>alert(1)</script>';

function school(t: { teardown(work: () => unknown): unknown }) {
  const alerts = {
    ...SHIPPED_ALERTS,
    console: 'https://filter.school.example',
    mail: { 'h.teacher': 'head@school.example' },
  };
  const policy = testPolicy({
    alerts,
    categories: {
      games: { title: 'Games', locked: false, flag: true },
      adult: { title: 'Adult', locked: false, flag: true, highRisk: true },
    },
    people: { 'amy.ash': { level: 'ks2', groups: ['5A'], rules: null } },
  });
  const plane = controlPlane({ disk: { snapshot: policy } });
  t.teardown(() => plane.close());
  plane.policy.look();
  const staff = twoPeople(plane);
  const lead = staffMember(plane, 'd.lead', 'safeguarding-lead');
  const teacher = staffMember(plane, 't.adams', 'teacher');
  staffMember(plane, 'g.governor', 'governor');
  const ask = (change: object = {}, by = teacher) =>
    plane.unblocks.request(by, {
      ...NO_TERMS,
      topic: EVIL,
      reason: EVIL,
      subject: 'Amy Ash',
      hosts: ['amy-ash.example', 'maps.example'],
      pupils: ['amy.ash'],
      from: START + 2 * HOUR,
      until: START + 3 * HOUR,
      ...change,
    });
  return { plane, ask, teacher, lead, ...staff };
}

/** `about` without the id, and to whom; sorted. */
const told = (plane: ControlPlane, step: string): string[] =>
  queuedMail(plane)
    .filter(({ about }) => about.endsWith(`#${step}`))
    .map(({ to }) => to)
    .sort();

void t.test('whoever may decide is told once, with a link and nothing that was typed', async (t) => {
  const { plane, ask } = school(t);
  const { id } = await ask();
  t.same(
    told(plane, 'waiting'),
    ['d.lead', 'head', 'n.manager'],
    'each who may approve; not the asker, not a governor',
  );
  const mails = queuedMail(plane);
  for (const { subject, text, html } of mails) {
    t.equal(subject, 'Schoolgate: an unblock waits for a decision');
    t.match(text, `https://filter.school.example/unblocks/${id}`);
    t.match(text, 't.adams asks for 2 sites to be opened.\nFrom Mon 23 Nov 2026, 11:00 until');
    t.notMatch(text, /amy|ash|evil|script/i, 'neither a pupil nor a header of somebody else’s making');
    t.equal(html, undefined);
  }
});

void t.test('who asks is not told', async (t) => {
  const { plane, ask, head } = school(t);
  await ask({}, head);
  t.same(told(plane, 'waiting'), ['d.lead', 'n.manager']);
});

void t.test('for what is of high risk the safeguarding lead is told what their part is', async (t) => {
  const { plane, ask } = school(t);
  await ask({ categories: ['adult'] });
  t.match(queuedMail(plane)[0]!.text, '2 sites and 1 category');
  t.match(queuedMail(plane)[0]!.text, 'The safeguarding lead must agree');
});

void t.test('a form that is sent twice is mailed once, a request that fails not at all', async (t) => {
  const { plane, ask, teacher } = school(t);
  const key = plane.unblocks.newFormKey();
  const input = {
    ...NO_TERMS,
    hosts: ['maps.example'],
    topic: 'x',
    reason: 'x',
    levels: ['ks2'],
    from: START,
    until: START + HOUR,
  };
  await plane.unblocks.request(teacher, input, key);
  await plane.unblocks.request(teacher, input, key);
  t.equal(queuedMail(plane).length, 3);
  await t.rejects(ask({ hosts: ['com'] }));
  plane.record.write((tx) => tx.run(`UPDATE audit_head SET mac = 'ff'`));
  await t.rejects(ask());
  t.equal(queuedMail(plane).length, 3);
});

void t.test('whoever asked is told of the end of it, and nobody of their own act', async (t) => {
  const table: [decision: Decision | 'withdrawn', words: RegExp | null][] = [
    ['approved', /was approved/],
    ['refused', /was refused/],
    ['revoked', /ended early/],
    ['expired', /Nobody decided in time/],
    ['withdrawn', null],
  ];
  for (const [decision, words] of table) {
    const { plane, ask, head, teacher } = school(t);
    const { id } = await ask();
    const move = (by: typeof head, what: Parameters<typeof plane.unblocks.move>[2]): unknown =>
      plane.unblocks.move(by, id, what, EVIL);
    if (decision === 'approved' || decision === 'revoked') move(head, 'approve');
    if (decision === 'revoked') move(head, 'revoke');
    if (decision === 'refused') move(head, 'refuse');
    if (decision === 'withdrawn') move(teacher, 'withdraw');
    plane.clock.advance(4 * HOUR);
    plane.unblocks.noteExpired();
    const mine = queuedMail(plane).filter(({ to }) => to === 't.adams');
    const last = mine.at(-1);
    if (words === null) t.same(mine, []);
    else t.match(last?.text, words, decision);
    t.notMatch(last?.text ?? '', /amy|evil/i);
  }
});

void t.test('half an hour before it begins whoever has not decided is reminded, once', async (t) => {
  const { plane, ask, head } = school(t);
  await ask();
  const decided = await ask();
  plane.unblocks.move(head, decided.id, 'refuse', '');
  plane.clock.advance(2 * HOUR - 30 * MINUTE - 1);
  t.equal(plane.unblocks.remind(), 0, 'not yet');
  plane.clock.advance(1);
  t.equal(plane.unblocks.remind(), 1);
  t.equal(plane.unblocks.remind(), 0, 'once');
  t.same(told(plane, 'reminder'), ['d.lead', 'head', 'n.manager']);
  t.match(queuedMail(plane).at(-1), { subject: /begins soon/, text: /Nobody has decided it yet/ });

  const half = await ask({ categories: ['adult'], from: plane.clock() + HOUR, until: plane.clock() + 2 * HOUR });
  plane.unblocks.move(head, half.id, 'approve', '');
  plane.clock.advance(HOUR);
  t.equal(plane.unblocks.remind(), 1);
  const reminded = queuedMail(plane).filter(({ about }) => about === `unblock:${half.id}#reminder`);
  t.same(
    reminded.map(({ to }) => to),
    ['d.lead'],
    'only the safeguarding lead, whose word is missing',
  );
  const table: [what: string, from: number, until: number, asked: number, at: number | null][] = [
    ['asked long before', 100, 160, 0, 70],
    ['asked shortly before', 100, 160, 80, 90],
    ['asked for at once', 100, 160, 100, 110],
    ['over before anybody could have forgotten', 100, 105, 100, null],
  ];
  for (const [what, from, until, asked, at] of table) {
    const terms = { from: from * MINUTE, until: until * MINUTE, requested: { by: 'a', at: asked * MINUTE } };
    t.equal(reminderAt(terms), at === null ? null : at * MINUTE, what);
  }
});

void t.test('wishes: whoever looks after the policy hears of sites to be blocked, at most once an hour', async (t) => {
  const { plane, teacher } = school(t);
  const asker = { ...teacher, fullName: 'Tess Adams' };
  const wish = (kind: 'open' | 'close') =>
    plane.wishes.make(asker, { kind, sites: 'amy-ash.example', reason: EVIL }, null);
  wish('close');
  wish('close');
  const closing = (): string[] =>
    queuedMail(plane)
      .filter(({ about }) => about.startsWith('wishes:close'))
      .map(({ to }) => to)
      .sort();
  t.same(closing(), ['d.lead', 'head', 'n.manager']);
  plane.clock.advance(HOUR);
  wish('close');
  t.equal(closing().length, 6);
  wish('open');
  const opening = queuedMail(plane).filter(({ about }) => about.startsWith('wishes:open'));
  t.same(opening.map(({ to }) => to).sort(), ['d.lead', 'head', 'n.manager'], 'there is no teacher of theirs');
  for (const { text } of queuedMail(plane)) t.notMatch(text, /amy|evil|tess/i);
});
