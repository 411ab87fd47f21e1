// front desk ──┬── TCP: for everyone; the connection says who asks
//              └── unix socket: for the gateway, which says who asks
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type DataLayout, dataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import { loadPublicKey } from '../events/signing.ts';
import { readLastGood } from '../events/snapshot-keeper.ts';
import { createFrontDesk } from '../frontdesk/app.ts';
import { type DeskFacts, deskFacts, NO_POLICY_YET } from '../frontdesk/facts.ts';
import { createFormTokens } from '../frontdesk/form-token.ts';
import type { AskRoutesOptions } from '../frontdesk/ask-routes.ts';
import type { LessonRoutesOptions } from '../frontdesk/lesson-routes.ts';
import type { ReportRoutesOptions } from '../frontdesk/report-routes.ts';
import type { RecentRefusals } from '../frontdesk/refusals.ts';
import type { ClientFrom } from '../frontdesk/routes.ts';
import type { DeskDevices } from '../frontdesk/sign-in-forms.ts';
import type { DeskPasses } from '../frontdesk/warning-routes.ts';
import { createWarningTickets } from '../gateway/warning-ticket.ts';
import type { Clock } from '../kernel/clock.ts';
import { createIdMaker } from '../kernel/ids.ts';
import { createLogger, type Logger } from '../telemetry/log.ts';

/** Ports the gateway listens on; `tlsPort` null: not over TLS. */
export interface ProxyPorts {
  readonly proxyPort: number;
  readonly tlsPort: number | null;
}

/** What the supervisor tells the front desk at its start. */
export interface FrontDeskOrders extends ProxyPorts {
  /** Base64; what the buttons of warnings are sealed with. */
  readonly warningKey: string;
}

export interface RunFrontDeskOptions {
  readonly recentRefusals: RecentRefusals;
  readonly devices: DeskDevices;
  readonly askLessons: LessonRoutesOptions['askLessons'];
  readonly askWishes: AskRoutesOptions['askWishes'];
  readonly sendReport: ReportRoutesOptions['sendReport'];
  readonly passes: DeskPasses;
  readonly orders: FrontDeskOrders;
  readonly clock: Clock;
  readonly log?: Logger;
}

/** A front desk that runs. */
export interface RunningFrontDesk {
  readonly port: number;
  /** Reads the policy in force again. */
  reload(): void;
  /** The gateway's ports, where they were not known at the start. */
  setPorts(ports: ProxyPorts): void;
  /** Closes in reverse order; requests that are being answered are finished. */
  stop(): Promise<void>;
}

/** Opens both doors of the front desk; closes the first again when the second cannot be opened. Rejects with what failed. */
export async function runFrontDesk(environment: Environment, options: RunFrontDeskOptions): Promise<RunningFrontDesk> {
  const { clock, recentRefusals, devices, askLessons, askWishes, sendReport, passes, orders } = options;
  // One key for both doors, and for this run.
  const tokens = createFormTokens(randomBytes(32), clock);
  const log = options.log ?? createLogger('frontdesk', 'warn');
  const layout = dataLayout(environment.dataDir);
  let facts = readFacts(layout, NO_POLICY_YET, log);
  const warnings = createWarningTickets(Buffer.from(orders.warningKey, 'base64'), clock);
  let ports: ProxyPorts = orders;
  const app = (clientFrom: ClientFrom): ReturnType<typeof createFrontDesk> =>
    createFrontDesk({
      facts: () => facts,
      proxy: () => ({ port: ports.tlsPort ?? ports.proxyPort, isTls: ports.tlsPort !== null }),
      publicUrl: environment.publicUrl,
      proxyHost: environment.proxyHost,
      tls: clientFrom === 'gateway' ? null : readTls(environment),
      recentRefusals,
      devices,
      askLessons,
      askWishes,
      sendReport,
      newFormKey: createIdMaker(clock),
      passes,
      warnings,
      tokens,
      clientFrom,
      clock,
      log,
    });
  await using opened = new AsyncDisposableStack();
  const inner = await app('gateway');
  opened.defer(() => inner.close());
  // A socket that a killed run left behind would be in the way; the supervisor lets only one front desk run.
  rmSync(layout.frontSocket, { force: true });
  await inner.listen({ path: layout.frontSocket });
  chmodSync(layout.frontSocket, 0o600);
  const outer = await app('peer');
  opened.defer(() => outer.close());
  await outer.listen({ host: environment.frontHost, port: environment.frontPort });
  const running = opened.move();
  return {
    port: (outer.server.address() as AddressInfo).port,
    reload: () => {
      facts = readFacts(layout, facts, log);
    },
    setPorts: (known) => {
      ports = known;
    },
    stop: () => running.disposeAsync(),
  };
}

/** A policy that cannot be read leaves the facts as they were: these pages decide nothing. */
function readFacts(layout: DataLayout, until: DeskFacts, log: Logger): DeskFacts {
  try {
    const accepted = readLastGood(layout, 'policy', loadPublicKey(layout));
    return accepted === null ? until : deskFacts(accepted.body);
  } catch (error) {
    log.warn({ err: error }, 'the policy could not be read; the front desk goes on with what it knew');
    return until;
  }
}

function readTls({ tls }: Environment): { cert: Buffer; key: Buffer } | null {
  return tls === null ? null : { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
}
