import type { RawConnection } from '../../helpers/raw-client.ts';
import { getBulkInTunnel, getInTunnel, openTunnel, PlainClient, refusedTunnel } from './client.ts';
import type { Bulk, Job, JobResult, Requests, Route } from './jobs.ts';

/** The tunnels of the last `hold`, kept between jobs. */
export interface Held {
  route: Route | null;
  tunnels: RawConnection[];
}

/** Does one job and measures each unit of it. Rejects at the first response that is wrong. */
export async function runJob(job: Job, held: Held): Promise<JobResult> {
  const started = performance.now();
  const latencies = await WORK[job.kind](job as never, held);
  const seconds = (performance.now() - started) / 1000;
  latencies.sort();
  return { seconds, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
}

type Work = { readonly [K in Job['kind']]: (job: Extract<Job, { kind: K }>, held: Held) => Promise<Float64Array> };

const WORK: Work = {
  requests: requests,
  tunnels: ({ route, count, concurrency }) =>
    inLanes(count, concurrency, async (lane) => {
      const started = performance.now();
      const tunnel = await openTunnel(route, lane);
      try {
        await getInTunnel(tunnel, route.host);
        return performance.now() - started;
      } finally {
        await tunnel.close();
      }
    }),
  'refused-tunnels': ({ route, count, concurrency, refusal }) =>
    inLanes(count, concurrency, (lane) => timed(() => refusedTunnel(route, lane, refusal))),
  bulk: bulk,
  'round-trips': async ({ route, count }) => {
    await using tunnel = await openTunnel(route, 0);
    return await inLanes(count, 1, () => timed(() => getInTunnel(tunnel, route.host)));
  },
  hold: async ({ route, count, concurrency }, held) => {
    held.route = route;
    return await inLanes(count, concurrency, (_lane, number) =>
      timed(async () => {
        held.tunnels.push(await openTunnel(route, number));
      }),
    );
  },
  fill: ({ bytes, concurrency }, { route, tunnels }) =>
    inLanes(tunnels.length, concurrency, (_lane, number) =>
      timed(() => getBulkInTunnel(tunnels[number]!, route!.host, bytes)),
    ),
  release: async (_job, held) => {
    const open = held.tunnels.filter(({ peer }) => peer === 'open').length;
    const expected = held.tunnels.length;
    await Promise.all(held.tunnels.splice(0).map((tunnel) => tunnel.close()));
    if (open < expected)
      throw new Error(`${expected - open} of ${expected} idle tunnels were closed by the other side`);
    return new Float64Array();
  },
};

async function requests({ route, count, concurrency, refusal }: Requests): Promise<Float64Array> {
  await using stack = new AsyncDisposableStack();
  const clients = Array.from({ length: concurrency }, (_, i) => stack.use(new PlainClient(route, i)));
  return await inLanes(count, concurrency, (lane) => timed(() => clients[lane]!.get(refusal)));
}

async function bulk({ route, bytes, tunnel }: Bulk): Promise<Float64Array> {
  if (!tunnel) {
    await using client = new PlainClient(route, 0);
    return Float64Array.of(await timed(() => client.getBulk(bytes)));
  }
  await using connection = await openTunnel(route, 0);
  return Float64Array.of(await timed(() => getBulkInTunnel(connection, route.host, bytes)));
}

/** Runs `count` units in `concurrency` lanes, one unit at a time in each, and gives each unit's latency in ms. */
async function inLanes(
  count: number,
  concurrency: number,
  unit: (lane: number, number: number) => Promise<number>,
): Promise<Float64Array> {
  const latencies = new Float64Array(count);
  let next = 0;
  const lane = async (_: unknown, number: number): Promise<void> => {
    while (next < count) {
      const mine = next++;
      try {
        latencies[mine] = await unit(number, mine);
      } catch (error) {
        next = count;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(concurrency, count) }, lane));
  const failed = lanes.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return latencies;
}

async function timed(unit: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await unit();
  return performance.now() - started;
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
