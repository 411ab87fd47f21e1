import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import { isErased } from '../../src/audit/entry.ts';
import { daysBefore, eraseDay } from '../../src/history/erase-days.ts';
import { recordedRuns } from '../../src/jobs/repository.ts';
import { type JobUseCases, schoolJobs } from '../../src/jobs/school-jobs.ts';
import { startTimetable } from '../../src/jobs/timetable.ts';
import { reportCrons, SHIPPED_REPORT_TIMES } from '../../src/policy/report-times.ts';
import { proveDeletion } from '../../src/retention/proof.ts';
import { createRetention, type KeptFiles, type Retention } from '../../src/retention/service.ts';
import type { SqlValue } from '../../src/store/database.ts';
import { AUDIT_KEY, START, controlPlane } from '../helpers/control-plane.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';
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
  const rows = plane.record.read((tx) => newestRows(tx, null, 20)).toReversed();
  // What is sent to gateways meanwhile may have become old, too.
  const ours = rows.filter(
    ({ action, subject }) => action !== 'retention.deleted' || subject === 'retention:auditDetails',
  );
  t.same(
    ours.slice(-4).map((row) => [row.action, isErased(row)]),
    [
      ['backup.made', true],
      ['backup.made', false],
      ['audit.payloads-erased', false],
      ['retention.deleted', false],
    ],
  );
  t.doesNotThrow(() => plane.acts());
  const { oldest, last } = standing(plane.retention, 'auditDetails');
  t.equal(oldest, Date.parse(ours.at(-3)!.at));
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
          return Array.from({ length: some }, (_, i) => ({ line: String(i), at: 1 }));
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
      import { keptClasses } from ${source('src/compose/kept-classes.ts')};
      const [record, clock] = [openRecord(${JSON.stringify(path)}), () => ${START}];
      const audit = createAudit(Buffer.alloc(32, 7), clock);
      let count = 0;
      const alone = async (work) => count++ === ${killedAt} ? process.kill(process.pid, 'SIGKILL') : await work();
      const classes = keptClasses({ history: ${JSON.stringify(history)} }, alone).slice(0, 1);
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

void t.test('in each class of the record what is too old goes, and nothing else', async (t) => {
  const dataDir = t.testdir({ history: {}, reports: {}, outbox: {} });
  const plane = controlPlane({ dataDir });
  t.teardown(() => plane.close());
  plane.policy.look();
  const now = plane.clock();
  for (const [folder, days] of [
    ['reports', 3 * 365],
    ['outbox', 90],
  ] as const) {
    for (const [name, age] of [
      ['old', days + 1],
      ['young', days - 1],
    ] as const) {
      const path = join(dataDir, folder, `${name}.file`);
      writeFileSync(path, name);
      utimesSync(path, (now - age * DAY_MS) / 1000, (now - age * DAY_MS) / 1000);
    }
  }
  plane.record.write((tx) => {
    const add = (table: string, row: Record<string, SqlValue>): void => {
      const names = Object.keys(row);
      const sql = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
      tx.run(sql, ...Object.values(row));
    };
    const person = (id: string): void =>
      add('people', { id, user_name: `${id}-name`, user_key: id, full_name: `Full ${id}`, created_at: 0 });
    person('staff');
    for (const [age, days] of [
      ['old', 1],
      ['young', -1],
    ] as const) {
      const at = (kept: number): number => now - (kept + days) * DAY_MS;
      const iso = (kept: number): string => new Date(at(kept)).toISOString();
      for (const type of ['access.blocked', 'illegal.hit'])
        add('flagged', {
          id: `${age} ${type}`,
          at: iso(365),
          type,
          client: '10.0.0.1',
          level: 'ks2',
          verdict: 'block',
          reason: 'category',
          json: '{}',
        });
      const sighting = (id: string, last: number): void =>
        add('sightings', {
          id,
          subject: id,
          theme: 'gambling',
          host: 'a',
          term: '',
          slot: 0,
          first_at: last,
          last_at: last,
          requests: 1,
          verdict: 'block',
          level: 'ks2',
          json: '{}',
        });
      sighting(`${age} loose`, at(365));
      for (const [name, state, kept] of [
        ['open', 'open', 9999],
        ['not-a-concern', 'not-a-concern', 365],
        ['closed', 'closed', 6 * 365],
        ['incident', 'closed', 6 * 365],
      ] as const) {
        const id = `${age} ${name}`;
        const theme = 'gambling';
        add('concerns', {
          id,
          subject: id,
          subject_kind: 'person',
          level: 'ks2',
          theme,
          severity: 'caution',
          state,
          opened_at: 0,
          first_at: 0,
          last_at: 0,
        });
        sighting(id, 1);
        add('concern_evidence', { sighting_id: id, concern_id: id });
        add('concern_rules', { concern_id: id, rule: 'r', severity: 'caution', points: 1, text: 't', policy: 'p' });
        add('concern_acts', { id: `${id} 1`, concern_id: id, at: 1, act: 'opened', note: '' });
        add('concern_acts', { id: `${id} 2`, concern_id: id, at: at(kept), act: 'acknowledged', note: '' });
        add('concern_alerts', { id, concern_id: id, at: 1, why: 'opened', severity: 'caution' });
        add('alerts', { id, about: `concern:${id}`, at: 1, due: '{}', rule: 'r' });
        add('alert_told', { alert_id: id, person_id: 'staff', step: 0, at: 1, delivery_id: id });
      }
      for (const state of ['sent', 'failed', 'waiting'])
        add('deliveries', {
          id: `${age} ${state}`,
          channel: 'mail',
          recipient: 'x',
          about: `${age} ${state}`,
          content: '{}',
          state,
          tries: 1,
          queued_at: at(90),
          next_try_at: 0,
        });
      for (const state of ['expired', 'requested'])
        add('unblocks', {
          id: `${age} ${state}`,
          state,
          topic: 't',
          reason: 'r',
          hosts: '[]',
          categories: '[]',
          levels: '[]',
          ranges: '[]',
          starts_at: 0,
          ends_at: at(3 * 365),
          requested_by: 'staff',
          requested_at: 0,
        });
      add('wishes', {
        id: `${age} passed`,
        kind: 'open',
        state: 'passed-on',
        hosts: '[]',
        reason: 'r',
        asked_by: 'staff',
        user_name: 'x',
        asked_at: 0,
        answered_by: 'staff',
        answered_at: at(3 * 365),
        unblock_id: `${age} expired`,
      });
      add('lessons', {
        id: age,
        title: 't',
        sites: '[]',
        classes: '[]',
        pupils: '[]',
        starts_at: 0,
        ends_at: at(3 * 365),
        given_by: 'staff',
        given_at: 0,
      });
      for (const id of [`${age} leaver`, `${age} returned to staff`, `${age} guest`]) person(id);
      for (const id of [`${age} leaver`, `${age} returned to staff`]) {
        add('directory', {
          person_id: id,
          source: 's',
          source_id: id,
          kind: 'person',
          given_name: 'G',
          family_name: 'F',
          roles: '[]',
          left_at: at(365),
        });
        add('memberships', { person_id: id, kind: 'classes', name: '7A' });
        add('passwords', { person_id: id, hash: 'h', changed_at: 0 });
      }
      add('person_roles', { person_id: `${age} returned to staff`, role: 'teacher' });
      add('vouchers', {
        person_id: `${age} guest`,
        code_hash: age,
        purpose: 'talk',
        sponsor_id: 'staff',
        starts_at: 0,
        ends_at: at(365),
      });
      for (const state of ['open', 'closed', 'dismissed']) {
        const id = `${age} ${state}`;
        const from = { source: 'concern', concern_id: `${age} incident`, opened_by: 'staff', outcome: 'o' };
        const told = { theme: 'other', what: 'w', place: '', illegal: 'no', about_staff: 0, opened_at: 0 };
        add('incidents', { id, state, ...from, ...told });
        add('incident_people', {
          id,
          incident_id: id,
          person_id: `${age} leaver`,
          name: 'n',
          kind: 'pupil',
          part: 'victim',
        });
        add('incident_acts', { id, incident_id: id, at: at(6 * 365), act: 'closed', by: 'staff', note: '' });
        add('incident_reporters', { incident_id: id, address: 'a', unnamed: 0 });
        add('incident_actions', { id, incident_id: id, what: 'w', owner: 'o', due_on: '2020-01-01' });
        add('incident_steps', { incident_id: id, step: 's', state: 'done' });
      }
      const log = { device: '', place: '', tested: '', action: '' };
      add('checks', { id: age, kind: 'self', at: at(3 * 365), result: 'passed', ...log });
      add('announcements', { id: age, at: at(365), text: 't' });
      add('reports', {
        id: age,
        kind: 'weekly',
        title: 't',
        from_at: 0,
        until_at: 0,
        made_at: at(3 * 365),
        body: '{}',
      });
      add('alarms', { id: age, at: iso(365), gateway: 'g', code: 'c', text: 't' });
      add('history_gaps', { id: age, gateway: 'g', worker: 0, from_at: iso(366), until_at: iso(365) });
      add('parked_events', { id: age, arrived_at: iso(365), why: 'w', json: '{}' });
    }
    for (const [serial, days] of [
      [1, 900],
      [2, 500],
      [3, 400],
      [4, 100],
    ] as const)
      add('directory_versions', { serial, at: now - days * DAY_MS, snapshot: new Uint8Array(1) });
  });
  await plane.retention.run();

  const left = (table: string, column = 'id'): string[] =>
    plane.record.read((tx) =>
      tx.all(`SELECT ${column} AS one FROM ${table} ORDER BY one`).map((row) => String(row['one'])),
    );
  t.same(left('flagged'), ['old illegal.hit', 'young access.blocked', 'young illegal.hit'], 'evidence stays');
  const concerns = ['old incident', 'old open', 'young closed', 'young incident', 'young not-a-concern', 'young open'];
  t.same(left('sightings'), [...concerns, 'young loose'].sort());
  for (const table of ['concerns', 'concern_alerts', 'alerts'])
    t.same(left(table), concerns, `${table}: what became an incident that is open stays`);
  t.same(left('alert_told', 'alert_id'), left('alerts'));
  t.same(left('concern_rules', 'concern_id'), left('concerns'));
  t.same([...new Set(left('concern_acts', 'concern_id'))], left('concerns'));
  t.same(left('deliveries'), ['old waiting', 'young failed', 'young sent', 'young waiting']);
  t.same(left('unblocks'), ['old requested', 'young expired', 'young requested']);
  t.same([left('wishes'), left('lessons')], [['young passed'], ['young']]);
  t.same(left('directory', 'person_id'), ['old returned to staff', 'young leaver', 'young returned to staff']);
  t.same(left('passwords', 'person_id'), left('directory', 'person_id'));
  t.same(left('incidents'), ['old open', 'young closed', 'young dismissed', 'young open']);
  for (const part of ['people', 'acts', 'reporters', 'actions', 'steps'])
    t.same(left(`incident_${part}`, 'incident_id'), left('incidents'), part);
  t.same(left('checks'), ['young']);
  t.same(left('vouchers', 'person_id'), ['young guest']);
  t.same(left("people WHERE full_name = ''"), ['old guest', 'old leaver']);
  t.same(left("people WHERE id = 'old leaver'", 'user_name'), ['left:d leaver'], 'no name of theirs');
  t.same(left('directory_versions', 'serial'), ['3', '4'], 'the one in force a year ago stays');
  for (const table of ['alarms', 'history_gaps', 'parked_events', 'announcements', 'reports'])
    t.same(left(table), ['young'], table);
  for (const folder of ['reports', 'outbox']) t.same(readdirSync(join(dataDir, folder)), ['young.file']);

  const counts = plane.retention.standing().map(({ name, overdue, last }) => [name, overdue, last?.proof?.count ?? 0]);
  t.same(counts, [
    ['history', false, 0],
    ['flagged', false, 2],
    ['dismissedConcerns', false, 1],
    ['closedConcerns', false, 1],
    ['incidents', false, 2],
    ['checks', false, 1],
    ['deliveries', false, 2],
    ['outbox', false, 1],
    ['requests', false, 3],
    ['reports', false, 1],
    ['leavers', false, 1],
    ['guests', false, 1],
    ['pastDirectory', false, 2],
    ['alarms', false, 4],
    ['auditDetails', false, 0],
  ]);
  plane.clock.advance(5 * DAY_MS);
  const overdue = plane.retention.standing().filter((one) => one.overdue);
  t.equal(
    overdue.length,
    counts.length - 3,
    'all but days, acts, and the directory that was replaced a hundred days ago',
  );
  t.doesNotThrow(() => plane.acts());
});

void t.test('the page says how long, how old, what went and when the next goes', async (t) => {
  const dataDir = t.testdir({});
  storeDays(join(dataDir, 'history'), '2024-01-01', '2026-11-20');
  const console = await testConsole({ dataDir });
  t.teardown(() => console.close());
  await addPerson(console, 'dpo', ['data-protection-officer']);
  await addPerson(console, 'manager', ['network-manager']);
  const before = await signedIn(console, 'manager').get('/retention');
  t.match(before.body, /Access history.*<code>history<\/code>.*1 year.*Mon 1 Jan 2024, 00:00<br>.*Overdue/s);
  t.match(before.body, /Next: Tue 24 Nov 2026, 02:50/);
  await console.retention.run();
  const page = await signedIn(console, 'dpo').get('/retention');
  t.notMatch(page.body, /Overdue/);
  t.match(
    page.body,
    /1 of Mon 1 Jan 2024.*SHA-256 of the list: <code>[0-9a-f]{64}<.*<a[^>]*href="\/audit\/rows\/\d+"/s,
  );
  t.notMatch((await signedIn(console, 'manager').get('/retention')).body, /href="\/audit\/rows/, 'who may not read it');
});

// SQLite leaves what a row said in its page, and the page as it was in the log beside the record.
void t.test('what went is in no file of the record any more', async (t) => {
  const dataDir = t.testdir({});
  const path = join(dataDir, 'record.sqlite');
  const plane = controlPlane({ path, dataDir });
  t.teardown(() => plane.close());
  plane.policy.look();
  const text = 'what-nobody-shall-find-'.repeat(400);
  plane.record.write((tx) => tx.run("INSERT INTO parked_events VALUES ('old', '2020-01-01', 'why', ?)", text));
  const isThere = (): boolean =>
    readdirSync(dataDir)
      .filter((name) => name.startsWith('record.sqlite'))
      .some((name) => readFileSync(join(dataDir, name)).includes('nobody-shall-find'));
  t.equal(isThere(), true);
  await plane.retention.run();
  t.equal(isThere(), false);
});

void t.test('what a restored backup brings back goes soon after the start', async (t) => {
  const dataDir = t.testdir({});
  const history = join(dataDir, 'history');
  storeDays(history, '2024-01-01');
  const plane = controlPlane({ dataDir });
  t.teardown(() => plane.close());
  plane.policy.look();
  await plane.retention.run();
  const lastRuns = recordedRuns(plane.record);
  lastRuns.set('retention', START - 3 * DAY_MS);
  storeDays(history, '2024-01-01');

  let beat = (): void => {};
  const nothing = async (): Promise<void> => {};
  const use = new Proxy({} as JobUseCases, {
    get: (_, name) => (name === 'deleteOld' ? () => plane.retention.run() : nothing),
  });
  const timetable = startTimetable(
    schoolJobs({ zone: 'Europe/London', reports: reportCrons(SHIPPED_REPORT_TIMES) }, [], use),
    {
      clock: plane.clock,
      lastRuns,
      onFailure: (job, error) => t.fail(`${job}: ${String(error)}`),
      heartbeat: (look) => ((beat = look), { stop: () => {} }),
    },
  );
  t.same(readdirSync(history), ['2024-01-01']);
  plane.clock.advance(3 * 60_000);
  beat();
  await timetable.stop();
  t.same(readdirSync(history), []);
  t.equal(plane.acts().filter((act) => act.startsWith('retention')).length, 2, 'said once more, as it went once more');
});

void t.test('what is held stays, whoever runs, until it is let go again, both with a reason on record', async (t) => {
  const dataDir = t.testdir({ history: {}, reports: {}, outbox: {} });
  const history = join(dataDir, 'history');
  storeDays(history, '2024-01-01');
  const console = await testConsole({ dataDir });
  t.teardown(() => console.close());
  const { record, retention } = console;
  await addPerson(console, 'head', ['headteacher']);
  record.write((tx) =>
    tx.run("INSERT INTO history_gaps VALUES ('old', 'g', 0, '2024-01-01', '2024-01-01T00:00:00.000Z')"),
  );
  const head = signedIn(console, 'head');
  const page = '/retention/history/hold';
  t.match(await head.post(page, page, { to: 'held', reason: ' ' }), { status: 422, body: /Say why/ });
  for (const kept of ['history', 'alarms']) {
    const at = `/retention/${kept}/hold`;
    for (let sent = 0; sent < 2; sent++)
      t.match(await head.post(at, at, { to: 'held', reason: 'The <court> asks' }), { status: 303 });
  }
  await retention.run();
  t.same(readdirSync(history), ['2024-01-01']);
  t.match(standing(retention, 'history'), { hold: { reason: 'The <court> asks' }, overdue: false, last: null });
  t.match(standing(retention, 'alarms'), { last: null }, 'rows as well as files');
  t.match((await head.get('/retention')).body, /On hold.*The &lt;court&gt; asks.*Let go again/s);
  for (const kept of ['history', 'alarms'])
    await head.post(`/retention/${kept}/hold`, `/retention/${kept}/hold`, { to: 'free', reason: 'Settled' });
  await retention.run();
  t.same(readdirSync(history), []);
  t.match(standing(retention, 'alarms'), { hold: null, last: { proof: { count: 1 } } });
  const acts = console.acts().filter((act) => act.startsWith('retention'));
  t.same(
    acts.map((act) => act.split(' ')[0]),
    [
      'retention.held',
      'retention.held',
      'retention.freed',
      'retention.freed',
      'retention.deleted',
      'retention.deleted',
    ],
  );
  t.equal((await head.get('/retention/nothing/hold')).status, 400);
});

void t.test('the page is for everybody who may see it, and fits a phone', async (t) => {
  const dataDir = t.testdir({});
  storeDays(join(dataDir, 'history'), '2024-01-01', '2026-11-20');
  const console = await testConsole({ dataDir });
  t.teardown(() => console.close());
  await addPerson(console, 'head', ['headteacher']);
  await console.retention.run();
  storeDays(join(dataDir, 'history'), '2025-01-01');
  const looker = await lookAtPages(t, console, 320);
  const page = await looker.open();
  await page.goto(`${looker.origin}/sign-in?next=/retention`);
  await looker.signIn(page, 'head');
  await page.goto(`${looker.origin}/retention`);
  await looker.look(page, 'retention');
  await page.goto(`${looker.origin}/retention/history/hold`);
  await looker.look(page, 'retention-hold');
  await page.getByLabel('Why').fill('The court asks for what was looked at in January');
  await looker.press(page, 'Delete nothing of it for now');
  await looker.look(page, 'retention-held');
  t.strictSame(looker.complaints, []);
});
