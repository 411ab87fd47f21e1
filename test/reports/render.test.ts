import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import type { AccessRecord } from '../../src/events/access-record.ts';
import type { UnblockOfWeek, WeekStatus } from '../../src/reports/ports.ts';
import { renderCsv } from '../../src/reports/render-csv.ts';
import { renderHtml } from '../../src/reports/render-html.ts';
import type { Report } from '../../src/reports/report.ts';
import type { MadeReport } from '../../src/reports/service.ts';
import { parseWeek } from '../../src/reports/week.ts';
import { generateWeek } from '../helpers/generated-week.ts';
import { reportsOver, storeRecords } from '../helpers/made-reports.ts';

const ZONE = 'Europe/London';
const WEEK = parseWeek('2026-W47', ZONE);
const ROOT = t.testdir({});
let folders = 0;

async function newFolder(records: readonly AccessRecord[]): Promise<string> {
  const folder = join(ROOT, String(++folders));
  mkdirSync(folder);
  await storeRecords(folder, records);
  return folder;
}

async function make(
  records: readonly AccessRecord[],
  unblocks: readonly UnblockOfWeek[] = [],
  status: Partial<WeekStatus> = {},
): Promise<MadeReport> {
  return await reportsOver({ folder: await newFolder(records), unblocks, status, now: WEEK.until }).make(WEEK);
}

/** Reads CSV as RFC 4180 says, strictly: a quote only where a field begins, CRLF after every record. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (match === null) throw new Error('not RFC 4180');
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (match[3] === '\r\n') {
      records.push(fields);
      fields = [];
    }
  }
  return records;
}

await t.test('a report is made also when there is nothing to report', async (t) => {
  const { name, report, html, csv } = await make([]);
  t.equal(name, 'schoolgate-week-2026-W47');
  t.equal(report.period, 'Mon 16 Nov 2026 to Sun 22 Nov 2026');
  t.match(html, /Nothing was refused in this period\./);
  t.match(html, /No unblock was asked for or in force\./);
  t.match(html, /School time without a single record/);
  t.ok(parseCsv(csv.slice(1)).some((row) => row[1] === 'Requests' && row[2] === '0'));
  t.notMatch(html + csv, /NaN|undefined|Infinity/);
});

await t.test('a period that is no week has a name that is good for a file', async (t) => {
  const reports = reportsOver({ folder: await newFolder([]), now: WEEK.until });
  const made = await reports.make({ from: WEEK.from, until: WEEK.from + 90 * 60_000 });
  t.equal(made.name, 'schoolgate-2026-11-16T0000Z-2026-11-16T0130Z');
  t.equal(made.report.period, 'Mon 16 Nov 2026, 00:00 to 01:30');
  t.equal((await reports.make()).name, 'schoolgate-week-2026-W47', 'without one: the last week that is over');
});

await t.test('names of sites, topics and people can be no markup and no formula', async (t) => {
  const evil = '<img src=x onerror=alert(1)>"\'&';
  const [sample] = generateWeek(1, WEEK.from, 1);
  const made = await make(
    [{ ...sample!, host: evil, level: evil, user: evil }],
    [
      {
        reason: 'r',
        topic: `=HYPERLINK("http://evil.example")`,
        hosts: [evil],
        from: '2026-11-17T09:00:00Z',
        until: '2026-11-17T10:00:00Z',
        requestedBy: evil,
        decidedBy: null,
        state: 'refused',
      },
    ],
    {
      school: evil,
      categoryTitles: { [sample!.category ?? '']: evil },
      alarms: [{ at: '2026-11-17T09:00:00Z', gateway: evil, code: evil, text: evil }],
    },
  );
  t.notMatch(made.html, /<img|onerror=alert\(1\)>/);
  t.match(made.html, /&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;&amp;/);
  const rows = parseCsv(made.csv.slice(1));
  t.match(rows.find((row) => row[0] === 'unblocks' && row[1]!.includes('HYPERLINK'))![1], /^'=HYPERLINK/);
  t.ok(
    rows.some((row) => row[1] === evil),
    'what is no formula stays as it is',
  );
  t.equal(new Set(rows.map((row) => row.length)).size, 1, 'every record has as many fields');
});

await t.test('any text survives CSV, and none can begin a formula', (t) => {
  const report = (text: string): Report => ({
    about: '',
    title: 't',
    period: 'p',
    school: null,
    made: 'm',
    figures: [],
    missing: {
      id: 'x',
      title: 'x',
      note: '',
      columns: [
        { title: 'a', kind: 'text' },
        { title: 'b', kind: 'count' },
      ],
      rows: [[text, 5]],
      rest: [],
      total: null,
      bar: [],
      whenEmpty: '',
    },
    tables: [],
  });
  const nasty = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[=+\-@\t\r＝＋－＠",\n a]{0,6}$/));
  fc.assert(
    fc.property(nasty, (text) => {
      const row = parseCsv(renderCsv(report(text)).slice(1)).find(([id, , count]) => id === 'x' && count === '5')!;
      return (row[1] === text || row[1] === `'${text}`) && !/^[=+\-@\t\r＝＋－＠]/.test(row[1]);
    }),
  );
  const csv = renderCsv(report('x'));
  t.ok(csv.startsWith('\ufeff'), 'Excel is told that it is UTF-8');
  t.notMatch(csv.replaceAll('\r\n', ''), /[\r\n]/);
  t.end();
});

await t.test('a listed illegal address is counted and never shown', async (t) => {
  const [sample] = generateWeek(1, WEEK.from, 1);
  const { html } = await make([
    { ...sample!, host: null, locked: true, verdict: 'block', reason: 'illegal', category: 'csam' },
  ]);
  t.match(html, /A listed illegal address \(never shown\)/);
  t.match(html, /Listed as illegal/);
});

await t.test('the page fetches nothing, runs nothing, and stays below what mail readers cut off', async (t) => {
  const years = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`pupil-${i}`, `Year ${(i % 13) + 1}`]));
  const { html, csv } = await make(generateWeek(2, WEEK.from, 20_000), [], { years });
  t.notMatch(html, /<script|<img|<link|url\(|@import|https?:/);
  t.ok(Buffer.byteLength(html) < 102_000, `${Buffer.byteLength(html)} bytes`);
  const headings = new Set([...html.matchAll(/<th scope="(col|row)"/g)].map((match) => match[1]));
  t.ok(headings.has('col') && headings.has('row'), 'cells are tied to their headings');
  t.equal([...html.matchAll(/<h1/g)].length, 1);
  for (const [bars] of html.matchAll(/<table role="presentation"[^>]*>/g)) t.notMatch(bars, /aria-label/);
  const text = html.replace(/<style>[^]*?<\/style>|<[^>]+>/g, ' ');
  const sites = parseCsv(csv.slice(1))
    .filter((row) => row[0] === 'sites')
    .slice(1);
  t.ok(sites.length > 25);
  t.match(text, 'more rows are in the console and in the CSV file');
  for (const [, site, navigations] of [...sites.slice(0, 10), ...sites.slice(25)]) {
    t.match(
      text,
      new RegExp(`${site!.replaceAll('.', '\\.')}\\s+${Number(navigations).toLocaleString('en-GB')}\\s`),
      'the same numbers in both',
    );
  }
});

await t.test('the same parts make the same bytes', async (t) => {
  const records = generateWeek(6, WEEK.from, 3000);
  const [first, second] = [await make(records), await make(records.toReversed())];
  t.equal(second.html, first.html);
  t.equal(second.csv, first.csv);
  t.equal(renderHtml(first.report), first.html);
});
