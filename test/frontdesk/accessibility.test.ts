import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import t from 'tap';
import { blockPage, errorPage, type PageInput, type PageWarning } from '../../src/gateway/block-page.ts';
import type { DeskDevices } from '../../src/frontdesk/sign-in-forms.ts';
import { createWarningTickets } from '../../src/gateway/warning-ticket.ts';
import type { DeviceAnswer } from '../../src/identity/signed-in-devices.ts';
import type { DeskWishAnswer } from '../../src/unblock/wish.ts';
import { startChromium } from '../helpers/chromium.ts';
import { makeDesk, NOBODY, NOW, refused } from './desk.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** A folder for a picture of each page, to look at them; unset: none are kept. */
const PICTURES = process.env['TEST_PICTURES'];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const INPUT: PageInput = {
  voice: 'child',
  target: `http://games.test/${'long-'.repeat(40)}`,
  contacts: { pupils: 'your class teacher', staff: 'help@school.example' },
  school: 'Hill School',
  at: '2026-11-23T10:00:00.000Z',
  zone: 'Europe/London',
  frontDeskUrl: 'http://schoolgate.internal/',
  reference: '01KAXG2Y6R8ZQ4T7V9W1X3B5C7',
};

const WARNING: PageWarning = { ticket: 'long-'.repeat(300), until: '2026-11-23T10:15:00.000Z' };

function refusal(voice: PageInput['voice'], category: string, warning: PageWarning | null = null): string {
  const locked = category === 'csam';
  return blockPage({
    ...INPUT,
    voice,
    categoryTitle: 'Games',
    isUnknown: true,
    warning,
    decision: {
      verdict: 'block',
      action: warning === null ? 'block' : 'warn',
      reason: locked ? 'illegal' : 'category',
      step: 'level',
      category,
      rule: null,
      flagged: true,
      locked,
    },
  });
}

/** One page of each make-up; the words inside them change nothing for the browser. */
const BLOCK_PAGES: Readonly<Record<string, string>> = {
  blocked: refusal('child', 'games'),
  help: refusal('teen', 'self-harm'),
  illegal: refusal('adult', 'csam'),
  warned: refusal('teen', 'games', WARNING),
  'warned-help': refusal('child', 'self-harm', WARNING),
  fault: errorPage(502, { ...INPUT, voice: 'adult' }),
};

const TICKETS = createWarningTickets(Buffer.alloc(32, 9), () => NOW);
const GIVEN = {
  client: '10.1.2.3',
  user: null,
  host: 'chat.test',
  category: 'games',
  url: 'https://chat.test/',
  at: NOW,
};

/** A browser for which the front desk and the pages of a refusing gateway are all there is. */
async function openPages(
  scheme: 'light' | 'dark',
  width: number,
  use: (page: Page) => Promise<void>,
  devices: DeskDevices = NOBODY,
): Promise<void> {
  const refusals = [
    refused(5),
    refused(90, { host: 'sad.test', category: 'self-harm' }),
    { ...refused(95, { host: 'chat.test', action: 'warn' }), ticket: TICKETS.make(GIVEN) },
    refused(100, { host: 'ads.test', category: 'adverts' }),
  ];
  const desk = await makeDesk(refusals, { devices, askWishes, pagesPerMinute: 1000 });
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 800 }, bypassCSP: true });
  try {
    await context.route('**/*', async (route) => {
      const url = new URL(route.request().url());
      if (url.hostname !== 'desk.test') {
        return route.fulfill({
          status: 403,
          contentType: 'text/html',
          body: BLOCK_PAGES[url.hostname.split('.')[0]!]!,
        });
      }
      const request = route.request();
      const answer = await desk.inject({
        method: request.method() as 'GET' | 'POST',
        url: `${url.pathname}${url.search}`,
        headers: { ...request.headers(), host: url.host },
        remoteAddress: '10.1.2.3',
        ...(request.postData() !== null && { payload: request.postData()! }),
      });
      const headers = answer.headers as Record<string, string>;
      return route.fulfill({ status: answer.statusCode, headers, body: answer.body });
    });
    await use(await context.newPage());
  } finally {
    await context.close();
    await desk.close();
  }
}

// Port 9 is never connected to: every request is answered above.
const browser = await startChromium(9);
t.teardown(() => browser.close());

const askWishes = async (): Promise<DeskWishAnswer> => ({
  state: 'done',
  view: {
    fullName: 'Pat Featherstonehaugh-Cholmondeley',
    isPupil: true,
    wishes: [{ kind: 'open', hosts: ['tudors.test'], at: NOW, state: 'The answer is no.', word: 'Use the book.' }],
  },
});

const URLS = [
  ...Object.keys(BLOCK_PAGES).map((name) => `http://${name}.test/`),
  'http://desk.test/',
  'http://desk.test/why',
  'http://desk.test/sign-in',
  'http://desk.test/ask?site=games.test',
  'http://desk.test/report?site=games.test',
  'http://desk.test/report?done=yes',
  'http://desk.test/nowhere',
];

const PERSON = { userName: 'pupil.nine', fullName: 'Pat Featherstonehaugh-Cholmondeley' };
const UNTIL = NOW + 3_600_000;
const WORDS = ['What you open is filtered, monitored and traceable to you.', 'I keep my password to myself.'];
const AGREEMENT = { version: 'v1', title: 'Acceptable use agreement', text: WORDS };
const TEMPORARY = { state: 'password', ...PERSON, ticket: 'x.y', fault: null } as const;
const AGAIN = { field: 'again', reason: 'The two are not the same: type the new password twice.' };

/** Pages of signing in: what the console says of the device when one is opened, and of its form where that is sent. */
const SIGN_IN: readonly (readonly [name: string, path: string, at: DeviceAnswer, sent?: DeviceAnswer])[] = [
  ['wrong', '/sign-in', { state: 'nobody' }, { state: 'wrong' }],
  ['signed-in', '/sign-in', { state: 'signed-in', ...PERSON, until: UNTIL }],
  ['shared', '/sign-in', { state: 'shared' }],
  ['suspended', '/sign-in', { state: 'suspended' }],
  ['temporary', '/sign-in', TEMPORARY, { ...TEMPORARY, fault: AGAIN }],
  ['password', '/password', { state: 'nobody' }, { state: 'wrong' }],
  ['agreement', '/agreement', { state: 'agreement', ...PERSON, until: UNTIL, agreement: AGREEMENT, ticket: 'x.y' }],
  ['consent', '/agreement', { state: 'consent', ...PERSON, until: UNTIL }],
];

interface Asserts {
  strictSame(found: unknown, wanted: unknown, what: string): unknown;
  ok(found: boolean, what: string): unknown;
}

async function lookAt(t: Asserts, page: Page, name: string): Promise<void> {
  await page.evaluate(AXE);
  const found = await page.evaluate<AxeResults>(`axe.run({ runOnly: ${JSON.stringify(RULES)} })`);
  t.strictSame(
    found.violations.map((one) => [one.id, one.nodes[0]?.html]),
    [],
    name,
  );
  const colours = found.passes.find((one) => one.id === 'color-contrast');
  t.ok(colours !== undefined && colours.nodes.length > 3, `${name}: colours were looked at`);
  const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  t.ok(Number(overflow) <= 0, `${name} needs no sideways scrolling`);
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  const file = `desk-${name.replaceAll(/\W+/g, '-')}-${page.viewportSize()!.width}.png`;
  await page.screenshot({ path: join(PICTURES, file), fullPage: true });
}

for (const [scheme, width] of [
  ['light', 1280],
  ['dark', 320],
] as const) {
  void t.test(`nobody is shut out of a page (${scheme}, ${width} wide)`, async (t) => {
    await openPages(scheme, width, async (page) => {
      for (const url of URLS) {
        await page.goto(url);
        await lookAt(t, page, url);
      }
    });
  });

  void t.test(`nor of signing in, with all that is asked on the way (${scheme}, ${width} wide)`, async (t) => {
    let [at, sent]: DeviceAnswer[] = [];
    const opened = async (): Promise<DeviceAnswer> => at!;
    const answered = async (): Promise<DeviceAnswer> => sent!;
    const devices = { ...NOBODY, at: opened, signIn: answered, changePassword: answered };
    await openPages(
      scheme,
      width,
      async (page) => {
        for (const [name, path, first, second] of SIGN_IN) {
          [at, sent] = [first, second];
          await page.goto(`http://desk.test${path}`);
          if (second !== undefined) {
            const form = page.locator('main form').first();
            for (const field of await form.locator('input:not([type=hidden])').all())
              await field.fill('something typed');
            await form.getByRole('button').click();
            await page.getByText('There is a problem').waitFor();
          }
          await lookAt(t, page, name);
        }
      },
      devices,
    );
  });
}

void t.test('the pages work from the keyboard and without scripts', async (t) => {
  await openPages('light', 800, async (page) => {
    await page.goto('http://desk.test/why');
    t.equal(await page.locator('details[open]').count(), 1);
    await page.locator('summary').nth(1).focus();
    await page.keyboard.press('Enter');
    t.equal(await page.locator('details[open]').count(), 2);
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    t.equal(outline, 'solid', 'the focus can be seen');
    await page.getByRole('navigation').getByRole('link', { name: 'Start' }).click();
    t.equal(page.url(), 'http://desk.test/');
    t.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'The school’s web filter');
  });
});

void t.test('a warning is passed from “why was I blocked?” by keyboard', async (t) => {
  await openPages('light', 320, async (page) => {
    await page.goto('http://desk.test/why');
    const line = page.locator('details', { hasText: 'chat.test' });
    await line.locator('summary').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    t.equal(await page.evaluate('document.activeElement.textContent'), 'I have read this: go on');
    t.equal(
      await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'),
      'solid',
      'the focus can be seen',
    );
    await page.keyboard.press('Enter');
    await page.waitForURL('http://desk.test/warning');
    t.equal(await page.textContent('h1'), 'You can go on');
    t.equal(await page.getByRole('link', { name: 'Open chat.test' }).getAttribute('href'), 'https://chat.test/');
    await page.evaluate(AXE);
    const found = await page.evaluate<AxeResults>(`axe.run({ runOnly: ${JSON.stringify(RULES)} })`);
    t.strictSame(
      found.violations.map((one) => [one.id, one.nodes[0]?.html]),
      [],
    );
  });
});
