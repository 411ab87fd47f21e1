// Requests as staff meet them: on a desk, on a phone, without scripts.
import t from 'tap';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { START } from '../helpers/control-plane.ts';
import { generateWeek } from '../helpers/generated-week.ts';
import { storeSegments } from '../helpers/history-segments.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { addPerson, openSession, personIdOf, testConsole } from '../helpers/test-console.ts';
import { policyFiles } from '../policy/small-school.ts';

const HOUR = 3_600_000;

void t.test('the list of unblocks fits a desk, and a site that should be blocked becomes a proposal', async (t) => {
  const plane = await testConsole({ policyFiles: policyFiles() });
  t.teardown(() => plane.close());
  await addPerson(plane, 'h.teacher', ['headteacher']);
  await addPerson(plane, 'n.manager', ['network-manager']);
  const actor = (userName: string) => ({ personId: personIdOf(plane, userName), userName, address: '127.0.0.1' });
  const [head, manager] = [actor('h.teacher'), actor('n.manager')];
  const now = plane.clock();
  const common = { subject: 'History', levels: ['junior', 'senior'], classes: [], pupils: [], ranges: [], during: [] };
  const ask = (topic: string, hosts: readonly string[], until: number) =>
    plane.unblocks.request(manager, {
      ...common,
      topic,
      hosts,
      reason: 'Year 9 reads letters of soldiers of the Lancashire Fusiliers',
      categories: ['games'],
      passesPersonBlock: false,
      from: now,
      until,
    });
  const long = await ask(
    'The First World War in letters and diaries',
    ['letters-of-the-great-war.museum.example'],
    now + HOUR,
  );
  plane.unblocks.move(head, long.id, 'approve', '');
  plane.clock.advance(2 * HOUR);
  plane.unblocks.noteExpired();
  await plane.unblocks.noteOutcomes();
  plane.unblocks.remark(manager, long.id, 'Most of the class found a letter from somebody of their own town.');
  await ask('Renaissance art', ['www.portraits.museum.example', 'images.portraits.museum.example'], now + 30 * HOUR);
  plane.clock.advance(3 * HOUR);
  const asked = { kind: 'close', sites: 'bad.example', reason: 'Pupils are bullied there.' } as const;
  plane.wishes.make({ ...head, fullName: 'Person h.teacher' }, asked, null);

  const { origin, complaints, open, signIn, press, look } = await lookAtPages(t, plane, 320);
  const page = await open();
  await page.goto(`${origin}/unblocks`);
  await signIn(page, 'n.manager');
  await look(page, 'unblocks');
  const hidden: number = await page.evaluate(
    "Math.max(...[...document.querySelectorAll('.console-scroll')].map((one) => one.scrollWidth - one.clientWidth))",
  );
  t.equal(hidden, 0, 'nothing of the table is out of sight');
  t.match(await page.textContent('table'), /Waiting 3 hours[^]*Ended/);
  await page.getByRole('link', { name: 'Asked for by pupils and staff' }).click();
  await look(page, 'wishes');
  await press(page, /^Block it/);
  await look(page, 'block-take-up');
  await page.getByLabel('Junior').uncheck();
  await press(page, 'Propose this change');
  await look(page, 'block-take-up-errors');
  t.match(await page.textContent('.govuk-error-summary'), 'Say for whom');
  await page.getByLabel('Junior').check();
  await press(page, 'Propose this change');
  await look(page, 'block-proposed');
  t.match(await page.textContent('main'), /Another person must approve it[^]*bad\.example/);
  t.strictSame(
    complaints.filter((complaint) => !/status of 422/.test(complaint)),
    [],
  );
});

void t.test('what else a page was seen to need is offered from the history, and asked for with it', async (t) => {
  const dataDir = tempFolder(t);
  const layout = dataLayout(dataDir);
  createDataFolders(layout);
  const [sample] = generateWeek(3, START, 1);
  const refused = (host: string) => ({
    ...sample!,
    host,
    at: new Date(START - 60_000).toISOString(),
    locked: false,
    flagged: false,
  });
  const records = ['museum.example', 'cdn.example', 'fonts.example'].map((host) =>
    Object.assign(refused(host), { verdict: 'block' as const, user: 'amy', category: 'games' }),
  );
  await storeSegments(layout.history, records, 3);
  const plane = await testConsole({ policyFiles: policyFiles(), dataDir });
  t.teardown(() => plane.close());
  await addPerson(plane, 't.adams', ['teacher']);
  const { origin, complaints, open, signIn, press, look } = await lookAtPages(t, plane, 320);
  const page = await open();
  await page.goto(`${origin}/unblocks/new`);
  await signIn(page, 't.adams');
  await page.getByLabel('Topic').fill('Portraits');
  await page.getByLabel('Sites').fill('https://museum.example/hall?id=1\nnot a host!');
  await press(page, 'Look what else these sites need');
  await look(page, 'unblock-needed');
  t.equal(await page.getByLabel('Topic').inputValue(), 'Portraits', 'nothing typed is lost');
  await page.getByLabel('cdn.example').check();
  await press(page, 'Ask for it');
  await page.getByText('There is a problem').waitFor();
  t.equal(await page.getByLabel('Sites').inputValue(), 'https://museum.example/hall?id=1\nnot a host!\ncdn.example');
  await page.getByLabel('Sites').fill('museum.example\ncdn.example');
  await page.getByLabel('Why it is needed').fill('Year 5');
  await page.getByText('Whole levels, or a room').click();
  await page.getByLabel('Junior').check();
  // Enter in a field asks, and does not look.
  await page.getByLabel('Topic').press('Enter');
  await page.getByText('Your request is waiting').waitFor();
  t.match(plane.unblocks.list(1), [{ hosts: ['museum.example', 'cdn.example'] }]);
  t.strictSame(
    complaints.filter((complaint) => !/status of 422/.test(complaint)),
    [],
  );
});

void t.test('programs ask once, take up a site that should be blocked, and say how it went', async (t) => {
  const plane = await testConsole({ policyFiles: policyFiles() });
  t.teardown(() => plane.close());
  await addPerson(plane, 'h.teacher', ['headteacher']);
  await addPerson(plane, 't.adams', ['teacher']);
  const call = async (userName: string, url: string, payload: object, once?: string) => {
    const headers = {
      authorization: `Bearer ${openSession(plane, userName)}`,
      ...(once !== undefined && { 'idempotency-key': once }),
    };
    const { statusCode, body } = await plane.app.inject({ method: 'POST', url, headers, payload });
    return { ...(JSON.parse(body) as Partial<Record<'id' | 'state' | 'draftId', string>>), status: statusCode };
  };
  const until = new Date(START + HOUR).toISOString();
  const terms = { topic: 'x', reason: 'x', hosts: ['maps.example'], levels: ['junior'], until };
  const [first, again] = [
    await call('t.adams', '/api/v1/unblocks', terms, 'k'),
    await call('t.adams', '/api/v1/unblocks', terms, 'k'),
  ];
  t.match(first, { status: 201, state: 'requested' });
  t.equal(again.id, first.id);
  await call('h.teacher', `/api/v1/unblocks/${first.id}/approve`, {});
  plane.clock.advance(2 * HOUR);
  const remark = `/api/v1/unblocks/${first.id}/remark`;
  t.match(await call('t.adams', remark, { remark: 'Well.' }), { status: 200, remark: 'Well.', state: 'expired' });
  t.match(await call('h.teacher', remark, { remark: 'Mine.' }), { status: 403 });

  const wish = { sites: ['bad.example'], reason: 'It bullies' };
  const [one, two] = [
    await call('t.adams', '/api/v1/block-requests', wish, 'w'),
    await call('t.adams', '/api/v1/block-requests', wish, 'w'),
  ];
  t.equal(two.id, one.id);
  const takeUp = `/api/v1/block-requests/${one.id}/take-up`;
  t.match(await call('t.adams', takeUp, { places: ['levels/junior.yaml'], reason: 'x' }), { status: 403 });
  t.match(await call('h.teacher', takeUp, { places: ['../../etc/passwd'], reason: 'x' }), { status: 422 });
  const taken = await call('h.teacher', takeUp, { places: ['levels/junior.yaml'], reason: 'x' });
  t.match(taken, { status: 200, state: 'taken-up', draftId: /^\w{26}$/ });
  t.equal(plane.drafts.view(taken.draftId!).draft.state, 'proposed');
});
