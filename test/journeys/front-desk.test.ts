// Signing in on a device with a real browser: unidentified → front desk → what the person's level allows → signed out again.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startChromium } from '../helpers/chromium.ts';
import { startNameServer } from '../helpers/dns.ts';
import { startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { connectThrough } from '../helpers/raw-client.ts';
import { joinBoth, HEAD, MANAGER, signIn as asStaff, STAFF_PASSWORD } from '../helpers/staff.ts';
import { Stack } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { TestSchool } from '../helpers/test-school.ts';
import { until } from '../helpers/until.ts';

const folder = tempFolder(t);
const names = ['open.test', 'forum.test'];
const origin = await startOrigin({ names });
t.teardown(() => origin.close());
const echo = await startTcpOrigin((socket) => void socket.pipe(socket));
t.teardown(() => echo.close());
const dns = await startNameServer(names.map((name) => [name, ['127.0.0.1']] as const));
t.teardown(() => dns.close());
const school = new TestSchool(folder, {
  http: [origin.http.port],
  tls: [origin.https.port],
  raw: [echo.port],
  lists: { hacking: ['forum.test'] },
  dnsServer: dns.address,
});
school.writeSettings({ mode: 'challenge' });
const rules = (suspended = ''): string =>
  `people: [{ name: ${MANAGER}, level: staff, allow: [forum.test]${suspended} }, { name: ${HEAD}, level: ks1 }]\n`;
writeFileSync(join(school.policyDir, 'rules.yaml'), rules());
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());
await joinBoth(stack);

const browser = await startChromium(stack.proxyPort);
t.teardown(() => browser.close());
const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
const forum = `http://forum.test:${origin.http.port}/`;
const DESK = 'http://schoolgate.internal/sign-in';

async function signIn(name: string, password: string): Promise<string> {
  await page.goto(DESK);
  await page.fill('#name', name);
  await page.fill('#password', password);
  await page.click('main button');
  return (await page.textContent('main'))!;
}

const tunnel = () => connectThrough(stack.proxyPort, `forum.test:${echo.port}`);

void t.test('somebody unknown who opens a page is sent to the front desk', async (t) => {
  await page.goto(forum);
  t.equal(page.url(), DESK);
  t.match(await page.textContent('h1'), 'Sign in');
  t.equal((await tunnel()).response.status, 407);
});

void t.test('a wrong password is told without telling which part, by keyboard alone', async (t) => {
  await page.goto(DESK);
  await page.focus('#name');
  await page.keyboard.type(MANAGER);
  await page.keyboard.press('Tab');
  await page.keyboard.type('not the password');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.errors');
  t.match(await page.textContent('.errors'), 'The user name or the password is not right.');
  t.equal(await page.inputValue('#name'), MANAGER);
  t.equal(await page.inputValue('#password'), '');
});

void t.test(
  'signed in, what the person’s level allows opens within two seconds, and signing out closes it',
  async (t) => {
    const text = await signIn(MANAGER.toUpperCase(), STAFF_PASSWORD);
    t.match(text, `signed in as Person ${MANAGER}`);
    const signedInAt = Date.now();
    await until('the site opens', async () => (await page.goto(forum))?.status() === 200 && page.url() === forum);
    t.ok(Date.now() - signedInAt < 2_000, 'in force');
    const { connection, response } = await tunnel();
    t.equal(response.status, 200);
    await connection.send('ping\n');
    await connection.read('ping\n');

    await page.goto(DESK);
    await page.click('main button');
    await page.waitForSelector('#name');
    const signedOutAt = Date.now();
    await connection.readToEnd();
    t.ok(Date.now() - signedOutAt < 2_000, 'the open tunnel is cut');
    await page.goto(forum);
    t.equal(page.url(), DESK);
    const acts = stack.rows(`SELECT action, actor FROM audit WHERE action LIKE 'device.%' ORDER BY seq`);
    t.same(
      acts.map(({ action, actor }) => `${String(action)} ${String(actor)}`),
      ['device.refused console', `device.signed-in ${MANAGER}`, `device.signed-out ${MANAGER}`],
    );
  },
);

void t.test('a guest signs in with a code that a member of staff made, and is out when it is withdrawn', async (t) => {
  await page.goto(DESK);
  const staff = await asStaff(stack, MANAGER);
  const made = await staff.call<{ id: string; code: string }>('POST', '/api/v1/guests', {
    name: 'Jo Visitor',
    purpose: 'Talk to Year 6',
    until: new Date(Date.now() + 3_600_000).toISOString(),
  });
  await page.fill('#code', made.code.toLowerCase());
  await page.click('form[action="/guest"] button');
  t.match(await page.textContent('main'), 'signed in as Jo Visitor');
  const open = `http://open.test:${origin.http.port}/`;
  await until('the guest gets on', async () => (await page.goto(open))?.status() === 200 && page.url() === open);
  await staff.call('POST', `/api/v1/guests/${made.id}/withdraw`);
  await until('the guest is out', async () => {
    await page.goto(open);
    return page.url() === DESK;
  });
});

void t.test('somebody whom nobody knows reports a page, and is told that it has arrived', async (t) => {
  await page.goto('http://schoolgate.internal/report?site=forum.test');
  await page.click('main button');
  t.match(await page.textContent('.errors'), 'Say what you saw');
  t.equal(await page.inputValue('#site'), 'forum.test', 'what was typed is kept');
  await page.fill('#what', 'They laugh at me there');
  await page.check('#about');
  await page.check('[name=unnamed]');
  await page.click('main button');
  t.match(await page.textContent('main'), 'It has been sent.');
  const columns = 'i.state, i.site, i.what, r.person_id, r.unnamed';
  const sql = `SELECT ${columns} FROM incidents i JOIN incident_reporters r ON r.incident_id = i.id`;
  const report = { state: 'reported', site: 'forum.test', what: 'They laugh at me there', person_id: null, unnamed: 1 };
  t.match(stack.rows(sql), [report]);
  t.equal(stack.rows(`SELECT 1 FROM deliveries WHERE about LIKE 'alert:%'`).length, 1, 'the headteacher is told');
});

void t.test('sessions stand while the console is away, and are there again when it is back', async (t) => {
  await signIn(MANAGER, STAFF_PASSWORD);
  await until('the site opens', async () => (await tunnel()).response.status === 200);
  for (const pid of stack.pids('console')) process.kill(pid, 'SIGKILL');
  t.equal((await tunnel()).response.status, 200);
  await until(
    'the console is back',
    async () => {
      await page.goto(DESK);
      return /signed in as/.test((await page.textContent('main'))!);
    },
    30_000,
  );
  t.equal((await tunnel()).response.status, 200);
});

void t.test(
  'on its own port the front desk knows the device by its connection; guessing there is stopped',
  async (t) => {
    const desk = `http://127.0.0.1:${stack.frontPort}/sign-in`;
    const token = /name="token" value="([\w-]+)"/;
    const form = await fetch(desk, { headers: { 'x-forwarded-for': '10.9.9.9' } });
    const signedIn = await form.text();
    t.match(signedIn, `Person ${MANAGER}`, 'the same device');
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const answer = await fetch(desk, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'x-forwarded-for': `10.9.9.${i}` },
        body: new URLSearchParams({ token: token.exec(signedIn)![1]!, name: HEAD, password: `guess ${i}\0` }),
      });
      statuses.push(answer.status);
    }
    t.same(statuses.slice(0, 5), [401, 401, 401, 401, 401]);
    t.same(new Set(statuses.slice(5)), new Set([429]));
  },
);
