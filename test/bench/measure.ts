import type { Figures, MetricId } from './figures.ts';
import type { Load } from './load/load.ts';
import type { Job, JobResult, Route } from './load/jobs.ts';
import type { WorkId } from './options.ts';
import { cpuSeconds, residentBytes } from './process-tree.ts';
import { FLAGGED_NAME, type OriginPorts, REFUSED_NAME, type RunningWay } from './setting.ts';
import type { Sizes } from './sizes.ts';

/** What every measurement needs. */
export interface Bench {
  readonly load: Load;
  readonly origin: OriginPorts;
  readonly sizes: Sizes;
  readonly figures: Figures;
}

/** What a job costs in a proxy that already runs. */
interface Step {
  readonly work: WorkId;
  readonly name: string;
  /** A refusal needs somebody who refuses, and a flag somebody who knows flags. */
  readonly ways: 'all' | 'proxies' | 'schoolgate';
  readonly job: (way: RunningWay, bench: Bench) => Job;
  readonly note: (way: RunningWay, bench: Bench, cost: Cost) => void;
}

interface Cost extends JobResult {
  /** CPU seconds of the proxy's process tree; null without a proxy. */
  readonly cpu: number | null;
}

/** The works of a round, in their order. */
export const STEPS: readonly Step[] = [
  {
    work: 'http',
    name: 'plain HTTP',
    ways: 'all',
    job: (way, { origin, sizes }) => ({
      kind: 'requests',
      route: routeOf(way, origin),
      count: sizes.requests,
      concurrency: sizes.requestConcurrency,
      refusal: null,
    }),
    note: (way, bench, cost) => noteUnits(way, bench, cost, 'http', bench.sizes.requests),
  },
  {
    work: 'connect',
    name: 'CONNECT + TLS',
    ways: 'all',
    job: (way, bench) => tunnels(way, bench, bench.sizes.tunnels),
    note: (way, bench, cost) => noteUnits(way, bench, cost, 'connect', bench.sizes.tunnels),
  },
  {
    work: 'bulk',
    name: 'bulk in a tunnel',
    ways: 'all',
    job: (way, { origin, sizes }) => ({
      kind: 'bulk',
      route: routeOf(way, origin),
      bytes: sizes.bulkBytes,
      tunnel: true,
    }),
    note: (way, bench, cost) => noteBulk(way, bench, cost, 'bulk-tunnel'),
  },
  {
    work: 'bulk',
    name: 'bulk over plain HTTP',
    ways: 'all',
    job: (way, { origin, sizes }) => ({
      kind: 'bulk',
      route: routeOf(way, origin),
      bytes: sizes.bulkBytes,
      tunnel: false,
    }),
    note: (way, bench, cost) => noteBulk(way, bench, cost, 'bulk-http'),
  },
  {
    work: 'refused',
    name: 'refused plain requests',
    ways: 'proxies',
    job: (way, bench) => refusedRequests(way, bench, REFUSED_NAME),
    note: (way, bench, cost) => noteUnits(way, bench, cost, 'refused-http', bench.sizes.refusedRequests),
  },
  {
    work: 'refused',
    name: 'refused plain requests that are flagged',
    ways: 'schoolgate',
    job: (way, bench) => refusedRequests(way, bench, FLAGGED_NAME),
    note: (way, bench, cost) => noteUnits(way, bench, cost, 'flagged-http', bench.sizes.refusedRequests),
  },
  {
    work: 'refused',
    name: 'refused CONNECTs',
    ways: 'proxies',
    job: (way, { origin, sizes }) => ({
      kind: 'refused-tunnels',
      route: { ...routeOf(way, origin), host: REFUSED_NAME },
      count: sizes.refusedTunnels,
      concurrency: sizes.tunnelConcurrency,
      refusal: way.refusal.connect,
    }),
    note: (way, bench, cost) => noteUnits(way, bench, cost, 'refused-connect', bench.sizes.refusedTunnels),
  },
  {
    work: 'latency',
    name: 'one tunnel at a time',
    ways: 'all',
    job: (way, bench) => ({ ...tunnels(way, bench, bench.sizes.singleTunnels), concurrency: 1 }),
    note: (way, { figures }, cost) => figures.add('single.p50', way.id, cost.p50Ms),
  },
  {
    work: 'latency',
    name: 'GETs in one tunnel',
    ways: 'all',
    job: (way, { origin, sizes }) => ({ kind: 'round-trips', route: routeOf(way, origin), count: sizes.roundTrips }),
    note: (way, { figures }, cost) => figures.add('round-trip.p50', way.id, cost.p50Ms),
  },
];

/** Whether a step makes sense on a way. */
export function suits({ ways }: Step, { id, port }: RunningWay): boolean {
  return ways === 'all' || (ways === 'proxies' ? port !== null : id === ways);
}

/** Runs one step on one way and notes what it cost. */
export async function measureStep(step: Step, way: RunningWay, bench: Bench): Promise<void> {
  step.note(way, bench, await costOf(step.job(way, bench), way, bench));
}

/** The first tunnels of a proxy that has just started. */
export async function measureCold(way: RunningWay, bench: Bench): Promise<void> {
  const { coldTunnels } = bench.sizes;
  noteUnits(way, bench, await costOf(tunnels(way, bench, coldTunnels), way, bench), 'cold', coldTunnels);
}

/** Tunnels and requests that are not counted, so that code is compiled, pools are filled and heaps have grown. */
export async function warmUp(way: RunningWay, bench: Bench): Promise<void> {
  const { origin, sizes } = bench;
  const route = routeOf(way, origin);
  await run(way, bench, tunnels(way, bench, sizes.warmTunnels));
  await run(way, bench, {
    kind: 'requests',
    route,
    count: sizes.warmRequests,
    concurrency: sizes.requestConcurrency,
    refusal: null,
  });
}

/** What idle tunnels hold of a proxy's memory: fresh after the handshake, and after data has passed each. */
export async function measureIdle(way: RunningWay, bench: Bench): Promise<void> {
  const { origin, sizes, figures } = bench;
  const { idleTunnels, idleBytes, tunnelConcurrency } = sizes;
  const kbEach = (after: number, before: number): number => (after - before) / 1024 / idleTunnels;
  const pid = way.pid!;
  await run(way, bench, tunnels(way, bench, sizes.tunnels));
  const before = await settledMemory(pid);
  const route = routeOf(way, origin);
  await run(way, bench, { kind: 'hold', route, count: idleTunnels, concurrency: tunnelConcurrency });
  const fresh = await settledMemory(pid);
  await run(way, bench, { kind: 'fill', bytes: idleBytes, concurrency: tunnelConcurrency });
  const used = await settledMemory(pid);
  await run(way, bench, { kind: 'release' });
  figures.add('idle.before', way.id, before / 2 ** 20);
  figures.add('idle.fresh', way.id, kbEach(fresh, before));
  figures.add('idle.used', way.id, kbEach(used, before));
}

function routeOf(way: RunningWay, origin: OriginPorts): Route {
  const { port, originHost, keepAlive } = way;
  return { proxyPort: port, host: originHost, keepAlive, httpPort: origin.http, tlsPort: origin.tls, ca: origin.ca };
}

function tunnels(way: RunningWay, { origin, sizes }: Bench, count: number): Job & { kind: 'tunnels' } {
  return { kind: 'tunnels', route: routeOf(way, origin), count, concurrency: sizes.tunnelConcurrency };
}

function refusedRequests(way: RunningWay, { origin, sizes }: Bench, host: string): Job {
  return {
    kind: 'requests',
    route: { ...routeOf(way, origin), host },
    count: sizes.refusedRequests,
    concurrency: sizes.requestConcurrency,
    refusal: way.refusal.plain,
  };
}

async function costOf(job: Job, way: RunningWay, bench: Bench): Promise<Cost> {
  const before = way.pid === null ? null : cpuSeconds(way.pid);
  const result = await run(way, bench, job);
  await pause(bench.sizes.settleMs);
  return { ...result, cpu: before === null ? null : cpuSeconds(way.pid!) - before };
}

async function run(way: RunningWay, { load }: Bench, job: Job): Promise<JobResult> {
  try {
    return await load.run(job);
  } catch (error) {
    throw new Error(`${way.id}, ${job.kind}: ${(error as Error).message}`, { cause: error });
  }
}

type Prefix<Suffix extends string> = MetricId extends infer Id
  ? Id extends `${infer P}.${Suffix}`
    ? P
    : never
  : never;

function noteUnits(
  way: RunningWay,
  { figures }: Bench,
  cost: Cost,
  name: Prefix<'cpu'> & Prefix<'p50'> & Prefix<'p99'>,
  units: number,
): void {
  if (cost.cpu !== null) figures.add(`${name}.cpu`, way.id, (cost.cpu * 1e6) / units);
  figures.add(`${name}.p50`, way.id, cost.p50Ms);
  figures.add(`${name}.p99`, way.id, cost.p99Ms);
}

function noteBulk(way: RunningWay, { figures, sizes }: Bench, cost: Cost, name: 'bulk-tunnel' | 'bulk-http'): void {
  const gigabytes = sizes.bulkBytes / 1e9;
  if (cost.cpu !== null) figures.add(`${name}.cpu`, way.id, cost.cpu / gigabytes);
  figures.add(`${name}.time`, way.id, cost.seconds / gigabytes);
}

const MEMORY_STEP_MS = 500;
const MEMORY_STEPS = 20;

/** Resident memory once it has stopped moving by more than 1 % for a second and a half, or after ten. */
export async function settledMemory(pid: number): Promise<number> {
  let last = residentBytes(pid);
  for (let step = 0, quiet = 0; step < MEMORY_STEPS && quiet < 3; step++) {
    await pause(MEMORY_STEP_MS);
    const now = residentBytes(pid);
    quiet = Math.abs(now - last) < last / 100 ? quiet + 1 : 0;
    last = now;
  }
  return last;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
