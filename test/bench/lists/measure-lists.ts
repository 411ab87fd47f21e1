import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settledMemory, type Bench } from '../measure.ts';
import type { RunningWay, Way } from '../setting.ts';
import { createNames, type Names } from './names.ts';
import type { ListResults, ListTask } from './tasks.ts';

const MILLION = 1e6;
/** MB of 5 million names from the bytes of one. */
const FIVE = 5;
/** Hosts that are looked up again and again: more than a processor's caches hold. */
const HOSTS = 200_000;
/** Hosts that a proxy with a list is asked for, to see that it has it. */
const PROBES = 10;

type StartWith = (way: Way, names: readonly string[]) => Promise<RunningWay>;

/** What a list of names costs: Schoolgate in every way, Squid and e2guardian to hold the same names and to be ready with them. */
export async function measureLists(
  ways: readonly Way[],
  bench: Bench,
  folder: string,
  start: StartWith,
  say: (text: string) => void,
): Promise<void> {
  const names = createNames();
  const { listNames, manyNames, listRounds } = bench.sizes;
  say(`names: variants of ${names.isReal ? 'real ones' : 'made ones, for want of real lists'}`);
  for (let round = 0; round < listRounds; round++) {
    for (const way of ways) {
      if (way.id === 'schoolgate') {
        say(`lists, round ${round + 1}: ${listNames} names in schoolgate`);
        await measureOwn(names, bench, join(folder, `lists-${round}`));
      } else if (way.id === 'squid' || way.id === 'e2guardian') {
        say(`lists, round ${round + 1}: ${listNames} names in ${way.id}`);
        await measureOther(way, names.take(listNames, 0), bench, start);
      }
    }
  }
  if (!ways.some(({ id }) => id === 'schoolgate')) return;
  say(`lists: ${manyNames} names in schoolgate`);
  const many = join(folder, 'lists-many');
  writeLists(many, names.take(manyNames, 0));
  const built = await runTask({ kind: 'build', folder: many });
  // A quick run has fewer names, and they take as much each.
  bench.figures.add('lists-many.size', 'schoolgate', (built.bytes / built.names) * FIVE);
}

async function measureOwn(names: Names, { figures, sizes }: Bench, folder: string): Promise<void> {
  const { listNames, lookUps } = sizes;
  writeLists(folder, names.take(listNames, 0));
  const built = await runTask({ kind: 'build', folder });
  const hosts = (from: number): string[] =>
    names.take(Math.min(HOSTS, listNames), from).map((name) => `www.cdn.${name}`);
  const task = { folder, listed: hosts(0), unlisted: hosts(listNames), count: lookUps };
  const found = await runTask({ kind: 'look-up', ...task });
  figures.add('lists.disk', 'schoolgate', built.bytes / built.names);
  figures.add('lists.memory', 'schoolgate', found.memoryBytes / built.names);
  figures.add('lists.ready', 'schoolgate', (found.loadSeconds / built.names) * MILLION);
  figures.add('lists.build', 'schoolgate', (built.cpuSeconds / built.names) * MILLION);
  figures.add('lists.hit', 'schoolgate', found.hitMicros);
  figures.add('lists.miss', 'schoolgate', found.missMicros);
}

/** What it has with the names less what it has without them. */
async function measureOther(way: Way, names: readonly string[], bench: Bench, start: StartWith): Promise<void> {
  const without = await standing(way, [], bench, start);
  const holding = await standing(way, names, bench, start);
  bench.figures.add('lists.memory', way.id, (holding.memory - without.memory) / names.length);
  bench.figures.add('lists.ready', way.id, ((holding.seconds - without.seconds) / names.length) * MILLION);
}

async function standing(
  way: Way,
  names: readonly string[],
  { load, origin }: Bench,
  start: StartWith,
): Promise<{ memory: number; seconds: number }> {
  const before = performance.now();
  await using running = await start(way, names);
  const seconds = (performance.now() - before) / 1000;
  const probes = names.filter((_, i) => i % Math.ceil(names.length / PROBES) === 0);
  for (const name of probes) {
    const host = `www.cdn.${name}`;
    const route = {
      proxyPort: running.port,
      host,
      keepAlive: false,
      httpPort: origin.http,
      tlsPort: origin.tls,
      ca: origin.ca,
    };
    const refusal = running.refusal.plain;
    await load.run({ kind: 'requests', route, count: 1, concurrency: 1, refusal });
  }
  return { memory: await settledMemory(running.pid!), seconds };
}

function writeLists(folder: string, names: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'names.txt'), `${names.join('\n')}\n`);
  writeFileSync(
    join(folder, 'categories.yaml'),
    'categories: [{ id: names, title: Names, description: Names, uksic: Other }]\n',
  );
  writeFileSync(
    join(folder, 'catalogue.yaml'),
    'lists: [{ id: names, category: names, format: domains, source: ./names.txt, enabled: true }]\n',
  );
}

function runTask<T extends ListTask>(task: T): Promise<ListResults[T['kind']]> {
  const child = fork(join(import.meta.dirname, 'lists-process.ts'), {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', (answer: { result: ListResults[T['kind']] } | { error: string }) => {
      if ('error' in answer) reject(new Error(`${task.kind}: ${answer.error}`));
      else resolve(answer.result);
    });
    child.once('exit', (status) => reject(new Error(`${task.kind}: the process ended with ${status}`)));
    child.send(task);
  });
}
