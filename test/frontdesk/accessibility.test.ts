import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import t from 'tap';
import { blockPage, errorPage, type PageInput, type PageWarning } from '../../src/gateway/block-page.ts';
import { createWarningTickets } from '../../src/gateway/warning-ticket.ts';
import { startChromium } from '../helpers/chromium.ts';
import { makeDesk, NOW, refused } from './desk.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
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
async function openPages(scheme: 'light' | 'dark', width: number, use: (page: Page) => Promise<void>): Promise<void> {
  const desk = await makeDesk([
    refused(5),
    refused(90, { host: 'sad.test', category: 'self-harm' }),
    { ...refused(95, { host: 'chat.test', action: 'warn' }), ticket: TICKETS.make(GIVEN) },
    refused(100, { host: 'ads.test', category: 'adverts' }),
  ]);
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
        url: url.pathname,
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

const URLS = [
  ...Object.keys(BLOCK_PAGES).map((name) => `http://${name}.test/`),
  'http://desk.test/',
  'http://desk.test/why',
  'http://desk.test/sign-in',
  'http://desk.test/nowhere',
];

for (const [scheme, width] of [
  ['light', 1280],
  ['dark', 320],
] as const) {
  void t.test(`nobody is shut out of a page (${scheme}, ${width} wide)`, async (t) => {
    await openPages(scheme, width, async (page) => {
      for (const url of URLS) {
        await page.goto(url);
        await page.evaluate(AXE);
        const found = await page.evaluate<AxeResults>(`axe.run({ runOnly: ${JSON.stringify(RULES)} })`);
        t.strictSame(
          found.violations.map((one) => [one.id, one.nodes[0]?.html]),
          [],
          url,
        );
        const colours = found.passes.find((one) => one.id === 'color-contrast');
        t.ok(colours !== undefined && colours.nodes.length > 3, `${url}: colours were looked at`);
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        t.ok(Number(overflow) <= 0, `${url} needs no sideways scrolling`);
      }
    });
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
