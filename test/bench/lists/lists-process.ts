// A process of its own for each task: what one leaves in memory must not count for the next. Started with --expose-gc.
import { join } from 'node:path';
import { loadCurrentIndex } from '../../../src/categories/current-index.ts';
import type { CategoryIndex } from '../../../src/categories/match.ts';
import { createDataFolders, dataLayout } from '../../../src/config/data-layout.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { residentBytes } from '../process-tree.ts';
import type { BuildResult, BuildTask, ListTask, LookUpResult, LookUpTask } from './tasks.ts';

process.once('message', (task: ListTask) => {
  void run(task).then(
    (result) => finish({ result }),
    (error: unknown) => finish({ error: String(error) }),
  );
});

function finish(answer: object): void {
  process.send!(answer, () => process.disconnect());
}

async function run(task: ListTask): Promise<BuildResult | LookUpResult> {
  return task.kind === 'build' ? build(task) : lookUp(task);
}

async function build({ folder }: BuildTask): Promise<BuildResult> {
  const { buildIndex } = await import('../../../src/categories/build-index.ts');
  const layout = dataLayout(join(folder, 'data'));
  createDataFolders(layout);
  const before = process.cpuUsage();
  const { index, alarms } = await buildIndex({ listsDir: folder, layout, clock: systemClock });
  if (alarms.length > 0) throw new Error(alarms.join('\n'));
  return { cpuSeconds: cpuMicros(before) / 1e6, bytes: index.bytes, names: index.domains };
}

function lookUp({ folder, listed, unlisted, count }: LookUpTask): LookUpResult {
  const layout = dataLayout(join(folder, 'data'));
  collect();
  const before = residentBytes(process.pid);
  const start = performance.now();
  const index = loadCurrentIndex(layout);
  const loadSeconds = (performance.now() - start) / 1000;
  collect();
  const memoryBytes = residentBytes(process.pid) - before;
  const missMicros = timeEach(index, unlisted, 0, count);
  return { loadSeconds, memoryBytes, hitMicros: timeEach(index, listed, 1, count), missMicros };
}

/** CPU µs of a look-up; the first pass over the hosts is not counted, and checks that each answer has `lists` lists. */
function timeEach(index: CategoryIndex, hosts: readonly string[], lists: number, count: number): number {
  const wrong = hosts.find((host) => index.match(host, null).lists.length !== lists);
  if (wrong !== undefined)
    throw new Error(`${wrong} is in ${index.match(wrong, null).lists.length} lists, not ${lists}`);
  const before = process.cpuUsage();
  for (let i = 0, at = 0; i < count; i++) {
    index.match(hosts[at]!, null);
    if (++at === hosts.length) at = 0;
  }
  return cpuMicros(before) / count;
}

function cpuMicros(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function collect(): void {
  globalThis.gc!();
}
