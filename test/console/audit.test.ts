// The record as people read it: all of it, one row, what governors may read, and who looked at one person's data.
import t from 'tap';
import type { Role } from '../../src/identity/roles.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';
import { type TestConsole, addPerson, personIdOf, sayPurpose, signedIn, testConsole } from '../helpers/test-console.ts';

const ROSTER = [
  'username,id,given name,family name,role,year,classes,teaches,groups,status',
  'zoconnor,1,Zoë,O’Connor,pupil,9,9F,,,',
  'tteach,2,Tess,Teacher,teacher,,,9F,,',
].join('\n');

interface Test {
  teardown(end: () => Promise<void>): unknown;
}

async function school(t: Test): Promise<TestConsole> {
  const plane = await testConsole();
  t.teardown(() => plane.close());
  const people: [string, Role][] = [
    ['h.teacher', 'headteacher'],
    ['d.officer', 'data-protection-officer'],
    ['g.overnor', 'governor'],
    ['d.lead', 'safeguarding-lead'],
  ];
  for (const [name, role] of people) await addPerson(plane, name, [role]);
  await plane.directory.import(null, [{ name: 'people.csv', text: ROSTER }], true);
  return plane;
}

function act(plane: TestConsole, reason: string, change: object = {}): void {
  const entry = {
    actor: 'h.teacher',
    action: 'policy.published',
    subject: 'policy:3',
    approver: 'd.lead',
    reason,
  } as const;
  plane.record.write((tx) => plane.audit.append(tx, { ...entry, ...change }));
}

const EVIL = '=HYPERLINK("http://evil.test") <script>alert(1)</script>';

void t.test('the list is searched, filtered, paged and saved as a file; what it shows is only text', async (t) => {
  const plane = await school(t);
  act(plane, EVIL);
  act(plane, '50%_off', { actor: 'n.manager', approver: null });
  plane.clock.advance(26 * 3_600_000);
  for (let i = 0; i < 60; i++) act(plane, `number ${i}`, { action: 'list.changed', subject: 'list:games' });
  const browser = signedIn(plane, 'd.officer');
  const rows = (body: string): number => [...body.matchAll(/href="\/audit\/rows\//g)].length;
  const first = await browser.get('/audit');
  t.equal(rows(first.body), 50);
  const older = /rel="next" href="([^"]+)"/.exec(first.body)![1]!;
  const second = await browser.get(older);
  t.match(second.body, 'number 9');
  t.notMatch(second.body, 'number 59');
  t.match(second.body, 'The newest');
  t.notMatch(second.body, '<script>alert');
  t.match(second.body, '&lt;script&gt;alert(1)&lt;/script&gt;');

  t.equal(rows((await browser.get('/audit?action=list.changed&actor=h.teacher')).body), 50);
  t.equal(rows((await browser.get('/audit?q=50%25_off')).body), 1, 'the very characters');
  t.equal(rows((await browser.get('/audit?q=NUMBER+59+changed')).body), 0);
  t.equal(rows((await browser.get('/audit?subject=policy:3&to=2026-11-23')).body), 2);
  t.equal(rows((await browser.get('/audit?subject=policy:3&from=2026-11-24')).body), 0);
  t.match(
    (await browser.get('/audit?from=yesterday&before=x&action=constructor')).body,
    /row(s)? fit/,
    'as if not asked',
  );
  const query = await browser.get(`/audit?q=${encodeURIComponent('"><script>x</script>')}`);
  t.notMatch(query.body, '<script>x');

  const csv = await browser.get('/audit?subject=policy:3&format=csv');
  t.match(csv.headers, { 'content-type': 'text/csv; charset=utf-8', 'cache-control': 'no-store' });
  t.match(csv.body.split('\r\n')[2], /'=HYPERLINK\(""http:\/\/evil/);
  t.equal(csv.body.split('\r\n').length, 4);
  t.equal(plane.acts().at(-1), 'audit.listed d.officer', 'reading it is on record');
});

void t.test('one row in full, also when its personal part is gone', async (t) => {
  const plane = await school(t);
  act(plane, EVIL, { before: { serial: 2 }, after: { changes: ['<b>games</b> open'] } });
  const seq = plane.record.read((tx) => tx.get("SELECT seq FROM audit WHERE subject = 'policy:3'"))!['seq'];
  const browser = signedIn(plane, 'h.teacher');
  const page = await browser.get(`/audit/rows/${String(seq)}`);
  t.match(page.body, '&lt;b&gt;games&lt;/b&gt; open');
  t.match(page.body, /Approved by[\s\S]*d\.lead/);
  t.notMatch(page.body, '<script>alert');
  plane.clock.advance(1000);
  plane.record.write((tx) => plane.audit.erasePayloads(tx, plane.clock()));
  const gone = await browser.get(`/audit/rows/${String(seq)}`);
  t.match(gone.body, 'Erased, as its time had come');
  t.notMatch(gone.body, 'games');
  t.match((await browser.get('/audit')).body, 'Erased, as its time had come');
  t.match((await browser.get('/audit/governors')).body, 'was erased');
  t.equal((await browser.get('/audit/rows/999999')).status, 404);
  t.equal((await browser.get('/audit/rows/x')).status, 400);
});

void t.test('governors read what was changed and why, with staff and without pupils', async (t) => {
  const plane = await school(t);
  act(plane, "Zoe O'Connor and zoconnor asked; “Zoë O’Connor’s” parents agree with Tess Teacher", {
    after: { changes: ['Pupils lose games', 'Zoë O’Connor loses chess'] },
  });
  const asked = { topic: 'For Zoë O’Connor', hosts: ['x.test'], pupils: ['zoconnor'] };
  act(plane, 'A lesson', { action: 'unblock.requested', subject: 'unblock:1', approver: null, after: asked });
  act(plane, 'Fine', { action: 'unblock.approved', subject: 'unblock:1' });
  act(plane, 'a look', { action: 'person.looked-at', subject: `person:${personIdOf(plane, 'zoconnor')}` });
  const browser = signedIn(plane, 'g.overnor');
  const { body } = await browser.get('/audit/governors');
  t.match(body, 'by Person h.teacher, approved by Person d.lead');
  t.match(body, 'Pupils lose games');
  t.match(body, /Unblock approved: For \[a pupil\]/);
  t.match(body, 'Tess Teacher');
  t.notMatch(body, /O.{1,6}Connor|zoconnor|looked at/i);
  const unblocks = (await browser.get('/audit/governors?kind=unblocks')).body;
  t.match(unblocks, 'A lesson');
  t.notMatch(unblocks, 'Policy published');
  t.match((await browser.get('/audit/governors?kind=toString&from=2026-12-01')).body, 'Nothing of this kind');
  t.equal((await browser.get('/audit')).status, 403);
  t.equal((await browser.get('/audit/looks')).status, 403);
});

void t.test('who looked at a child’s data; nobody sees what others did about themselves', async (t) => {
  const plane = await school(t);
  const child = personIdOf(plane, 'zoconnor');
  const lead = signedIn(plane, 'd.lead');
  await sayPurpose(lead, `person:${child}`);
  await lead.get(`/people/${child}`);
  const officer = signedIn(plane, 'd.officer');
  t.match((await officer.get('/audit/looks?user=zoconnor')).body, 'What do you look for?');
  await sayPurpose(officer, `person:${child}`);
  const page = await officer.get('/audit/looks?user=ZOCONNOR');
  t.match(page.body, /Who looked at the data of Zoë O’Connor/);
  t.match(page.body, /d\.lead<\/td>\s*<td[^>]*>Person looked at[\s\S]*A safeguarding concern/);
  t.match(await officer.get('/audit/looks?user=nobody'), { status: 404, body: /how it is spelt/ });
  t.equal((await officer.get(`/audit/looks?person=${personIdOf(plane, 'd.officer')}`)).status, 403);

  const head = personIdOf(plane, 'h.teacher');
  act(plane, 'secret matter', { actor: 'd.lead', action: 'person.looked-at', subject: `person:${head}` });
  t.notMatch((await signedIn(plane, 'h.teacher').get('/audit')).body, 'secret matter');
  t.match((await officer.get('/audit')).body, 'secret matter');
});

void t.test('the pages as people see them', async (t) => {
  const plane = await school(t);
  act(plane, 'Pupils play in lessons', { after: { changes: ['KS2 pupils lose games in lessons'] } });
  act(plane, 'For a lesson', {
    action: 'unblock.requested',
    subject: 'unblock:1',
    approver: null,
    after: { topic: 'Chess' },
  });
  const { open, origin, signIn, look, complaints } = await lookAtPages(t, plane, 320);
  const page = await open();
  await page.goto(`${origin}/audit`);
  await signIn(page, 'h.teacher');
  await look(page, 'audit');
  await page.getByRole('link', { name: 'What was changed' }).click();
  await look(page, 'audit-governors');
  await page.emulateMedia({ media: 'print' });
  await look(page, 'audit-governors-print');
  await page.emulateMedia({ media: null });
  await page.goto(`${origin}/audit/rows/2`);
  await look(page, 'audit-row');
  await page.goto(`${origin}/audit/looks`);
  await look(page, 'audit-looks-empty');
  await page.getByLabel('User name of the person').fill('zoconnor');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByLabel('A safeguarding concern').check();
  await page.getByRole('button', { name: 'Go on' }).click();
  await look(page, 'audit-looks');
  t.strictSame(complaints, []);
});
