// A site that is warned of: read → gone on → open on every worker → the time is over → warned of again.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t from 'tap';
import { localInput } from '../../src/kernel/local-time.ts';
import { startChromium } from '../helpers/chromium.ts';
import { journey } from '../helpers/journey.ts';
import { Stack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const MINUTE_MS = 60_000;

const { origin, site, httpStatus, connectStatus, isEverywhere, openTunnel, makeSchool } = await journey(t);
const school = makeSchool('school', {
  lists: { games: ['games.test', 'play.test', 'late.test', 'both.test'], gambling: ['casino.test', 'both.test'] },
});
const level = join(school.policyDir, 'levels/ks1.yaml');
writeFileSync(level, readFileSync(level, 'utf8').replace('games: block', 'games: warn'));
/** `in` so many ms, on the school's clock. */
const clockIn = (ms: number): string => localInput(Date.now() + ms, 'Europe/London').slice(11);
school.writeSettings({ schoolDayEnds: clockIn(120 * MINUTE_MS) });
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());

const browser = await startChromium(stack.proxyPort);
t.teardown(() => browser.close());
const newPage = async (): Promise<Page> =>
  await (await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false })).newPage();
const button = (page: Page) => page.getByRole('button', { name: 'I have read this: go on' });

void t.test('a page that is warned of is shown once, and opens on every worker after one button', async (t) => {
  const page = await newPage();
  const url = site('www.games.test', '/?from=a%20link&x=1');
  t.equal((await page.goto(url))?.status(), 403);
  t.match(await page.textContent('main'), 'It may not be right for you');
  t.ok(await isEverywhere(stack, 'games.test', 403), 'and by nobody before');
  const [answer] = await Promise.all([page.waitForResponse(url), button(page).click()]);
  t.equal(answer.status(), 200);
  t.equal(page.url(), url, 'back at the very page');
  t.ok(await isEverywhere(stack, 'www.games.test', 200), 'at once, over http and https alike');
  t.ok(await isEverywhere(stack, 'games.test', 200), 'the whole site');
  t.ok(await isEverywhere(stack, 'play.test', 403), 'and no other');
  t.equal(await httpStatus(stack, 'both.test'), 403);
  const told = await until('the console was told', () =>
    stack.rows(`SELECT * FROM flagged WHERE type = 'access.flagged' AND host = 'www.games.test'`).at(0),
  );
  t.equal(told['category'], 'games');
});

void t.test('a worker that is started again knows of it', async () => {
  const [killed] = stack.pids('worker') as [number];
  process.kill(killed, 'SIGKILL');
  await until('it has gone', () => !stack.pids('worker').includes(killed));
  // A busy machine takes a while to start a process.
  await stack.allListen(45_000);
  await until('both know', () => isEverywhere(stack, 'games.test', 200));
});

void t.test('an https site is passed at the front desk', async (t) => {
  const page = await newPage();
  const url = `https://play.test:${origin.https.port}/`;
  // In a tab of its own: the browser's error page comes late, and would interrupt the next one.
  await t.rejects((await newPage()).goto(url), /ERR_TUNNEL_CONNECTION_FAILED/);
  await page.goto('http://schoolgate.internal/why');
  await page.locator('details[open]', { hasText: 'play.test' }).getByRole('button').click();
  t.match(await page.textContent('main'), /play\.test is open for you until \d\d:\d\d/);
  await page.getByRole('link', { name: 'Open play.test' }).click();
  await page.waitForURL(url);
  t.ok(await isEverywhere(stack, 'play.test', 200));
});

void t.test('what is blocked offers no way on', async (t) => {
  const page = await newPage();
  for (const name of ['casino.test', 'both.test']) {
    t.equal((await page.goto(site(name)))?.status(), 403);
    t.equal(await page.locator('form').count(), 0, name);
  }
});

void t.test('when the time is over the tunnel is cut, and the warning is there again', async (t) => {
  // Passes end at the end of the school's day, which is near: the next full minute that leaves time to get there.
  const now = Date.now();
  const end = Math.ceil((now + 25_000) / MINUTE_MS) * MINUTE_MS;
  const { policySerial } = await stack.health();
  school.writeSettings({ schoolDayEnds: clockIn(end - now) });
  await until('it is in force', async () => (await stack.health()).policySerial === policySerial! + 1);
  const page = await newPage();
  await page.goto(site('late.test'));
  t.match(await page.textContent('main'), `open for you until ${localInput(end, 'Europe/London').slice(11)}`);
  await button(page).click();
  await page.waitForLoadState();
  const tunnel = await openTunnel(stack, 'late.test');
  await tunnel.readToEnd(end + 5_000 - Date.now());
  t.not(tunnel.peer, 'open', 'the tunnel is cut');
  t.ok(Date.now() >= end, 'and not before');
  t.equal(await connectStatus(stack, 'late.test'), 403);
  t.equal((await page.goto(site('late.test')))?.status(), 403);
  t.ok(await button(page).isVisible());
});
