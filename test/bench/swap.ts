// two builds of the same names, but for one ─► put in force in turn, under load ─► what clients feel, and what the worker's memory says
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildIndex } from '../../src/categories/build-index.ts';
import { type IndexManifest, putInForce, readManifest } from '../../src/categories/current-index.ts';
import { createDataFolders, type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { childrenOf } from '../helpers/processes.ts';
import { getThrough } from '../helpers/proxied.ts';
import type { Requests } from './load/jobs.ts';
import type { Bench } from './measure.ts';
import { ORIGIN_NAME, REFUSED_NAME, type Way } from './setting.ts';

/** Known to one of the two builds. No name server knows it. */
const ALTERNATING_NAME = 'www.alternating.test';
const MB = 2 ** 20;
const LOOK_MS = 10;
const IN_FORCE_MS = 30_000;
const LANES = 8;
/** About what one swap takes, ms: the load goes on as long without any, first uncounted, so that the heap has grown, and then counted. */
const SWAP_MS = 360;

export interface SwapPlace {
  /** Empty. */
  readonly folder: string;
  /** `ip:port`. */
  readonly nameServer: string;
}

/** One of two indexes that take turns. */
interface Variant {
  readonly manifest: IndexManifest;
  readonly file: string;
  /** What a request for the alternating name is answered with. */
  readonly status: number;
}

/** Replaces the index again and again while clients ask; one failed request or wrong verdict ends the run. */
export async function measureSwap(way: Way, bench: Bench, { folder, nameServer }: SwapPlace): Promise<void> {
  const { sizes, origin, figures } = bench;
  const own = join(folder, 'swap');
  mkdirSync(own);
  await using running = await way.start({ folder: own, origin, nameServer, tunnels: LANES, names: [] });
  const port = running.port!;
  const layout = dataLayout(join(own, 'data'));
  const variants = [await build(own, 'without', sizes.swapNames, 502), await build(own, 'with', sizes.swapNames, 403)];
  await put(layout, variants[0]!, port);
  const worker = childrenOf(running.pid!).find(({ module }) => module === 'worker-process.ts')!.pid;
  const route = {
    ...origin,
    proxyPort: port,
    host: ORIGIN_NAME,
    keepAlive: true,
    httpPort: origin.http,
    tlsPort: origin.tls,
  };
  const ask = (host: string, refusal: number | null): Requests => ({
    kind: 'requests',
    route: { ...route, host },
    count: sizes.swapRequests,
    concurrency: LANES / 2,
    refusal,
  });
  /** Sites that are open and sites that are not, at once; gives the 99th percentile of the open ones, ms. */
  const load = async (): Promise<number> => {
    const [open] = await Promise.all([bench.load.run(ask(ORIGIN_NAME, null)), bench.load.run(ask(REFUSED_NAME, 403))]);
    return open.p99Ms;
  };
  const loadAlone = async (note: (p99Ms: number) => void): Promise<void> => {
    const end = performance.now() + sizes.swaps * SWAP_MS;
    while (performance.now() < end) note(await load());
  };
  await loadAlone(() => {});
  for (const variant of [variants[1]!, variants[0]!]) await put(layout, variant, port);

  forgetPeak(worker);
  await loadAlone((p99Ms) => figures.add('swap.before', way.id, p99Ms));
  const steady = peakBytes(worker);
  forgetPeak(worker);
  const over = new AbortController();
  const swapping = (async () => {
    for (let swap = 1; swap <= sizes.swaps; swap++) {
      figures.add('swap.time', way.id, await put(layout, variants[swap % 2]!, port));
    }
  })().finally(() => over.abort());
  // A wrong answer in the load ends the run, and so does a swap that does not come.
  while (!over.signal.aborted) figures.add('swap.during', way.id, await load());
  await swapping;
  const peak = peakBytes(worker);
  figures.add('swap.steady', way.id, steady / MB);
  figures.add('swap.peak', way.id, peak / MB);
  figures.add('swap.growth', way.id, (peak - steady) / variants[0]!.manifest.bytes);
}

/** Builds the lists of the proxy that runs, with so many names more, and the alternating one if it is to be refused. */
async function build(own: string, name: string, names: number, status: number): Promise<Variant> {
  const listsDir = join(own, `lists-${name}`);
  cpSync(join(own, 'blocklists'), listsDir, { recursive: true });
  const more = Array.from({ length: names }, (_, i) => `n${i}.made-up-${i % 977}.test\n`);
  if (status === 403) more.push(`${ALTERNATING_NAME}\n`);
  const games = join(listsDir, 'starter/games.txt');
  writeFileSync(games, `${readFileSync(games, 'utf8')}${more.join('')}`);
  const layout = dataLayout(join(own, `data-${name}`));
  createDataFolders(layout);
  await buildIndex({ listsDir, layout, clock: systemClock });
  const manifest = readManifest(layout)!;
  return { manifest, file: join(layout.index, manifest.file), status };
}

/** Puts a build in force as `lists build` does, and waits until a client can tell; gives how long that took, ms. */
async function put(layout: DataLayout, { manifest, file, status }: Variant, port: number): Promise<number> {
  const path = join(layout.index, manifest.file);
  if (!existsSync(path)) copyFileSync(file, path);
  const begun = performance.now();
  putInForce(layout, manifest);
  for (;;) {
    const found = (await getThrough(port, `http://${ALTERNATING_NAME}/`)).status;
    const ms = performance.now() - begun;
    if (found === status) return ms;
    if (found !== 403 && found !== 502) throw new Error(`schoolgate, swap: ${ALTERNATING_NAME} was answered ${found}`);
    if (ms > IN_FORCE_MS) throw new Error(`schoolgate, swap: the index was not in force after ${IN_FORCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** The highest resident memory since `forgetPeak`, bytes (proc(5): VmHWM, and 5 written to clear_refs). */
function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
