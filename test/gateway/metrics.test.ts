import t from 'tap';
import type { IndexedList } from '../../src/categories/match.ts';
import { addListMetrics } from '../../src/gateway/list-metrics.ts';
import { createGatewayMetrics } from '../../src/gateway/metrics.ts';
import { createRefusalLog } from '../../src/gateway/refusal-log.ts';
import { isoTime } from '../../src/kernel/clock.ts';
import { reportMetrics, sumMetrics } from '../../src/telemetry/metrics.ts';
import { sampleRecord } from '../events/sample.ts';

const GAUGES = { openConnections: () => 3, openTunnels: () => 2, heldEvents: () => 1, policySerial: () => 7 };

/** The value of each line of Prometheus text, by what stands before it. */
function values(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

void t.test('what workers count is summed, and asking does not change it', async (t) => {
  const workers = [1, 2].map(() => createGatewayMetrics({ ...GAUGES, policySerial: () => 7 }));
  const late = createGatewayMetrics({ ...GAUGES, policySerial: () => 5 });
  for (const worker of workers) {
    worker.finished(sampleRecord({ method: 'GET', verdict: 'allow', up: 5, down: 100 }));
    worker.finished(sampleRecord({ method: 'CONNECT', verdict: 'block', reason: 'category', up: 0, down: 20 }));
    worker.finished(sampleRecord({ method: '-', verdict: 'block', reason: 'malformed', up: 0, down: 0 }));
    worker.connectionRefused('client-limit');
    worker.resetInDrain(4);
  }
  const read = async () =>
    values(await sumMetrics(await Promise.all([...workers, late].map(({ registry }) => reportMetrics(registry)))));
  const first = await read();
  t.match(first, {
    'schoolgate_requests_total{carrier="http",verdict="allow"}': 2,
    'schoolgate_requests_total{carrier="connect",verdict="block"}': 2,
    'schoolgate_requests_total{carrier="http",verdict="block"}': 2,
    'schoolgate_refusals_total{reason="category"}': 2,
    'schoolgate_refusals_total{reason="malformed"}': 2,
    'schoolgate_bytes_total{direction="up"}': 10,
    'schoolgate_bytes_total{direction="down"}': 240,
    'schoolgate_connections_refused_total{why="client-limit"}': 2,
    schoolgate_drain_resets_total: 8,
    schoolgate_open_connections: 9,
    schoolgate_open_tunnels: 6,
    schoolgate_held_events: 3,
    schoolgate_policy_serial: 5,
  });
  t.same(await read(), first, 'asked again: the same');
  workers[0]!.finished(sampleRecord({ method: 'GET', verdict: 'allow', up: 1, down: 1 }));
  t.equal((await read())['schoolgate_requests_total{carrier="http",verdict="allow"}'], 3);
});

void t.test('lists: age, size and whether a copy stands in, the worst of all workers', async (t) => {
  const at = Date.parse('2026-11-23T10:00:00Z');
  const facts = { category: 'games', entries: 5, duplicates: 0, rejected: 0, sha256: '' };
  const list = (id: string, accepted: number, ageMs: number, fromLastGood: boolean): IndexedList => {
    return { ...facts, id, accepted, loadedAt: isoTime(at - ageMs), fromLastGood };
  };
  const inForce = [[list('a', 10, 60_000, false), list('b', 3, 0, false)], [list('a', 9, 90_000, true)]];
  const registries = inForce.map((_, i) => {
    const { registry } = createGatewayMetrics(GAUGES);
    addListMetrics(
      registry,
      () => inForce[i]!,
      () => at,
    );
    return registry;
  });
  const read = async () => values(await sumMetrics(await Promise.all(registries.map(reportMetrics))));
  t.match(await read(), {
    'schoolgate_list_entries{list="a"}': 9,
    'schoolgate_list_entries{list="b"}': 3,
    'schoolgate_list_age_seconds{list="a"}': 90,
    'schoolgate_list_age_seconds{list="b"}': 0,
    'schoolgate_list_from_last_good{list="a"}': 1,
    'schoolgate_list_from_last_good{list="b"}': 0,
  });
  inForce[0]!.pop();
  t.notOk('schoolgate_list_age_seconds{list="b"}' in (await read()), 'what is not in force is not told');
});

void t.test('the last refusals of an address are its own, newest first, for an hour', async (t) => {
  let now = Date.parse('2026-11-23T10:00:00Z');
  const log = createRefusalLog(() => now);
  const refused = (client: string, i: number) =>
    sampleRecord({ id: `record ${i}`, host: `site${i}.test`, client, at: isoTime(now) });
  for (let i = 0; i < 30; i++) log.add(refused('10.0.0.1', i));
  log.add(refused('10.0.0.2', 98));
  now += 10_000;
  // A browser that asks three times has been refused once.
  log.add({ ...refused('10.0.0.2', 98), id: 'again' });
  t.same(
    log.of('10.0.0.1').map(({ id }) => id),
    Array.from({ length: 20 }, (_, i) => `record ${29 - i}`),
  );
  t.same(
    log.of('10.0.0.2').map(({ id }) => id),
    ['again'],
  );
  t.same(log.of('10.0.0.3'), []);
  now += 3_599_999;
  t.equal(log.of('10.0.0.2').length, 1);
  now += 1;
  t.same(log.of('10.0.0.1'), []);
  for (let i = 0; i < 5_001; i++) log.add(refused(`10.1.${i >> 8}.${i & 255}`, i));
  t.same(log.of('10.1.0.0'), [], 'the client that was refused least recently is forgotten first');
  t.equal(log.of('10.1.0.1').length, 1);
});
