// A site opened for a topic, in real browsers: the teacher is blocked and asks, the network manager is mailed and approves, the pupil's
// browser opens the site, the hour passes, it is blocked again with the console stopped, and the outcome is shown.
import { writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { type Page, chromium } from 'playwright-core';
import t from 'tap';
import { type TakenMail, openMailSink } from '../delivery/sink.ts';
import { startChromium } from '../helpers/chromium.ts';
import { clockAhead } from '../helpers/clock-ahead.ts';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { HEAD, MANAGER, STAFF_PASSWORD, joinBoth, joinInvited, nextCode } from '../helpers/staff.ts';
import { Stack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(300_000);
const TEACHER = 't.adams';
const MINUTE = 60_000;
const { folder, isEverywhere, makeSchool, openTunnel, site } = await journey(t);
const school = makeSchool('school', { lists: { games: ['letters.test'], adult: ['statues.test'] } });
const port = await freePort();
const console = `http://127.0.0.1:${port}`;
const mail = { [MANAGER]: 'manager@school.test', [HEAD]: 'head@school.test', [TEACHER]: 'teacher@school.test' };
writeFileSync(joinPath(school.policyDir, 'alerts.yaml'), JSON.stringify({ console, mail }));
writeFileSync(joinPath(school.policyDir, 'rules.yaml'), `people: [{ name: ${TEACHER}, level: ks1 }]\n`);
const sink = await openMailSink();
t.teardown(() => sink.close());
const { setAhead, ...shifted } = clockAhead(folder);

const env = {
  SCHOOLGATE_CONSOLE_PORT: String(port),
  SCHOOLGATE_SMTP_URL: `smtp://127.0.0.1:${sink.port}`,
  SCHOOLGATE_MAIL_FROM: 'filter@school.test',
  ...shifted.env,
};
const stack = await new Stack({ school, env }).start();
t.teardown(() => stack.stop());
await joinBoth(stack);
await joinInvited(stack, MANAGER, TEACHER, ['teacher']);

/** On the school's network: everything goes through the proxy. */
const atSchool = await startChromium(stack.proxyPort);
t.teardown(() => atSchool.close());
/** Where the console is reached. */
const atDesk = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
t.teardown(() => atDesk.close());

/** A page of the console as somebody who has to sign in first; without scripts, as it must work. */
async function asStaff(userName: string, url: string): Promise<Page> {
  const page = await (await atDesk.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(url);
  await page.getByLabel('User name').fill(userName);
  await page.getByLabel('Password', { exact: true }).fill(STAFF_PASSWORD);
  await page.getByLabel('Code').fill(await nextCode(stack, userName));
  await page.getByRole('button', { name: 'Sign in' }).click();
  return page;
}

const mailTo = (address: string, subject: RegExp): Promise<TakenMail> =>
  until(`${address} is mailed`, () => sink.taken.find(({ to, source }) => to === address && subject.test(source)));
const linkIn = ({ source }: TakenMail): string => new RegExp(`${console}/unblocks/\\w{26}`).exec(source)![0];
const SITE = site('letters.test');
let request = '';

void t.test('a teacher who is blocked asks from the block page on', async (t) => {
  const page = await (await atSchool.newContext()).newPage();
  await page.goto('http://schoolgate.internal/sign-in');
  await page.fill('#name', TEACHER);
  await page.fill('#password', STAFF_PASSWORD);
  await page.click('main button');
  await until('the device is known', async () => /signed in as/.test((await page.textContent('main'))!));
  await page.goto(SITE);
  t.match(await page.textContent('main'), 'letters.test');
  await page.getByRole('link', { name: 'Why was I blocked?' }).first().click();
  await page.goto(
    (await page.locator('a[href*="/ask?site=letters.test"]').first().getAttribute('href'))!.replace(
      /^\//,
      'http://schoolgate.internal/',
    ),
  );
  const link = await page.getByRole('link', { name: /ask there/ }).getAttribute('href');
  t.equal(link, `${console}/unblocks/new?site=letters.test`);

  const form = await asStaff(TEACHER, link!);
  t.equal(await form.getByLabel('Sites').inputValue(), 'letters.test', 'after signing in it is still the form');
  await form.getByLabel('Topic').fill('Letters from the Somme');
  await form.getByLabel('Why it is needed').fill('Ann Ames reads aloud');
  await form.getByText('Whole levels, or a room').click();
  await form.getByLabel('Key stage 1').check();
  await form.getByRole('button', { name: 'Ask for it' }).click();
  await form.getByText('Your request is waiting for another person').waitFor();
  t.equal(await form.getByRole('button', { name: 'Approve' }).count(), 0, 'and not for the one who asked');
  await form.close();
  await page.goto('http://schoolgate.internal/sign-in');
  await page.click('main button');
  await page.close();
});

void t.test('the network manager is mailed, signs in by the link and approves', async (t) => {
  const asked = await mailTo('manager@school.test', /waits for a decision/);
  await mailTo('head@school.test', /waits for a decision/);
  t.notMatch(asked.source, /Ann|Somme|letters\.test/);
  request = linkIn(asked);
  const page = await asStaff(MANAGER, request);
  t.equal(page.url(), request);
  t.ok(await isEverywhere(stack, 'letters.test', 403), 'asking opens nothing');
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('Approved. Gateways have it').waitFor();
  t.equal(linkIn(await mailTo('teacher@school.test', /was approved/)), request);
});

const pupil = await (await atSchool.newContext()).newPage();

void t.test('from its start the pupil’s browser opens the site', async (t) => {
  t.equal((await pupil.goto(SITE))?.status(), 403, 'approved, and not begun');
  // The form begins at the next five minutes.
  setAhead(5 * MINUTE);
  const begun = performance.now();
  await until('it is open at every worker', () => isEverywhere(stack, 'letters.test', 200));
  t.ok(performance.now() - begun < 4_000, `open after ${Math.round(performance.now() - begun)} ms`);
  t.equal((await pupil.goto(SITE))?.status(), 200);
  t.match(await pupil.textContent('body'), 'hello from the origin');
});

void t.test('when the hour has passed it is blocked, open tunnels too, with the console stopped', async (t) => {
  const tunnel = await openTunnel(stack, 'letters.test');
  const [pid] = stack.pids('console');
  process.kill(pid!, 'SIGSTOP');
  setAhead(66 * MINUTE);
  const over = performance.now();
  await tunnel.readToEnd();
  await until('it is blocked', () => isEverywhere(stack, 'letters.test', 403));
  t.ok(performance.now() - over < 4_000, `gone after ${Math.round(performance.now() - over)} ms`);
  t.equal((await pupil.goto(SITE))?.status(), 403);
  t.match(await pupil.textContent('main'), 'letters.test');
  process.kill(pid!, 'SIGCONT');
});

void t.test('the outcome is counted, and the teacher adds a sentence', async (t) => {
  // Long enough for the pieces of history to be closed, and to have come in.
  setAhead(90 * MINUTE);
  const page = await asStaff(TEACHER, request);
  await until(
    'the outcome is shown',
    async () => {
      await page.goto(request);
      return /people, \d+ visits|1 person, \d+ visit/.test((await page.textContent('main'))!);
    },
    120_000,
  );
  t.match(await page.textContent('main'), /Ended[^]*1 person, \d+ visits?, 0 flagged/);
  await page.getByLabel('How did it go?').fill('Everybody found a letter.');
  await page.getByRole('button', { name: 'Keep it' }).click();
  t.match(await page.textContent('main'), /flagged\. Everybody found a letter\./);
  const acts = stack.rows(`SELECT action FROM audit WHERE subject = ? ORDER BY seq`, `unblock:${request.slice(-26)}`);
  t.same(
    acts.map(({ action }) => String(action).slice('unblock.'.length)),
    ['requested', 'approved', 'expired', 'outcome', 'remarked'],
  );
});

void t.test('nobody who was told was told twice', async (t) => {
  const about = sink.taken.map(({ to, source }) => `${to} ${/^Subject: (.*)$/m.exec(source)![1]}`);
  t.same(
    about.filter((one, i) => about.indexOf(one) !== i),
    [],
  );
});
