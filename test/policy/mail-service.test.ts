import t from 'tap';
import { controlPlane, staffMember, twoPeople } from '../helpers/control-plane.ts';
import { queuedMail } from '../helpers/queued-mail.ts';
import { policyFiles } from './small-school.ts';

const DAY = 86_400_000;
const ID = (n: number): string => `01J0000000000000000000001${n}`;
const EVIL = 'Amy Ash\r\nBcc: everybody@evil.example';

function school(t: { teardown(work: () => unknown): unknown }) {
  const plane = controlPlane({ policyFiles: policyFiles() });
  t.teardown(() => plane.close());
  plane.policy.look();
  const staff = twoPeople(plane);
  const lead = staffMember(plane, 'd.lead', 'safeguarding-lead');
  const online = staffMember(plane, 'o.lead', 'online-safety-lead');
  staffMember(plane, 't.adams', 'teacher');
  /** Drafts a change of a level; gives the hash that was seen. */
  const draft = (actor: typeof lead, id: string, from: string, to: string): string => {
    const { revision, files } = plane.drafts.begin(actor, id);
    const level = files['levels/junior.yaml']!.replace(from, to);
    plane.drafts.save(actor, id, revision, { ...files, 'levels/junior.yaml': level });
    return plane.drafts.view(id).hash!;
  };
  const told = (about: string): string[] =>
    queuedMail(plane)
      .filter((mail) => mail.about === about)
      .map(({ to }) => to)
      .sort();
  return { plane, draft, told, lead, online, ...staff };
}

void t.test('a draft that waits for a second person is mailed to whoever may approve it', async (t) => {
  const { plane, draft, told, manager, head } = school(t);
  const hash = draft(manager, ID(1), 'news: monitor', 'news: block');
  t.same(queuedMail(plane), [], 'nobody is told of what is still being written');
  plane.drafts.propose(manager, ID(1), hash, EVIL);
  plane.drafts.propose(manager, ID(1), hash, EVIL);
  t.same(told(`policy-draft:${ID(1)}#2`), ['d.lead', 'h.teacher', 'o.lead']);
  t.match(queuedMail(plane)[0]!.text, 'Schoolgate’s console, under Policy.', 'where to look, without an address');
  for (const { text, subject } of queuedMail(plane)) t.notMatch(text + subject, /amy|evil/i);
  plane.drafts.approve(head, ID(1), hash);

  const looser = draft(manager, ID(2), 'games: block', 'games: allow');
  plane.drafts.propose(manager, ID(2), looser, 'a club');
  t.same(told(`policy-draft:${ID(2)}#2`), ['d.lead', 'h.teacher'], 'what opens something, to those who may');
  plane.drafts.revert(manager, ID(3), 1, 'back');
  t.equal(told(`policy-draft:${ID(3)}#1`).length, 2, 'going back is a proposal, too');
});

void t.test('an emergency is told at once, and each morning until it is reviewed', async (t) => {
  const { plane, draft, told, manager, lead } = school(t);
  const hash = draft(manager, ID(1), 'games: block', 'games: allow');
  const { serial } = plane.drafts.publishInEmergency(manager, ID(1), hash, EVIL);
  t.same(told(`policy:${serial}#now`), ['d.lead', 'h.teacher']);
  const [mail] = queuedMail(plane);
  t.match(mail!.text, 'Nadia Manager changed the filter’s policy alone, in an emergency: Mon 23 Nov 2026, 09:00.');
  t.notMatch(mail!.text, /amy|evil/i);
  const morning = plane.clock() + DAY;
  for (let i = 0; i < 2; i++) t.equal(plane.policyMail.remindOfEmergencies(morning), 1);
  t.same(told(`policy:${serial}#2026-11-24`), ['d.lead', 'h.teacher'], 'once a morning');
  plane.policyMail.remindOfEmergencies(morning + DAY);
  t.equal(told(`policy:${serial}#2026-11-25`).length, 2);
  plane.drafts.review(lead, serial, 'kept', 'It was right.');
  t.equal(plane.policyMail.remindOfEmergencies(morning + 2 * DAY), 0);
});

void t.test('an emergency by the only one who could review it goes to whoever else decides', async (t) => {
  const plane = controlPlane({ policyFiles: policyFiles() });
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head } = twoPeople(plane);
  const { files, revision } = plane.drafts.begin(head, ID(1));
  const level = files['levels/junior.yaml']!.replace('games: block', 'games: allow');
  plane.drafts.save(head, ID(1), revision, { ...files, 'levels/junior.yaml': level });
  plane.drafts.publishInEmergency(head, ID(1), plane.drafts.view(ID(1)).hash!, 'now');
  t.same(
    queuedMail(plane).map(({ to }) => to),
    ['n.manager'],
  );
});
