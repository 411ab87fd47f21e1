import { dataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import type { OnAlarm, SnapshotBodies } from '../events/bus.ts';
import { openBus } from '../events/open-bus.ts';
import { createRelay } from '../events/relay.ts';
import { loadPublicKey } from '../events/signing.ts';
import { createLogger } from '../telemetry/log.ts';
import { askConsole, isForConsole } from './console-questions.ts';
import type { ProcessLink } from './process-link.ts';
import { IndexTaker } from './take-index.ts';

export interface RelayOrders {
  readonly gateway: string;
  /** The console builds its index in this very data folder: nothing is fetched, and nothing of it is replaced. */
  readonly isIndexBuiltHere: boolean;
  /** The console is a child of the same supervisor: nobody asks it by way of the bus. */
  readonly isConsoleHere: boolean;
}

/** How often a gateway on a machine of its own looks whether its index is whole on disk, ms. */
const LOOK_MS = 30_000;
/** So much sooner than the supervisor gives up on the console, ms. */
const HURRY_MS = 300;

/** Runs the gateway's relay: spool up, snapshots and index down. The workers hear of new ones through the supervisor. */
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
  const publicKey = loadPublicKey(layout);
  const onAlarm: OnAlarm = (code, text) => link.tell({ type: 'alarm', code, text });
  const index = new IndexTaker({
    layout,
    chunks: orders.isIndexBuiltHere ? null : bus.chunks(),
    onInForce: () => link.tell({ type: 'snapshots', kind: 'index' }),
    onAlarm,
  });
  const relay = createRelay({
    layout,
    bus,
    gateway: orders.gateway,
    publicKey,
    onSnapshot: (kind, { body }) => {
      if (kind === 'index') index.want(body as SnapshotBodies['index']);
      else link.tell({ type: 'snapshots', kind });
    },
    onAlarm,
  });
  const asker = orders.isConsoleHere ? null : bus.asker(publicKey, onAlarm);
  const stop = async (): Promise<void> => {
    asker?.close();
    await Promise.all([relay.close(), index.close()]);
    process.exit(0);
  };
  link.onMessage((message, answer) => {
    if (message.type === 'stop') void stop();
    else if (isForConsole(message)) void askConsole(asker, message, HURRY_MS).then(answer);
  });
  link.onGone(() => void stop());
  const wantAccepted = (): void => {
    const accepted = relay.accepted('index');
    if (accepted !== null) index.want(accepted.body);
  };
  // An earlier run may have been killed before it had all of what it had accepted.
  wantAccepted();
  // What lies on the disk may be damaged there: the workers go on from memory, and one that starts could not.
  if (!orders.isIndexBuiltHere) setInterval(wantAccepted, LOOK_MS).unref();
  await relay.start();
}
