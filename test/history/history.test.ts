import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import t from 'tap';
import type { AccessRecord, KeptRecord } from '../../src/events/access-record.ts';
import { importSegment } from '../../src/history/import-segment.ts';
import { readLines } from '../../src/history/read-lines.ts';
import { readRecords } from '../../src/history/read-records.ts';
import type { UnreadableSegment } from '../../src/history/read-segments.ts';
import { daysAround, NO_END, parseLine, segmentTime } from '../../src/history/segment.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { generateWeek } from '../helpers/generated-week.ts';

const MONDAY = Date.UTC(2026, 10, 16);
const DAY_MS = 86_400_000;
const [SAMPLE] = generateWeek(3, MONDAY, 1);

function record(id: string, at: string, more: Partial<AccessRecord> = {}): AccessRecord {
  return { ...SAMPLE!, id, at, ms: 0, ...more };
}

function segmentName(at: number, worker = 0): string {
  return `hall-${worker}-${createIdMaker(() => at)()}`;
}

function pack(...lines: (AccessRecord | { opening: AccessRecord } | string)[]): Uint8Array {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  return zstdCompressSync(`${text.join('\n')}\n`);
}

async function readAll(folder: string, from: string, until: string) {
  const unreadable: UnreadableSegment[] = [];
  const records: KeptRecord[] = [];
  for await (const found of readRecords(folder, Date.parse(from), Date.parse(until), (bad) => unreadable.push(bad))) {
    records.push(found);
  }
  return { records, ids: records.map(({ id }) => id ?? '').sort(), unreadable };
}

await t.test('a segment is stored once, byte for byte, under the day its first line was written', async (t) => {
  const folder = join(t.testdir({}), 'history');
  const name = segmentName(Date.UTC(2026, 10, 17, 12));
  const bytes = pack(record('a', '2026-11-17T12:00:00.000Z'), record('b', '2026-11-18T00:00:01.000Z'));
  t.equal(await importSegment(folder, { name, bytes }), 'stored');
  t.equal(await importSegment(folder, { name, bytes }), 'known');
  t.same(readdirSync(folder), ['2026-11-17']);
  t.same(readdirSync(join(folder, '2026-11-17')), [`${name}.ndjson.zst`], 'and nothing half-written beside it');
  t.same(readFileSync(join(folder, '2026-11-17', `${name}.ndjson.zst`)), Buffer.from(bytes));
});

await t.test('a tunnel that ends days later is filed when it ended, so that its neighbours are found', async (t) => {
  const folder = t.testdir({});
  const long = record('long', '2026-11-16T08:00:00.000Z', { method: 'CONNECT', ms: 3 * DAY_MS });
  const bytes = pack(long, record('neighbour', '2026-11-19T08:00:30.000Z'));
  await importSegment(folder, { name: segmentName(Date.UTC(2026, 10, 19, 8)), bytes });
  t.same(readdirSync(folder), ['2026-11-19']);
  t.same((await readAll(folder, '2026-11-19T08:00:00Z', '2026-11-19T09:00:00Z')).ids, ['neighbour']);
});

await t.test(
  'names that could leave the folder, or that no gateway gives, are refused and nothing is written',
  async (t) => {
    const folder = join(t.testdir({}), 'history');
    const ulid = createIdMaker(() => MONDAY)();
    for (const name of [
      '',
      'x',
      ulid,
      `../${ulid}`,
      `..-0-${ulid}`,
      `a/b-0-${ulid}`,
      `a\\b-0-${ulid}`,
      `hall-0-${ulid}\0`,
      `hall-0-${ulid}/x`,
    ]) {
      t.equal(await importSegment(folder, { name, bytes: pack(record('a', '2026-11-16T09:00:00Z')) }), 'refused', name);
    }
    t.throws(() => readdirSync(folder), { code: 'ENOENT' });
    t.equal(segmentTime(`main.hall-1-${ulid}`), MONDAY);
  },
);

await t.test('only what began in the span is read, whatever segment it lies in', async (t) => {
  const folder = t.testdir({});
  const put = (at: number, ...records: AccessRecord[]): Promise<unknown> =>
    importSegment(folder, { name: segmentName(at), bytes: pack(...records) });
  await put(
    Date.UTC(2026, 10, 15, 23, 59),
    record('before', '2026-11-15T23:59:59.999Z'),
    record('first', '2026-11-16T00:00:00.000Z'),
  );
  await put(Date.UTC(2026, 10, 18), record('middle', '2026-11-18T10:00:00.000Z'));
  await put(
    Date.UTC(2026, 10, 23, 7),
    record('late', '2026-11-22T23:59:59.999Z', { ms: DAY_MS / 3 }),
    record('after', '2026-11-23T00:00:00.000Z'),
  );
  const { ids, unreadable } = await readAll(folder, '2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z');
  t.same(ids, ['first', 'late', 'middle']);
  t.same(unreadable, []);
  t.same((await readAll(join(folder, 'nowhere'), '2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z')).ids, []);
});

await t.test('an opening gives way to its record; one whose worker died stands for it', async (t) => {
  const folder = t.testdir({});
  const opened = record('ended', '2026-11-16T09:00:00.000Z', { method: 'CONNECT' });
  const lost = record('lost', '2026-11-16T09:00:01.000Z', { method: 'CONNECT' });
  const cut = record('cut', '2026-11-16T09:00:02.000Z', { error: 'cut' });
  await importSegment(folder, {
    name: segmentName(Date.UTC(2026, 10, 16, 9), 9),
    bytes: pack({ opening: opened }, { opening: lost }, { opening: cut }),
  });
  await importSegment(folder, {
    name: segmentName(Date.UTC(2026, 10, 16, 10), 0),
    bytes: pack({ ...opened, ms: 3_600_000, down: 4321 }),
  });
  const { records, ids } = await readAll(folder, '2026-11-16T00:00:00Z', '2026-11-17T00:00:00Z');
  t.same(ids, ['cut', 'ended', 'lost']);
  t.equal(records.find(({ id }) => id === 'ended')!.down, 4321);
  t.equal(records.find(({ id }) => id === 'lost')!.error, NO_END);
  t.equal(records.find(({ id }) => id === 'cut')!.error, 'cut', 'what was known of its end stays');
});

await t.test('the parts of one segment that was too large may come in any order', async (t) => {
  const folder = t.testdir({});
  const at = Date.UTC(2026, 10, 16, 9);
  const opened = record('ended', '2026-11-16T09:00:00.000Z', { method: 'CONNECT' });
  const name = segmentName(at);
  const part = (last: string): string => `${name.slice(0, -1)}${last}`;
  await importSegment(folder, { name: part('Z'), bytes: pack({ opening: opened }) });
  await importSegment(folder, { name: part('0'), bytes: pack({ ...opened, down: 9 }) });
  const { records } = await readAll(folder, '2026-11-16T00:00:00Z', '2026-11-17T00:00:00Z');
  t.same(records, [{ ...opened, down: 9 }]);
});

await t.test('what cannot be read is told, and what can be is not lost with it', async (t) => {
  const folder = t.testdir({});
  const at = Date.UTC(2026, 10, 16, 9);
  const good = Array.from({ length: 3000 }, (_, i) =>
    record(`torn-${i}`, '2026-11-16T09:00:00.000Z', { client: `10.0.${i % 251}.${i % 253}`, up: i * 7919 }),
  );
  const torn = pack(...good);
  const put = async (bytes: Uint8Array, offset: number): Promise<string> => {
    const name = segmentName(at + offset);
    t.equal(await importSegment(folder, { name, bytes }), 'stored');
    return `2026-11-16/${name}.ndjson.zst`;
  };
  await put(pack(record('whole', '2026-11-16T09:00:00.000Z')), 0);
  const expected = [
    { segment: await put(torn.subarray(0, torn.length - 9), 1), reason: /breaks off/ },
    { segment: await put(Buffer.from('not zstd at all'), 2), reason: /breaks off/ },
    { segment: await put(new Uint8Array(), 3), reason: /breaks off/ },
    {
      segment: await put(pack('{"id":"half', record('beside', '2026-11-16T09:00:01.000Z'), '[]'), 4),
      reason: /^2 of its lines/,
    },
    { segment: await put(zstdCompressSync('{"no":"line feed"}'), 5), reason: /not complete/ },
    { segment: await put(zstdCompressSync(Buffer.alloc(3_000_000, 120)), 6), reason: /longer than 1 MB/ },
  ];
  mkdirSync(join(folder, '2026-11-17'));
  writeFileSync(join(folder, '2026-11-17', 'notes.txt'), 'somebody put this here');
  writeFileSync(join(folder, '2026-11-17', '.hall.ndjson.zst.123.1'), 'half-written');
  expected.push({ segment: '2026-11-17/notes.txt', reason: /breaks off/ });
  const { ids, unreadable } = await readAll(folder, '2026-11-16T00:00:00Z', '2026-11-17T00:00:00Z');
  t.match(unreadable, expected);
  t.equal(unreadable.length, expected.length);
  t.ok(ids.includes('whole') && ids.includes('beside'));
  const saved = ids.filter((id) => id.startsWith('torn-')).length;
  t.equal(unreadable[0]!.read, saved);
  t.ok(saved > 0 && saved < 3000, `${saved} records before the tear are kept`);
});

await t.test('a line is a record, an opening or nothing', (t) => {
  const whole = record('a', '2026-11-16T09:00:00.000Z');
  t.equal(parseLine(JSON.stringify(whole))?.kind, 'record');
  t.equal(parseLine(JSON.stringify({ opening: whole }))?.kind, 'opening');
  const wrong: Record<string, unknown> = {
    at: 'yesterday',
    client: null,
    host: 7,
    verdict: 'maybe',
    action: 'burn',
    up: -1,
    down: '9',
    ms: null,
    categories: 'games',
    lists: [1],
    flagged: 'yes',
    locked: 0,
    level: undefined,
    worker: 1e300,
  };
  for (const [name, value] of Object.entries(wrong)) {
    t.equal(parseLine(JSON.stringify({ ...whole, [name]: value })), null, name);
    t.equal(parseLine(JSON.stringify({ opening: { ...whole, [name]: value } })), null, `opening ${name}`);
  }
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => parseLine(text) === null));
  t.end();
});

await t.test('lines come out as they went in, however the bytes are cut', async () => {
  const line = fc.string({ minLength: 1 }).map((text) => text.replaceAll('\n', ' '));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 64 }), async (lines, size) => {
      const bytes = zstdCompressSync(lines.map((text) => `${text}\n`).join(''));
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      const out: string[] = [];
      for await (const block of readLines(Readable.from(pieces))) out.push(...block);
      return JSON.stringify(out) === JSON.stringify(lines.map((text) => Buffer.from(text).toString()));
    }),
    { numRuns: 60 },
  );
});

await t.test('the days around a span', (t) => {
  t.same(daysAround(Date.UTC(2026, 10, 16), Date.UTC(2026, 10, 17)), ['2026-11-15', '2026-11-16', '2026-11-17']);
  t.same(daysAround(Date.UTC(2026, 11, 31, 23), Date.UTC(2027, 0, 1, 1)), [
    '2026-12-30',
    '2026-12-31',
    '2027-01-01',
    '2027-01-02',
  ]);
  t.end();
});
