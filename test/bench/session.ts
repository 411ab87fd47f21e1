// origin ◄── proxy (or none) ◄── load generator: each a process of its own, all on loopback, all ended here
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNameServer } from '../helpers/dns.ts';
import { Figures } from './figures.ts';
import { measureLists } from './lists/measure-lists.ts';
import { end, startLoad } from './load/load.ts';
import { measureAlerts } from './measure-alerts.ts';
import { measureDecide } from './measure-decide.ts';
import { measurePages } from './measure-pages.ts';
import { measureHistory } from './history/measure-history.ts';
import { type Bench, measureCold, measureIdle, measureStep, STEPS, warmUp, suits } from './measure.ts';
import type { WorkId } from './options.ts';
import { ORIGIN_NAME, type OriginPorts, type RunningWay, type Way } from './setting.ts';
import type { Sizes } from './sizes.ts';
import { measureSignIns } from './sign-in.ts';
import { measureSwap, type SwapPlace } from './swap.ts';

/** Tunnels at once outside the idle work. */
const FEW_TUNNELS = 300;

type Start = (way: Way, tunnels: number, names?: readonly string[]) => Promise<RunningWay>;

/** Measures the wanted works on all ways. Proxies take turns within each round, so that what disturbs one disturbs all. */
export async function measureAll(
  only: ReadonlySet<WorkId>,
  ways: readonly Way[],
  sizes: Sizes,
  say: (text: string) => void,
): Promise<Figures> {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const origin = await startOrigin(stack);
  const names = stack.use(await startNameServer([[ORIGIN_NAME, ['127.0.0.1']]]));
  const bench: Bench = { load: stack.use(startLoad()), origin, sizes, figures: new Figures() };
  let started = 0;
  const start: Start = (way, tunnels, listed = []) => {
    const own = join(folder, `${way.id}-${++started}`);
    mkdirSync(own);
    return way.start({ folder: own, origin, nameServer: names.address, tunnels, names: listed });
  };
  if (only.has('cold')) await coldRounds(ways, bench, start, say);
  await warmRounds(only, ways, bench, start, say);
  if (only.has('sign-in')) await signInRound(ways, bench, { folder, nameServer: names.address }, say);
  if (only.has('swap')) await swapRound(ways, bench, { folder, nameServer: names.address }, say);
  if (only.has('idle')) await idleRound(ways, bench, start, say);
  if (only.has('lists')) {
    await measureLists(ways, bench, folder, (way, listed) => start(way, FEW_TUNNELS, listed), say);
  }
  if (only.has('decide')) measureDecide(bench.figures, sizes.decisions);
  if (only.has('pages')) await measurePages(bench.figures, sizes.pages, say);
  if (only.has('alerts')) await measureAlerts(bench.figures, sizes.alertSeconds, folder);
  if (only.has('history')) await measureHistory(bench.figures, sizes, folder, say);
  return bench.figures;
}

type Say = (text: string) => void;

async function coldRounds(ways: readonly Way[], bench: Bench, start: Start, say: Say): Promise<void> {
  for (let round = 0; round < bench.sizes.rounds; round++) {
    for (const way of rotate(ways, round)) {
      say(`just started, round ${round + 1}: ${way.id}`);
      await using running = await start(way, FEW_TUNNELS);
      await measureCold(running, bench);
    }
  }
}

async function warmRounds(
  only: ReadonlySet<WorkId>,
  ways: readonly Way[],
  bench: Bench,
  start: Start,
  say: Say,
): Promise<void> {
  const steps = STEPS.filter(({ work }) => only.has(work));
  if (steps.length === 0) return;
  await using stack = new AsyncDisposableStack();
  const running: RunningWay[] = [];
  for (const way of ways) {
    say(`warming up: ${way.id}`);
    const one = stack.use(await start(way, FEW_TUNNELS));
    await warmUp(one, bench);
    running.push(one);
  }
  for (let round = 0; round < bench.sizes.rounds; round++) {
    for (const step of steps) {
      say(`round ${round + 1}: ${step.name}`);
      const able = running.filter((way) => suits(step, way));
      for (const way of rotate(able, round)) await measureStep(step, way, bench);
    }
  }
}

/** Of Schoolgate alone, and once: the rounds lie in it. */
async function signInRound(ways: readonly Way[], bench: Bench, place: SwapPlace, say: Say): Promise<void> {
  for (const way of ways.filter(({ id }) => id === 'schoolgate')) {
    say(`${bench.sizes.classes} times 21 sign-ins: ${way.id}`);
    await measureSignIns(way, bench, place);
  }
}

/** Of Schoolgate alone, and once: the rounds lie in it. */
async function swapRound(ways: readonly Way[], bench: Bench, place: SwapPlace, say: Say): Promise<void> {
  for (const way of ways.filter(({ id }) => id === 'schoolgate')) {
    say(`${bench.sizes.swaps} times another index of ${bench.sizes.swapNames} names: ${way.id}`);
    await measureSwap(way, bench, place);
  }
}

/** Once only: memory hardly varies, and five thousand tunnels take their time. */
async function idleRound(ways: readonly Way[], bench: Bench, start: Start, say: Say): Promise<void> {
  for (const way of ways.filter(({ id }) => id !== 'direct')) {
    say(`${bench.sizes.idleTunnels} idle tunnels: ${way.id}`);
    await using running = await start(way, bench.sizes.idleTunnels);
    await measureIdle(running, bench);
  }
}

function rotate<T>(list: readonly T[], by: number): T[] {
  return list.map((_, i) => list[(i + by) % list.length]!);
}

async function startOrigin(stack: AsyncDisposableStack): Promise<OriginPorts> {
  const child = fork(join(import.meta.dirname, 'origin-process.ts'), [ORIGIN_NAME, 'localhost']);
  stack.defer(() => end(child));
  const [ports] = (await once(child, 'message')) as [OriginPorts];
  return ports;
}

/** Readable for the daemons' own users; removed however the run ends. */
function temporaryFolder(stack: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'schoolgate-bench-'));
  chmodSync(folder, 0o755);
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', remove);
  stack.defer(() => {
    remove();
    process.off('exit', remove);
  });
  return folder;
}
