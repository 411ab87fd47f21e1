// The pages of reports in a real browser, on a desk, on a phone and on paper; what a CSV file of theirs holds.
import { join } from 'node:path';
import t from 'tap';
import { insertAct, insertConcern } from '../../src/safeguarding/concerns/repository.ts';
import { parseWeek } from '../../src/reports/week.ts';
import { START } from '../helpers/control-plane.ts';
import { generateWeek } from '../helpers/generated-week.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';
import { storeRecords } from '../helpers/made-reports.ts';
import { addPerson, testConsole } from '../helpers/test-console.ts';

const WEEK = parseWeek('2026-W47', 'Europe/London');
const HOUR = 3_600_000;
const EVIL = '<img src=x onerror=alert(1)>';

void t.test('reports are read on a desk, on a phone and on paper', { timeout: 300_000 }, async (t) => {
  const dataDir = t.testdir({ history: {}, reports: {} });
  const plane = await testConsole({ dataDir });
  t.teardown(() => plane.close());
  await addPerson(plane, 'h.ead', ['headteacher']);
  await addPerson(plane, 'n.manager', ['network-manager']);
  await addPerson(plane, 'd.lead', ['safeguarding-lead']);
  await addPerson(plane, 'g.overnor', ['governor']);
  const records = generateWeek(1, WEEK.from, 6_000);
  const [sample] = records;
  await storeRecords(join(dataDir, 'history'), [
    ...records,
    {
      ...sample!,
      id: sample!.id.replace(/..$/, 'ZZ'),
      user: EVIL,
      host: '=cmd.example',
      verdict: 'allow',
      locked: false,
      down: 8e9,
    },
  ]);
  await plane.keptReports.weekly(START);
  for (let i = 0; i < 9; i++) {
    const id = `01J0000000000000000000C${String(i).padStart(3, '0')}`;
    const at = START - (i + 1) * 5 * HOUR;
    const themes = ['self-harm', 'gambling', 'violence'] as const;
    const what = {
      personId: null,
      subjectKind: 'person',
      level: 'ks3',
      state: 'open',
      firstAt: at,
      lastAt: at,
    } as const;
    plane.record.write((tx) => {
      insertConcern(tx, {
        id,
        subject: `pupil-${i}`,
        theme: themes[i % 3]!,
        severity: i % 2 ? 'danger' : 'caution',
        openedAt: at,
        ...what,
      });
      insertAct(tx, `01J0000000000000000000D${String(i).padStart(3, '0')}`, id, {
        at,
        act: 'opened',
        by: null,
        note: '',
      });
    });
  }
  await plane.keptReports.digest(START);
  await plane.keptReports.governors(START + 9 * 86_400_000);

  const { origin, complaints, open, signIn, press, look } = await lookAtPages(t, plane, 320);
  const page = await open();
  const onPaper = async (name: string): Promise<void> => {
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize({ width: 720, height: 1000 });
    t.notOk(await page.getByRole('link', { name: /CSV/ }).first().isVisible(), 'no links on paper');
    const folder = process.env['TEST_PICTURES'];
    if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}-paper.png`), fullPage: true });
    await page.emulateMedia({ media: 'screen' });
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  await page.goto(`${origin}/reports`);
  await signIn(page, 'h.ead');
  await look(page, 'reports');
  await page.getByRole('link', { name: 'Web activity, week 47 of 2026' }).click();
  await look(page, 'report-weekly');
  await onPaper('report-weekly');
  t.equal(await page.locator('img').count(), 0, 'no name is markup');
  t.match(await page.locator('svg').first().getAttribute('aria-label'), /^Bar chart: day by day\. Most: /);
  await page.goto(`${origin}/reports`);
  await page.getByRole('link', { name: /^Concerns, / }).click();
  await look(page, 'report-digest');
  await onPaper('report-digest');
  await page
    .getByRole('link', { name: /self-harm/ })
    .first()
    .click();
  t.match(page.url(), /\/concerns\//);
  await page.goto(`${origin}/reports`);
  await page.getByRole('link', { name: /^Filtering and monitoring/ }).click();
  await look(page, 'report-governors');
  await onPaper('report-governors');

  await page.goto(`${origin}/reports`);
  await page.getByLabel('Web activity of the week').fill('2026-W99');
  await press(page, 'Make it now');
  t.match(await page.locator('.govuk-error-message').innerText(), 'There is no week 2026-W99');
  await look(page, 'reports-error');
  await page.getByLabel('Web activity of the week').fill('2026-W46');
  await press(page, 'Make it now');
  await look(page, 'report-empty');
  t.match(await page.getByRole('heading', { level: 1 }).innerText(), 'week 46 of 2026');
  t.strictSame(
    complaints.filter((complaint) => !/status of (?:401|404|409|422)/.test(complaint)),
    [],
  );
});

void t.test('each reads what is for them, and a table is a file that runs nothing', async (t) => {
  const dataDir = t.testdir({ history: {}, reports: {} });
  const plane = await testConsole({ dataDir });
  t.teardown(() => plane.close());
  const kinds = { weekly: '2026-W47', digest: '2026-11-23', governors: '2026-10' } as const;
  const table = {
    headteacher: 'weekly digest governors',
    'network-manager': 'weekly governors',
    'safeguarding-lead': 'weekly digest governors',
    governor: 'governors',
    'chair-of-governors': 'digest governors',
    teacher: '',
  } as const;
  for (const role of Object.keys(table) as (keyof typeof table)[]) await addPerson(plane, role, [role]);
  const [sample] = generateWeek(1, WEEK.from, 1);
  await storeRecords(join(dataDir, 'history'), [
    { ...sample!, user: '=1+1', host: '@evil.example', verdict: 'allow', locked: false },
  ]);
  await plane.keptReports.weekly(START);
  await plane.keptReports.digest(START);
  await plane.keptReports.governors(START);
  for (const [role, wanted] of Object.entries(table)) {
    const browser = await plane.browser(role);
    const seen = [];
    for (const [kind, period] of Object.entries(kinds)) {
      const { status } = await browser.get(`/reports/${kind}/${period}`);
      const csv = await browser.get(`/reports/${kind}/${period}/csv`);
      t.equal(csv.status, status, `${role}, ${kind}`);
      if (status === 200) seen.push(kind);
    }
    t.equal(seen.join(' '), wanted, role);
    const list = await browser.get('/reports');
    for (const kind of Object.keys(kinds))
      t.equal(list.body.includes(`/reports/${kind}/`), wanted.includes(kind), `${role}: the list, ${kind}`);
  }
  const manager = await plane.browser('network-manager');
  const { body, headers } = await manager.get('/reports/weekly/2026-W47/csv?table=volume-sites');
  t.match(headers['content-disposition'], 'schoolgate-weekly-2026-W47-volume-sites.csv');
  t.match(body, /^\ufeffPerson or device,Site,Data,Requests\r\n'=1\+1,'@evil\.example,/);
  t.equal((await manager.get('/reports/weekly/2026-W47/csv?table=none')).status, 404);
  t.equal((await manager.get('/reports/weekly/2026-W01')).status, 404);
  for (const bad of ['/reports/other/2026-W47', '/reports/weekly/..%2f..%2fetc'])
    t.ok([400, 404].includes((await manager.get(bad)).status), bad);
  const governor = await plane.browser('governor');
  t.equal((await governor.post('/reports', '/reports', { kind: 'weekly', period: '2026-W47' }, 'x')).status, 403);
});
