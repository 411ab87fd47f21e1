import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadCurrentIllegal, readManifest } from '../categories/current-index.ts';
import { openLiveIndex } from '../categories/live-index.ts';
import { dataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import type { AlarmCode } from '../events/catalogue.ts';
import { openSpool } from '../events/file-spool.ts';
import { createPump } from '../events/pump.ts';
import { loadPublicKey } from '../events/signing.ts';
import { readLastGood } from '../events/snapshot-keeper.ts';
import { holds } from '../gateway/admit.ts';
import type { GatewayContext } from '../gateway/context.ts';
import { createDialler } from '../gateway/dial.ts';
import { type CountedHit, createIllegalProbes } from '../gateway/illegal-probes.ts';
import { Leases } from '../gateway/leases.ts';
import { DEFAULT_LIMITS } from '../gateway/limits.ts';
import { addListMetrics } from '../gateway/list-metrics.ts';
import { createListener } from '../gateway/listener.ts';
import { createGatewayMetrics } from '../gateway/metrics.ts';
import { OpenConnections } from '../gateway/open-connections.ts';
import { createProxyAuth } from '../gateway/proxy-auth.ts';
import { createRefusalLog } from '../gateway/refusal-log.ts';
import { createResolve } from '../gateway/resolve.ts';
import { prepareSnapshots, type Snapshots, withLive } from '../gateway/snapshots.ts';
import { toldRefusal } from '../gateway/told-refusal.ts';
import { createUpstreamPools } from '../gateway/upstream-pools.ts';
import { createWarningTickets } from '../gateway/warning-ticket.ts';
import { NO_DIRECTORY } from '../identity/directory-snapshot.ts';
import type { CredentialsAnswer } from '../identity/credentials.ts';
import { neverBackwards, systemClock } from '../kernel/clock.ts';
import { createIdMaker } from '../kernel/ids.ts';
import { KeptPasses, type Pass } from '../policy/passes.ts';
import type { LiveSnapshot } from '../policy/snapshot.ts';
import { createLogger } from '../telemetry/log.ts';
import { reportMetrics } from '../telemetry/metrics.ts';
import { leaseOffice } from './lease-office.ts';
import type { ProcessLink } from './process-link.ts';

/** What the supervisor tells a worker at its start. */
export interface WorkerOrders {
  readonly gateway: string;
  readonly worker: number;
  readonly port: number;
  readonly tlsPort: number | null;
  /** Ports of all our listeners on this machine: never a destination. */
  readonly ownPorts: readonly number[];
  /** Highest instant an earlier run saw, ms since the epoch. */
  readonly highestInstant: number;
  /** Base64; what the buttons of warnings are sealed with. */
  readonly warningKey: string;
}

/** What a worker says of itself, once a second. */
export interface WorkerPulse {
  readonly spool: 'ok' | 'failing' | 'full';
  readonly held: number;
  readonly serial: number;
  readonly index: string;
  readonly connections: number;
  readonly tunnels: number;
  /** Ms since the epoch. */
  readonly now: number;
}

/** How long somebody who signs in is kept waiting for the console, ms. */
const VERIFY_MS = 5_000;

/** How often a worker says which signed-in devices it heard from, ms. */
const ACTIVITY_MS = 15_000;

/** Runs one gateway worker until it is told to drain. Order: snapshots, then the spool, then the doors; back in reverse. */
export async function runWorker(environment: Environment, orders: WorkerOrders, link: ProcessLink): Promise<void> {
  const layout = dataLayout(environment.dataDir);
  const log = createLogger(`gateway-${orders.worker}`);
  const alarm = (code: AlarmCode, text: string): void => link.tell({ type: 'alarm', code, text });
  const clock = neverBackwards(systemClock, orders.highestInstant, (ms) =>
    alarm(
      'clock-stepped-back',
      `The clock of this machine was set back by ${Math.round(ms / 1000)} s; unblocks still end on time.`,
    ),
  );
  const ids = createIdMaker(clock);
  const publicKey = loadPublicKey(layout);
  let ownPorts: ReadonlySet<number> = new Set(orders.ownPorts);
  const index = await openLiveIndex(layout);
  let illegal = loadCurrentIllegal(layout);
  let illegalLists = readManifest(layout)?.illegal?.lists ?? [];
  const renewIllegal = (): boolean => {
    const found = readManifest(layout)?.illegal;
    illegalLists = found?.lists ?? [];
    if (found?.sha256 === illegal?.sha256) return false;
    illegal = loadCurrentIllegal(layout);
    context.snapshots = { ...context.snapshots, illegal };
    return true;
  };
  const readLive = (): LiveSnapshot => readLastGood(layout, 'live', publicKey)?.body ?? { grants: [] };
  const readSnapshots = (): Snapshots => {
    const policy = readLastGood(layout, 'policy', publicKey);
    if (policy === null) throw new Error('no policy has been published to this gateway yet');
    const people = readLastGood(layout, 'people', publicKey)?.body ?? NO_DIRECTORY;
    return prepareSnapshots(policy, people, readLive(), index.index, illegal, ownPorts);
  };
  const limits = DEFAULT_LIMITS;
  const parent = environment.upstreamProxy;
  const dialler = createDialler(
    createResolve(environment.dnsServers, clock),
    parent && { host: parent.host, port: parent.port, authorization: parent.authorization?.reveal() ?? null },
    limits.connectMs,
  );
  const spool = openSpool({ layout, gateway: orders.gateway, worker: orders.worker, clock, ids, onAlarm: alarm });
  const open = new OpenConnections();
  const ask = async (what: string): Promise<never> => (await link.ask({ type: what }, 5_000)) as never;
  const context: GatewayContext = {
    gateway: orders.gateway,
    worker: orders.worker,
    clock,
    ids,
    limits,
    snapshots: readSnapshots(),
    proxyAuth: createProxyAuth({
      clock,
      key: randomBytes(32),
      verify: async (credentials) =>
        (await link.ask({ type: 'verify', ...credentials }, VERIFY_MS)) as CredentialsAnswer,
      holds: (proof) => holds(context.snapshots.renewals, proof),
      isClass: (user) => context.snapshots.classAccounts.has(user),
    }),
    dialler,
    spool,
    open,
    activeDevices: new Set(),
    activeAccounts: new Set(),
    refusals: createRefusalLog(clock),
    probes: createIllegalProbes(clock, (asker, hit) => link.tell({ type: 'illegal-hit', asker, hit })),
    passes: new KeptPasses(),
    warnings: createWarningTickets(Buffer.from(orders.warningKey, 'base64'), clock),
    metrics: createGatewayMetrics({
      openConnections: () => listener.connections,
      openTunnels: () => open.tunnels,
      heldEvents: () => spool.held,
      policySerial: () => context.snapshots.serial,
    }),
    log,
    status: { health: () => ask('health'), ready: () => ask('ready'), metrics: () => ask('metrics') },
  };
  const listsInForce = () => [...context.snapshots.index.lists, ...illegalLists];
  addListMetrics(context.metrics.registry, listsInForce, clock);
  const leases = new Leases(leaseOffice(link));
  const pools = createUpstreamPools(dialler, limits, layout.frontSocket);
  const tls = environment.tls && {
    cert: readFileSync(environment.tls.certFile),
    key: readFileSync(environment.tls.keyFile),
  };
  const listener = createListener(context, pools, leases, orders.tlsPort === null ? null : tls);

  const keep = (error: unknown): void => {
    log.error({ err: error }, 'new snapshots could not be read; the ones in force stay');
    alarm('snapshot-refused', `Worker ${orders.worker} keeps its snapshots: ${(error as Error).message}`);
  };
  // While a list of illegal material cannot be loaded it is tried every minute, and told once.
  let told = '';
  const keepIndex = (error: Error | null): void => {
    if (error !== null && error.message !== told) keep(error);
    told = error?.message ?? '';
  };
  const renew = (read = readSnapshots): void => {
    try {
      context.snapshots = read();
      open.judgeAll(context);
    } catch (error) {
      keep(error);
    }
  };
  // Requests go on between its slices; the snapshots at hand look names up in the new index from the moment it is there.
  const indexRenewal = createPump(async () => {
    const isNew = [await index.renew(), renewIllegal()].includes(true);
    if (isNew) open.judgeAll(context);
  }, keepIndex);
  const stopSweeping = open.startSweeping(context);
  const tellState = (): void => {
    const { serial } = context.snapshots;
    const state: WorkerPulse = {
      spool: spool.health,
      held: spool.held,
      serial,
      index: index.index.sha256,
      connections: listener.connections,
      tunnels: open.tunnels,
      now: clock(),
    };
    link.tell({ type: 'pulse', ...state });
  };
  const tellActivity = (): void => {
    if (context.activeAccounts.size > 0) link.tell({ type: 'active-accounts', uses: [...context.activeAccounts] });
    context.activeAccounts.clear();
    if (context.snapshots.devices.size === 0) return;
    link.tell({ type: 'active-devices', addresses: [...context.activeDevices] });
    context.activeDevices.clear();
  };
  const activity = setInterval(tellActivity, ACTIVITY_MS);
  const pulse = setInterval(tellState, 1_000);

  let draining: Promise<void> | null = null;
  const drain = async (deadlineMs: number): Promise<void> => {
    const cut = await listener.drain(deadlineMs);
    link.tell({ type: 'drained', cut });
    clearInterval(pulse);
    clearInterval(activity);
    stopSweeping();
    await pools.close();
    await spool.close();
    if (process.connected) process.disconnect();
  };
  link.onMessage((message, answer) => {
    if (message.type === 'snapshots' && message['kind'] === 'index') indexRenewal.poke();
    else if (message.type === 'snapshots' && message['kind'] === 'live') {
      renew(() => withLive(context.snapshots, readLive()));
    } else if (message.type === 'snapshots') renew();
    else if (message.type === 'own-ports') {
      ownPorts = new Set(message['ports'] as number[]);
      renew();
    } else if (message.type === 'illegal-hit')
      context.probes.hit(message['asker'] as string, message['hit'] as CountedHit);
    else if (message.type === 'report-metrics') void reportMetrics(context.metrics.registry).then(answer);
    else if (message.type === 'refusals') {
      const found = context.refusals.of(message['client'] as string);
      answer(found.map((record) => toldRefusal(context, record, clock())));
    } else if (message.type === 'pass') {
      context.passes.add(message['pass'] as Pass);
      answer(true);
    } else if (message.type === 'drain') void (draining ??= drain(message['deadlineMs'] as number));
  });
  // Without its supervisor nobody restarts, drains or counts this worker: it finishes and goes.
  link.onGone(() => void (draining ??= drain(5_000)));

  const ports = await listener.listen({ host: environment.proxyHost, port: orders.port, tlsPort: orders.tlsPort });
  link.tell({ type: 'listening', ...ports });
  tellState();
  // Another may have come while the first was being read, before there was anybody to hear of it.
  indexRenewal.poke();
}
