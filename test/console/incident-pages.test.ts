// The pages about incidents in a real browser.
import t from 'tap';
import { rosterFiles } from '../helpers/rosters.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';
import { addPerson, sayPurpose, signedIn, testConsole } from '../helpers/test-console.ts';

const ROSTER = `username,role,year,classes,given name,family name
amy.ash,pupil,5,5A,Amy,Ash
`;
const KEY = '01K00000000000000000000001';
const TERMS = { key: KEY, theme: 'other', what: 'It was <b>bad</b>', happened: '', place: '', site: '', illegal: 'no' };

async function rig() {
  const plane = await testConsole();
  await plane.directory.import(null, rosterFiles({ 'people.csv': ROSTER }), true);
  await addPerson(plane, 'd.lead', ['safeguarding-lead']);
  await addPerson(plane, 'h.head', ['headteacher']);
  return plane;
}

void t.test('forms keep what was typed; a file is fetched by whoever made it', async (t) => {
  const plane = await rig();
  t.teardown(() => plane.close());
  const browser = signedIn(plane, 'd.lead');
  t.match((await browser.get('/incidents')).body, 'What do you look for?');
  const wrong = await browser.post('/incidents/new', '/incidents/new', {
    ...TERMS,
    theme: '',
    happened: '2099-01-01T00:00',
  });
  t.equal(wrong.status, 422);
  t.match(wrong.body, 'It was &lt;b&gt;bad&lt;/b&gt;');
  t.match(wrong.body, /href="#theme"[^]*href="#happened"|href="#happened"[^]*href="#theme"/);
  t.match(wrong.body, `value="${KEY}"`, 'the same form');
  const made = await browser.post('/incidents/new', '/incidents/new', TERMS);
  const path = made.location!.split('?')[0]!;
  t.equal((await browser.post('/incidents/new', '/incidents/new', TERMS)).location, made.location, 'sent twice');
  t.equal(
    (await browser.post('/incidents/new', `${path}/details`, { ...TERMS, _x: '1' }, null)).status,
    403,
    'no token',
  );
  t.match((await browser.get(path)).body, 'What do you look for?', 'a purpose for each incident');
  await sayPurpose(browser, `incident:${path.split('/').at(-1)!}`);
  const page = await browser.post(path, `${path}/actions`, { key: KEY, what: 'Call "them"', owner: '', due: 'soon' });
  t.equal(page.status, 422);
  t.match(page.body, 'value="Call &quot;them&quot;"');
  t.match(page.body, /action-owner-error[^]*action-due-error/);
  const stale = { ...TERMS, version: '7' };
  const { key: _, ...terms } = stale;
  const other = await browser.post(path, `${path}/details`, { ...terms, what: 'Mine' });
  t.match(other, { status: 409, body: /Somebody else has changed this incident/ });
  t.match(other.body, '>Mine</textarea>');
  t.equal(
    (await browser.post(path, `${path}/people`, { name: 'd.lead', kind: 'staff', part: 'instigator' })).location,
    '/incidents?done=handed-on',
  );
  t.equal((await browser.get(path)).status, 404, 'handed on');

  const head = signedIn(plane, 'h.head');
  await sayPurpose(head, 'incidents:all');
  const ready = await head.post('/incidents/export', '/incidents/export', { as: 'csv' });
  const file = /\/incidents\/export\/[0-9a-f]{64}/.exec(ready.body)![0];
  t.match(await head.get(file), { status: 200, headers: { 'content-type': 'text/csv; charset=utf-8' } });
  t.equal((await browser.get(file)).status, 400, 'not by somebody else');
});

void t.test(
  'an incident is recorded, worked on and closed on a desk and on a phone',
  { timeout: 300_000 },
  async (t) => {
    const plane = await rig();
    t.teardown(() => plane.close());
    plane.incidentReports.take(
      { personId: null, address: '10.1.2.3' },
      { site: 'chat.example', what: 'They laugh at me in the class chat', about: 'pupils', isUnnamed: true, key: 'k' },
    );
    const { origin, complaints, open, signIn, press, look } = await lookAtPages(t, plane, 320);
    const page = await open();
    const purpose = async (): Promise<void> => {
      await page.getByLabel('A safeguarding concern').check();
      await press(page, 'Go on');
    };
    await page.goto(`${origin}/incidents`);
    await signIn(page, 'd.lead');
    await purpose();
    await look(page, 'incidents');
    await page.getByRole('link', { name: 'Something else' }).click();
    await purpose();
    await look(page, 'incident-reported');
    await press(page, 'Take it on');
    await look(page, 'incident-open');
    await page.getByText('Change this').click();
    await page.getByLabel('What it is about').selectOption('bullying');
    await page.getByLabel('Yes, or it may be: show the steps').check();
    await press(page, 'Save');
    await page.getByText('Add somebody').click();
    await page.getByLabel('Name', { exact: true }).fill('Nobody Known');
    await press(page, 'Add');
    await look(page, 'incident-errors');
    await page.getByLabel('Name', { exact: true }).fill('Amy Ash');
    await page.getByLabel('Pupil').check();
    await page.getByLabel('Victim').check();
    await press(page, 'Add');
    await page.getByText('Add an action').click();
    await page.getByLabel('What is to be done').fill('Talk to Amy');
    await page.getByLabel('Who does it').fill('Her tutor');
    await page.getByLabel('By when').fill('2026-11-24');
    await page.locator('form[action$="/actions"]').getByRole('button', { name: 'Add' }).click();
    await look(page, 'incident');
    await press(page, 'Close');
    await look(page, 'incident-cannot-close');
    for (const select of await page.locator('form[action$="/steps"] select').all()) await select.selectOption('done');
    await press(page, 'Note the steps');
    await press(page, 'Done');
    await page.getByText('Say whether parents were informed').first().click();
    await page.getByLabel('No', { exact: true }).last().check();
    await page.getByLabel('Who told whom and how, or why not').fill('The police asked us to wait');
    await page.locator('form[action$="/parents"]').getByRole('button', { name: 'Save' }).click();
    await page.getByLabel('Outcome').fill('Handed to the police');
    await press(page, 'Close');
    await look(page, 'incident-closed');
    await page.getByRole('link', { name: 'Export this incident' }).click();
    await look(page, 'incident-export');
    await press(page, 'JSON, for a program');
    await look(page, 'incident-export-made');
    await page.goto(`${origin}/incidents/new`);
    await look(page, 'incident-new');
    await press(page, 'Record it');
    await look(page, 'incident-new-errors');
    t.strictSame(
      complaints.filter((complaint) => !/status of (?:401|404|409|422)/.test(complaint)),
      [],
      'the browser had nothing to complain of',
    );
  },
);
