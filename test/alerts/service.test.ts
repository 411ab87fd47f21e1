import t from 'tap';
import type { AlertDue } from '../../src/alerts/model.ts';
import type { OutgoingCall, OutgoingMail } from '../../src/delivery/outgoing.ts';
import type { Role } from '../../src/identity/roles.ts';
import type { AlertRules } from '../../src/policy/alert-rules.ts';
import { SHIPPED_ALERTS } from '../../src/policy/alert-rules.ts';
import { testPolicy } from '../helpers/control-plane.ts';
import { addPerson, testConsole, type TestConsole } from '../helpers/test-console.ts';

const RULES: AlertRules = {
  ...SHIPPED_ALERTS,
  console: 'https://schoolgate.school.example',
  mail: { lead: 'lead@school.example', head: 'head@school.example' },
};
const PEOPLE: Record<string, Role[]> = {
  lead: ['safeguarding-lead'],
  head: ['headteacher'],
  chair: ['chair-of-governors'],
  vice: ['vice-chair-of-governors'],
  tutor: ['teacher'],
};

interface School extends TestConsole {
  readonly idOf: (userName: string) => string;
  readonly due: (change: Partial<AlertDue>) => string;
  /** Who was told by what, `lead@school.example mail waiting`. */
  readonly queued: (id: string) => string[];
  actor(userName: string): { personId: string; userName: string; address: string };
}

async function school(t: { teardown(work: () => unknown): void }, rules = RULES): Promise<School> {
  const console = await testConsole();
  t.teardown(() => console.close());
  console.disk = { snapshot: testPolicy({ alerts: rules, hash: 'b'.repeat(64) }) };
  console.policy.look();
  for (const [name, roles] of Object.entries(PEOPLE)) await addPerson(console, name, roles);
  let n = 0;
  const idOf = (userName: string): string => console.accounts.people().find((one) => one.userName === userName)!.id;
  return Object.assign(console, {
    idOf,
    actor: (userName: string) => ({ personId: idOf(userName), userName, address: '127.0.0.1' }),
    due(change: Partial<AlertDue>): string {
      const id = `01J0000000000000000000A${String(++n).padStart(3, '0')}`;
      const due: AlertDue = {
        id,
        about: 'concern:01J0000000000000000000C001',
        theme: 'self-harm',
        severity: 'danger',
        why: 'opened',
        at: console.clock(),
        subjects: { personIds: ['pupil'], isStaff: false },
        subjectName: 'Pat Pupil',
        level: 'ks2',
        groups: [],
        ...change,
      };
      console.record.write((tx) => console.alerts.due(tx, due));
      return id;
    },
    queued: (id: string) =>
      console.record
        .read((tx) => console.deliveries.about(tx, `alert:${id}`))
        .map((one) => `${one.recipient} ${one.channel} ${one.state}`),
  });
}

void t.test('told, not noticed, told further; noticed, and nobody further is called', async (t) => {
  const s = await school(t);
  const id = s.due({});
  t.strictSame(s.queued(id), ['lead@school.example mail waiting']);
  s.alerts.escalate();
  t.equal(s.queued(id).length, 1, 'half an hour is not over');
  s.clock.advance(30 * 60_000);
  s.alerts.escalate();
  s.alerts.escalate();
  t.strictSame(s.queued(id), ['lead@school.example mail waiting', 'head@school.example mail waiting']);
  const other = s.due({});
  s.alerts.notice(s.actor('lead'), other);
  s.clock.advance(60 * 60_000);
  s.alerts.escalate();
  t.equal(s.queued(other).length, 1);
  t.match(s.acts().slice(-4), ['alert.told console', 'alert.told console', 'alert.told console', 'alert.noticed lead']);
});

void t.test('what is due twice is told once, and an undone concern is told to nobody', async (t) => {
  const s = await school(t);
  const id = s.due({});
  const { alerts, record } = s;
  const again = alerts.find(s.idOf('lead'), id);
  record.write((tx) => alerts.due(tx, again));
  t.equal(s.queued(id).length, 1);
  t.throws(() =>
    record.write((tx) => {
      alerts.due(tx, { ...again, id: '01J0000000000000000000A999' });
      throw new Error('the event was refused');
    }),
  );
  t.equal(alerts.list(s.idOf('lead')).length, 1);
});

void t.test('mail says little', async (t) => {
  const s = await school(t);
  const mailOf = (id: string, at = s): OutgoingMail =>
    at.record.read((tx) => at.deliveries.about(tx, `alert:${id}`))[0]!.content as OutgoingMail;
  const { subject, text } = mailOf(s.due({}));
  t.equal(subject, 'Schoolgate alert: danger');
  t.match(text, /There is a new concern: danger, self-harm and suicide\./);
  t.match(text, /a pupil \(Key stage 2\)/);
  t.match(text, /https:\/\/schoolgate\.school\.example\/alerts\/01J/);
  t.notMatch(text, /Pat/);
  const open = await school(t, { ...RULES, fullNames: true });
  t.match(mailOf(open.due({}), open).text, /Who: Pat Pupil/, 'where the school wants names');
  const forged = 'Pat {{7*7}} <b>\r\n\r\nNobody need look.\u2028Signed';
  t.match(
    mailOf(open.due({ subjectName: forged }), open).text,
    /^Who: Pat \{\{7\*7\}\} <b> Nobody need look\. Signed$/m,
  );
  const staff = { subjects: { personIds: [open.idOf('tutor')], isStaff: true }, subjectName: 'Tina Tutor' };
  t.notMatch(mailOf(open.due(staff), open).text, /Tina/, 'never those of staff');
});

void t.test('a webhook is told closed words and ids, and nothing of staff', async (t) => {
  const route = { name: 'All', rule: 'alerts.yaml#routes.All', tell: [], webhooks: ['records'] };
  const s = await school(t, { ...RULES, webhooks: { records: 'https://records.example/hook' }, routes: [route] });
  const callsOf = (id: string): OutgoingCall[] =>
    s.record
      .read((tx) => s.deliveries.about(tx, `alert:${id}`))
      .flatMap(({ channel, content }) => (channel === 'webhook' ? [content as OutgoingCall] : []));
  const [call] = callsOf(s.due({}));
  t.match(JSON.parse(call!.body), { type: 'alert', v: 1, theme: 'self-harm', severity: 'danger', level: 'ks2' });
  t.notMatch(call!.body, /Pat|pupil/);
  t.strictSame(callsOf(s.due({ subjects: { personIds: [s.idOf('tutor')], isStaff: true } })), []);
});

void t.test('an alert that nobody can be told of waits for somebody', async (t) => {
  const s = await school(t);
  const headOnly = { subjects: { personIds: ['chair', 'vice'].map((name) => s.idOf(name)), isStaff: true } };
  const id = s.due(headOnly);
  t.strictSame(s.queued(id), []);
  await addPerson(s, 'new-chair', ['chair-of-governors']);
  s.clock.advance(60_000);
  s.alerts.escalate();
  t.strictSame(s.queued(id), ['new-chair@schoolgate.invalid outbox waiting']);
});

// The lead's morning mail counted all: whoever is the subject of one saw that there was one that they do not see.
void t.test('the sign of life counts for each reader the alerts that are theirs to see', async (t) => {
  const to = [{ role: 'safeguarding-lead' }, { role: 'headteacher' }];
  const s = await school(t, { ...RULES, heartbeat: { at: 0, to } });
  s.due({ subjects: { personIds: [s.idOf('lead')], isStaff: true } });
  s.due({});
  s.alertWatch.look();
  const day = new Date(s.clock()).toISOString().slice(0, 10);
  const mails = s.record.read((tx) => s.deliveries.about(tx, `heartbeat:${day}`));
  const counted = Object.fromEntries(
    mails.map(({ recipient, content }) => [
      recipient.split('@')[0]!,
      /nobody has taken notice of: (\d+)/.exec((content as OutgoingMail).text)![1],
    ]),
  );
  t.match(counted, { lead: '1', head: '2' });
});

void t.test('silence in lessons is told once, and the sign of life is sent once a day', async (t) => {
  const s = await school(t);
  const alarms = (): string[] => s.safeguarding.alarms(0, s.clock() + 1).map(({ code }) => code);
  // Monday 23 November 2026, 10:00.
  s.clock.set(Date.UTC(2026, 10, 23, 10));
  s.alertWatch.heard();
  s.clock.advance(14 * 60_000);
  s.alertWatch.look();
  t.strictSame(alarms(), []);
  t.ok(s.alertWatch.isWell());
  s.clock.advance(60_000);
  s.alertWatch.look();
  s.alertWatch.look();
  t.strictSame(alarms(), ['gateways-silent']);
  t.notOk(s.alertWatch.isWell());
  s.alertWatch.heard();
  s.clock.advance(15 * 60_000);
  s.alertWatch.look();
  t.strictSame(alarms(), ['gateways-silent', 'gateways-silent'], 'the next silence is another one');
  const beats = (): string[] =>
    s.record.read((tx) => s.deliveries.about(tx, 'heartbeat:2026-11-23')).map(({ recipient }) => recipient);
  t.strictSame(beats(), ['lead@school.example']);
  s.clock.advance(31 * 60_000);
  s.alertWatch.look();
  t.ok(alarms().includes('heartbeat-missing'), 'it has not left: no queue runs here');
  // The evening and the week-end are silent.
  s.clock.set(Date.UTC(2026, 10, 23, 20));
  const before = alarms().filter((code) => code === 'gateways-silent').length;
  s.alertWatch.look();
  t.equal(alarms().filter((code) => code === 'gateways-silent').length, before);
});
