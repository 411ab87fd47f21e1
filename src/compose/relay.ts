import { dataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import { openBus } from '../events/open-bus.ts';
import { createRelay } from '../events/relay.ts';
import { loadPublicKey } from '../events/signing.ts';
import { createLogger } from '../telemetry/log.ts';
import type { ProcessLink } from './process-link.ts';

export interface RelayOrders {
  readonly gateway: string;
}

/** Runs the gateway's relay: spool up, snapshots down. The workers hear of new snapshots through the supervisor. */
export async function runRelay(environment: Environment, orders: RelayOrders, link: ProcessLink): Promise<void> {
  const layout = dataLayout(environment.dataDir);
  const log = createLogger('relay');
  const bus = await openBus({
    layout,
    redisUrl: environment.redisUrl,
    redisPrefix: environment.redisPrefix,
    onState: (error) =>
      error === null ? log.info('the bus is reachable') : log.warn({ err: error }, 'the bus is out of reach'),
  });
  const relay = createRelay({
    layout,
    bus,
    gateway: orders.gateway,
    publicKey: loadPublicKey(layout),
    onSnapshot: (kind) => link.tell({ type: 'snapshots', kind }),
    onAlarm: (code, text) => link.tell({ type: 'alarm', code, text }),
  });
  const stop = async (): Promise<void> => {
    await relay.close();
    process.exit(0);
  };
  link.onMessage((message) => message.type === 'stop' && void stop());
  link.onGone(() => void stop());
  await relay.start();
}
