// In a real browser: unidentified → front desk → signed in → an allowed site → suspended: what is open ends, and the next page says so.
import { connect } from 'node:net';
import t from 'tap';
import { startChromium } from '../helpers/chromium.ts';
import { startNameServer } from '../helpers/dns.ts';
import { startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { HEAD, joinBoth, MANAGER, signIn as asStaff, STAFF_PASSWORD } from '../helpers/staff.ts';
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
const school = new TestSchool(tempFolder(t), {
  http: [origin.http.port],
  tls: [origin.https.port],
  dnsServer: dns.address,
});
school.writeSettings({ mode: 'challenge', shared: [`${SHARED}/32`] });
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());
await joinBoth(stack);
const manager = await asStaff(stack, MANAGER);

const browser = await startChromium(stack.proxyPort);
t.teardown(() => browser.close());
const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
const DESK = 'http://schoolgate.internal/sign-in';
const http = `http://open.test:${origin.http.port}/`;
const https = `https://open.test:${origin.https.port}/`;

async function signIn(): Promise<string> {
  await page.goto(DESK);
  await page.fill('#name', HEAD);
  await page.fill('#password', STAFF_PASSWORD);
  await page.click('main button');
  return (await page.textContent('main'))!;
}

const opens = (): Promise<unknown> =>
  until('the site opens', async () => (await page.goto(http))?.status() === 200 && page.url() === http);

void t.test('somebody unknown signs in at the front desk, and an allowed site opens', async (t) => {
  await page.goto(http);
  t.equal(page.url(), DESK);
  t.match(await signIn(), `signed in as Person ${HEAD}`);
  await opens();
  t.equal((await page.goto(https))?.status(), 200);
  t.match(await page.textContent('body'), 'hello from the origin');
});

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
    await manager.call('POST', '/api/v1/people/suspend', { userName: HEAD, reason: 'Lost device' });
    await until('the WebSocket has ended', () => socket.isClosed(), 2_000);

    const answer = await page.goto(http);
    t.equal(answer?.status(), 403);
    t.match(await page.textContent('body'), 'has stopped the internet for you');
    const other = await page.context().newPage();
    await t.rejects(other.goto(https), /ERR_TUNNEL_CONNECTION_FAILED/);
  },
);

void t.test('signing out and in again is no way round it; once it is lifted the same sites open', async (t) => {
  await page.goto(DESK);
  await page.click('main button');
  await page.waitForSelector('#name');
  t.match(await signIn(), 'stopped your access to the web');
  t.equal(await page.textContent('h1'), 'Your access is stopped');
  await page.goto(http);
  t.equal(page.url(), DESK);
  await manager.call('POST', '/api/v1/people/lift', { userName: HEAD });
  t.match(await signIn(), `signed in as Person ${HEAD}`);
  await opens();
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
