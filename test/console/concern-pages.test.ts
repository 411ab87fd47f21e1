// The pages about concerns in a real browser.
import t from 'tap';
import { START } from '../helpers/control-plane.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';
import { schoolWeek, shippedPolicy } from '../helpers/school-week.ts';
import { addPerson, testConsole } from '../helpers/test-console.ts';

void t.test('concerns are read and decided on a desk and on a phone', { timeout: 300_000 }, async (t) => {
  const plane = await testConsole();
  t.teardown(() => plane.close());
  await addPerson(plane, 'd.lead', ['safeguarding-lead']);
  const { origin, complaints, open, signIn, press, look } = await lookAtPages(t, plane, 320);
  const page = await open();
  await page.goto(`${origin}/concerns`);
  await signIn(page, 'd.lead');
  await look(page, 'concerns-none');
  plane.disk = { snapshot: shippedPolicy() };
  plane.policy.look();
  const week = schoolWeek(1, START - 9 * 3_600_000, shippedPolicy());
  plane.clock.set(START + 6 * 86_400_000);
  const flagged = week.arrivals.filter(({ record }) => record.flagged).map(({ record }) => record);
  plane.safeguarding.take(
    flagged.map((data) => {
      const type = data.locked ? 'illegal.hit' : data.verdict === 'block' ? 'access.blocked' : 'access.flagged';
      return JSON.stringify({ id: data.id, type, v: 1, at: data.at, data });
    }),
  );
  plane.safeguarding.takeSearches(
    week.arrivals.map(({ record }) => record).filter(({ flagged: is, method }) => !is && method !== 'CONNECT'),
  );
  await page.goto(`${origin}/sign-in?next=%2Fconcerns`);
  if (await page.getByLabel('User name').isVisible()) await signIn(page, 'd.lead');
  await page.goto(`${origin}/concerns`);
  await look(page, 'concerns');
  await page
    .getByRole('link', { name: /^pupil-/ })
    .first()
    .click();
  await look(page, 'concern');
  await press(page, 'Acknowledge');
  await look(page, 'concern-acknowledged');
  await press(page, 'Not a concern');
  await look(page, 'concern-errors');
  t.equal(await page.locator('.govuk-error-message').count(), 1, 'the field says what is wrong with it');
  await page.getByLabel('Not a concern: why').fill('A project of health week, agreed with the teacher');
  await press(page, 'Not a concern');
  await look(page, 'concern-dismissed');
  await page.getByRole('link', { name: 'Rules', exact: true }).click();
  await look(page, 'concern-rules');
  t.strictSame(
    complaints.filter((complaint) => !/status of (?:401|404|409|422)/.test(complaint)),
    [],
    'the browser had nothing to complain of',
  );
});
