// The pages about alerts in a real browser, on a desk and on a phone, with scripts and without.
import t from 'tap';
import { takeDueAlerts } from '../../src/compose/concern-alerts.ts';
import { insertPerson } from '../../src/identity/repository.ts';
import { SHIPPED_ALERTS } from '../../src/policy/alert-rules.ts';
import { insertAlert, insertConcern } from '../../src/safeguarding/concerns/repository.ts';
import { testPolicy } from '../helpers/control-plane.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';
import { addPerson, personIdOf, testConsole } from '../helpers/test-console.ts';

const SUBJECTS = [
  { userName: 'amelia.brown', theme: 'self-harm', severity: 'danger', why: 'raised' },
  {
    userName: 'o.nguyen-with-a-name-that-is-longer-than-most-of-them',
    theme: 'extremism',
    severity: 'caution',
    why: 'opened',
  },
  { userName: null, theme: 'circumvention', severity: 'caution', why: 'again' },
] as const;

void t.test('alerts are read and taken notice of', { timeout: 300_000 }, async (t) => {
  const plane = await testConsole();
  t.teardown(() => plane.close());
  const mail = { 'd.lead': 'd.lead@school.example' };
  plane.disk = { snapshot: testPolicy({ alerts: { ...SHIPPED_ALERTS, mail }, hash: 'b'.repeat(64) }) };
  plane.policy.look();
  await addPerson(plane, 'd.lead', ['safeguarding-lead']);
  await addPerson(plane, 'h.teacher', ['headteacher']);
  for (const [n, { userName }] of SUBJECTS.entries()) {
    if (userName === null) continue;
    const pupil = { id: `01J0000000000000000000P00${n}`, userName, fullName: `Pupil ${userName}` };
    plane.record.write((tx) => insertPerson(tx, pupil, userName, plane.clock()));
  }

  const { origin, complaints, open, signIn, press, look } = await lookAtPages(t, plane, 320);
  const page = await open();
  await page.goto(`${origin}/alerts`);
  await signIn(page, 'd.lead');
  await look(page, 'alerts-none');

  for (const [n, { userName, theme, severity, why }] of SUBJECTS.entries()) {
    const [concernId, id] = [`01J0000000000000000000C00${n}`, `01J0000000000000000000A00${n}`];
    const at = plane.clock();
    const personId = userName === null ? null : personIdOf(plane, userName);
    const subject = {
      subject: userName ?? '10.1.4.17',
      subjectKind: userName === null ? 'device' : 'person',
      personId,
    } as const;
    const times = { openedAt: at, firstAt: at, lastAt: at };
    plane.record.write((tx) => {
      insertConcern(tx, { id: concernId, ...subject, theme, severity, level: 'ks2', state: 'open', ...times });
      insertAlert(tx, { id, concernId, at, why, severity });
    });
    takeDueAlerts(plane.record, plane.alerts, plane.clock);
    plane.clock.advance(31 * 60_000);
    plane.alerts.escalate();
  }
  plane.deliveries.start();
  t.teardown(() => plane.deliveries.close());

  await page.goto(`${origin}/sign-in?next=%2Falerts`);
  if (await page.getByLabel('User name').isVisible()) await signIn(page, 'd.lead');
  await page.goto(`${origin}/alerts`);
  await look(page, 'alerts');
  t.equal(await page.getByRole('row').count(), 1 + SUBJECTS.length);
  await page.goto(`${origin}/alerts/01J0000000000000000000A000`);
  await look(page, 'alert');
  await press(page, 'I have taken notice');
  await look(page, 'alert-noticed');
  t.match(await page.getByRole('alert').textContent(), /You have taken notice/);
  t.equal(await page.getByRole('button', { name: 'I have taken notice' }).count(), 0);
  t.match(await page.getByRole('main').textContent(), /Taken by Person d\.lead/);
  await page.goto(`${origin}/alerts`);
  t.equal(await page.getByRole('row').count(), SUBJECTS.length, 'what nobody has taken notice of');
  await page.goto(`${origin}/alerts/01J0000000000000000000A002`);
  await look(page, 'alert-device');

  plane.incidentReports.take(
    { personId: null, address: '10.1.4.17' },
    { site: '', what: 'They hit me', about: 'pupils', isUnnamed: false, key: 'k1' },
  );
  await page.goto(`${origin}/alerts`);
  await look(page, 'alerts-report');
  await page.getByRole('link', { name: 'Reported at the front desk' }).click();
  await look(page, 'alert-report');
  t.match(await page.getByRole('main').textContent(), /Somebody has reported it/);
  await page.getByRole('link', { name: 'The report', exact: true }).click();
  await page.waitForURL(/\/purpose|\/incidents\//);

  // A page that was left open while somebody else was quicker.
  const bare = await open({ javaScriptEnabled: false });
  await bare.goto(`${origin}/alerts/01J0000000000000000000A001`);
  await signIn(bare, 'h.teacher');
  await bare.goto(`${origin}/alerts/01J0000000000000000000A001`);
  await page.goto(`${origin}/alerts/01J0000000000000000000A001`);
  await press(page, 'I have taken notice');
  await press(bare, 'I have taken notice');
  t.match(await bare.getByRole('main').textContent(), /Taken by Person d\.lead/, 'the first one counts');
  t.strictSame(
    complaints.filter((complaint) => !/status of (?:401|404)/.test(complaint)),
    [],
    'the browser had nothing to complain of',
  );
});
