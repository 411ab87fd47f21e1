import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import { isErased } from '../../src/audit/entry.ts';
import { daysBefore, eraseDay } from '../../src/history/erase-days.ts';
import { proveDeletion } from '../../src/retention/proof.ts';
import { createRetention, type KeptFiles, type Retention } from '../../src/retention/service.ts';
import { AUDIT_KEY, START, controlPlane } from '../helpers/control-plane.ts';
import { addPerson, signedIn, testConsole } from '../helpers/test-console.ts';

const DAY_MS = 86_400_000;

/** A history of days that hold a file each. */
function storeDays(folder: string, ...days: string[]): void {
  for (const day of days) {
    mkdirSync(join(folder, day), { recursive: true });
    writeFileSync(join(folder, day, 'contents.json'), `{"of":"${day}"}`);
  }
}

function standing(retention: Retention, name: string) {
  return retention.standing().find((one) => one.name === name)!;
}

void t.test('days of the history go when they are too old, once, with a proof that can be recounted', async (t) => {
  const dataDir = t.testdir({});
  const history = join(dataDir, 'history');
  const plane = controlPlane({ dataDir });
  t.teardown(() => plane.close());
  plane.policy.look();
  storeDays(history, '2025-11-21', '2025-11-22', '2025-11-23', '2026-11-22');
  mkdirSync(join(history, '.gone-2025-11-21'), { recursive: true });
  writeFileSync(join(history, '.gone-2025-11-21', 'left'), 'of a deletion that was killed');
  const lines = daysBefore(history, START - 365 * DAY_MS).map(
    ({ day, files, bytes, sha256 }) => `${day} ${files} files ${bytes} bytes ${sha256}`,
  );
  t.match(standing(plane.retention, 'history'), {
    days: 365,
    oldest: Date.UTC(2025, 10, 21),
    overdue: false,
    last: null,
  });

  await plane.retention.run();
  t.same(readdirSync(history).sort(), ['2025-11-23', '2026-11-22'], 'the day that is not over a year ago stays');
  const { last } = standing(plane.retention, 'history');
  t.same(last!.proof, {
    before: '2025-11-23T09:00:00.000Z',
    count: 2,
    from: '2025-11-21T00:00:00.000Z',
    until: '2025-11-23T00:00:00.000Z',
    sha256: proveDeletion(0, { lines, from: 0, until: 0 }).sha256,
  });
  await plane.retention.run();
  t.same(
    plane.acts().filter((act) => act.startsWith('retention')),
    ['retention.deleted console'],
    'what is gone is said once',
  );

  plane.clock.advance(5 * DAY_MS);
  t.equal(standing(plane.retention, 'history').overdue, true, 'nobody ran it for five days');
});

void t.test('the personal part of old acts goes, and the chain still verifies', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const put = (reason: string): void =>
    plane.record.write((tx) =>
      plane.audit.append(tx, { actor: 'a.head', action: 'backup.made', subject: 'backup', reason }),
    );
  put('old');
  plane.clock.advance(6 * 365 * DAY_MS - 1);
  put('young');
  plane.clock.advance(DAY_MS);
  await plane.retention.run();
  const rows = plane.record.read((tx) => newestRows(tx, null, 10)).toReversed();
  t.same(
    rows.slice(-4).map((row) => [row.action, isErased(row)]),
    [
      ['backup.made', true],
      ['backup.made', false],
      ['audit.payloads-erased', false],
      ['retention.deleted', false],
    ],
  );
  t.doesNotThrow(() => plane.acts());
  const { oldest, last } = standing(plane.retention, 'auditDetails');
  t.equal(oldest, Date.parse(rows.at(-3)!.at));
  t.match(last, { proof: { count: rows.filter(isErased).length } });
});

void t.test('a class that fails leaves the others alone, is told of, and is gone on with', async (t) => {
  const dataDir = t.testdir({});
  const plane = controlPlane({ dataDir });
  t.teardown(() => plane.close());
  const gone: string[] = [];
  let broken = true;
  const files: KeptFiles = {
    in: 'files',
    name: 'history',
    oldest: () => null,
    due: () =>
      ['a', 'b', 'c'].filter((name) => !gone.includes(name)).map((name) => ({ name, from: 1, until: 2, line: name })),
    async remove(name) {
      if (name === 'b' && broken) throw new Error('the disk says no');
      gone.push(name);
    },
  };
  let rows = 12_000;
  const { record, audit, clock } = plane;
  const retention = createRetention({
    record,
    audit,
    clock,
    daysKept: () => 1,
    classes: [
      files,
      {
        in: 'record',
        name: 'auditDetails',
        oldest: () => null,
        erase(_tx, _before, most) {
          const some = Math.min(most, rows);
          rows -= some;
          return some === 0 ? null : { lines: Array.from({ length: some }, String), from: 1, until: 2 };
        },
      },
    ],
  });
  await t.rejects(retention.run(), /history: the disk says no/);
  t.equal(rows, 0, 'the other class was done to its end');
  t.equal(
    plane.acts().filter((act) => act.startsWith('retention')).length,
    3,
    'a proof a transaction, none of half a list',
  );
  broken = false;
  await retention.run();
  t.same(gone, ['a', 'a', 'b', 'c']);
  t.match(standing(retention, 'history').last, { proof: { count: 3 } }, 'the list is the one of before');
});

void t.test('killed at any file, it is finished and proven by the next run', async (t) => {
  for (const killedAt of [0, 1, 2]) {
    const dataDir = t.testdir({});
    const history = join(dataDir, 'history');
    const days = ['2024-01-01', '2024-01-02', '2024-01-03'];
    storeDays(history, ...days);
    const path = join(dataDir, 'record.sqlite');
    const source = (file: string): string => JSON.stringify(new URL(`../../${file}`, import.meta.url).href);
    const script = `
      import { openRecord } from ${source('src/store/database.ts')};
      import { createAudit } from ${source('src/audit/service.ts')};
      import { createRetention } from ${source('src/retention/service.ts')};
      import { keptClasses } from ${source('src/compose/console-retention.ts')};
      const [record, clock] = [openRecord(${JSON.stringify(path)}), () => ${START}];
      const audit = createAudit(Buffer.alloc(32, 7), clock);
      let count = 0;
      const alone = async (work) => count++ === ${killedAt} ? process.kill(process.pid, 'SIGKILL') : await work();
      const classes = keptClasses({ history: ${JSON.stringify(history)} }, alone);
      await createRetention({ record, audit, clock, classes, daysKept: () => 365 }).run();`;
    const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    t.equal(signal, 'SIGKILL', stderr);
    t.equal(readdirSync(history).length, 3 - killedAt);

    const plane = controlPlane({ path, dataDir });
    plane.policy.look();
    await plane.retention.run();
    t.same(readdirSync(history), []);
    t.match(standing(plane.retention, 'history').last, { proof: { count: 3, from: '2024-01-01T00:00:00.000Z' } });
    t.equal(plane.acts().filter((act) => act.startsWith('retention')).length, 1);
    await plane.close();
  }
  t.equal(AUDIT_KEY.equals(Buffer.alloc(32, 7)), true, 'the killed one sealed with the key of the other');
});

void t.test('a day that is gone is gone, and erasing it again is no harm', async (t) => {
  const folder = t.testdir({ '2026-01-01': { 'a.parquet': 'x' } });
  eraseDay(folder, '2026-01-01');
  eraseDay(folder, '2026-01-01');
  t.equal(existsSync(join(folder, '2026-01-01')), false);
  t.same(readdirSync(folder), []);
});

void t.test('the page says how long, how old, what went and when the next goes', async (t) => {
  const dataDir = t.testdir({});
  storeDays(join(dataDir, 'history'), '2024-01-01', '2026-11-20');
  const console = await testConsole({ dataDir });
  t.teardown(() => console.close());
  await addPerson(console, 'dpo', ['data-protection-officer']);
  await addPerson(console, 'manager', ['network-manager']);
  const before = await signedIn(console, 'manager').get('/retention');
  t.match(before.body, /Access history.*Overdue.*1 year \(<code>history<\/code>\).*from Mon 1 Jan 2024/s);
  t.match(before.body, /Next: Tue 24 Nov 2026, 02:50/);
  await console.retention.run();
  const page = await signedIn(console, 'dpo').get('/retention');
  t.notMatch(page.body, /Overdue/);
  t.match(
    page.body,
    /1 from Mon 1 Jan 2024.*Proof: SHA-256 of the list <code>[0-9a-f]{64}<.*<a[^>]*href="\/audit\/rows\/\d+"/s,
  );
  t.notMatch((await signedIn(console, 'manager').get('/retention')).body, /href="\/audit\/rows/, 'who may not read it');
});
