import type { Logger } from '../telemetry/log.ts';
import type { Spool } from '../events/spool.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { KeptPasses } from '../policy/passes.ts';
import type { Dialler } from './dial.ts';
import type { GatewayLimits } from './limits.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { IllegalProbes } from './illegal-probes.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { ProxyAuth } from './proxy-auth.ts';
import type { Snapshots } from './snapshots.ts';
import type { OpenConnections } from './open-connections.ts';
import type { WarningTickets } from './warning-ticket.ts';

/** What every request of a worker shares. Handed to the functions on its path; none of them reaches for anything else. */
export interface GatewayContext {
  readonly gateway: string;
  readonly worker: number;
  readonly clock: Clock;
  readonly ids: IdMaker;
  readonly limits: GatewayLimits;
  /** Read once per request; replaced as a whole. */
  snapshots: Snapshots;
  readonly proxyAuth: ProxyAuth;
  readonly dialler: Dialler;
  readonly spool: Spool;
  readonly open: OpenConnections;
  readonly refusals: RefusalLog;
  readonly probes: IllegalProbes;
  /** Who has read which warning and went on: of the whole gateway, in memory only. */
  readonly passes: KeptPasses;
  readonly warnings: WarningTickets;
  /** Addresses of signed-in devices that have asked for something since this was last emptied. */
  readonly activeDevices: Set<string>;
  /** The same of accounts whose credentials came with a request: `address user`. */
  readonly activeAccounts: Set<string>;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  /** Where `/health`, `/ready` and `/metrics` come from: the whole gateway, not this worker. */
  readonly status: GatewayStatus;
}

export interface GatewayStatus {
  /** Status code and JSON body. */
  health(): Promise<{ readonly status: number; readonly body: unknown }>;
  ready(): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Prometheus text, all workers summed. */
  metrics(): Promise<string>;
}
