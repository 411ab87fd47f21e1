import { appendFileSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { SUMMING } from '../../src/compose/count-span.ts';
import { convertHistory } from '../../src/history/convert-history.ts';
import { keepSums } from '../../src/history/day-sums.ts';
import { openSpan } from '../../src/history/open-span.ts';
import { batchesOf } from '../../src/reports/sum-requests.ts';
import { silentSchoolHours } from '../../src/reports/missing.ts';
import { USUAL_SCHOOL_TIME, type WeekStatus } from '../../src/reports/ports.ts';
import type { ReportTable, Report } from '../../src/reports/report.ts';
import { lastWeek, parseWeek, weekOf } from '../../src/reports/week.ts';
import { generateWeek } from '../helpers/generated-week.ts';
import { segmentName, storeSegments } from '../helpers/history-segments.ts';
import { countIn, reportsOver, storeRecords } from '../helpers/made-reports.ts';

const ZONE = 'Europe/London';
const HOUR_MS = 3_600_000;
const WEEK = parseWeek('2026-W47', ZONE);
/** When every day is over. */
const ALL_OVER = Date.UTC(2100, 0, 1);
const ROOT = t.testdir({});
let folders = 0;

function newFolder(): string {
  const folder = join(ROOT, String(++folders));
  mkdirSync(folder);
  return folder;
}

async function reportOf(records: readonly AccessRecord[], status: Partial<WeekStatus> = {}): Promise<Report> {
  const folder = newFolder();
  await storeRecords(folder, records);
  return (await reportsOver({ folder, status, now: WEEK.until + 7 * HOUR_MS }).make(WEEK)).report;
}

function tableOf(report: Report, id: string): ReportTable {
  return report.tables.find((table) => table.id === id)!;
}

function figureOf(report: Report, id: string): number {
  return report.figures.find((figure) => figure.id === id)!.value;
}

await t.test('a week runs from Monday to Monday on the school’s clocks', (t) => {
  const table: [string, string, string, number][] = [
    ['2026-W47', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z', 168],
    ['2026-W13', '2026-03-23T00:00:00.000Z', '2026-03-29T23:00:00.000Z', 167],
    ['2026-W43', '2026-10-18T23:00:00.000Z', '2026-10-26T00:00:00.000Z', 169],
    ['2026-W30', '2026-07-19T23:00:00.000Z', '2026-07-26T23:00:00.000Z', 168],
    ['2026-W53', '2026-12-28T00:00:00.000Z', '2027-01-04T00:00:00.000Z', 168],
    ['2025-W01', '2024-12-30T00:00:00.000Z', '2025-01-06T00:00:00.000Z', 168],
  ];
  for (const [name, from, until, hours] of table) {
    const week = parseWeek(name, ZONE);
    t.equal(new Date(week.from).toISOString(), from, name);
    t.equal(new Date(week.until).toISOString(), until, name);
    t.equal((week.until - week.from) / HOUR_MS, hours, name);
    t.same(weekOf(week.from, ZONE), week, 'its first instant is in it');
    t.same(weekOf(week.until - 1, ZONE), week, 'its last instant is in it');
    t.same(lastWeek(week.until, ZONE), week, 'it is over when the next begins');
    t.equal(lastWeek(week.until - 1, ZONE).until, week.from, 'and not before');
  }
  for (const name of ['2026-W54', '2025-W53', '2026-W00', '2026-47', 'W47', '', '2026-W4', '20266-W04']) {
    t.throws(() => parseWeek(name, ZONE), { code: 'no_such_week' }, name);
  }
  t.end();
});

await t.test('weeks follow each other without gap or overlap, in any zone', (t) => {
  const zones = ['Europe/London', 'UTC', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Africa/Cairo'];
  const instants = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 0, 1) });
  fc.assert(
    fc.property(instants, fc.constantFrom(...zones), (instant, zone) => {
      const week = weekOf(instant, zone);
      const next = weekOf(week.until, zone);
      return week.from <= instant && instant < week.until && next.from === week.until && next.name > week.name;
    }),
  );
  t.end();
});

/** Counts again without anything of ours: sort, then walk. */
function recount(records: readonly AccessRecord[]) {
  const begun = new Map<string, number>();
  const navigations: AccessRecord[] = [];
  for (const record of records.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))) {
    const key = JSON.stringify([record.user ?? record.client, record.host, record.verdict, record.at.slice(0, 10)]);
    const last = begun.get(key);
    const at = Date.parse(record.at);
    if (last !== undefined && at - last < 10_000) continue;
    begun.set(key, at);
    navigations.push(record);
  }
  return navigations;
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[nameOf(item)] = (counts[nameOf(item)] ?? 0) + 1;
  return counts;
}

function sumBy<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  valueOf: (item: T) => number,
): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const item of items) sums[nameOf(item)] = (sums[nameOf(item)] ?? 0) + valueOf(item);
  return sums;
}

function column(table: ReportTable, index: number): Record<string, number> {
  const rows = [...table.rows, ...table.rest].map((row) => [String(row[0]), Number(row[index])] as const);
  return Object.fromEntries(rows.filter(([, count]) => count > 0));
}

await t.test('every number equals an independent recount, whatever order the records come in', async (t) => {
  for (const seed of [1, 2, 3]) {
    const records = generateWeek(seed, WEEK.from, 12_000);
    t.ok(records.filter(({ method }) => method === 'CONNECT').length >= 0.95 * records.length, 'as in a real week');
    const years = Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [`pupil-${i}`, i % 14 === 0 ? 'Reception' : `Year ${i % 14}`]),
    );
    const report = await reportOf(
      records.toSorted((a, b) => (a.client + a.id < b.client + b.id ? -1 : 1)),
      { years },
    );
    const navigations = recount(records);
    const allowed = navigations.filter(({ verdict }) => verdict === 'allow');
    const refused = navigations.filter(({ verdict }) => verdict === 'block');
    const unidentified = records.filter(({ identified }) => identified === 'none');
    const isBackground = ({ category }: AccessRecord): boolean => ['adverts', 'trackers'].includes(category ?? '');

    t.equal(figureOf(report, 'requests'), records.length);
    t.equal(figureOf(report, 'navigations'), navigations.length);
    t.equal(figureOf(report, 'refused'), refused.length);
    t.equal(figureOf(report, 'flagged'), navigations.filter(({ flagged }) => flagged).length);
    t.equal(figureOf(report, 'unidentified'), unidentified.length / records.length);
    t.equal(figureOf(report, 'people'), new Set(records.flatMap(({ user }) => user ?? [])).size);
    t.equal(
      figureOf(report, 'data'),
      records.reduce((sum, { up, down }) => sum + up + down, 0),
    );
    t.equal(figureOf(report, 'faults'), records.filter(({ reason }) => reason === 'fault').length);

    const levels = tableOf(report, 'levels');
    t.same(
      column(levels, 1),
      countBy(allowed, ({ level }) => level),
    );
    t.same(
      column(levels, 2),
      countBy(refused, ({ level }) => level),
    );
    t.same(
      column(levels, 3),
      countBy(records, ({ level }) => level),
    );
    const byYear = tableOf(report, 'years');
    const yearOf = ({ user }: AccessRecord): string => years[user ?? ''] ?? 'In no school year';
    t.same(column(byYear, 1), countBy(allowed, yearOf));
    t.same(column(byYear, 2), countBy(refused, yearOf));
    t.same(column(byYear, 3), countBy(records, yearOf));
    t.same(
      byYear.rows.map(([year]) => year),
      ['Reception', ...Array.from({ length: 13 }, (_, i) => `Year ${i + 1}`), 'In no school year'],
    );
    const categories = tableOf(report, 'categories');
    t.same(
      column(categories, 1),
      countBy(allowed, ({ category }) => category ?? 'In no list'),
    );
    t.same(
      column(categories, 2),
      countBy(refused, ({ category }) => category ?? 'In no list'),
    );

    const sites = countBy(
      allowed.filter((one) => !isBackground(one)),
      ({ host }) => host!,
    );
    const top = Object.entries(sites).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    const shown = tableOf(report, 'sites').rows.map((row) => [row[0], row[1]]);
    t.equal(shown.length, 25);
    t.same(
      shown.map(([, count]) => count),
      top.slice(0, 25).map(([, count]) => count),
    );
    t.ok(shown.every(([host, count]) => sites[String(host)] === count));
    t.equal(column(tableOf(report, 'sites'), 1)['Adverts and trackers'], allowed.filter(isBackground).length);
    t.equal(column(tableOf(report, 'refused-sites'), 2)['Adverts and trackers'], refused.filter(isBackground).length);
    const photos = refused.filter(({ host }) => host === 'photos.example');
    const row = tableOf(report, 'refused-sites').rows.find(([host]) => host === 'photos.example')!;
    t.same(row.slice(2), [photos.length, new Set(photos.map(({ user, client }) => user ?? client)).size]);

    const proxies = navigations.filter(({ category }) => category === 'proxies');
    t.same(tableOf(report, 'circumvention').total!.slice(1), [
      proxies.filter(({ verdict }) => verdict === 'allow').length,
      proxies.filter(({ verdict }) => verdict === 'block').length,
      new Set(proxies.map(({ user, client }) => user ?? client)).size,
    ]);
    const who = ({ user, client }: AccessRecord): string => user ?? client;
    const volumes = Object.entries(sumBy(records, who, ({ up, down }) => up + down)).sort(([, x], [, y]) => y - x);
    const persons = tableOf(report, 'volumes').rows;
    t.same(
      persons.map((cells) => [cells[0], cells[1]]),
      volumes.slice(0, 20),
    );
    const [first] = persons;
    const own = records.filter((one) => who(one) === first![0]);
    const [most] = Object.entries(
      sumBy(
        own,
        ({ host }) => String(host),
        ({ up, down }) => up + down,
      ),
    ).sort(([, x], [, y]) => y - x);
    t.same(first!.slice(2), [own.length, new Set(own.map(({ host }) => host)).size, most![0]]);
    const pairs = Object.entries(
      sumBy(
        records,
        (one) => `${who(one)} ${one.host}`,
        ({ up, down }) => up + down,
      ),
    ).sort(([, x], [, y]) => y - x);
    t.same(
      tableOf(report, 'volume-sites').rows.map((cells) => [`${cells[0]} ${cells[1]}`, cells[2]]),
      pairs.slice(0, 20),
    );

    const day = (at: string): string => at.slice(8, 10);
    const days = tableOf(report, 'days').rows.map((cells) => [String(cells[0]).slice(4, 6), Number(cells[3])] as const);
    t.same(
      Object.fromEntries(days.filter(([, count]) => count > 0)),
      countBy(records, ({ at }) => day(at)),
    );
  }
});

await t.test('tables add up to their totals, and the totals to each other', async (t) => {
  const report = await reportOf(generateWeek(4, WEEK.from, 20_000));
  for (const table of report.tables.filter(({ total }) => total !== null)) {
    table.columns.forEach(({ title, kind }, index) => {
      // Different people and sites do not add up.
      if (kind === 'text' || title === 'People' || table.total![index] === '') return;
      const sum = [...table.rows, ...table.rest].reduce((all, cells) => all + Number(cells[index]), 0);
      t.equal(table.total![index], sum, `${table.id}: ${title}`);
    });
  }
  const [navigations, refused, requests] = ['navigations', 'refused', 'requests'].map((id) => figureOf(report, id));
  for (const id of ['days', 'levels', 'years', 'categories', 'identity']) {
    t.same(tableOf(report, id).total!.slice(1), [navigations! - refused!, refused, requests], id);
  }
  t.equal(tableOf(report, 'sites').total![1], navigations! - refused!);
  t.equal(tableOf(report, 'refused-sites').total![2], refused);
  t.equal(tableOf(report, 'reasons').total![1], refused);
});

const [SAMPLE] = generateWeek(5, WEEK.from, 1);
function visit(at: number, more: Partial<AccessRecord> = {}): AccessRecord {
  const same = { user: 'amy', client: '10.0.0.1', host: 'a.example', verdict: 'block', level: 'ks2' } as const;
  return { ...SAMPLE!, ...same, at: new Date(WEEK.from + at).toISOString(), ...more };
}

await t.test('what one navigation is', async (t) => {
  const table: Record<string, [number, AccessRecord[]]> = {
    'a refused CONNECT that the browser repeats': [1, [visit(0), visit(400), visit(9_999)]],
    'the same again after ten seconds': [2, [visit(0), visit(10_000)]],
    'ten seconds count from the first, not from the last': [2, [visit(0), visit(6_000), visit(12_000)]],
    'in any order': [2, [visit(12_000), visit(0), visit(6_000)]],
    'another host': [2, [visit(0), visit(1, { host: 'b.example' })]],
    'another person on the same device': [2, [visit(0), visit(1, { user: 'ben' })]],
    'the same person on another device': [1, [visit(0), visit(1, { client: '10.0.0.2' })]],
    'nobody known: the device counts': [2, [visit(0, { user: null }), visit(1, { user: null, client: '10.0.0.2' })]],
    'another verdict': [2, [visit(0), visit(1, { verdict: 'allow' })]],
    'another level or reason meanwhile is still the same verdict': [
      1,
      [visit(0), visit(1, { level: 'ks3', reason: 'never' })],
    ],
  };
  for (const [name, [expected, records]] of Object.entries(table)) {
    t.equal(figureOf(await reportOf(records), 'navigations'), expected, name);
  }
  const moved = await reportOf([visit(0), visit(5, { level: 'ks3' }), visit(20_000, { level: 'ks3' }), visit(20_001)]);
  t.same(column(tableOf(moved, 'levels'), 2), { ks2: 1, ks3: 1 }, 'it counts for the level it began at');
  t.same(column(tableOf(moved, 'levels'), 3), { ks2: 2, ks3: 2 });
});

await t.test('navigations go on over the end of an hour, and long runs are cut every ten seconds', async (t) => {
  const every = (ms: number, count: number, from = 0): AccessRecord[] =>
    Array.from({ length: count }, (_, i) => visit(from + i * ms));
  const table: Record<string, AccessRecord[]> = {
    'a poll every four seconds for three hours': every(4_000, 2_700),
    'one over the end of an hour': [visit(HOUR_MS - 4_000), visit(HOUR_MS + 5_999), visit(HOUR_MS + 6_000)],
    'one that begins with an hour': [visit(HOUR_MS - 10_000), visit(HOUR_MS), visit(HOUR_MS + 1)],
    'two persons in turn': every(3_000, 50).flatMap((one, i) => [one, visit(i * 3_001, { user: 'ben' })]),
  };
  for (const [name, records] of Object.entries(table)) {
    t.equal(figureOf(await reportOf(records), 'navigations'), recount(records).length, name);
  }
  const visits = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 * HOUR_MS }), fc.constantFrom('amy', 'ben')), {
    maxLength: 60,
  });
  const near = fc.array(fc.tuple(fc.integer({ min: HOUR_MS - 60_000, max: HOUR_MS + 60_000 }), fc.constant('amy')), {
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(visits, near), async (pairs) => {
      const records = pairs.map(([at, user], i) => visit(at, { user, id: String(i).padStart(26, '0') }));
      return figureOf(await reportOf(records), 'navigations') === recount(records).length;
    }),
    { numRuns: 15 },
  );
});

await t.test('batches hold every hour with a request once, none too large', async (t) => {
  const span = { from: WEEK.from, until: WEEK.from + 3.5 * HOUR_MS };
  const hours = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(hours, (counts) => {
      const requests = new Map([...counts.entries()].filter(([, count]) => count > 0));
      const batches = batchesOf(span, requests, 10);
      const isCovered = (at: number): boolean => batches.some(({ from, until }) => from <= at && at < until);
      const isOrdered = batches.every(({ from, until }, i) => from < until && (batches[i + 1]?.from ?? until) >= until);
      const edges = [...requests.keys()].flatMap((hour) => [
        span.from + hour * HOUR_MS,
        Math.min(span.from + (hour + 1) * HOUR_MS, span.until) - 1,
      ]);
      const most = Math.max(0, ...counts.map((count) => Math.ceil(count / 10)));
      return isOrdered && edges.every(isCovered) && batches.length >= most;
    }),
  );
  t.same(batchesOf(span, new Map([[0, 25]]), 10).length, 3, 'a busy hour in parts');
});

await t.test('hours are the school’s also where clocks change', async (t) => {
  for (const name of ['2026-W13', '2026-W43']) {
    const week = parseWeek(name, ZONE);
    const records = Array.from({ length: (week.until - week.from) / HOUR_MS }, (_, hour) =>
      visit(0, { at: new Date(week.from + hour * HOUR_MS + 1).toISOString() }),
    );
    const outside = [week.from - 1, week.until].map((at) => visit(0, { at: new Date(at).toISOString() }));
    const folder = newFolder();
    await storeRecords(folder, [...records, ...outside]);
    const { counts } = await countIn(folder)(
      { from: week.from, until: week.until },
      { background: [], circumvention: [], years: {} },
    );
    t.equal(counts.hours.length, records.length, name);
    t.ok(
      counts.hours.every(({ requests, navigations, refused }) => requests === 1 && navigations === 1 && refused === 1),
      'and what began outside is not in them',
    );
  }
});

await t.test(
  'searches are counted where they can be seen, and a report is the same before and after conversion',
  async (t) => {
    const search = (at: number, term: string, user: string): AccessRecord =>
      visit(at, {
        user,
        method: 'GET',
        host: 'www.bing.com',
        target: `http://www.bing.com/search?q=${encodeURIComponent(term)}`,
      });
    const records = [
      ...generateWeek(8, WEEK.from, 3_000),
      search(1, 'Photosynthesis', 'amy'),
      search(30_000, 'photosynthesis', 'amy'),
      search(60_000, 'photosynthesis ', 'ben'),
      search(90_000, '=cmd()', 'ben'),
      visit(100_000, { method: 'GET', host: 'a.example', target: 'http://a.example/page?q=no%20engine' }),
    ];
    const folder = newFolder();
    await storeRecords(folder, records);
    const reports = reportsOver({ folder, now: WEEK.until });
    const before = await reports.make(WEEK);
    t.same(tableOf(before.report, 'searches').rows, [
      ['photosynthesis', 3, 2],
      ['=cmd()', 1, 1],
    ]);
    t.same(tableOf(before.report, 'searches').total, ['All together', 4, '']);
    t.match(before.csv, "searches,'=cmd(),1,1");
    await convertHistory(folder, Date.now() + 60_000);
    t.equal((await reports.make(WEEK)).csv, before.csv);
  },
);

await t.test('finished days are counted by what they add up to, for as long as that is true', async (t) => {
  const folder = newFolder();
  await storeSegments(folder, generateWeek(9, WEEK.from, 6_000), 50);
  const reports = reportsOver({ folder, now: WEEK.until });
  const csv = async (): Promise<string> => (await reports.make(WEEK)).csv;
  const before = await csv();
  const upkeep = async (): Promise<void> => {
    await convertHistory(folder, ALL_OVER);
    await keepSums(folder, ALL_OVER, SUMMING);
  };
  await upkeep();
  t.equal(await csv(), before);
  const wednesday = join(folder, '2026-11-18');
  const parquet = readdirSync(wednesday).find((name) => name.endsWith('.parquet'))!;
  renameSync(join(wednesday, parquet), join(folder, 'away'));
  t.equal(await csv(), before, 'its requests need not be read');
  renameSync(join(folder, 'away'), join(wednesday, parquet));

  appendFileSync(join(wednesday, 'sums.duckdb'), 'x');
  t.equal(await csv(), before, 'sums that are not what was written are made of its requests again');

  const late = Array.from({ length: 300 }, (_, i) =>
    visit((2.5 * 24 + i / 60) * HOUR_MS, { host: 'late.example', category: 'games' }),
  );
  await storeRecords(folder, late);
  const after = await csv();
  t.match(after, /late\.example.*,300,1/, 'what came late counts before it is converted');
  await convertHistory(folder, ALL_OVER);
  t.equal(await csv(), after, 'and where the sums are those of before');
  await upkeep();
  renameSync(join(wednesday, parquet), join(folder, 'away'));
  t.equal(await csv(), after, 'and they are made anew');
});

await t.test('a day is added up once the next is over, too', async (t) => {
  const folder = newFolder();
  await storeSegments(folder, generateWeek(10, WEEK.from, 2_000), 50);
  await convertHistory(folder, ALL_OVER);
  await keepSums(folder, WEEK.from + 3 * 24 * HOUR_MS + 2 * HOUR_MS, SUMMING);
  const added = readdirSync(folder).filter((day) => readdirSync(join(folder, day)).includes('sums.duckdb'));
  t.same(added, ['2026-11-16']);
  const failing = { ...SUMMING, add: () => Promise.reject(new Error('no space left')) };
  t.match((await keepSums(folder, ALL_OVER, failing))[0], '2026-11-20 is not added up: no space left');
});

await t.test('every number can be recomputed: the queries are printed, and run as they are', async (t) => {
  const folder = newFolder();
  await storeRecords(folder, generateWeek(11, WEEK.from, 3_000));
  const reports = reportsOver({ folder, now: WEEK.until });
  const text = await reports.explain(WEEK);
  const opened = await openSpan(folder, WEEK.from, WEEK.until, () => t.fail());
  const answers = new Map<string, unknown[][]>();
  for (const [, title, sql] of text.matchAll(/^-- \d+\. (.*)\n([^;]*);$/gm))
    answers.set(title!, await opened.duck.rows(sql!));
  opened.close();
  const { report } = await reports.make(WEEK);
  const [[, allowed, refused, requests]] = answers.get('All together') as [number[]];
  t.same(
    [allowed! + refused!, refused, requests],
    ['navigations', 'refused', 'requests'].map((id) => figureOf(report, id)),
  );
  t.same(
    Object.fromEntries(answers.get('By level')!.map(([level, count]) => [level, count])),
    column(tableOf(report, 'levels'), 1),
  );
  for (const told of ['Ways round the filter', "category IN ('proxies')"]) t.match(text, told);
});

await t.test('what is missing is said, all of it', async (t) => {
  const monday = (hour: number): AccessRecord => visit(hour * HOUR_MS);
  const full = Array.from({ length: 5 * 24 }, (_, hour) => monday(hour));
  t.same((await reportOf(full)).missing.rows, [], 'nothing of a week that is whole');
  const gone = full.filter((_, hour) => hour !== 10 && hour !== 11 && hour !== 14 && hour !== 24 + 20);
  const folder = newFolder();
  await storeRecords(folder, [...gone, visit(1, { error: 'no_end_recorded' })]);
  mkdirSync(join(folder, '2026-11-18'), { recursive: true });
  writeFileSync(join(folder, '2026-11-18', `${segmentName(WEEK.from)}.ndjson.zst`), 'no zstd');
  const reports = reportsOver({
    folder,
    now: WEEK.from + 4.5 * 24 * HOUR_MS,
    status: {
      illegalListLoaded: false,
      gaps: [{ gateway: 'hall', worker: 1, from: '2026-11-18T09:58:00Z', until: '2026-11-18T10:01:00Z' }],
      lists: [
        { id: 'ut1-gambling', category: 'gambling', entries: 5, loadedAt: '2026-06-09T03:17:00Z', fromLastGood: true },
        { id: 'fresh', category: 'games', entries: 5, loadedAt: '2026-11-09T03:17:00Z', fromLastGood: false },
      ],
    },
  });
  const { report } = await reports.make(WEEK);
  t.match(
    report.missing.rows.map(([what, detail]) => `${what}: ${detail}`),
    [
      'No illegal-content list is loaded: Known illegal addresses are refused only where another list or rule names them.',
      'The period is not over: Counted up to Fri 20 Nov 2026, 12:00.',
      'School time without a single record: Mon 16 Nov 2026, 10:00 to 12:00',
      'School time without a single record: Mon 16 Nov 2026, 14:00 to 15:00',
      'A worker was killed: Gateway hall, worker 1: requests may be missing: Wed 18 Nov 2026, 09:58 to 10:01.',
      /^A part of the history cannot be read: 2026-11-18\/hall-0-.*: it breaks off: .* 0 of its requests were read\.$/,
      'A list could not be renewed: ut1-gambling is used as it was on Tue 9 Jun 2026, 04:17.',
      'Connections without a recorded end: 1: they are counted, but how much they carried is not known.',
    ],
  );
  const hours = Array.from({ length: 168 }, (_, hour) => ({
    from: WEEK.from + hour * HOUR_MS,
    requests: 0,
    navigations: 0,
    refused: 0,
  }));
  const holiday = { ...USUAL_SCHOOL_TIME, closed: [{ from: '2026-11-17', until: '2026-11-20' }] };
  t.equal(silentSchoolHours(hours, holiday, ZONE, WEEK.until).length, 1, 'nothing is expected in the holidays');
});
