// A change of the policy in a real browser: drafted in a form, approved by a second person, enforced at the proxy, gone back from.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Page, chromium } from 'playwright-core';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { Stack } from '../helpers/stack.ts';
import { HEAD, MANAGER, STAFF_PASSWORD, joinBoth, nextCode } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

const { isEverywhere, makeSchool } = await journey(t);
const school = makeSchool();
// The same after the console was killed.
const port = await freePort();
const stack = await new Stack({ school, env: { SCHOOLGATE_CONSOLE_PORT: String(port) } }).start();
t.teardown(() => stack.stop());
await joinBoth(stack);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
t.teardown(() => browser.close());

const console = `http://127.0.0.1:${port}`;
const level = join(school.policyDir, 'levels/ks1.yaml');

async function signedIn(userName: string): Promise<Page> {
  // As it must work: without scripts.
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(`${console}/policy`);
  await page.getByLabel('User name').fill(userName);
  await page.getByLabel('Password', { exact: true }).fill(STAFF_PASSWORD);
  await page.getByLabel('Code').fill(await nextCode(stack, userName));
  await page.getByRole('button', { name: 'Sign in' }).click();
  return page;
}

async function approve(page: Page): Promise<void> {
  await page.goto(`${console}/`);
  await page.getByRole('link', { name: /waits for your approval/ }).click();
  await page.getByRole('button', { name: 'Approve and publish' }).click();
  await page.getByText('Published. Gateways have it').waitFor();
}

const manager = await signedIn(MANAGER);
const head = await signedIn(HEAD);

void t.test('drafted in a form, approved by another, enforced, and on disk with its comments', async (t) => {
  const before = readFileSync(level, 'utf8');
  await manager.getByRole('button', { name: 'Begin a draft' }).click();
  await manager.getByRole('link', { name: 'Form for levels/ks1.yaml' }).click();
  await manager.getByLabel('Always blocked').fill('drafted.test\n<script>alert(1)</script>');
  await manager.getByRole('button', { name: 'Save' }).click();
  await manager.getByText('There is a problem').waitFor();
  t.match(await manager.getByLabel('Always blocked').inputValue(), '<script>', 'nothing typed is lost');
  await manager.getByLabel('Always blocked').fill('drafted.test');
  await manager.getByRole('button', { name: 'Save' }).click();
  await manager.getByLabel('Why this change is made').fill('Asked for by governors');
  await manager.getByRole('button', { name: 'Propose this change' }).click();
  await manager.getByText('You proposed this').waitFor();
  t.ok(await isEverywhere(stack, 'drafted.test', 200), 'it is not in force');
  await approve(head);
  await until('it is in force', () => isEverywhere(stack, 'drafted.test', 403));
  const after = readFileSync(level, 'utf8');
  t.match(after, 'drafted.test');
  const comments = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('#'));
  t.same(comments(after), comments(before));
});

void t.test('gone back from by one button and a second person', async (t) => {
  await manager.goto(`${console}/policy/versions/1`);
  await manager.getByLabel('Why').fill('It was a mistake');
  await manager.getByRole('button', { name: 'Propose to go back to version 1' }).click();
  await approve(head);
  await until('it is open again', () => isEverywhere(stack, 'drafted.test', 200));
  t.notMatch(readFileSync(level, 'utf8'), 'drafted.test');
});

void t.test('a file edited on disk becomes a draft', async (t) => {
  school.writeSettings({ never: ['edited.test'] });
  await until('the draft is there', async () => {
    await manager.goto(`${console}/policy`);
    return await manager.getByRole('link', { name: 'Propose this change' }).isVisible();
  });
  await manager.getByRole('link', { name: 'Propose this change' }).click();
  t.match(await manager.getByRole('main').textContent(), 'Nobody may open edited.test any more');
  await manager.getByLabel('Why this change is made').fill('Edited by hand');
  await manager.getByRole('button', { name: 'Propose this change' }).click();
  await approve(head);
  await until('it is in force', () => isEverywhere(stack, 'edited.test', 403));
});

void t.test('a console that is killed has published all of a change or nothing, and finishes the files', async (t) => {
  const serial = (): number => Number(stack.rows('SELECT max(serial) AS n FROM policy_versions')[0]!['n']);
  for (const wait of [0, 15, 60]) {
    const name = `killed${wait}.test`;
    const was = serial();
    await manager.goto(`${console}/policy`);
    await manager.getByRole('button', { name: 'Begin a draft' }).click();
    await manager.getByRole('link', { name: 'Form for levels/ks1.yaml' }).click();
    await manager.getByLabel('Always blocked').fill(name);
    await manager.getByRole('button', { name: 'Save' }).click();
    await manager.getByLabel('Why this change is made').fill('Killed');
    await manager.getByRole('button', { name: 'Propose this change' }).click();
    const draftPage = manager.url().split('?')[0]!;
    await head.goto(draftPage);
    const button = head.getByRole('button', { name: 'Approve and publish' });
    const pid = stack.pids('console')[0]!;
    const kill = until('the request is under way', async () => {
      await new Promise((done) => setTimeout(done, wait));
      process.kill(pid, 'SIGKILL');
      return true;
    });
    await button.click().catch(() => {});
    await kill;
    await until('another console runs', () => stack.pids('console').some((other) => other !== pid));
    await until('it answers', async () => (await fetch(`${console}/health`).catch(() => null))?.ok === true, 30_000);
    const isPublished = serial() > was;
    const [draft] = stack.rows('SELECT state FROM policy_drafts ORDER BY begun_at DESC LIMIT 1');
    t.equal(draft!['state'], isPublished ? 'published' : 'proposed');
    await until('the files say what is published', () => readFileSync(level, 'utf8').includes(name) === isPublished);
    await until('so do the gateways', () => isEverywhere(stack, name, isPublished ? 403 : 200));
    if (isPublished) continue;
    await head.goto(draftPage);
    await head.getByRole('button', { name: 'Approve and publish' }).click();
    await until('it is published after all', () => isEverywhere(stack, name, 403));
  }
});
