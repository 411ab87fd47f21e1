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
  const requests = new Counter({
    name: 'schoolgate_requests_total',
    help: 'Requests and tunnels that ended, by carrier and verdict.',
    labelNames: ['carrier', 'verdict'],
    registers,
  });
  const refusals = new Counter({
    name: 'schoolgate_refusals_total',
    help: 'Refused requests and tunnels by reason.',
    labelNames: ['reason'],
    registers,
  });
  const bytes = new Counter({
    name: 'schoolgate_bytes_total',
    help: 'Payload bytes carried, up from clients and down to them.',
    labelNames: ['direction'],
    registers,
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

  // Looking a label up costs more than counting, so each counter is bound once.
  const bound = {
    connect: { allow: requests.labels('connect', 'allow'), block: requests.labels('connect', 'block') },
    http: { allow: requests.labels('http', 'allow'), block: requests.labels('http', 'block') },
    up: bytes.labels('up'),
    down: bytes.labels('down'),
    reason: new Map(REASONS.map((reason) => [reason, refusals.labels(reason)])),
  };
  return {
    registry,
    finished: (record) => {
      bound[record.method === 'CONNECT' ? 'connect' : 'http'][record.verdict].inc();
      if (record.verdict === 'block') bound.reason.get(record.reason)!.inc();
      if (record.up > 0) bound.up.inc(record.up);
      if (record.down > 0) bound.down.inc(record.down);
    },
    connectionRefused: (why) => refused.labels(why).inc(),
    resetInDrain: (connections) => reset.inc(connections),
  };
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
