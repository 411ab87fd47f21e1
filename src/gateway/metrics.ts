import type { AccessRecord } from '../events/access-record.ts';
import { REASONS } from '../policy/verdict.ts';
import { Counter, Gauge, Registry } from '../telemetry/metrics.ts';

/** What one worker counts. Summed over all workers when asked for. */
export interface GatewayMetrics {
  readonly registry: Registry;
  finished(record: AccessRecord): void;
  connectionRefused(why: 'client-limit' | 'gateway-limit' | 'not-a-client' | 'unrecordable'): void;
  /** Connections that were still open at the deadline of a drain. */
  resetInDrain(connections: number): void;
}

export interface GatewayGauges {
  readonly openConnections: () => number;
  readonly openTunnels: () => number;
  readonly heldEvents: () => number;
  readonly policySerial: () => number;
}

export function createGatewayMetrics(gauges: GatewayGauges): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  // Counted in plain numbers and handed over when asked: a labelled counter costs as much as a look-up in the lists.
  const tally = { connect: { allow: 0, block: 0 }, http: { allow: 0, block: 0 }, up: 0, down: 0 };
  const byReason = new Map(REASONS.map((reason) => [reason, 0]));
  const requests: Counter = new Counter({
    name: 'schoolgate_requests_total',
    help: 'Requests and tunnels that ended, by carrier and verdict.',
    labelNames: ['carrier', 'verdict'],
    registers,
    collect: () => {
      for (const carrier of ['connect', 'http'] as const) {
        for (const verdict of ['allow', 'block'] as const)
          requests.inc({ carrier, verdict }, take(tally[carrier], verdict));
      }
    },
  });
  const refusals: Counter = new Counter({
    name: 'schoolgate_refusals_total',
    help: 'Refused requests and tunnels by reason.',
    labelNames: ['reason'],
    registers,
    collect: () => {
      for (const [reason, count] of byReason) refusals.inc({ reason }, count);
      for (const reason of REASONS) byReason.set(reason, 0);
    },
  });
  const bytes: Counter = new Counter({
    name: 'schoolgate_bytes_total',
    help: 'Payload bytes carried, up from clients and down to them.',
    labelNames: ['direction'],
    registers,
    collect: () => {
      for (const direction of ['up', 'down'] as const) bytes.inc({ direction }, take(tally, direction));
    },
  });
  const refused = new Counter({
    name: 'schoolgate_connections_refused_total',
    help: 'Client connections that were not served.',
    labelNames: ['why'],
    registers,
  });
  const reset = new Counter({
    name: 'schoolgate_drain_resets_total',
    help: 'Connections cut at the deadline of a drain.',
    registers,
  });
  gauge(registry, 'schoolgate_open_connections', 'Open client connections.', gauges.openConnections);
  gauge(registry, 'schoolgate_open_tunnels', 'Open tunnels and upgraded connections.', gauges.openTunnels);
  gauge(registry, 'schoolgate_held_events', 'Events held in memory because the disk refuses them.', gauges.heldEvents);
  gauge(registry, 'schoolgate_policy_serial', 'Serial of the policy in force.', gauges.policySerial, 'min');

  return {
    registry,
    finished: (record) => {
      tally[record.method === 'CONNECT' ? 'connect' : 'http'][record.verdict]++;
      if (record.verdict === 'block') byReason.set(record.reason, byReason.get(record.reason)! + 1);
      tally.up += record.up;
      tally.down += record.down;
    },
    connectionRefused: (why) => refused.labels(why).inc(),
    resetInDrain: (connections) => reset.inc(connections),
  };
}

/** The count since it was last taken. */
function take<K extends string>(counts: Record<K, number>, name: K): number {
  const count = counts[name];
  counts[name] = 0;
  return count;
}

function gauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => number,
  aggregator: 'sum' | 'min' = 'sum',
): void {
  const made: Gauge = new Gauge({
    name,
    help,
    registers: [],
    aggregator,
    collect: () => made.set(read()),
  });
  registry.registerMetric(made);
}
