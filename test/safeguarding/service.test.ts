import { join } from 'node:path';
import t from 'tap';
import type { AccessRecord } from '../../src/events/access-record.ts';
import type { EventEnvelope, EventPayloads, EventType } from '../../src/events/catalogue.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import type { Taken } from '../../src/safeguarding/service.ts';
import { sampleRecord } from '../events/sample.ts';
import { type ControlPlane, START, controlPlane, manualClock } from '../helpers/control-plane.ts';

const newId = createIdMaker(() => START);

function record(change: Partial<AccessRecord> = {}): AccessRecord {
  return sampleRecord({
    id: newId(),
    at: new Date(START).toISOString(),
    gateway: 'gw-00000001',
    client: '10.0.0.5',
    target: 'bet.example:443',
    host: 'bet.example',
    category: 'gambling',
    categories: ['gambling'],
    lists: ['starter-gambling'],
    rule: 'levels/ks2.yaml#categories.gambling',
    ...change,
  });
}

function event<T extends EventType>(type: T, data: EventPayloads[T], change: Partial<EventEnvelope> = {}): string {
  return JSON.stringify({ id: newId(), type, v: 1, at: new Date(START).toISOString(), data, ...change });
}

function take({ safeguarding }: ControlPlane, json: string): Taken {
  return safeguarding.take([json])[0]!;
}

function count(plane: ControlPlane, sql: string): number {
  return Number(plane.record.read((tx) => tx.get(sql))!['n']);
}

void t.test('an event takes effect once, however often it comes and across a restart', async (t) => {
  const path = join(t.testdir(), 'record.sqlite');
  const clock = manualClock();
  const json = event('access.blocked', record());
  const first = controlPlane({ path, clock });
  t.equal(take(first, json), 'taken');
  t.equal(take(first, json), 'known');
  await first.close();
  const second = controlPlane({ path, clock });
  t.teardown(() => second.close());
  t.equal(take(second, json), 'known');
  t.equal(count(second, 'SELECT count(*) AS n FROM flagged'), 1);
  t.match(second.safeguarding.today(), [{ level: 'ks2', category: 'gambling', verdict: 'block', navigations: 1 }]);
});

void t.test('an effect that fails leaves its id free, so that the event can come again', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const json = event('access.blocked', record());
  plane.record.write((tx) => tx.run('ALTER TABLE flagged_counts RENAME TO away'));
  t.throws(() => take(plane, json));
  plane.record.write((tx) => tx.run('ALTER TABLE away RENAME TO flagged_counts'));
  t.equal(take(plane, json), 'taken');
});

void t.test('a batch takes effect as a whole or not at all', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const alarm = event('alarm', { gateway: 'gw-00000001', code: 'snapshot-refused', text: 'forged' });
  const batch = [alarm, event('access.blocked', record()), alarm, 'not json'];
  plane.record.write((tx) => tx.run('ALTER TABLE flagged_counts RENAME TO away'));
  t.throws(() => plane.safeguarding.take(batch), /flagged_counts/);
  for (const table of ['taken_events', 'alarms', 'flagged', 'parked_events']) {
    t.equal(count(plane, `SELECT count(*) AS n FROM ${table}`), 0, `${table}: nothing of a batch that failed`);
  }
  plane.record.write((tx) => tx.run('ALTER TABLE away RENAME TO flagged_counts'));
  t.strictSame(plane.safeguarding.take(batch), ['taken', 'taken', 'known', 'parked']);
  t.strictSame(plane.safeguarding.take(batch), ['known', 'known', 'known', 'known']);
  t.strictSame(plane.safeguarding.take([]), []);
  t.equal(count(plane, 'SELECT count(*) AS n FROM alarms'), 1);
  t.match(plane.safeguarding.today(), [{ level: 'ks2', category: 'gambling', verdict: 'block', navigations: 1 }]);
});

void t.test(
  'an event that the record refuses is put aside with the reason, and the rest of its batch is taken',
  async (t) => {
    const plane = controlPlane();
    t.teardown(() => plane.close());
    plane.record.write((tx) =>
      tx.run(`CREATE TRIGGER refuse BEFORE INSERT ON flagged_counts WHEN NEW.level = 'ks4'
            BEGIN SELECT RAISE(ABORT, 'no such level'); END`),
    );
    const [before, after] = [
      event('access.blocked', record()),
      event('access.blocked', record({ host: 'two.example' })),
    ];
    const poison = event('access.blocked', record({ level: 'ks4', host: 'three.example' }));
    const noDay = event('access.blocked', record({ at: '2026-99-99T09:00:00Z' }));
    t.strictSame(plane.safeguarding.take([before, poison, noDay, after]), ['taken', 'parked', 'parked', 'taken']);
    t.strictSame(plane.safeguarding.take([before, poison, noDay, after]), ['known', 'known', 'known', 'known']);
    const parked = plane.record.read((tx) => tx.all('SELECT why, json FROM parked_events'));
    t.same(new Set(parked.map((row) => row['json'])), new Set([poison, noDay]));
    t.match(parked.find((row) => row['json'] === poison)!['why'], /no such level/);
    t.equal(count(plane, 'SELECT count(*) AS n FROM flagged'), 2, 'it left nothing behind');
    t.equal(plane.safeguarding.today()[0]?.navigations, 2);
    plane.record.write((tx) => tx.run('DROP TRIGGER refuse'));
    t.equal(take(plane, poison), 'taken', 'its own id is still free');
  },
);

void t.test('one navigation is counted once', async (t) => {
  const table: [what: string, changes: Partial<AccessRecord>[], navigations: number][] = [
    ['retries within ten seconds', [{}, { at: iso(1) }, { at: iso(9999) }], 1],
    ['ten seconds later', [{}, { at: iso(10_000) }], 2],
    ['the same in the wrong order', [{ at: iso(10_000) }, {}], 2],
    ['late by a moment, and out of order', [{ at: iso(500) }, {}], 1],
    ['another device', [{}, { client: '10.0.0.6' }], 2],
    ['the same person on another device', [{ user: 'amy' }, { user: 'amy', client: '10.0.0.6' }], 1],
    ['another site', [{}, { host: 'casino.example' }], 2],
    ['another answer', [{}, { verdict: 'allow', action: 'monitor' }], 2],
    [
      'locked targets have no host',
      [
        { host: null, target: null },
        { host: null, target: null, at: iso(20_000) },
      ],
      2,
    ],
  ];
  for (const [what, changes, navigations] of table) {
    const plane = controlPlane();
    plane.safeguarding.take(changes.map((change) => event('access.blocked', record(change))));
    const counted = plane.safeguarding.today().reduce((sum, row) => sum + row.navigations, 0);
    t.equal(counted, navigations, what);
    t.equal(count(plane, 'SELECT count(*) AS n FROM flagged'), changes.length, `${what}: every request is kept`);
    await plane.close();
  }
});

function iso(ms: number): string {
  return new Date(START + ms).toISOString();
}

void t.test('a day is the school’s', async (t) => {
  const summer = Date.UTC(2026, 5, 30, 23, 30);
  const plane = controlPlane({ clock: manualClock(summer) });
  t.teardown(() => plane.close());
  take(plane, event('access.blocked', record({ at: new Date(summer).toISOString() })));
  t.match(plane.safeguarding.today(), [{ day: '2026-07-01' }]);
});

void t.test('every type has its effect', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const flagged = record({ verdict: 'allow', action: 'monitor' });
  take(plane, event('access.flagged', flagged));
  take(plane, event('illegal.hit', record({ reason: 'illegal', locked: true, target: null, host: null })));
  const fault = record({ reason: 'fault', category: null });
  take(plane, event('fault', { gateway: 'gw-00000001', worker: 1, what: 'a bug', record: fault }));
  take(plane, event('alarm', { gateway: 'gw-00000001', code: 'snapshot-refused', text: 'forged' }));
  const span = { from: iso(-5000), until: iso(0) };
  take(plane, event('history.gap', { gateway: 'gw-00000001', worker: 2, ...span }));
  const seen: string[] = [];
  plane.devices.seen = (_tx, addresses, at) => void seen.push(`${addresses.join()} ${at - START}`);
  take(plane, event('devices.active', { gateway: 'gw-00000001', addresses: ['10.0.0.1', '10.0.0.2'] }));
  t.strictSame(seen, ['10.0.0.1,10.0.0.2 0']);
  const state = { gateway: 'gw-00000001', workers: 2, up: 2, serial: 7 };
  take(plane, event('gateway.state', state));
  take(plane, event('gateway.state', { ...state, up: 1 }, { at: iso(-60_000) }));
  t.match(plane.safeguarding.gateways(), [{ ...state, heardAt: START, at: iso(0) }], 'what came late is older news');
  plane.safeguarding.raise('policy-invalid', 'school.yaml:3: wrong');

  t.equal(
    count(plane, `SELECT count(*) AS n FROM flagged WHERE type IN ('access.flagged', 'illegal.hit', 'fault')`),
    3,
  );
  const alarms = plane.safeguarding.alarms(START - 1, START + 1).map(({ gateway, code }) => `${gateway} ${code}`);
  t.strictSame(alarms.toSorted(), ['console policy-invalid', 'gw-00000001 snapshot-refused']);
  t.match(plane.safeguarding.gaps(START - 10_000, START + 1), [{ gateway: 'gw-00000001', worker: 2, ...span }]);
  t.strictSame(plane.safeguarding.gaps(START + 1, START + 2), []);
});

void t.test('what is not understood is put aside as it came, once, and stops nothing', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const newer = event('access.blocked', record(), { v: 2 });
  const texts = [
    '',
    'not json',
    '[]',
    '{"id":1}',
    newer,
    event('alarm', { text: 'no code' } as never),
    '{"type":"toString"}',
  ];
  for (const text of texts) t.equal(take(plane, text), 'parked', text.slice(0, 30));
  for (const text of texts) t.equal(take(plane, text), 'known', text.slice(0, 30));
  t.equal(plane.safeguarding.parked(), texts.length);
  const kept = plane.record.read((tx) => tx.all('SELECT json FROM parked_events')).map((row) => row['json']);
  t.strictSame(new Set(kept), new Set(texts));
  t.equal(take(plane, newer.replace('"v":2', '"v":1')), 'taken', 'its own id is still free');
});
