import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Page, chromium } from 'playwright-core';
import { appCode } from './authenticator.ts';

import type { TestConsole } from './test-console.ts';
import { PASSWORD } from './test-console.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** A folder for a picture of each page, to look at them; unset: none are kept. */
const PICTURES = process.env['TEST_PICTURES'];
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** A browser that looks at the pages of a console. */
export interface Looker {
  readonly origin: string;
  /** What the browser had to complain of, on any page. */
  readonly complaints: string[];
  readonly open: (options?: { readonly javaScriptEnabled: boolean }) => Promise<Page>;
  readonly signIn: (page: Page, userName: string) => Promise<void>;
  readonly press: (page: Page, name: string | RegExp) => Promise<void>;
  /** Looks at the page as it is, and whether it fits a phone. */
  readonly look: (page: Page, name: string) => Promise<void>;
}

interface Test {
  teardown(end: () => Promise<void>): unknown;
  strictSame(found: unknown, wanted: unknown, what: string): unknown;
}

/** Opens the console's port and a browser; both are closed with the test. */
export async function lookAtPages(t: Test, plane: TestConsole, phone = 360): Promise<Looker> {
  await plane.app.listen({ host: '127.0.0.1', port: 0 });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: QUIET });
  t.teardown(() => browser.close());
  const complaints: string[] = [];
  const press: Looker['press'] = async (page, name) => {
    await page.getByRole('button', { name }).first().click();
    await page.waitForLoadState();
  };
  return {
    origin: `http://127.0.0.1:${(plane.app.server.address() as AddressInfo).port}`,
    complaints,
    press,
    async open(options = { javaScriptEnabled: true }) {
      const viewport = { width: 1280, height: 800 };
      const page = await (await browser.newContext({ ...options, locale: 'en-GB', viewport })).newPage();
      // A page that loads itself again would do so while it is being looked at.
      await page.route('**/lists/work/*', async (route) => {
        const response = await route.fetch({ maxRedirects: 0 });
        const { refresh: _refresh, ...headers } = response.headers();
        await route.fulfill({ response, headers });
      });
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('requestfailed', (request) => {
        // A picture that was still on its way when the page was left.
        if (request.failure()?.errorText === 'net::ERR_ABORTED') return;
        complaints.push(`failed: ${request.url()}`);
      });
      return page;
    },
    async signIn(page, userName) {
      await page.getByLabel('User name').fill(userName);
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
      await page.getByLabel('Code').fill(appCode(plane));
      await press(page, 'Sign in');
    },
    async look(page, name) {
      // A link that was clicked has led to the page, and perhaps not to its style sheets yet: everything was then too small to hit.
      await page.waitForLoadState();
      t.strictSame(await faults(page), [], name);
      await picture(page, name);
      await page.setViewportSize({ width: phone, height: 740 });
      t.strictSame(await overflow(page), [], `${name}, on a phone`);
      await picture(page, `${name}-phone`);
      await page.setViewportSize({ width: 1280, height: 800 });
    },
  };
}

/** What is wrong with the page that is open: accessibility, width. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const run = `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((found) => found.violations)`;
  const violations: Violation[] = await page.evaluate(run);
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  return [...found, ...(await overflow(page))];
}

async function overflow(page: Page): Promise<string[]> {
  const by: number = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  return by > 0 ? [`is ${by} px too wide`] : [];
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}
