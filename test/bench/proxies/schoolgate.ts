import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FLAGGED_NAME,
  FORBIDDEN,
  ORIGIN_NAME,
  REFUSED_NAME,
  type RunningWay,
  type Setting,
  type Way,
} from '../setting.ts';
import { request } from '../../helpers/raw-client.ts';
import { freePort, startProgram } from './program.ts';

const ROOT = join(import.meta.dirname, '../../..');

export const schoolgate: Way = {
  id: 'schoolgate',
  version,
  install: 'npm ci',
  setup:
    'npm start with one gateway worker and the shipped levels and lists, filtering and recording; console, relay and front desk count',
  start,
};

function version(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  try {
    const commit = execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return `${version} (${commit.trim()})`;
  } catch {
    // An unpacked archive has no commit to name.
    return version;
  }
}

async function start({ folder, origin, nameServer }: Setting): Promise<RunningWay> {
  const port = await freePort();
  const policies = join(folder, 'policies');
  const lists = join(folder, 'blocklists');
  cpSync(join(ROOT, 'policies'), policies, { recursive: true });
  cpSync(join(ROOT, 'blocklists'), lists, { recursive: true });
  openLoopback(join(policies, 'school.yaml'), origin.http, origin.tls);
  appendFileSync(join(lists, 'starter/games.txt'), `${REFUSED_NAME}\n`);
  appendFileSync(join(lists, 'starter/gambling.txt'), `${FLAGGED_NAME}\n`);
  const env = {
    SCHOOLGATE_PROXY_HOST: '127.0.0.1',
    SCHOOLGATE_PROXY_PORT: String(port),
    SCHOOLGATE_CONSOLE_PORT: String(await freePort()),
    SCHOOLGATE_FRONT_HOST: '127.0.0.1',
    SCHOOLGATE_FRONT_PORT: String(await freePort()),
    SCHOOLGATE_WORKERS: '1',
    SCHOOLGATE_DATA_DIR: join(folder, 'data'),
    SCHOOLGATE_POLICY_DIR: policies,
    SCHOOLGATE_LISTS_DIR: lists,
    SCHOOLGATE_DNS_SERVERS: nameServer,
  };
  const args = [join(ROOT, 'bin/schoolgate.mjs'), 'start'];
  const program = await startProgram({ command: process.execPath, args, folder, env, asNobody: false }, () =>
    isReady(port),
  );
  return {
    id: 'schoolgate',
    pid: program.pid,
    port,
    originHost: ORIGIN_NAME,
    keepAlive: true,
    refusal: FORBIDDEN,
    [Symbol.asyncDispose]: program.stop,
  };
}

/** The shipped policy refuses loopback and odd ports; the origin has nothing else. */
function openLoopback(path: string, httpPort: number, tlsPort: number): void {
  let text = readFileSync(path, 'utf8');
  const put = (from: string, to: string): void => {
    if (!text.includes(from))
      throw new Error(`${path} no longer holds "${from}": adapt test/bench/proxies/schoolgate.ts`);
    text = text.replace(from, to);
  };
  put('allowDestinations: []', 'allowDestinations: ["127.0.0.0/8"]');
  put('connectPorts:\n', `connectPorts:\n    - { port: ${tlsPort} }\n`);
  put('httpPorts: [', `httpPorts: [${httpPort}, `);
  writeFileSync(path, text);
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await request(port, ['GET /ready HTTP/1.1', `Host: 127.0.0.1:${port}`])).status === 200;
  } catch {
    // Nothing listens yet.
    return false;
  }
}
