// The pages of the log of checks in a real browser.
import t from 'tap';
import { lookAtPages } from '../helpers/look-at-pages.ts';
import { addPerson, signedIn, testConsole } from '../helpers/test-console.ts';

void t.test('the log is read, a check is recorded, a self-test is started', { timeout: 300_000 }, async (t) => {
  const plane = await testConsole();
  t.teardown(() => plane.close());
  await addPerson(plane, 'n.manager', ['network-manager']);
  await addPerson(plane, 'g.governor', ['governor']);
  const { origin, complaints, open, signIn, press, look } = await lookAtPages(t, plane, 320);
  const page = await open();
  await page.goto(`${origin}/checks`);
  await signIn(page, 'n.manager');
  await look(page, 'checks-none');
  await page.getByRole('button', { name: 'Record a check' }).click();
  await look(page, 'check-new');
  await page.getByLabel('Device').fill('iPad "12" <of> the trolley');
  await press(page, 'Record it');
  await look(page, 'check-new-errors');
  t.equal(await page.getByLabel('Device').inputValue(), 'iPad "12" <of> the trolley', 'what was typed is kept');
  await page.getByLabel('Whose filter was checked').selectOption('ks2');
  await page.getByLabel('Where').fill('=1+1');
  await page.getByLabel('What was tried').fill('A gambling site, a search, who I am');
  await page.getByLabel('Failed').check();
  await page.getByLabel('What was done about it').fill('The list was switched on');
  await press(page, 'Record it');
  await press(page, 'Test now');
  await page.goto(`${origin}/checks`);
  await look(page, 'checks');
  await page.getByRole('link', { name: /2026/ }).first().click();
  await look(page, 'check-one');
  t.strictSame(
    complaints.filter((complaint) => !/status of (?:401|404|409|422)/.test(complaint)),
    [],
    'the browser had nothing to complain of',
  );
  const governor = signedIn(plane, 'g.governor');
  const { status, body } = await governor.get('/checks');
  t.equal(status, 200);
  t.notMatch(body, 'Test now', 'who reads it only');
  const csv = (await governor.get('/checks?format=csv')).body;
  t.match(csv, `'=1+1`, 'no formula');
  t.match(csv, 'A gambling site, a search');
});
