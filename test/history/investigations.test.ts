import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { newestRows } from '../../src/audit/service.ts';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { convertHistory } from '../../src/history/convert-history.ts';
import { InvalidFieldsError } from '../../src/kernel/errors.ts';
import { findPerson } from '../../src/identity/directory/service.ts';
import { readQuestion } from '../../src/history/question.ts';
import { START } from '../helpers/control-plane.ts';
import { generateWeek } from '../helpers/generated-week.ts';
import { storeSegments } from '../helpers/history-segments.ts';
import { addPerson, testConsole } from '../helpers/test-console.ts';

const [SAMPLE] = generateWeek(3, START, 1);
let made = 0;

function asked(second: number, more: Partial<AccessRecord>): AccessRecord {
  const host = more.host ?? 'example.com';
  return {
    ...SAMPLE!,
    id: String(++made),
    at: new Date(START - 3_600_000 + second * 1000).toISOString(),
    client: '10.1.20.7',
    user: 'kim',
    level: 'ks3',
    method: 'CONNECT',
    host,
    target: `${host}:443`,
    verdict: 'allow',
    reason: 'uncategorised',
    category: null,
    categories: [],
    flagged: false,
    locked: false,
    ...more,
  };
}

const RECORDS = [
  asked(0, {}),
  asked(5, {}),
  asked(9, { host: 'pixel.example', category: 'trackers', categories: ['trackers'] }),
  asked(60, {
    host: 'bets.example',
    verdict: 'block',
    reason: 'category',
    category: 'gambling',
    categories: ['gambling'],
    flagged: true,
  }),
  asked(90, { host: '=HYPERLINK("http://x")', target: 'http://page.example/=1', method: 'GET' }),
  asked(600, { host: 'late.example' }),
  asked(601, {
    host: null,
    target: null,
    locked: true,
    verdict: 'block',
    reason: 'illegal',
    category: 'csam',
    categories: ['csam'],
  }),
  asked(602, { user: 'lee', client: '10.1.20.7', host: 'other.example', identified: 'session' }),
  asked(603, { user: 'dsl', client: '10.1.20.7', host: 'own.example' }),
  asked(604, { user: null, client: '10.1.20.9', host: 'nobody.example' }),
];
const SPAN = 'from=2026-11-23T07:30&until=2026-11-23T09:00';

async function world(isConverted: boolean) {
  const dataDir = mkdtempSync(join(tmpdir(), 'schoolgate-history-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const console = await testConsole({ dataDir });
  t.teardown(() => console.close());
  await storeSegments(join(dataDir, 'history'), RECORDS, 4);
  if (isConverted)
    t.match(await convertHistory(join(dataDir, 'history'), Date.UTC(2100, 0, 1)), { rows: RECORDS.length });
  await addPerson(console, 'dsl', ['safeguarding-lead']);
  await addPerson(console, 'kim', ['teacher']);
  await addPerson(console, 'lee', ['teacher']);
  const idOf = (name: string): string => console.record.read((tx) => findPerson(tx, name))!.id;
  const ids = { kim: idOf('kim'), lee: idOf('lee') };
  const browser = await console.browser('dsl');
  const look = async (query: string): Promise<string> => {
    const url = `/history?${query}&${SPAN}`;
    const first = await browser.get(url);
    if (!first.body.includes('action="/purpose"')) return first.body;
    const { subject, back } = hiddenIn(first.body);
    await browser.post(url, '/purpose', { subject: subject!, back: back!, purpose: 'safeguarding', note: '' });
    return (await browser.get(url)).body;
  };
  const rows = () =>
    console.record.read((tx) => newestRows(tx, null, 50)).filter(({ action }) => action.startsWith('history.'));
  return { console, browser, ids, look, rows };
}

function hiddenIn(page: string): Record<string, string> {
  const found = [...page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)];
  return Object.fromEntries(
    found.map(([, name, value]) => [name!, value!.replaceAll('&amp;', '&').replaceAll('&quot;', '"')]),
  );
}

for (const isConverted of [false, true]) {
  await t.test(`one person’s timeline, with a purpose first (${isConverted ? 'Parquet' : 'segments'})`, async (t) => {
    const { browser, ids, look, rows } = await world(isConverted);
    const form = await browser.get('/history');
    t.match(form.body, /name="person"/);
    const before = await browser.get(`/history?person=Kim&${SPAN}`);
    t.match(before.body, /What do you look for\?/);
    t.notMatch(before.body, /example\.com/, 'nothing is shown before a purpose is said');
    t.equal(rows().length, 0);

    const page = await look('person=Kim');
    t.match(page, /6 lines/);
    t.match(page, /listed as illegal: not shown/);
    t.notMatch(page, /other\.example|own\.example|nobody\.example/);
    t.match(page, />2<\/td>/, 'two requests within ten seconds are one line');
    const [row] = rows();
    t.match(row, { action: 'history.investigated', actor: 'dsl', subject: `person:${ids.kim}` });
    t.match(JSON.parse(row!.payload), { reason: 'A safeguarding concern', after: { user: 'kim', found: 6 } });

    t.match(await look('person=kim&site=bets.example'), /1 line\./);
    t.match(await look('person=kim&category=gambling&context=yes'), /4 lines[^]*context/, 'two minutes to either side');
    t.match(await look('person=kim&verdict=block'), /2 lines/);
    t.match(await look('person=kim&site=nowhere.example'), /Nothing was recorded that fits/);
  });
}

await t.test('a look at a device is a look at everybody on it, and never at oneself', async (t) => {
  const { ids, look, rows } = await world(true);
  const page = await look('address=10.1.20.7');
  t.match(page, /other\.example/);
  t.match(page, /lee<br>[^]*signed in at the front desk: fair/, 'how it is known whose it is, and how sure that is');
  t.notMatch(page, /own\.example/, 'what the safeguarding lead did is not shown to the safeguarding lead');
  t.same(
    rows()
      .map(({ subject }) => subject)
      .sort(),
    ['device:10.1.20.7', `person:${ids.kim}`, `person:${ids.lee}`].sort(),
  );
  const self = await look('person=DSL');
  t.match(self, /Nobody looks into what they did themselves/);
});

await t.test('a file of all lines with its sum, for whoever made it alone, and without formulas', async (t) => {
  const { console, browser, look, rows } = await world(true);
  const page = await look('person=kim');
  const { _csrf, ...fields } = hiddenIn(page);
  const ready = await browser.post(`/history?person=kim&${SPAN}`, '/history/export', fields);
  const sha256 = /[0-9a-f]{64}/.exec(ready.body)?.[0] ?? '';
  const file = await browser.get(`/history/export/${sha256}`);
  t.equal(createHash('sha256').update(file.body).digest('hex'), sha256);
  t.match(file.body, /"'=HYPERLINK/);
  t.match(file.body, /listed as illegal: not shown/);
  const [row] = rows();
  t.match(row, { action: 'history.exported' });
  t.match(JSON.parse(row!.payload), { after: { sha256, lines: 6 } });
  await addPerson(console, 'netman', ['network-manager']);
  t.equal((await (await console.browser('netman')).get(`/history/export/${sha256}`)).status, 400);
  console.clock.advance(11 * 60_000);
  t.equal((await browser.get(`/history/export/${sha256}`)).status, 400, 'it is not kept');
});

await t.test('what cannot be asked is said beside its field, all of it at once', (t) => {
  const fields = (typed: Record<string, string>): string[] => {
    try {
      readQuestion(typed, 'Europe/London', (name) => (name === 'kim' ? 'kim' : null));
      return [];
    } catch (error) {
      return (error as InvalidFieldsError).fields.map(({ field }) => field);
    }
  };
  const span = { from: '2026-11-23T08:00', until: '2026-11-23T09:00' };
  t.same(fields({ person: 'kim', ...span }), []);
  t.same(fields(span), ['person'], 'nobody reads what all did');
  t.same(fields({ person: '\u0000', address: '10.0.0.999', site: 'a b', from: 'x', until: '' }), [
    'person',
    'address',
    'site',
    'from',
    'until',
  ]);
  t.same(fields({ person: 'kim', from: span.until, until: span.from }), ['until']);
  t.same(fields({ site: 'example.com', from: '2026-01-01T00:00', until: '2026-02-01T00:00' }), ['until']);
  t.same(fields({ person: 'kim', from: '2026-01-01T00:00', until: '2026-02-01T00:00' }), []);
  t.end();
});
