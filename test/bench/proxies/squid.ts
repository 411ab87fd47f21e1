import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FORBIDDEN, ORIGIN_NAME, REFUSED_NAME, type RunningWay, type Setting, type Way } from '../setting.ts';
import { accepts, findProgram, freePort, startProgram, versionOf } from './program.ts';

export const squid: Way = {
  id: 'squid',
  version: () => versionOf('squid', ['-v']),
  install: 'apt-get install squid',
  setup: 'one worker, no cache, no filter but one refused name, access log as shipped (daemon)',
  start,
};

async function start(setting: Setting): Promise<RunningWay> {
  const { folder, tunnels, names } = setting;
  const port = await freePort();
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('names'), names.map((name) => `.${name}\n`).join(''));
  writeFileSync(file('hosts'), `127.0.0.1 ${ORIGIN_NAME}\n`);
  const lines = [
    `http_port 127.0.0.1:${port}`,
    'workers 1',
    'cache deny all',
    'cache_mem 0 MB',
    `access_log daemon:${file('access.log')} squid`,
    `cache_log ${file('cache.log')}`,
    `pid_filename ${file('squid.pid')}`,
    `coredump_dir ${folder}`,
    'visible_hostname squid.test',
    // The hosts file answers; nothing else is ever asked.
    `hosts_file ${file('hosts')}`,
    'dns_nameservers 127.0.0.1',
    'pinger_enable off',
    'shutdown_lifetime 0 seconds',
    `max_filedescriptors ${2 * tunnels + 1000}`,
    `acl refused dstdomain ${REFUSED_NAME} "${file('names')}"`,
    'acl loopback src 127.0.0.0/8',
    'http_access deny refused',
    'http_access allow loopback',
    'http_access deny all',
  ];
  writeFileSync(file('squid.conf'), `${lines.join('\n')}\n`);
  // Squid names its shared memory after its service, and leaves it behind when it is killed.
  const service = `bench${port}`;
  const forget = (): void => removeSharedMemory(service);
  process.once('exit', forget);
  const command = findProgram('squid')!;
  const launch = { command, args: ['-N', '-d', '1', '-n', service, '-f', file('squid.conf')], folder, asNobody: true };
  const program = await startProgram(launch, () => accepts(port));
  return {
    id: 'squid',
    pid: program.pid,
    port,
    originHost: ORIGIN_NAME,
    keepAlive: true,
    refusal: FORBIDDEN,
    [Symbol.asyncDispose]: async () => {
      await program.stop();
      forget();
      process.off('exit', forget);
    },
  };
}

function removeSharedMemory(service: string): void {
  const folder = '/dev/shm';
  const names = readdirSync(folder).filter((name) => name.startsWith(`${service}-`));
  for (const name of names) rmSync(join(folder, name));
}
