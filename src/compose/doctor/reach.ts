import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import type { Environment } from '../../config/environment.ts';
import type { DataLayout } from '../../config/data-layout.ts';
import type { Secret } from '../../config/secret.ts';
import { verifySmtp } from '../../delivery/service.ts';
import { lookAtRedis } from '../../events/redis-look.ts';
import type { Clock } from '../../kernel/clock.ts';
import { SchoolgateError } from '../../kernel/errors.ts';
import { busyPorts, isRunning } from '../preflight.ts';
import { type Health, askHealth } from './health.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

const ANSWER_MS = 3000;

/** Free ports, or a Schoolgate that runs on them and is well. */
export async function portsFinding(environment: Environment, layout: DataLayout): Promise<Finding> {
  if (await isRunning(layout)) return await runningFinding(environment);
  const [busy] = await busyPorts(environment, 'start');
  return busy === undefined ? ok('free; Schoolgate does not run here') : failed(`${busy.file}: ${busy.reason}.`);
}

async function runningFinding({ proxyHost, proxyPort }: Environment): Promise<Finding> {
  const health = await askHealth(proxyHost, proxyPort, ANSWER_MS);
  if (health === null)
    return failed(`Schoolgate runs, and its proxy port ${proxyPort} does not answer; look at its log.`);
  return healthFinding(health);
}

export function healthFinding({ status, console: consoleState, workers, alarms }: Health): Finding {
  const up = workers.filter((worker) => worker.up).length;
  const text = `Schoolgate runs: ${up} of ${workers.length} workers, console ${consoleState}`;
  const newest = alarms[0];
  if (status === 'failing') return failed(`${text}; newest alarm: ${newest?.code ?? 'none'}; look at its log.`);
  if (status === 'degraded') return warning(`${text}; filtering goes on, but nobody can change anything.`);
  return newest === undefined ? ok(text) : warning(`${text}; newest alarm: ${newest.code} at ${newest.at}.`);
}

/** Whether name servers answer at all; that a name is unknown is an answer. */
export async function namesFinding({ dnsServers }: Environment): Promise<Finding> {
  const resolver = new Resolver({ timeout: ANSWER_MS, tries: 1 });
  if (dnsServers.length > 0) resolver.setServers(dnsServers);
  const servers = resolver.getServers().join(', ');
  try {
    await resolver.resolve4('example.com');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTFOUND' && code !== 'ENODATA')
      return failed(`${servers} does not answer (${code}); correct SCHOOLGATE_DNS_SERVERS or the system’s resolver.`);
  }
  return ok(`${servers} answers`);
}

export async function parentFinding({ host, port }: NonNullable<Environment['upstreamProxy']>): Promise<Finding> {
  const why = await connectFault(host, port);
  return why === null
    ? ok(`${host}:${port} takes connections`)
    : failed(`${host}:${port} takes none (${why}); nothing can be reached. Correct SCHOOLGATE_UPSTREAM_PROXY.`);
}

function connectFault(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_MS });
    const end = (why: string | null): void => {
      socket.destroy();
      resolve(why);
    };
    socket.once('connect', () => end(null));
    socket.once('timeout', () => end('no answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

/** How far the bus's clock may be from ours, ms; more is somebody's clock that is wrong. */
const MOST_APART_MS = 2000;

export async function redisFinding(redisUrl: Secret, clock: Clock): Promise<Finding> {
  const found = await lookAtRedis(redisUrl, ANSWER_MS);
  const apart = Math.abs(found.time - clock());
  if (found.appendOnly === false)
    return failed('Redis keeps no append-only file, so events can be lost with it: set appendonly yes.');
  if (found.eviction !== null && found.eviction !== 'noeviction')
    return failed(`Redis throws keys away when it is full (${found.eviction}): set maxmemory-policy noeviction.`);
  if (apart > MOST_APART_MS)
    return warning(`Redis’ clock and this machine’s are ${Math.round(apart / 1000)} s apart: set both by NTP.`);
  return ok(`Redis ${found.version} answers`);
}

export async function mailFinding({ smtpUrl }: Environment, layout: DataLayout): Promise<Finding> {
  if (smtpUrl === null)
    return warning(`mail is written into ${layout.outbox} and leaves for nobody: set SCHOOLGATE_SMTP_URL.`);
  try {
    await verifySmtp(smtpUrl, ANSWER_MS);
    return ok('the mail server takes us');
  } catch (error) {
    return failed(error instanceof SchoolgateError ? error.publicText : String(error));
  }
}
