import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import t from 'tap';
import { type DeskLessonAnswer, type LessonAsk, type LessonView, readAsk } from '../../src/lessons/ask.ts';
import { startChromium } from '../helpers/chromium.ts';
import { makeDesk, NOW } from './desk.ts';

const CLIENT = '10.1.2.3';
const ID = '01KAXG2Y6R8ZQ4T7V9W1X3B5C7';
const LESSON: LessonView['standing'][number] = {
  id: ID,
  title: 'Volcanoes & <lava>',
  sites: ['volcano.example', 'games.example'],
  classes: ['9X'],
  pupils: [{ user: 'ann', name: 'Ann Ames' }],
  from: NOW,
  until: NOW + 3_600_000,
  state: 'in force',
  givenBy: 't.ash',
  mayChange: true,
  closed: [
    {
      site: 'games.example',
      forWhom: '9X',
      opens: false,
      why: 'It is listed under “Games”, which is closed for them.',
      todo: 'Ask for an unblock.',
    },
  ],
};
const VIEW: LessonView = {
  classes: ['9X', '9Y'],
  timeZone: 'Europe/London',
  now: NOW,
  standing: [LESSON],
  earlier: [{ ...LESSON, id: ID.replace('5', '6'), state: 'over', closed: [] }],
};

async function rig(answer: (ask: LessonAsk) => DeskLessonAnswer) {
  const asked: [string, LessonAsk][] = [];
  const app = await makeDesk([], {
    pagesPerMinute: 1000,
    // What is asked travels as text, and is read as the console reads it.
    askLessons: async (address, ask) => (asked.push([address, readAsk(JSON.stringify(ask))!]), answer(ask)),
  });
  t.teardown(() => app.close());
  const get = (url: string) => app.inject({ url, remoteAddress: CLIENT, headers: { host: 'desk.test' } });
  const token = async (): Promise<string> => /name="token" value="([\w-]+)"/.exec((await get('/lessons')).body)![1]!;
  const post = (url: string, fields: [string, string][]) =>
    app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', host: 'desk.test' },
      remoteAddress: CLIENT,
      payload: new URLSearchParams(fields).toString(),
    });
  return { app, asked, get, post, token };
}

const done: DeskLessonAnswer = { state: 'done', view: VIEW, id: ID, answers: LESSON.closed };
const TYPED: [string, string][] = [
  ['title', 'Volcanoes'],
  ['sites', 'volcano.example'],
  ['classes', '9X'],
  ['classes', '9Y'],
  ['pupils', ''],
  ['from', '2026-11-23T10:00'],
  ['until', '2026-11-23T11:00'],
];

void t.test('what is asked goes to the console with the device’s address, and what is changed is seen', async (t) => {
  const { asked, post, token } = await rig(() => done);
  const own = ['token', await token()] as [string, string];
  asked.length = 0;
  const typed = {
    title: 'Volcanoes',
    sites: 'volcano.example',
    classes: ['9X', '9Y'],
    pupils: '',
    from: '2026-11-23T10:00',
    until: '2026-11-23T11:00',
  };
  const table: [url: string, fields: [string, string][], ask: LessonAsk, status: number][] = [
    ['/lessons/new', [...TYPED, ['do', 'give']], { act: 'give', typed }, 303],
    ['/lessons/new', [...TYPED, ['do', 'check']], { act: 'check', typed }, 200],
    ['/lessons/end', [['id', ID]], { act: 'end', id: ID }, 303],
    [
      '/lessons/add',
      [
        ['id', ID],
        ['site', 'a.example'],
      ],
      { act: 'add', id: ID, site: 'a.example' },
      303,
    ],
    [
      '/lessons/prolong',
      [
        ['id', ID],
        ['minutes', '10'],
      ],
      { act: 'prolong', id: ID, minutes: 10 },
      303,
    ],
    [
      '/lessons/look-up',
      [
        ['className', '9X'],
        ['sites', 'a'],
      ],
      { act: 'look-up', className: '9X', sites: 'a' },
      200,
    ],
  ];
  for (const [url, fields, ask, status] of table) {
    const answer = await post(url, [own, ...fields]);
    t.equal(answer.statusCode, status, url);
    if (status === 200) t.match(answer.body, /games\.example<\/strong> stays closed for 9X[^]*Ask for an unblock/);
    t.same(asked.pop(), [CLIENT, ask]);
    t.equal((await post(url, fields)).statusCode, 403, `${url} without a token`);
  }
  t.same(asked, [], 'a form without its token asks nothing');
});

void t.test('every answer has its status and its words, and nothing becomes markup', async (t) => {
  const table: [DeskLessonAnswer, number, RegExp][] = [
    [{ state: 'nobody' }, 403, /Sign in on this device first/],
    [{ state: 'not-staff' }, 403, /for teachers and staff/],
    [{ state: 'no-answer' }, 503, /Try again in a minute/],
    [{ state: 'refused', reason: 'This lesson list is over.' }, 409, /This lesson list is over/],
    [done, 200, /Volcanoes &amp; &lt;lava&gt;/],
    [{ state: 'wrong', view: VIEW, fields: [{ field: `add-${ID}`, reason: 'No site.' }] }, 422, /href="#add-/],
  ];
  for (const [answer, status, words] of table) {
    const { get } = await rig(() => answer);
    const page = await get('/lessons');
    t.equal(page.statusCode, status, answer.state);
    t.match(page.body, words, answer.state);
    t.notMatch(page.body, '<lava>');
  }
  const { get } = await rig(() => done);
  t.match((await get(`/lessons/new?like=${ID}`)).body, /volcano\.example\ngames\.example<\/textarea>/);
});

void t.test('what is no ask is not read as one', async (t) => {
  const typed = { title: '', sites: '', classes: [], pupils: '', from: '', until: '' };
  for (const text of ['', '{', 'null', '7', '{"act":"revoke"}', '{"act":"end"}', '{"act":"end","id":7}']) {
    t.equal(readAsk(text), null, text);
  }
  t.equal(readAsk(JSON.stringify({ act: 'give', typed: { ...typed, classes: [7] } })), null);
  t.equal(readAsk(JSON.stringify({ act: 'prolong', id: ID, minutes: 1e9 })), null);
  t.same(readAsk(JSON.stringify({ act: 'give', typed })), { act: 'give', typed });
});

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** A folder for a picture of each page, to look at them; unset: none are kept. */
const PICTURES = process.env['TEST_PICTURES'];

void t.test('nobody is shut out of a page', async (t) => {
  const { app, token } = await rig(() => done);
  const form = new URLSearchParams([['token', await token()], ...TYPED, ['do', 'check']]).toString();
  const browser = await startChromium(9);
  t.teardown(() => browser.close());
  for (const [scheme, width] of [
    ['light', 1280],
    ['dark', 320],
  ] as const) {
    const context = await browser.newContext({
      colorScheme: scheme,
      viewport: { width, height: 800 },
      bypassCSP: true,
    });
    await context.route('**/*', async (route) => {
      const { pathname, host } = new URL(route.request().url());
      const posted = pathname === '/lessons/checked';
      const answer = await app.inject({
        url: posted ? '/lessons/new' : pathname,
        headers: { host, ...(posted && { 'content-type': 'application/x-www-form-urlencoded' }) },
        remoteAddress: CLIENT,
        ...(posted && { method: 'POST' as const, payload: form }),
      });
      const headers = answer.headers as Record<string, string>;
      return route.fulfill({ status: answer.statusCode, headers, body: answer.body });
    });
    const page = await context.newPage();
    for (const path of ['', '/new', '/checked', '/look-up']) {
      await page.goto(`http://desk.test/lessons${path}`);
      await page.evaluate(AXE);
      const found = await page.evaluate<AxeResults>(`axe.run({ runOnly: ${JSON.stringify(RULES)} })`);
      const faults = found.violations.map((one) => [one.id, one.nodes[0]?.html]);
      t.strictSame(faults, [], `${path} ${scheme}`);
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      t.ok(Number(await page.evaluate(overflow)) <= 0, `${path} needs no sideways scrolling`);
      if (PICTURES === undefined) continue;
      mkdirSync(PICTURES, { recursive: true });
      await page.screenshot({
        path: join(PICTURES, `desk-lessons${path.replace('/', '-')}-${width}.png`),
        fullPage: true,
      });
    }
    await context.close();
  }
});
