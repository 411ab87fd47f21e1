import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile } from '../../src/kernel/durable-file.ts';
import { isoTime, systemClock } from '../../src/kernel/clock.ts';
import { checkMachine, describeMachine } from './machine.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { direct } from './proxies/direct.ts';
import { e2guardian } from './proxies/e2guardian.ts';
import { schoolgate } from './proxies/schoolgate.ts';
import { squid } from './proxies/squid.ts';
import { tinyproxy } from './proxies/tinyproxy.ts';
import { buildReport, printReport, type RunFacts } from './report.ts';
import { measureAll } from './session.ts';
import type { Way } from './setting.ts';
import { FULL, QUICK } from './sizes.ts';

const WAYS: readonly Way[] = [direct, schoolgate, squid, tinyproxy, e2guardian];

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  // What is running and the temporary folder go in the exit handlers.
  process.once(signal, () => process.exit(status));
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof TypeError ? `${error.message}\n${USAGE}` : (error as Error).message}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}

async function main(options: Options): Promise<void> {
  const sizes = options.quick ? QUICK : FULL;
  if (options.only.has('idle')) checkMachine(sizes.idleTunnels);
  const date = isoTime(systemClock());
  const ways = installed(options);
  const facts: RunFacts = { date, quick: options.quick, machine: describeMachine(), ways, sizes };
  const figures = await measureAll(options.only, ways, sizes, (text) => process.stderr.write(`${text}\n`));
  process.stdout.write(`\n${printReport(facts, figures)}`);
  const file = options.json ?? join(import.meta.dirname, 'results', `${date.replaceAll(':', '-')}.json`);
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(file, `${JSON.stringify(buildReport(facts, figures), null, 2)}\n`, 0o644);
  process.stdout.write(`written to ${file}\n`);
}

function installed(options: Options): Way[] {
  const wanted = WAYS.filter(({ id }) => options.proxies.has(id));
  const missing = wanted.filter((way) => way.version() === null);
  for (const way of missing)
    process.stdout.write(`${way.id} is not installed and left out. To have it: ${way.install}\n`);
  return wanted.filter((way) => !missing.includes(way));
}
