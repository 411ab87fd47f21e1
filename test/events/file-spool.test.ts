import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { DataLayout } from '../../src/config/data-layout.ts';
import { closeSegment, SEGMENT_MAX_BYTES } from '../../src/events/close-segment.ts';
import { EventFile, type WriteBytes } from '../../src/events/event-file.ts';
import { EventQueue } from '../../src/events/event-queue.ts';
import { openSpool, type SpoolLimits } from '../../src/events/file-spool.ts';
import { recoverSpool } from '../../src/events/recover-spool.ts';
import type { Spool } from '../../src/events/spool.ts';
import {
  END_MARK,
  listSpool,
  parseSpoolName,
  SEGMENT_ENDING,
  readSpool,
  spoolName,
} from '../../src/events/spool-files.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { until } from '../helpers/until.ts';
import { blocked, dataFolder, ids, sampleRecord } from './sample.ts';

interface Bench {
  readonly layout: DataLayout;
  readonly spool: Spool;
  readonly alarms: string[];
  /** What the spool takes for the time, ms. */
  now: number;
}

function bench(t: Test, limits: Partial<SpoolLimits> = {}, makeId = ids): Bench {
  const layout = dataFolder(t);
  const alarms: string[] = [];
  const onAlarm = (code: string, text: string): void => void alarms.push(`${code}: ${text}`);
  const made = { layout, alarms, now: systemClock() };
  const options = { layout, gateway: 'gw', worker: 1, clock: () => made.now, ids: makeId, onAlarm };
  const spool = openSpool({ ...options, limits: { tickMs: 20, ...limits } });
  t.teardown(() => spool.close());
  return Object.assign(made, { spool });
}

function eventText({ layout }: { layout: DataLayout }): string {
  return readdirSync(layout.spoolEvents)
    .map((file) => readFileSync(join(layout.spoolEvents, file), 'utf8'))
    .join('');
}

function closedSegments(layout: DataLayout): string[] {
  return listSpool(layout.spoolSegments, SEGMENT_ENDING);
}

/** The lines of all closed segments, by file. */
function segmentLines(layout: DataLayout): string[][] {
  return closedSegments(layout).map((file) =>
    zstdDecompressSync(readFileSync(join(layout.spoolSegments, file)))
      .toString()
      .trimEnd()
      .split('\n'),
  );
}

void t.test(
  'an event is in the file when its promise resolves, and the file ends with its mark when the spool closes',
  async (t) => {
    const made = bench(t);
    const events = [blocked(), blocked({ user: 'Zoë Ünal' }), blocked()];
    for (const event of events) {
      await made.spool.event(event);
      t.ok(eventText(made).endsWith(`${JSON.stringify(event)}\n`));
    }
    t.equal(made.spool.health, 'ok');
    t.equal(made.spool.held, 0);
    await made.spool.close();
    t.equal(eventText(made), `${events.map((event) => `${JSON.stringify(event)}\n`).join('')}${END_MARK}`);
  },
);

void t.test('an event file is ended and the next begun when it is large enough', async (t) => {
  const made = bench(t, { eventFileBytes: 1000 });
  for (let i = 0; i < 6; i++) await made.spool.event(blocked());
  await made.spool.close();
  const files = readdirSync(made.layout.spoolEvents).sort();
  t.equal(files.length, 3);
  for (const file of files) {
    const { lines, closed } = readSpool(made.layout.spoolEvents, file, 0, 1 << 20);
    t.equal(lines.length, 2);
    t.ok(closed);
  }
});

/** An event queue on a file whose writes the test sees, and may spoil. */
function spyQueue(t: Test, write: WriteBytes): { queue: EventQueue; path: string; troubles: (string | null)[] } {
  const path = join(dataFolder(t).root, 'events.ndjson');
  const troubles: (string | null)[] = [];
  const file = new EventFile(() => path, 1 << 20, write);
  return { queue: new EventQueue(file, (error) => troubles.push(error?.message ?? null)), path, troubles };
}

void t.test('events of one turn share one write, and none waits for the next turn’s', async (t) => {
  const writes: number[] = [];
  const { queue, path } = spyQueue(t, (fd, bytes, offset, length) => {
    writes.push(length);
    return writeSync(fd, bytes, offset, length);
  });
  await Promise.all([queue.push('one\n'), queue.push('two\n'), queue.push('three\n')]);
  t.same(writes, [14]);
  await queue.push('four\n');
  t.same(writes, [14, 5]);
  t.equal(readFileSync(path, 'utf8'), 'one\ntwo\nthree\nfour\n');
});

void t.test(
  'a write that fails half-way leaves no half line, and its lines come first when the disk takes them',
  async (t) => {
    let room = 7;
    const { queue, path, troubles } = spyQueue(t, (fd, bytes, offset, length) => {
      if (room === 0) throw new Error('ENOSPC: no space left on device, write');
      const written = writeSync(fd, bytes, offset, Math.min(length, room));
      room -= written;
      return written;
    });
    await Promise.all([queue.push('first\n'), queue.push('second\n')]);
    t.equal(readFileSync(path, 'utf8'), '');
    await queue.push('third\n');
    t.same({ ...queue.held, lines: queue.held.lines, bytes: queue.held.bytes }, { lines: 3, bytes: 19 });
    queue.retry();
    t.match(troubles, [/ENOSPC/, /ENOSPC/]);
    room = Number.POSITIVE_INFINITY;
    queue.retry();
    t.equal(troubles.at(-1), null);
    t.equal(queue.held.lines, 0);
    t.equal(readFileSync(path, 'utf8'), 'first\nsecond\nthird\n');
  },
);

/** Ids of which the first so many name files that lead to /dev/full, where every write gives ENOSPC. */
function idsOnFullDisk(layoutOf: () => DataLayout, full: { yes: boolean }): () => string {
  const make = createIdMaker(systemClock);
  return () => {
    const id = make();
    if (full.yes) {
      for (const folder of ['events', 'open']) {
        mkdirSync(join(layoutOf().root, 'spool', folder), { recursive: true });
        symlinkSync('/dev/full', join(layoutOf().root, 'spool', folder, `gw-1-${id}.ndjson`));
      }
    }
    return id;
  };
}

void t.test(
  'a full disk: events and records are held in order, up to a bound, with one alarm, and written when there is room',
  async (t) => {
    const full = { yes: false };
    const holder: { layout?: DataLayout } = {};
    const makeId = idsOnFullDisk(() => holder.layout!, full);
    const made = bench(t, { heldEvents: 5, flushBytes: 1 }, makeId);
    holder.layout = made.layout;
    full.yes = true;
    const events = Array.from({ length: 6 }, () => blocked());
    const records = [sampleRecord(), sampleRecord()];
    for (const record of records) made.spool.record(record);
    for (const event of events.slice(0, 4)) await made.spool.event(event);
    await until('records are refused too', () => made.spool.held === 6);
    t.equal(made.spool.health, 'failing');
    for (const event of events.slice(4)) await made.spool.event(event);
    t.equal(made.spool.health, 'full', 'more events than may be held');
    t.equal(made.alarms.length, 1);
    t.match(made.alarms[0], /^disk-refuses: .*ENOSPC/);
    full.yes = false;
    await until('the disk takes all of it', () => made.spool.held === 0 && made.spool.health === 'ok');
    await made.spool.close();
    const real = { layout: made.layout };
    for (const folder of [made.layout.spoolEvents, made.layout.spoolOpen]) removeLinks(folder);
    t.equal(eventText(real), `${events.map((event) => `${JSON.stringify(event)}\n`).join('')}${END_MARK}`);
    t.same(segmentLines(made.layout), [records.map((record) => JSON.stringify(record))]);
  },
);

function removeLinks(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isSymbolicLink()) rmSync(join(folder, entry.name));
}

void t.test('held bytes count too, of events and records together', async (t) => {
  const holder: { layout?: DataLayout } = {};
  const full = { yes: false };
  const made = bench(
    t,
    { heldBytes: 100_000, flushBytes: 1 },
    idsOnFullDisk(() => holder.layout!, full),
  );
  holder.layout = made.layout;
  full.yes = true;
  await made.spool.event(blocked({ rule: 'x'.repeat(60_000) }));
  t.equal(made.spool.health, 'failing');
  made.spool.record(sampleRecord({ rule: 'x'.repeat(60_000) }));
  await until('the record is refused too', () => made.spool.health === 'full');
  for (const folder of [made.layout.spoolEvents, made.layout.spoolOpen]) removeLinks(folder);
  full.yes = false;
});

void t.test('a segment is closed when it is large or old enough; an opening comes before its record', async (t) => {
  const made = bench(t, { segmentBytes: 2000, segmentMs: 60_000 });
  const tunnel = sampleRecord({ status: 0 });
  made.spool.opening(tunnel.id, () => tunnel);
  await until('the opening is on the disk', () => readdirSync(made.layout.spoolOpen).length === 1);
  t.equal(closedSegments(made.layout).length, 0);
  made.now += 60_000;
  await until('an old segment is closed', () => closedSegments(made.layout).length === 1);
  t.same(segmentLines(made.layout), [[JSON.stringify({ opening: tunnel })]]);
  await until('its open file is gone', () => readdirSync(made.layout.spoolOpen).length === 0);
  for (let i = 0; i < 8; i++) made.spool.record(sampleRecord({ id: tunnel.id }));
  await until('a large segment is closed without waiting', () => closedSegments(made.layout).length === 2);
  for (const file of closedSegments(made.layout)) t.match(parseSpoolName(file), { gateway: 'gw', worker: 1 });
});

void t.test('a tunnel that ended before anything was written has its record alone', async (t) => {
  const made = bench(t, { tickMs: 60_000 });
  const [short, long] = [sampleRecord(), sampleRecord()];
  made.spool.opening(short.id, () => short);
  made.spool.opening(long.id, () => long);
  made.spool.record(short);
  await made.spool.close();
  t.same(segmentLines(made.layout), [[JSON.stringify(short), JSON.stringify({ opening: long })]]);
});

void t.test(
  'a segment that does not compress is split at lines, and doing it again makes the very same segments',
  async (t) => {
    const layout = dataFolder(t);
    const lines = Array.from({ length: 300 }, () => JSON.stringify({ noise: randomBytes(9000).toString('base64') }));
    const path = join(layout.spoolOpen, `${spoolName('gw', 1, ids())}.ndjson`);
    writeFileSync(path, `${lines.join('\n')}\n{"torn":`);
    copyFileSync(path, `${path}.again`);
    await closeSegment(path, layout.spoolSegments);
    const read = (): Map<string, string> =>
      new Map(
        readdirSync(layout.spoolSegments)
          .sort()
          .map((file) => [file, readFileSync(join(layout.spoolSegments, file), 'base64')]),
      );
    const once = read();
    t.ok(once.size >= 3);
    for (const [file, base64] of once) {
      t.ok(Buffer.from(base64, 'base64').length <= SEGMENT_MAX_BYTES);
      t.not(parseSpoolName(file), null);
    }
    t.same(segmentLines(layout).flat().toSorted(), lines.toSorted(), 'every whole line, once; the torn one dropped');
    copyFileSync(`${path}.again`, path);
    rmSync(join(layout.spoolSegments, [...once.keys()][0]!));
    await closeSegment(path, layout.spoolSegments);
    t.same(read(), once);
  },
);

void t.test(
  'what a killed worker left is put in order: torn lines dropped, files ended, segments closed, others left alone',
  async (t) => {
    const layout = dataFolder(t);
    const [dead, live] = [spoolName('gw-1', 2, ids()), spoolName('gw-1', 3, ids())];
    for (const name of [dead, live]) {
      for (const folder of [layout.spoolEvents, layout.spoolOpen])
        writeFileSync(join(folder, `${name}.ndjson`), '{"a":1}\n{"b":');
    }
    writeFileSync(join(layout.spoolSegments, `.${dead}.ndjson.zst`), 'half');
    t.same(await recoverSpool(layout, 2), { segments: 1, eventFiles: 1, problems: [] });
    t.equal(readFileSync(join(layout.spoolEvents, `${dead}.ndjson`), 'utf8'), `{"a":1}\n${END_MARK}`);
    t.equal(
      readFileSync(join(layout.spoolEvents, `${live}.ndjson`), 'utf8'),
      '{"a":1}\n{"b":',
      'its worker is still writing',
    );
    t.same(segmentLines(layout), [['{"a":1}']], 'written over what was half-written beside');
    t.same(await recoverSpool(layout), { segments: 1, eventFiles: 2, problems: [] });
    t.equal(readFileSync(join(layout.spoolEvents, `${dead}.ndjson`), 'utf8'), `{"a":1}\n${END_MARK}`, 'ended once');
    t.same(readdirSync(layout.spoolOpen), []);
  },
);

void t.test('recovery says what it could not put in order, and does the rest', async (t) => {
  const layout = dataFolder(t);
  mkdirSync(join(layout.spoolOpen, `${spoolName('gw', 1, ids())}.ndjson`));
  writeFileSync(join(layout.spoolOpen, `${spoolName('gw', 1, ids())}.ndjson`), '{"a":1}\n');
  const { segments, problems } = await recoverSpool(layout);
  t.equal(segments, 1);
  t.match(problems, [/could not be recovered: EISDIR/]);
});

void t.test('reading leaves a torn line for later, takes long lines whole, and knows the end', async (t) => {
  const folder = dataFolder(t).spoolEvents;
  const file = `${spoolName('gw', 1, ids())}.ndjson`;
  const long = JSON.stringify({ text: 'é'.repeat(5000) });
  const read = (from: number): unknown => {
    const { lines, closed } = readSpool(folder, file, from, 64);
    return [lines.map((line) => line.json), closed];
  };
  t.same(read(0), [[], true], 'a file that is gone');
  writeFileSync(join(folder, file), '{"first":"line of it"}\n{"sec');
  t.same(read(0), [['{"first":"line of it"}'], false]);
  t.same(read(23), [[], false]);
  appendFileSync(join(folder, file), `ond":"line of it"}\n${long}\n`);
  t.same(read(23), [['{"second":"line of it"}'], false]);
  const { lines } = readSpool(folder, file, 47, 64);
  t.same(lines, [{ json: long, start: 47, end: 47 + Buffer.byteLength(long) + 1 }]);
  appendFileSync(join(folder, file), END_MARK);
  t.same(read(lines[0]!.end), [[], true]);
  t.same(read(1_000_000), [[], true], 'shorter than what was read of it before');
});

void t.test('names are told apart again, and a name that could not be is not given', async (t) => {
  const id = ids();
  t.same(parseSpoolName(`${spoolName('north-site-2', 12, id)}.ndjson.zst`), {
    gateway: 'north-site-2',
    worker: 12,
    id,
  });
  for (const gateway of ['', '../up', 'a/b', 'a b'])
    t.throws(() => spoolName(gateway, 1, id), /cannot name a spool file/);
  for (const file of ['committed.json', `gw-${id}.ndjson`, `.gw-1-${id}.ndjson.zst`])
    t.equal(parseSpoolName(file), null, file);
});
