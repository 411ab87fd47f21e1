// Accounts in a real browser without scripts: from the first start to two people with an app each, a governor who reads and changes
// nothing, and the day on which the safe is opened.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserContext, type Page, chromium } from 'playwright-core';
import t from 'tap';
import { keyOn, recoveryCodesOn, shownByApp } from '../helpers/authenticator.ts';
import { journey } from '../helpers/journey.ts';
import { Stack } from '../helpers/stack.ts';
import { HEAD, MANAGER, STAFF_PASSWORD } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(300_000);
const { makeSchool } = await journey(t);
const stack = await new Stack({ school: makeSchool() }).start();
t.teardown(() => stack.stop());
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
t.teardown(() => browser.close());
const console = `http://127.0.0.1:${stack.consolePort}`;

/** Recovery codes that are left, by user name: an app shows a new code only every half minute. */
const codes = new Map<string, string[]>();

async function newPage(): Promise<Page> {
  return await (await browser.newContext({ javaScriptEnabled: false })).newPage();
}

async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole('button', { name }).first().click();
}

/** Makes an account with a link, signs in with it, and sets up an app, on an open page of the link. */
async function makeAccount(page: Page, userName: string, fullName: string): Promise<void> {
  await page.getByLabel('Your name').fill(fullName);
  await page.getByLabel('User name').fill(userName);
  await page.getByLabel('Password', { exact: true }).fill(STAFF_PASSWORD);
  await page.getByLabel('Password again').fill(STAFF_PASSWORD);
  await press(page, 'Make my account');
  await page.getByText('Your account is ready').waitFor();
  await page.getByLabel('User name').fill(userName);
  await page.getByLabel('Password', { exact: true }).fill(STAFF_PASSWORD);
  await press(page, 'Sign in');
  await page.getByRole('heading', { name: 'Set up your authenticator app' }).waitFor();
  await page.goto(`${console}/policy`);
  t.match(page.url(), /second-factor$/, 'nothing can be done before the app is set up');
  await page.getByRole('textbox', { name: 'Code' }).fill(shownByApp(keyOn(await page.content()), Date.now()));
  await press(page, 'Set it up');
  await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
  codes.set(userName, recoveryCodesOn(await page.content()));
  await page.getByRole('link', { name: 'Go on to the home page' }).click();
}

async function signIn(page: Page, userName: string, code = codes.get(userName)!.shift()!): Promise<void> {
  await page.goto(`${console}/sign-in`);
  await page.getByLabel('User name').fill(userName);
  await page.getByLabel('Password', { exact: true }).fill(STAFF_PASSWORD);
  await page.getByRole('textbox', { name: 'Code' }).fill(code);
  await press(page, 'Sign in');
}

const [head, manager, governor] = [await newPage(), await newPage(), await newPage()];

void t.test('first start: two links, two accounts, an app each', async (t) => {
  const [headLink, managerLink] = [...stack.firstLinks.values()];
  await head.goto(headLink!);
  await makeAccount(head, HEAD, 'Helen Head');
  await manager.goto(managerLink!);
  await makeAccount(manager, MANAGER, 'Nadia Manager');
  for (const page of [head, manager]) await page.getByRole('heading', { name: 'Waiting for you' }).waitFor();
  await press(manager, 'Sign out');
  await signIn(manager, MANAGER, '');
  await manager.getByText('Type the code that your authenticator app shows').first().waitFor();
  await signIn(manager, MANAGER, '000000');
  await manager.getByText('the password or the code is not right').first().waitFor();
  await signIn(manager, MANAGER);
  await manager.getByRole('heading', { name: 'Waiting for you' }).waitFor();
  await manager.goto(managerLink!);
  await manager.getByText('This link can no longer be used').first().waitFor();
  t.same(
    stack.rows('SELECT DISTINCT role FROM person_roles ORDER BY role').map(({ role }) => role),
    ['headteacher', 'network-manager'],
  );
});

void t.test('a governor reads, and can change nothing', async (t) => {
  await head.goto(`${console}/accounts/invite`);
  await head.getByLabel('Their name').fill('Gail Governor');
  await head.getByLabel('Governor', { exact: true }).check();
  await press(head, 'Make the link');
  await governor.goto((await head.locator('code').textContent())!);
  await makeAccount(governor, 'g.overnor', 'Gail Governor');
  const paths = await placesOf(governor);
  for (const path of ['/policy', '/audit/governors', '/unblocks', '/permissions']) t.ok(paths.has(path), path);
  for (const path of ['/people', '/audit', '/accounts', '/backups']) t.notOk(paths.has(path), path);
  for (const path of paths) {
    await governor.goto(`${console}${path}`);
    t.same(await formsOn(governor), ['/sign-out'], `${path} has nothing to send but the way out`);
  }
  await governor.goto(`${console}/audit/governors`);
  t.match(await governor.getByRole('main').textContent(), 'Account made', 'the record is there to read');
  const rows = (): unknown => stack.rows('SELECT (SELECT count(*) FROM audit) AS acts');
  const before = rows();
  for (const path of [
    '/policy/drafts',
    '/unblocks/new',
    '/accounts/invite',
    '/lists/update',
    '/accounts/sealed-credential',
  ]) {
    t.ok([403, 404].includes(await forced(governor.context(), path)), `${path} is refused`);
  }
  t.same(rows(), before);
});

/** Every page that the navigation leads to. */
async function placesOf(page: Page): Promise<Set<string>> {
  const found = new Set<string>();
  const hrefs = async (): Promise<string[]> => {
    const links = await page.locator('nav a').all();
    return (await Promise.all(links.map((link) => link.getAttribute('href')))).flatMap((href) => href ?? []);
  };
  for (const section of await hrefs()) {
    await page.goto(`${console}${section}`);
    for (const href of [section, ...(await hrefs())]) found.add(href);
  }
  return found;
}

/** Where the forms of a page send what changes something. */
async function formsOn(page: Page): Promise<(string | null)[]> {
  const forms = await page.locator('form[method=post]').all();
  return await Promise.all(forms.map((form) => form.getAttribute('action')));
}

/** The status of a form that somebody sends although no page offers it, with the token of a page of theirs. */
async function forced(context: BrowserContext, path: string): Promise<number> {
  const token = /name="_csrf" value="([^"]+)"/.exec(await (await context.request.get(`${console}/`)).text())![1]!;
  const answer = await context.request.post(`${console}${path}`, { form: { _csrf: token }, maxRedirects: 0 });
  return answer.status();
}

void t.test('the sealed credential: printed once, used once, and everybody hears of it', async (t) => {
  await head.goto(`${console}/accounts/sealed-credential`);
  await press(head, 'Make it');
  const code = (await head.locator('code').textContent())!;
  await head.goto(`${console}/accounts/sealed-credential`);
  t.notOk((await head.content()).includes(code), 'shown once');

  const deputy = await newPage();
  await deputy.goto(`${console}/sign-in`);
  await deputy.getByRole('link', { name: 'use the sealed credential' }).click();
  const use = async (typed: string): Promise<void> => {
    await deputy.getByRole('textbox', { name: 'Code' }).fill(typed);
    await deputy.getByLabel('Your name').fill('Dan Deputy');
    await deputy.getByLabel('Why it is used').fill('Helen is in hospital');
    await press(deputy, 'Use it');
  };
  await use('0000-0000-0000-0000-0000-0000');
  await deputy.getByText('This is not the code of a credential that is good').first().waitFor();
  await use(code);
  await makeAccount(deputy, 'd.deputy', 'Dan Deputy');
  await deputy.goto(`${console}/accounts`);
  t.match(await deputy.getByRole('row', { name: /Dan Deputy/ }).textContent(), /Headteacher\s+\w{3} \d+ \w{3} 20\d\d/);

  const said = 'was used by somebody who gave the name “Dan Deputy”, because: “Helen is in hospital”';
  for (const page of [head, manager, governor]) {
    await page.goto(console);
    t.match(await page.getByRole('region', { name: 'Important' }).textContent(), said);
  }
  await head.getByRole('link', { name: /sealed credential was used and has to be made anew/ }).waitFor();
  const outbox = stack.layout.outbox;
  const mailed = (): string[] =>
    readdirSync(outbox)
      .map((file) => readFileSync(join(outbox, file), 'utf8'))
      .filter((mail) => mail.includes('the sealed credential was used'))
      .map((mail) => /^To: .*?([\w.]+)@/m.exec(mail)![1]!)
      .toSorted();
  await until('everybody with an account has mail', () => mailed().length >= 3);
  t.same(mailed(), ['g.overnor', HEAD, MANAGER]);

  const again = await newPage();
  await again.goto(`${console}/sealed-credential`);
  await again.getByRole('textbox', { name: 'Code' }).fill(code);
  await again.getByLabel('Your name').fill('Eve');
  await again.getByLabel('Why it is used').fill('again');
  await press(again, 'Use it');
  await again.getByText('This is not the code of a credential that is good').first().waitFor();
  const verified = await stack.run(['audit', 'verify']);
  t.equal(verified.code, 0, verified.stderr);
});

void t.test('somebody else’s session is ended, and a lost app is reset', async (t) => {
  await head.goto(`${console}/accounts/sessions`);
  await press(head, /End it.*Nadia Manager/);
  await manager.goto(console);
  t.match(manager.url(), /\/sign-in/);
  await head.goto(`${console}/accounts`);
  await head.getByRole('link', { name: 'Change the roles of Nadia Manager' }).click();
  await press(head, 'Reset the app');
  const code = (await head.locator('code').textContent())!;
  await signIn(manager, MANAGER);
  await manager.getByText('the password or the code is not right').first().waitFor();
  await signIn(manager, MANAGER, code);
  await manager.getByRole('heading', { name: 'Set up your authenticator app' }).waitFor();
  await manager.getByRole('textbox', { name: 'Code' }).fill(shownByApp(keyOn(await manager.content()), Date.now()));
  await press(manager, 'Set it up');
  await manager.goto(console);
  t.match(
    await manager.getByRole('region', { name: 'Important' }).textContent(),
    'Helen Head reset the authenticator app',
  );
});
