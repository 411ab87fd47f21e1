import t from 'tap';
import { mailMonths } from '../../src/audit/month-service.ts';
import { monthBefore } from '../../src/audit/month.ts';
import { controlPlane, manualClock, staffMember, twoPeople } from '../helpers/control-plane.ts';
import { queuedMail } from '../helpers/queued-mail.ts';

const FIRST = Date.parse('2026-12-01T07:20:00Z');

void t.test('a month is the school’s, not UTC’s', async (t) => {
  const table: [now: string, id: string, from: string, until: string][] = [
    ['2026-12-01T07:20:00Z', '2026-11', '2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
    ['2026-11-01T07:20:00Z', '2026-10', '2026-09-30T23:00:00.000Z', '2026-11-01T00:00:00.000Z'],
    ['2027-01-01T00:00:00Z', '2026-12', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2026-06-30T23:30:00Z', '2026-06', '2026-05-31T23:00:00.000Z', '2026-06-30T23:00:00.000Z'],
  ];
  for (const [now, id, from, until] of table) {
    const month = monthBefore(Date.parse(now), 'Europe/London');
    t.match(month, { id, from: Date.parse(from), until: Date.parse(until) }, now);
  }
});

void t.test('the head is sent what the network manager did, also when it was nothing, once a month', async (t) => {
  const clock = manualClock(Date.parse('2026-11-02T09:00:00Z'));
  const plane = controlPlane({ clock });
  t.teardown(() => plane.close());
  const { manager } = twoPeople(plane);
  staffMember(plane, 'd.lead', 'safeguarding-lead');
  const act = (at: string, action: 'list.enabled' | 'person.suspended', actor = manager.userName): void => {
    clock.set(Date.parse(at));
    plane.record.write((tx) =>
      plane.audit.append(tx, { actor, action, subject: 'person:amy.ash', reason: 'Amy Ash\r\nBcc: x@evil.example' }),
    );
  };
  act('2026-11-02T09:00:00Z', 'list.enabled');
  act('2026-11-02T09:01:00Z', 'list.enabled', 'h.teacher');
  act('2026-11-03T09:00:00Z', 'person.suspended');
  act('2026-11-30T23:59:59Z', 'list.enabled');
  act('2026-12-01T00:00:00Z', 'list.enabled');
  for (let i = 0; i < 2; i++) mailMonths(plane.monthReports, FIRST);
  const [november, ...more] = queuedMail(plane);
  t.same(more, []);
  t.match(november, { to: 'h.teacher', subject: 'Schoolgate: the network manager’s November 2026' });
  t.match(november!.text, 'Nadia Manager, who looks after the filter');
  t.match(november!.text, '\n2  List switched on\n1  Person suspended\n');
  t.notMatch(november!.text, /amy|evil/i);
  mailMonths(plane.monthReports, Date.parse('2027-02-01T07:20:00Z'));
  t.match(queuedMail(plane).at(-1)!.text, 'Nothing that goes on the record.');
});

void t.test('never to whoever it is about', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  staffMember(plane, 'both', 'headteacher', 'network-manager');
  staffMember(plane, 'vice', 'vice-chair-of-governors');
  mailMonths(plane.monthReports, FIRST);
  t.match(queuedMail(plane), [{ to: 'vice' }], 'the head who is the manager: to the governors');
  staffMember(plane, 'other', 'network-manager');
  mailMonths(plane.monthReports, FIRST);
  t.match(
    queuedMail(plane).map(({ to }) => to),
    ['vice', 'both'],
  );
});
