import { hostname, networkInterfaces, userInfo } from 'node:os';
import type { Environment } from '../config/environment.ts';
import { formatProblem } from '../kernel/errors.ts';
import type { RunningConsole } from '../compose/console.ts';
import type { Running } from '../compose/supervisor.ts';
import type { CliContext, RegisterCommand } from './context.ts';

/** `start` and `gateway`: run until told to stop. */
export const registerStart: RegisterCommand = (program, context) => {
  program
    .command('start')
    .description('run gateway, console and front desk')
    .action(() => serve('start', context));
  program
    .command('gateway')
    .description('run a gateway alone; its console runs elsewhere, joined by SCHOOLGATE_REDIS_URL')
    .action(() => serve('gateway', context));
  program
    .command('console')
    .description('run the console alone, for gateways elsewhere')
    .action(() => serveConsole(context));
};

async function serve(role: 'start' | 'gateway', context: CliContext): Promise<void> {
  const { readEnvironment } = await import('../config/environment.ts');
  const { dataLayout } = await import('../config/data-layout.ts');
  const { preflight } = await import('../compose/preflight.ts');
  const { Supervisor } = await import('../compose/supervisor.ts');
  const { createLogger } = await import('../telemetry/log.ts');
  const environment = readEnvironment(context.env, context.cwd);
  const layout = dataLayout(environment.dataDir);
  const warnings = await preflight(environment, layout, role);
  for (const warning of warnings) context.stderr.write(`${warning}\n`);
  const log = createLogger('supervisor');
  const supervisor = new Supervisor({ environment, env: context.env, role, clock: context.clock, log });
  stopOnSignal(context, async () => {
    const cut = await supervisor.stop();
    const what = cut === 1 ? 'connection was' : 'connections were';
    if (cut > 0) context.stderr.write(`${cut} ${what} cut at the deadline.\n`);
  });
  process.on('SIGHUP', () => supervisor.reload());
  try {
    const running = await supervisor.start();
    const { readManifest } = await import('../categories/current-index.ts');
    const lists = readManifest(layout)?.lists ?? [];
    const facts: ListFacts = {
      names: lists.reduce((sum, list) => sum + list.accepted, 0),
      onlyStarters: lists.every((list) => list.id.startsWith('starter-')),
      illegal: readManifest(layout)?.illegal !== undefined,
      fromLastGood: lists.filter((list) => list.fromLastGood).map((list) => list.id),
      offered: await firstOffered(environment.listsDir),
    };
    context.stdout.write(greeting(environment, running, facts));
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

interface ListFacts {
  readonly names: number;
  readonly onlyStarters: boolean;
  readonly illegal: boolean;
  readonly fromLastGood: readonly string[];
  /** A catalogued list that can be switched on. */
  readonly offered: string | null;
}

/** Null too where the catalogue cannot be read: its problems are told elsewhere. */
async function firstOffered(listsDir: string): Promise<string | null> {
  const { loadCatalogue } = await import('../categories/catalogue.ts');
  try {
    return loadCatalogue(listsDir).offered[0]?.id ?? null;
  } catch {
    return null;
  }
}

/** The first lines a person sees; each must be true when typed. */
export function greeting(environment: Environment, running: Running, lists: ListFacts): string {
  const { proxyPort, tlsPort, workers, policy } = running;
  const lines = [
    `Schoolgate is filtering for ${policy.school}.`,
    `  Proxy       ${reachable(environment.proxyHost)}:${proxyPort} (${workers} workers)`,
    ...(tlsPort === null ? [] : [`  Proxy, TLS  ${reachable(environment.proxyHost)}:${tlsPort}`]),
    ...consoleLines(environment, running.console as ConsoleFacts | null),
    ...frontLines(environment, running),
    '',
    ...listLines(lists),
    `Whoever is not identified gets level ${policy.strictestLevel}.`,
    '',
    'Try:',
    `  curl -x http://127.0.0.1:${proxyPort} http://www.bet365.com/`,
    '  npx schoolgate check https://www.bet365.com/',
    '(A refused https site shows the browser’s own error page; the front desk says why.)',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** What a console says of itself when it is up. */
type ConsoleFacts = Pick<RunningConsole, 'port' | 'firstLinks' | 'problems'>;

function consoleLines(environment: Environment, found: ConsoleFacts | null): string[] {
  if (found === null) return ['  Console     not running here'];
  const { port, firstLinks, problems } = found;
  const scheme = environment.tls === null ? 'http' : 'https';
  const isLocal = environment.consoleHost === '127.0.0.1' || environment.consoleHost === 'localhost';
  return [
    `  Console     ${scheme}://${reachable(environment.consoleHost)}:${port}/`,
    ...(isLocal
      ? [`              from another machine: ssh -L ${port}:127.0.0.1:${port} ${userInfo().username}@${hostname()}`]
      : []),
    ...firstLinks.map(({ role, url }) => `  ${role}: make the account at ${url} (once, within 24 hours)`),
    ...problems.map((problem) => `  Policy: ${formatProblem(problem)}`),
  ];
}

function frontLines(environment: Environment, running: Running): string[] {
  const port = (running.front?.['port'] as number | undefined) ?? environment.frontPort;
  const scheme = environment.tls === null ? 'http' : 'https';
  const own = environment.publicUrl ?? `${scheme}://${reachable(environment.frontHost)}:${port}`;
  return [`  Front desk  ${own}/ (devices: ${own}/proxy.pac); through the proxy http://schoolgate.internal/`];
}

function listLines({ names, onlyStarters, illegal, fromLastGood, offered }: ListFacts): string[] {
  const count = names.toLocaleString('en-GB');
  const noIllegal = illegal ? '' : ' no illegal-content list is loaded.';
  const next =
    offered === null
      ? 'Next: name your lists in blocklists/catalogue.yaml and run npx schoolgate lists build'
      : `Next: npx schoolgate lists enable ${offered} (blocklists/catalogue.yaml names them all)`;
  return [
    onlyStarters ? `STARTER LISTS ONLY: ${count} names;${noIllegal} ${next}` : `Lists: ${count} names.${noIllegal}`,
    ...fromLastGood.map((id) => `List ${id} could not be read: its last good copy is in use.`),
  ];
}

/** An address of this machine to print for a listener: the first of the network where it listens on all of them. */
function reachable(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host;
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1';
}

async function serveConsole(context: CliContext): Promise<void> {
  const { readEnvironment } = await import('../config/environment.ts');
  const { runConsole } = await import('../compose/console.ts');
  const environment = readEnvironment(context.env, context.cwd);
  const running = await runConsole(environment, { clock: context.clock });
  stopOnSignal(context, () => running.stop());
  process.on('SIGHUP', () => running.reload());
  context.stdout.write(`${['Schoolgate’s console is running.', ...consoleLines(environment, running)].join('\n')}\n`);
}

/** One Ctrl-C may arrive twice: from the terminal, and passed on by whatever started us. */
const SAME_SIGNAL_MS = 1000;

/** Stops in good order at the first SIGINT or SIGTERM; whoever will not wait for that asks again. */
function stopOnSignal({ clock }: CliContext, stop: () => Promise<unknown>): void {
  let askedAt: number | null = null;
  const onSignal = (): void => {
    if (askedAt !== null) {
      if (clock() - askedAt > SAME_SIGNAL_MS) process.exit(130);
      return;
    }
    askedAt = clock();
    void stop().then(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
}
