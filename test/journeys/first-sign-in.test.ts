// In a real browser: unidentified → front desk → log-in card → a password of one's own → agreement → an allowed site
// → suspended: what is open ends, and the next page says so.
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { startChromium } from '../helpers/chromium.ts';
import { startNameServer } from '../helpers/dns.ts';
import { startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { asStaff, join as joinAs, MANAGER, signIn as atConsole } from '../helpers/staff.ts';
import { Stack } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { TestSchool } from '../helpers/test-school.ts';
import { until } from '../helpers/until.ts';

/** An address that several people are behind. */
const SHARED = '127.0.0.77';
const origin = await startOrigin({ names: ['open.test'] });
t.teardown(() => origin.close());
const dns = await startNameServer([['open.test', ['127.0.0.1']]]);
t.teardown(() => dns.close());
const folder = tempFolder(t);
const school = new TestSchool(folder, {
  agreements: true,
  http: [origin.http.port],
  tls: [origin.https.port],
  dnsServer: dns.address,
});
school.writeSettings({ mode: 'challenge', shared: [`${SHARED}/32`] });
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());
await joinAs(stack.firstLinks.get('network-manager')!, MANAGER);
const manager = await atConsole(stack, MANAGER);

/** A pupil of year 7, by the roster. */
const PUPIL = 'pat';
const roster = join(folder, 'people.csv');
writeFileSync(
  roster,
  `username,id,given name,family name,role,year,classes
${PUPIL},1,Pat,Pupil,pupil,7,7A
ivo,2,Ivo,Infant,pupil,1,1A
`,
);
/** What a command prints; rejects when it fails. */
const people = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await asStaff(stack, MANAGER, ['people', ...args]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
};
const OWN = 'four quite plain words';

const browser = await startChromium(stack.proxyPort);
t.teardown(() => browser.close());
const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
const DESK = 'http://schoolgate.internal/sign-in';
const http = `http://open.test:${origin.http.port}/`;
const https = `https://open.test:${origin.https.port}/`;

/** Fills in the form that is shown, and gives the heading of what comes of it. */
async function send(fields: Readonly<Record<string, string>>): Promise<string> {
  for (const [id, text] of Object.entries(fields)) await page.fill(`#${id}`, text);
  await page.locator('main form button').first().click();
  return (await page.textContent('h1'))!;
}

async function signIn(password = OWN): Promise<string> {
  await page.goto(DESK);
  return await send({ name: PUPIL, password });
}

const opens = (): Promise<unknown> =>
  until('the site opens', async () => (await page.goto(http))?.status() === 200 && page.url() === http);

void t.test(
  'a card leads to a password of one’s own and the agreement, and only then an allowed site opens',
  async (t) => {
    await people('import', roster);
    const cards = join(folder, 'cards.html');
    await people('cards', PUPIL, '--out', cards);
    const card = /Password<\/dt>\s*<dd>\s*([^<\s]+)/.exec(readFileSync(cards, 'utf8'))![1]!;

    await page.goto(http);
    t.equal(page.url(), DESK, 'nobody unknown gets further than the front desk');
    t.equal(await send({ name: PUPIL, password: card }), 'Choose your own password');
    await page.goto(http);
    t.equal(page.url(), DESK, 'a card alone opens nothing');

    await signIn(card);
    t.equal(await send({ next: OWN, again: OWN }), 'Acceptable use agreement');
    t.match(await page.textContent('main'), 'What you do is monitored and can be traced to you');
    await page.goto(http);
    t.not(page.url(), http, 'nor does a sign-in before the agreement');

    await page.goto(DESK);
    t.equal(await send({}), 'You are signed in');
    t.match(await page.textContent('main'), `signed in as Pat Pupil (${PUPIL})`);
    await opens();
    t.equal((await page.goto(https))?.status(), 200);
    t.match(await page.textContent('body'), 'hello from the origin');
  },
);

void t.test(
  'once the person is suspended, what is open ends within two seconds, and the next page says why',
  async (t) => {
    const opening = page.waitForEvent('websocket');
    await page.evaluate(async (address) => {
      const socket = new WebSocket(address);
      await new Promise((resolve, reject) => {
        socket.addEventListener('message', resolve);
        socket.addEventListener('error', () => reject(new Error('it could not be opened')));
        socket.addEventListener('open', () => socket.send('good morning'));
      });
    }, `wss://open.test:${origin.https.port}/`);
    const socket = await opening;
    t.notOk(socket.isClosed());
    await manager.call('POST', '/api/v1/people/suspend', { userName: PUPIL, reason: 'Lost device' });
    await until('the WebSocket has ended', () => socket.isClosed(), 2_000);

    const answer = await page.goto(http);
    t.equal(answer?.status(), 403);
    t.match(await page.textContent('body'), 'Your internet access has been stopped for now');
    const other = await page.context().newPage();
    await t.rejects(other.goto(https), /ERR_TUNNEL_CONNECTION_FAILED/);
  },
);

void t.test('signing out and in again is no way round it; once it is lifted the same sites open', async (t) => {
  await page.goto(DESK);
  await page.click('main button');
  await page.waitForSelector('#name');
  t.equal(await signIn(), 'Your access is stopped');
  t.match(await page.textContent('main'), 'stopped your access to the web');
  await page.goto(http);
  t.equal(page.url(), DESK);
  await manager.call('POST', '/api/v1/people/lift', { userName: PUPIL });
  t.equal(await signIn(), 'You are signed in');
  await opens();
});

void t.test('commands say who has agreed, and record what a parent says', async (t) => {
  t.match(
    await people('agreements'),
    /^ivo {2}Ivo Infant {2}ks1 {2}missing, from a parent\npat {2}Pat Pupil {2}ks3 {2}20/,
  );
  t.match(await people('consent', 'ivo'), 'is on record for this school year');
  t.match(await people('agreements', '--class', '1A'), `recorded by ${MANAGER}`);
  t.equal(await people('agreements', '--missing'), 'Nobody fits who is asked for an agreement.\n');
  t.match(await people('consent', 'ivo', '--withdraw'), 'is no longer on record');
  t.match(await people('agreements', '--missing'), /^ivo .* missing, from a parent\n$/);
  await t.rejects(people('consent', PUPIL), /Nobody is asked for a parent’s consent for pat/);
});

void t.test('where several people share an address, the page says that nobody can sign in by it', async (t) => {
  const router = await startTcpOrigin((inside) => {
    const outside = connect({ port: stack.proxyPort, host: '127.0.0.1', localAddress: SHARED });
    inside.on('error', () => outside.destroy()).pipe(outside);
    outside.on('error', () => inside.destroy()).pipe(inside);
  });
  t.teardown(() => router.close());
  const behind = await startChromium(router.port);
  t.teardown(() => behind.close());
  const shared = await behind.newPage();
  t.equal((await shared.goto(DESK))?.status(), 200);
  t.match(await shared.textContent('h1'), 'You cannot sign in on this page');
  t.match(await shared.textContent('main'), 'Many people use the network through the same address as this device');
  t.equal(await shared.locator('form').count(), 0);
});
