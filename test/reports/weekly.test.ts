import * as fc from 'fast-check';
import t from 'tap';
import { silentSchoolHours } from '../../src/reports/missing.ts';
import { type ReportRecord, type Span, USUAL_SCHOOL_TIME, type WeekStatus } from '../../src/reports/ports.ts';
import type { ReportTable, WeeklyReport } from '../../src/reports/report.ts';
import { createWeeklyReports } from '../../src/reports/service.ts';
import { lastWeek, parseWeek, weekOf } from '../../src/reports/week.ts';
import { countWeek } from '../../src/reports/weekly.ts';
import { generateWeek } from '../helpers/generated-week.ts';

const ZONE = 'Europe/London';
const HOUR_MS = 3_600_000;
const WEEK = parseWeek('2026-W47', ZONE);
const STATUS: WeekStatus = {
  school: 'Alder Vale School',
  schoolTime: USUAL_SCHOOL_TIME,
  alarms: [],
  gaps: [],
  illegalListLoaded: true,
  listsFromLastGood: [],
  listsProblem: null,
  auditHead: { seq: 7, hash: 'ab'.repeat(32) },
  categoryTitles: {},
};

async function* stream<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

async function reportOf(records: readonly ReportRecord[], status: Partial<WeekStatus> = {}): Promise<WeeklyReport> {
  const reports = createWeeklyReports({
    records: () => stream(records),
    unblocks: () => [],
    status: () => ({ ...STATUS, ...status }),
    zone: ZONE,
    clock: () => WEEK.until + 7 * HOUR_MS,
  });
  return (await reports.make(WEEK)).report;
}

function tableOf(report: WeeklyReport, id: string): ReportTable {
  return report.tables.find((table) => table.id === id)!;
}

function figureOf(report: WeeklyReport, id: string): number {
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
function recount(records: readonly ReportRecord[]) {
  const begun = new Map<string, number>();
  const navigations: ReportRecord[] = [];
  for (const record of records.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))) {
    const key = JSON.stringify([record.user ?? record.client, record.host, record.verdict]);
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

function column(table: ReportTable, index: number): Record<string, number> {
  const rows = [...table.rows, ...table.rest].map((row) => [String(row[0]), Number(row[index])] as const);
  return Object.fromEntries(rows.filter(([, count]) => count > 0));
}

await t.test('every number equals an independent recount, whatever order the records come in', async (t) => {
  for (const seed of [1, 2, 3]) {
    const records = generateWeek(seed, WEEK.from, 12_000);
    t.ok(records.filter(({ method }) => method === 'CONNECT').length >= 0.95 * records.length, 'as in a real week');
    const report = await reportOf(records.toSorted((a, b) => (a.client + a.id < b.client + b.id ? -1 : 1)));
    const navigations = recount(records);
    const allowed = navigations.filter(({ verdict }) => verdict === 'allow');
    const refused = navigations.filter(({ verdict }) => verdict === 'block');
    const unidentified = records.filter(({ identified }) => identified === 'none');
    const isBackground = ({ category }: ReportRecord): boolean => ['adverts', 'trackers'].includes(category ?? '');

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
      if (kind === 'text' || title === 'People') return;
      const sum = [...table.rows, ...table.rest].reduce((all, cells) => all + Number(cells[index]), 0);
      t.equal(table.total![index], sum, `${table.id}: ${title}`);
    });
  }
  const [navigations, refused, requests] = ['navigations', 'refused', 'requests'].map((id) => figureOf(report, id));
  for (const id of ['days', 'levels', 'categories', 'identity']) {
    t.same(tableOf(report, id).total!.slice(1), [navigations! - refused!, refused, requests], id);
  }
  t.equal(tableOf(report, 'sites').total![1], navigations! - refused!);
  t.equal(tableOf(report, 'refused-sites').total![2], refused);
  t.equal(tableOf(report, 'reasons').total![1], refused);
});

const [SAMPLE] = generateWeek(5, WEEK.from, 1);
function visit(at: number, more: Partial<ReportRecord> = {}): ReportRecord {
  const same = { user: 'amy', client: '10.0.0.1', host: 'a.example', verdict: 'block', level: 'ks2' } as const;
  return { ...SAMPLE!, ...same, at: new Date(WEEK.from + at).toISOString(), ...more };
}

await t.test('what one navigation is', async (t) => {
  const table: Record<string, [number, ReportRecord[]]> = {
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

await t.test('hours are the school’s also where clocks change', async (t) => {
  for (const name of ['2026-W13', '2026-W43']) {
    const week = parseWeek(name, ZONE);
    const records = Array.from({ length: (week.until - week.from) / HOUR_MS }, (_, hour) =>
      visit(0, { at: new Date(week.from + hour * HOUR_MS + 1).toISOString() }),
    );
    const counts = await countWeek(stream(records), week);
    t.equal(counts.hours.length, records.length, name);
    t.ok(
      counts.hours.every(({ requests, navigations, refused }) => requests === 1 && navigations === 1 && refused === 1),
    );
  }
  const outside = visit(-1);
  await t.rejects(countWeek(stream([outside]), WEEK), RangeError, 'a record of another week is never counted silently');
});

await t.test('more than can be counted exactly is refused, not rounded', async (t) => {
  const span: Span = { from: 0, until: Number.MAX_SAFE_INTEGER - 1 };
  const { VisitCounter } = await import('../../src/reports/navigations.ts');
  const counter = new VisitCounter(span);
  counter.add(visit(0), 1000);
  t.throws(() => counter.add(visit(0, { host: 'b.example' }), 1000), { code: 'report_too_large' });
});

await t.test('what is missing is said, all of it', async (t) => {
  const monday = (hour: number): ReportRecord => visit(hour * HOUR_MS);
  const full = Array.from({ length: 5 * 24 }, (_, hour) => monday(hour));
  t.same((await reportOf(full)).missing.rows, [], 'nothing of a week that is whole');
  const gone = full.filter((_, hour) => hour !== 10 && hour !== 11 && hour !== 14 && hour !== 24 + 20);
  const reports = createWeeklyReports({
    records: (_span, onUnreadable) => {
      onUnreadable({ segment: '2026-11-18/x', read: 5, reason: 'it breaks off' });
      return stream([...gone, visit(1, { error: 'no_end_recorded' })]);
    },
    unblocks: () => [],
    status: () => ({
      ...STATUS,
      illegalListLoaded: false,
      gaps: [{ gateway: 'hall', worker: 1, from: '2026-11-18T09:58:00Z', until: '2026-11-18T10:01:00Z' }],
      listsFromLastGood: [{ id: 'ut1-gambling', loadedAt: '2026-06-09T03:17:00Z' }],
    }),
    zone: ZONE,
    clock: () => WEEK.from + 4.5 * 24 * HOUR_MS,
  });
  const { report } = await reports.make(WEEK);
  t.same(
    report.missing.rows.map(([what, detail]) => `${what}: ${detail}`),
    [
      'No illegal-content list is loaded: Known illegal addresses are refused only where another list or rule names them.',
      'The period is not over: Counted up to Fri 20 Nov 2026, 12:00.',
      'School time without a single record: Mon 16 Nov 2026, 10:00 to 12:00',
      'School time without a single record: Mon 16 Nov 2026, 14:00 to 15:00',
      'A worker was killed: Gateway hall, worker 1: requests may be missing: Wed 18 Nov 2026, 09:58 to 10:01.',
      'A part of the history cannot be read: 2026-11-18/x: it breaks off. 5 of its requests were read.',
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
