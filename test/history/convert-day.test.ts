import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { convertDay } from '../../src/history/convert-day.ts';
import { convertHistory, daysIn } from '../../src/history/convert-history.ts';
import { readContents } from '../../src/history/contents.ts';
import { mergeDay } from '../../src/history/merge-day.ts';
import { importSegment } from '../../src/history/import-segment.ts';
import { readNearRecords } from '../../src/history/read-records.ts';
import { NO_END } from '../../src/history/segment.ts';
import { generateWeek } from '../helpers/generated-week.ts';
import { packSegment, readHistory, segmentName, storeSegments, textsOf } from '../helpers/history-segments.ts';

const MONDAY = Date.UTC(2026, 10, 16);
const DAY_MS = 86_400_000;
const LATER = Date.UTC(2100, 0, 1);
const [SAMPLE] = generateWeek(3, MONDAY, 1);

function record(id: string, at: string, more: Partial<AccessRecord> = {}): AccessRecord {
  return { ...SAMPLE!, id, at, ms: 0, flagged: false, ...more };
}

async function readDay(folder: string) {
  return await readHistory(folder, MONDAY, MONDAY + DAY_MS);
}

await t.test('a week reads the same before and after, from files a day that hold nothing twice', async (t) => {
  const folder = t.testdir({});
  const week = generateWeek(11, MONDAY, 6000);
  for (const [index, made] of week.entries()) {
    if (index % 3 === 0 && made.host !== null) Object.assign(made, { sni: made.host });
    if (index % 50 === 0) Object.assign(made, { sni: 'other.example', ech: true, retarget: '192.0.2.1', error: 'cut' });
    if (index % 70 === 0) Object.assign(made, { account: 'class', target: null });
    if (index % 90 === 0) Object.assign(made, { lists: [], categories: ['a', 'b'], rule: 'levels/ks2.yaml#allow' });
  }
  const names = await storeSegments(folder, week, 400);
  const expected = textsOf(week);
  t.same((await readHistory(folder, MONDAY, MONDAY + 7 * DAY_MS)).texts, expected);

  const report = await convertHistory(folder, LATER);
  t.match(report, { rows: 6000, problems: [] });
  t.same(report.files, daysIn(folder).length, 'one file a day');
  for (const day of daysIn(folder))
    t.match(readdirSync(join(folder, day)).sort(), [/^[0-9A-Z]{26}\.parquet$/, 'contents.json']);
  const after = await readHistory(folder, MONDAY, MONDAY + 7 * DAY_MS);
  t.same(after.texts, expected);
  t.same(after.unreadable, []);
  t.ok(
    after.records.every(({ id, flagged }) => (id !== null) === flagged),
    'an id is kept where something may refer to it',
  );

  t.match(await convertHistory(folder, LATER), { files: 0, rows: 0, problems: [] }, 'a second run finds nothing to do');
  const again = { name: names[0]!, bytes: packSegment(...week.slice(0, 400)) };
  t.equal(await importSegment(folder, again), 'known', 'a segment that is delivered again stays out');

  const span = [MONDAY + 10 * 3_600_000, MONDAY + 11 * 3_600_000] as const;
  const near = await readNearRecords(folder, ...span);
  t.same(textsOf(near), textsOf(week.filter(({ at }) => Date.parse(at) >= span[0] && Date.parse(at) <= span[1])));
});

await t.test('late segments add a file to their day, and young ones wait', async (t) => {
  const folder = t.testdir({});
  const put = async (id: string, hour: number): Promise<string> => {
    const at = MONDAY + hour * 3_600_000;
    const name = segmentName(at);
    await importSegment(folder, { name, bytes: packSegment(record(id, new Date(at).toISOString())) });
    return join(folder, '2026-11-16', `${name}.ndjson.zst`);
  };
  utimesSync(await put('one', 9), 1000, 1000);
  await put('young', 10);
  t.match(await convertDay(folder, '2026-11-16', 2_000_000), { files: [{ rows: 1 }], damaged: [] });
  t.equal((await readDay(folder)).records.length, 2, 'one from Parquet, one from its segment');
  await put('late', 8);
  t.match(await convertDay(folder, '2026-11-16', LATER), { files: [{ rows: 2 }] });
  t.match(readContents(folder, '2026-11-16').files, [{ rows: 1 }, { rows: 2 }]);
  t.equal((await readDay(folder)).records.length, 3);
});

await t.test('a tunnel counts once wherever its two lines have come to lie', async (t) => {
  const opened = record('tunnel', '2026-11-16T09:00:00.000Z', { method: 'CONNECT' });
  const ended: AccessRecord = { ...opened, ms: 3_600_000, down: 4321 };
  const lines = [
    { at: MONDAY + 9 * 3_600_000, line: { opening: opened } },
    { at: MONDAY + 9.9 * 3_600_000, line: ended },
  ];
  for (const order of [lines, lines.toReversed()]) {
    const folder = t.testdir({});
    for (const { at, line } of order) {
      await importSegment(folder, { name: segmentName(at), bytes: packSegment(line) });
      const before = await readDay(folder);
      await convertHistory(folder, LATER);
      t.same((await readDay(folder)).texts, before.texts);
    }
    t.match((await readDay(folder)).records, [{ down: 4321 }]);
    t.equal((await readDay(folder)).records.length, 1);
  }
  const folder = t.testdir({});
  await importSegment(folder, { name: segmentName(lines[0]!.at), bytes: packSegment(lines[0]!.line) });
  await convertHistory(folder, LATER);
  t.match((await readDay(folder)).records, [{ id: 'tunnel', error: NO_END }], 'a worker that was killed');
});

await t.test(
  'what newer gateways say besides is kept, and clocks that are wrong move nothing out of reach',
  async (t) => {
    const folder = t.testdir({});
    const newer = {
      ...record('a', '2026-11-16T09:00:00.000Z'),
      decrypted: true,
      tunnel: 'of theirs',
      page: { title: 'x' },
    };
    const skewed = record('b', '2026-11-16T09:00:01.000Z');
    await importSegment(folder, {
      name: segmentName(Date.UTC(2031, 0, 1)),
      bytes: packSegment(newer, skewed),
    });
    await convertHistory(folder, LATER);
    const { records } = await readDay(folder);
    t.match(
      records.find((found) => 'page' in found),
      { decrypted: true, page: { title: 'x' } },
    );
    t.equal(records.length, 2);
  },
);

await t.test('what is damaged stays as it is, is told, and takes nothing else with it', async (t) => {
  const folder = t.testdir({});
  const day = '2026-11-16';
  const put = async (minute: number, bytes: Uint8Array): Promise<string> => {
    const name = segmentName(MONDAY + 9 * 3_600_000 + minute * 60_000);
    await importSegment(folder, { name, bytes });
    return `${name}.ndjson.zst`;
  };
  await put(0, packSegment(record('whole', '2026-11-16T09:00:00.000Z')));
  const torn = await put(1, packSegment('{"id":"half', record('beside', '2026-11-16T09:01:00.000Z')));
  mkdirSync(join(folder, '2026-11-17'));
  writeFileSync(join(folder, '2026-11-17', 'contents.json'), '{"version":1,"files":[{}]}');
  const report = await convertHistory(folder, LATER);
  t.match(report.problems, [/^2026-11-16\/.*1 of its lines are not records/, /^2026-11-17: it is not a list/]);
  t.ok(readdirSync(join(folder, day)).includes(torn));
  const read = await readDay(folder);
  t.same(read.records.length, 2);
  t.match(read.unreadable, [{ segment: '2026-11-17/contents.json' }, { segment: `${day}/${torn}`, read: 1 }]);
});

await t.test('a Parquet file that is not what was written is reported, and the others are read', async (t) => {
  const folder = t.testdir({});
  const day = '2026-11-16';
  const put = async (id: string, hour: number): Promise<string> => {
    const at = MONDAY + hour * 3_600_000;
    await importSegment(folder, { name: segmentName(at), bytes: packSegment(record(id, new Date(at).toISOString())) });
    const { files } = await convertDay(folder, day, LATER);
    return join(folder, day, files[0]!.name);
  };
  const paths = [await put('a', 8), await put('b', 9), await put('c', 10), await put('d', 11)];
  const bytes = readFileSync(paths[0]!);
  bytes[40]! ^= 255;
  writeFileSync(paths[0]!, bytes);
  writeFileSync(paths[1]!, bytes.subarray(0, 100));
  writeFileSync(paths[2]!, '');
  const { records, unreadable } = await readDay(folder);
  t.match(records, [{ at: '2026-11-16T11:00:00.000Z' }]);
  t.match(
    unreadable.map(({ reason }) => reason),
    [/not what was written/, /has 100 bytes/, /has 0 bytes/],
  );
});

// What a day's Parquet files hold was known from contents.json alone: without it the day read as one without requests, and nobody was told.
await t.test('a day whose contents.json is missing is reported, and nothing is written over it', async (t) => {
  const folder = t.testdir({});
  const day = '2026-11-16';
  const put = async (hour: number): Promise<string> => {
    const at = MONDAY + hour * 3_600_000;
    const name = segmentName(at);
    await importSegment(folder, { name, bytes: packSegment(record('a', new Date(at).toISOString())) });
    return name;
  };
  const first = await put(8);
  writeFileSync(join(folder, day, `${first.slice(-26)}.parquet`), 'half of one, by a run that was killed');
  t.match(await readDay(folder), { unreadable: [], records: { length: 1 } });
  await convertDay(folder, day, LATER);
  const contents = readFileSync(join(folder, day, 'contents.json'));
  rmSync(join(folder, day, 'contents.json'));
  const second = await put(9);
  const { records, unreadable } = await readDay(folder);
  t.equal(records.length, 1, 'the segment that came since');
  t.match(unreadable, [{ segment: `${day}/contents.json`, reason: /1 Parquet files .* it is missing/ }]);
  t.match((await convertHistory(folder, LATER)).problems, [/^2026-11-16: it is missing/]);
  t.same(readdirSync(join(folder, day)).sort(), [`${first.slice(-26)}.parquet`, `${second}.ndjson.zst`].sort());
  writeFileSync(join(folder, day, 'contents.json'), contents);
  t.match(await readDay(folder), { unreadable: [], records: { length: 2 } });
});

await t.test(
  'the files of a day that is over become one, and nobody reads a request twice or not at all',
  async (t) => {
    const folder = t.testdir({});
    const day = '2026-11-16';
    const noon = MONDAY + DAY_MS / 2;
    const records = generateWeek(8, MONDAY, 3000).filter(({ at }) => at.startsWith(day));
    for (let from = 0; from < records.length; from += 100) {
      await storeSegments(folder, records.slice(from, from + 100), 50);
      await convertDay(folder, day, LATER);
    }
    const parts = readContents(folder, day).files;
    const names = parts.map(({ name }) => name);
    t.ok(parts.length > 3);
    const before = await readDay(folder);
    await mergeDay(folder, day, noon);
    t.same(readContents(folder, day).files, parts, 'not before it is over');

    const state = readFileSync(join(folder, day, 'contents.json'));
    await mergeDay(folder, day, MONDAY + DAY_MS + 4 * 3_600_000);
    const [whole, ...none] = readContents(folder, day).files;
    t.same(none, []);
    t.equal(whole!.rows, records.length);
    t.same([...whole!.segments].sort(), parts.flatMap(({ segments }) => segments).sort(), 'it knows what it holds');
    t.same(readdirSync(join(folder, day)).sort(), [...names, whole!.name, 'contents.json'].sort());
    t.same((await readDay(folder)).texts, before.texts, 'with the many beside it');

    writeFileSync(join(folder, day, 'contents.json'), state);
    t.same((await readDay(folder)).texts, before.texts, 'killed before it counted');
    await mergeDay(folder, day, MONDAY + DAY_MS + 4 * 3_600_000);
    const written = statSync(join(folder, day, 'contents.json')).mtimeMs;
    await mergeDay(folder, day, written + 29 * 60_000);
    t.ok(readdirSync(join(folder, day)).includes(names[0]!), 'somebody may still be reading the many');
    rmSync(join(folder, day, names[0]!));
    await mergeDay(folder, day, written + 31 * 60_000);
    t.same(readdirSync(join(folder, day)).sort(), [whole!.name, 'contents.json'].sort());
    t.same(readContents(folder, day), { version: 1, files: [whole] });
    const after = await readDay(folder);
    t.same(after, { ...before, records: after.records });
  },
);

await t.test('a damaged file keeps its day as it is', async (t) => {
  const folder = t.testdir({});
  const day = '2026-11-16';
  for (const hour of [8, 9, 10, 11]) {
    const at = MONDAY + hour * 3_600_000;
    await importSegment(folder, { name: segmentName(at), bytes: packSegment(record('a', new Date(at).toISOString())) });
    await convertDay(folder, day, LATER);
  }
  const { files } = readContents(folder, day);
  writeFileSync(join(folder, day, files[2]!.name), 'x');
  t.match((await convertHistory(folder, LATER)).problems, [
    new RegExp(`^2026-11-16: ${files[2]!.name}: it has 1 bytes`),
  ]);
  t.same(readContents(folder, day).files, files);
  t.equal((await readDay(folder)).records.length, 3);
});
