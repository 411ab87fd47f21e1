import { randomBytes } from 'node:crypto';
import type { IllegalIndex } from '../../src/categories/illegal-match.ts';
import type { CategoryIndex } from '../../src/categories/match.ts';
import type { AccessRecord } from '../../src/events/access-record.ts';
import type { EventEnvelope } from '../../src/events/catalogue.ts';
import type { Spool, SpoolHealth } from '../../src/events/spool.ts';
import { holds } from '../../src/gateway/admit.ts';
import type { GatewayContext } from '../../src/gateway/context.ts';
import { createDialler, type Dialler, type ParentProxy } from '../../src/gateway/dial.ts';
import { LeaseBook, type LeaseOffice, Leases, WHOLE_GATEWAY } from '../../src/gateway/leases.ts';
import { DEFAULT_LIMITS, type GatewayLimits } from '../../src/gateway/limits.ts';
import { createListener, type Listener, type TlsFiles } from '../../src/gateway/listener.ts';
import { createGatewayMetrics } from '../../src/gateway/metrics.ts';
import { OpenConnections } from '../../src/gateway/open-connections.ts';
import { createProxyAuth, type ProxyAuthOptions } from '../../src/gateway/proxy-auth.ts';
import { createIllegalProbes } from '../../src/gateway/illegal-probes.ts';
import { createRefusalLog } from '../../src/gateway/refusal-log.ts';
import type { Resolve } from '../../src/gateway/resolve.ts';
import { prepareSnapshots, withLive } from '../../src/gateway/snapshots.ts';
import { UpstreamError } from '../../src/gateway/upstream-error.ts';
import { createUpstreamPools } from '../../src/gateway/upstream-pools.ts';
import { createWarningTickets } from '../../src/gateway/warning-ticket.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Proof } from '../../src/identity/credentials.ts';
import type { DeviceSession } from '../../src/identity/signed-in-devices.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { KeptPasses } from '../../src/policy/passes.ts';
import { readPolicy } from '../../src/policy/read.ts';
import type { Grant, LiveSnapshot, PolicySnapshot, TeacherLesson } from '../../src/policy/snapshot.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { eventually } from './listening.ts';
import { createTestIllegal } from './test-illegal.ts';
import { createTestIndex } from './test-index.ts';

/** A spool in memory, so that a test can look at what would have been kept. */
export class MemorySpool implements Spool {
  readonly events: EventEnvelope[] = [];
  readonly records: AccessRecord[] = [];
  readonly openings: AccessRecord[] = [];
  health: SpoolHealth = 'ok';
  readonly held = 0;
  /** Set to hold events back: they are kept only when the promise resolves. */
  gate: Promise<void> = Promise.resolve();

  /** Events that are handed in and not kept yet. */
  waiting = 0;

  async event(envelope: EventEnvelope): Promise<void> {
    this.waiting++;
    await this.gate;
    this.waiting--;
    this.events.push(envelope);
  }

  record(record: AccessRecord): void {
    this.records.push(record);
  }

  opening(_id: string, record: () => AccessRecord): void {
    this.openings.push(record());
  }

  async close(): Promise<void> {}
}

export interface TestGatewayOptions {
  /** `school.yaml` keys to add or replace, as YAML text of the `network` and `identity` blocks. */
  readonly network?: string;
  readonly identity?: string;
  readonly never?: readonly string[];
  /** Host (or host/path) → categories. */
  readonly listed?: Readonly<Record<string, readonly string[]>>;
  /** Actions of the one level `ks1` by category. */
  readonly categories?: Readonly<Record<string, string>>;
  /** More level files, by id. */
  readonly levels?: Readonly<Record<string, string>>;
  /** Agreement files, by band. */
  readonly agreements?: Readonly<Record<string, string>>;
  /** The text of `rules.yaml`. */
  readonly rules?: string;
  /** Names that resolve, besides localhost. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  /** Instead of `names`: the resolver itself. */
  readonly resolve?: Resolve;
  /** Instead of `listed`: the index itself. */
  readonly index?: CategoryIndex;
  /** The loaded lists of illegal material. */
  readonly illegal?: IllegalIndex;
  /** Where a port of the outside lies on loopback, such as 80, which a test cannot listen on. */
  readonly portMap?: Readonly<Record<number, number>>;
  /** Ports of our own listeners, never a destination. */
  readonly ownPorts?: ReadonlySet<number>;
  readonly limits?: Partial<GatewayLimits>;
  readonly parent?: ParentProxy;
  readonly tls?: TlsFiles;
  readonly clock?: Clock;
  /** Instead of a console that is away: who checks names and passwords. */
  readonly verify?: ProxyAuthOptions['verify'];
  readonly frontSocket?: string;
  /** What connects at most at a time. */
  readonly connectionsPerClient?: number;
  /** Instead of a lease book of its own: whom this worker asks for slots. */
  readonly office?: LeaseOffice;
}

/** One gateway worker in this process, on a free loopback port, with a spool in memory. */
export interface TestGateway extends AsyncDisposable {
  readonly port: number;
  readonly tlsPort: number | null;
  readonly spool: MemorySpool;
  readonly context: GatewayContext;
  readonly listener: Listener;
  /** Puts other grants or another policy in force, as a snapshot from the console would. */
  setGrants(grants: readonly Grant[]): void;
  /** Puts another live snapshot in force. */
  setLive(live: LiveSnapshot): void;
  /** The same with sign-ins and lesson lists alone. */
  setSessions(sessions: readonly DeviceSession[], lessons?: readonly TeacherLesson[]): void;
  /** Puts another policy or index in force; what is not given stays. */
  setPolicy(changes: Partial<TestGatewayOptions>): void;
  /** The only record of a test, once it is there. */
  record(matching?: (record: AccessRecord) => boolean): Promise<AccessRecord>;
  close(): Promise<void>;
}

const CATEGORIES = [
  { id: 'games', title: 'Games', locked: false, flag: false },
  { id: 'gambling', title: 'Gambling', locked: false, flag: true },
  { id: 'self-harm', title: 'Self-harm', locked: false, flag: true },
  { id: 'news', title: 'News', locked: false, flag: false },
  { id: 'malware', title: 'Malware', locked: false, flag: true },
  { id: 'phishing', title: 'Phishing', locked: false, flag: true },
  { id: 'known-good', title: 'Known good', locked: false, flag: false },
  { id: 'csam', title: 'Child sexual abuse material', locked: true, flag: true },
];

/** Of somebody whose credentials a console has just found right. */
export function proof(user: string, change: Partial<Proof> = {}): Proof {
  return { user, at: 0, mustChange: false, agreed: null, ...change };
}

/** Ports of origins in tests are random, so they are named here: TLS ports and plain ones. */
export async function startTestGateway(
  ports: { readonly tls?: readonly number[]; readonly http?: readonly number[]; readonly raw?: readonly number[] },
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
  const clock = options.clock ?? Date.now;
  const ids = createIdMaker(clock);
  const spool = new MemorySpool();
  const open = new OpenConnections();
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const resolve = options.resolve ?? resolveFrom(options.names ?? {});
  const real = createDialler(resolve, options.parent ?? null, limits.connectMs);
  const dialler: Dialler = {
    ...real,
    connect: (route, onread) => real.connect({ ...route, port: options.portMap?.[route.port] ?? route.port }, onread),
  };
  let inForce = options;
  let serial = 1;
  const snapshots = (grants: readonly Grant[]) => {
    const { open: openly, illegal } = splitListed(inForce.listed ?? {});
    return prepareSnapshots(
      { body: testPolicy(ports, inForce), serial: serial++ },
      { people: [] },
      { grants },
      inForce.index ?? createTestIndex(openly),
      inForce.illegal ?? illegal,
      options.ownPorts ?? new Set(),
    );
  };
  const context: GatewayContext = {
    gateway: 'gw-test',
    worker: 1,
    clock,
    ids,
    limits,
    snapshots: snapshots([]),
    proxyAuth: createProxyAuth({
      clock,
      key: randomBytes(32),
      verify: options.verify ?? (async () => 'no-answer'),
      holds: (proof) => holds(context.snapshots.renewals, proof),
      isClass: (user) => context.snapshots.classAccounts.has(user),
    }),
    dialler,
    spool,
    open,
    activeDevices: new Set(),
    activeAccounts: new Set(),
    refusals: createRefusalLog(clock),
    probes: createIllegalProbes(clock, () => {}),
    passes: new KeptPasses(),
    warnings: createWarningTickets(Buffer.alloc(32, 3), clock),
    metrics: createGatewayMetrics({
      openConnections: () => listener.connections,
      openTunnels: () => open.tunnels,
      heldEvents: () => 0,
      policySerial: () => context.snapshots.serial,
    }),
    log: createLogger('test', 'silent'),
    status: {
      health: async () => ({ status: 200, body: { status: 'ok' } }),
      ready: async () => ({ status: 200, body: { ready: true } }),
      metrics: async () => '',
    },
  };
  const pools = createUpstreamPools(dialler, limits, options.frontSocket ?? '/nonexistent/front.sock');
  const book = new LeaseBook((key) => (key === WHOLE_GATEWAY ? 100_000 : (options.connectionsPerClient ?? 100_000)));
  const leases = new Leases(
    options.office ?? {
      ask: async (key, count) => book.grant(1, key, count),
      giveBack: (key, count) => book.giveBack(1, key, count),
    },
  );
  const listener = createListener(context, pools, leases, options.tls ?? null);
  const bound = await listener.listen({ host: '127.0.0.1', port: 0, tlsPort: options.tls === undefined ? null : 0 });
  const stopSweeping = open.startSweeping(context);
  const setLive = (live: LiveSnapshot): void => {
    context.snapshots = withLive(context.snapshots, live);
    open.judgeAll(context);
  };
  const close = async (): Promise<void> => {
    stopSweeping();
    await listener.drain(0);
    await pools.close();
  };
  return {
    ...bound,
    spool,
    context,
    listener,
    setGrants: (grants) => {
      context.snapshots = snapshots(grants);
      open.judgeAll(context);
    },
    setLive,
    setSessions: (sessions, lessons = []) => setLive({ grants: [], sessions, lessons }),
    setPolicy: (changes) => {
      inForce = { ...inForce, ...changes };
      context.snapshots = snapshots([]);
      open.judgeAll(context);
    },
    record: async (matching = () => true) => {
      await eventually('a record', () => spool.records.some(matching));
      return spool.records.find(matching)!;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What is listed in a locked category stands in lists of its own. */
function splitListed(listed: Readonly<Record<string, readonly string[]>>): {
  readonly open: Readonly<Record<string, readonly string[]>>;
  readonly illegal: IllegalIndex | null;
} {
  const locked = Object.entries(listed).filter(([, ids]) => ids.includes('csam'));
  const open = Object.fromEntries(Object.entries(listed).filter(([, ids]) => !ids.includes('csam')));
  if (locked.length === 0) return { open, illegal: null };
  return { open, illegal: createTestIllegal({ csam: locked.map(([entry]) => entry) }).index };
}

function resolveFrom(names: Readonly<Record<string, readonly string[]>>): Resolve {
  return async (name) => {
    const found = names[name];
    if (found === undefined) throw new UpstreamError('dns_error', 'There is no site of that name.');
    return found;
  };
}

function testPolicy(
  ports: { readonly tls?: readonly number[]; readonly http?: readonly number[]; readonly raw?: readonly number[] },
  options: TestGatewayOptions,
): PolicySnapshot {
  const connect = [
    ...(ports.tls ?? []).map((port) => `{ port: ${port} }`),
    ...(ports.raw ?? []).map((port) => `{ port: ${port}, tls: false }`),
    '{ port: 443 }',
    '{ port: 80, tls: false }',
  ];
  const categories = {
    gambling: 'block',
    games: 'monitor',
    malware: 'block',
    phishing: 'block',
    ...options.categories,
  };
  const school = [
    'name: Test School',
    'timeZone: Europe/London',
    'contacts: { pupils: your teacher, staff: the network manager }',
    `never: ${JSON.stringify(options.never ?? [])}`,
    options.identity ?? 'identity: { mode: open, strictestLevel: ks1 }',
    options.network ??
      `network:
  clients: ["127.0.0.0/8", "::1"]
  allowDestinations: ["127.0.0.0/8", "::1"]
  connectPorts: [${connect.join(', ')}]
  httpPorts: [80, 8080${(ports.http ?? []).map((port) => `, ${port}`).join('')}]`,
  ];
  const ks1 = `title: Key stage 1\nvoice: child\nuncategorised: allow\ncategories: ${JSON.stringify(categories)}\n`;
  const files = new Map([
    ['school.yaml', school.join('\n')],
    ['levels/ks1.yaml', ks1],
    ...(options.rules === undefined ? [] : [['rules.yaml', options.rules] as const]),
    ...Object.entries(options.levels ?? {}).map(([id, text]): [string, string] => [`levels/${id}.yaml`, text]),
    ...Object.entries(options.agreements ?? {}).map(([id, text]): [string, string] => [`agreements/${id}.yaml`, text]),
  ]);
  const read = readPolicy(files);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const compiled = compilePolicy(read.documents, CATEGORIES);
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  return compiled.snapshot;
}
