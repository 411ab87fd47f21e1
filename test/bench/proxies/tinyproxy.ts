import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FORBIDDEN, REFUSED_NAME, type RunningWay, type Setting, type Way } from '../setting.ts';
import { accepts, findProgram, freePort, startProgram, versionOf } from './program.ts';

export const tinyproxy: Way = {
  id: 'tinyproxy',
  version: () => versionOf('tinyproxy', ['-v']),
  install: 'apt-get install tinyproxy',
  setup: 'a filter of one refused name, log as shipped (Info); it closes the connection after each plain request',
  start,
};

async function start({ folder, tunnels }: Setting): Promise<RunningWay> {
  const port = await freePort();
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('filter'), `^${REFUSED_NAME.replaceAll('.', '\\.')}$\n`);
  const lines = [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'Timeout 600',
    `LogFile "${file('tinyproxy.log')}"`,
    'LogLevel Info',
    `PidFile "${file('tinyproxy.pid')}"`,
    `MaxClients ${tunnels + 200}`,
    'Allow 127.0.0.0/8',
    `Filter "${file('filter')}"`,
    'ViaProxyName "tinyproxy"',
  ];
  writeFileSync(file('tinyproxy.conf'), `${lines.join('\n')}\n`);
  const launch = {
    command: findProgram('tinyproxy')!,
    args: ['-d', '-c', file('tinyproxy.conf')],
    folder,
    asNobody: true,
  };
  const program = await startProgram(launch, () => accepts(port));
  return {
    id: 'tinyproxy',
    pid: program.pid,
    port,
    originHost: 'localhost',
    keepAlive: false,
    refusal: FORBIDDEN,
    [Symbol.asyncDispose]: program.stop,
  };
}
