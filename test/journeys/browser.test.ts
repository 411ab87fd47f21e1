// A real browser behind the proxy: pages, refusals and WebSockets as a pupil meets them.
import { createServer } from 'node:http';
import t from 'tap';
import { startChromium } from '../helpers/chromium.ts';
import { startNameServer } from '../helpers/dns.ts';
import { listen } from '../helpers/listening.ts';
import { startOrigin } from '../helpers/origin.ts';
import { Stack } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { TestSchool } from '../helpers/test-school.ts';
import { until } from '../helpers/until.ts';
import { answerUpgrade } from '../helpers/websocket-echo.ts';

const folder = tempFolder(t);
const names = ['open.test', 'casino.test', 'www.casino.test'];
const origin = await startOrigin({ names });
t.teardown(() => origin.close());
// An address of its own, so that nobody else's port 80 is in the way.
const webSocketAddress = `127.${(process.pid >> 8) & 255}.${process.pid & 255}.80`;
const dns = await startNameServer([
  ...names.map((name) => [name, ['127.0.0.1']] as const),
  ['sockets.test', [webSocketAddress]],
]);
t.teardown(() => dns.close());
const school = new TestSchool(folder, {
  http: [origin.http.port],
  tls: [origin.https.port],
  dnsServer: dns.address,
});
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());
const browser = await startChromium(stack.proxyPort);
t.teardown(() => browser.close());
// The origin's authority is the test's own; whether a certificate is trusted is between browser and site.
const context = await browser.newContext({ ignoreHTTPSErrors: true });
// A fresh page each: on a refused connection the browser shows a page of its own, which may still be loading.
let page = await context.newPage();
t.beforeEach(async () => {
  await page.close();
  page = await context.newPage();
});

const http = (name: string, path = '/'): string => `http://${name}:${origin.http.port}${path}`;
const https = (name: string, path = '/'): string => `https://${name}:${origin.https.port}${path}`;

/** What a WebSocket of the page gets back for what it sends; rejects when it cannot be opened. */
const echo = (url: string): Promise<string> =>
  page.evaluate(
    (address) =>
      new Promise<string>((resolve, reject) => {
        const socket = new WebSocket(address);
        socket.addEventListener('open', () => socket.send('good morning'));
        socket.addEventListener('error', () => reject(new Error(`${address} could not be opened`)));
        socket.addEventListener('message', ({ data }) => {
          socket.close();
          resolve(String(data));
        });
      }),
    url,
  );

void t.test('an allowed https site opens', async (t) => {
  const answer = await page.goto(https('open.test'));
  t.equal(answer?.status(), 200);
  t.match(await page.textContent('body'), 'hello from the origin');
  t.equal(origin.seen.at(-1)?.serverName, 'open.test');
});

void t.test('a blocked https site is refused before anything reaches it', async (t) => {
  origin.seen.length = 0;
  await t.rejects(page.goto(https('www.casino.test')), /ERR_TUNNEL_CONNECTION_FAILED/);
  t.same(origin.seen, []);
});

void t.test('a blocked http site shows our page, which says why', async (t) => {
  origin.seen.length = 0;
  const answer = await page.goto(http('casino.test', '/roulette'));
  t.equal(answer?.status(), 403);
  t.equal(answer?.headers()['proxy-status'], 'schoolgate; error=http_request_denied');
  const text = (await page.textContent('body'))!;
  t.match(text, `casino.test:${origin.http.port}/roulette`);
  t.match(text, 'Journey School');
  t.same(origin.seen, []);
});

void t.test('"why was I blocked?" shows both refusals, through the proxy', async (t) => {
  const shown = await until('both are shown', async () => {
    await page.goto('http://schoolgate.internal/why');
    const hosts = new Set((await page.textContent('main'))!.match(/[\w.]*casino\.test/g));
    return hosts.size >= 2 ? hosts : null;
  });
  t.same([...shown].sort(), ['casino.test', 'www.casino.test']);
});

void t.test('a WebSocket inside TLS works', async (t) => {
  await page.goto(https('open.test'));
  t.equal(await echo(`wss://open.test:${origin.https.port}/`), 'good morning');
});

void t.test('a WebSocket to a blocked site is refused', async (t) => {
  await page.goto(https('open.test'));
  await t.rejects(echo(`wss://casino.test:${origin.https.port}/`), /could not be opened/);
});

void t.test('a WebSocket without TLS works: CONNECT to port 80, read as HTTP', async (t) => {
  const server = createServer().on('upgrade', answerUpgrade);
  const sockets = await listen(server, webSocketAddress, 80).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES') throw error;
    return null;
  });
  if (sockets === null) {
    t.pass('port 80 may not be listened on by this account', { skip: 'not allowed to listen on port 80' });
    return;
  }
  t.teardown(() => sockets.close());
  await page.goto(http('open.test'));
  const requests = 'schoolgate_requests_total{carrier="http",verdict="allow"}';
  const before = await stack.metric(requests);
  t.equal(await echo('ws://sockets.test/'), 'good morning');
  // A tunnel alone would count as CONNECT only: the request inside it went through the door as well.
  await until('the request inside is counted', async () => (await stack.metric(requests)) > before);
});
