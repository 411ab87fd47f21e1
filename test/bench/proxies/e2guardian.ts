import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFUSED_NAME, type RunningWay, type Setting, type Way } from '../setting.ts';
import { accepts, findProgram, freePort, startProgram, versionOf } from './program.ts';

export const e2guardian: Way = {
  id: 'e2guardian',
  version: () => versionOf('e2guardian', ['-v']),
  install: 'apt-get install e2guardian',
  setup: 'a site list of one refused name, no phrase lists, no TLS inspection, access log as shipped',
  start,
};

// It shows its page with 200, and sends a refused CONNECT elsewhere.
const REFUSAL = { plain: 200, connect: 302 };

// The shipped rules, cut down to the questions that a list of sites can answer.
const STORY = `
function(checkrequest)
if(connect) return sslrequestcheck
if(urlin, banned) return setblock
if(true) setgrey
function(checkresponse)
if(true) return false
function(sslrequestcheck)
if(sitein, banned) return setblock
if(true) setgrey
`;

const PRE_AUTH = `
function(pre-authcheck)
if(clientin,nobody) return setblock
`;

async function start({ folder, tunnels, names }: Setting): Promise<RunningWay> {
  const port = await freePort();
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('banned'), [REFUSED_NAME, ...names, ''].join('\n'));
  writeFileSync(file('empty'), '');
  writeFileSync(file('site.story'), STORY);
  writeFileSync(file('preauth.story'), PRE_AUTH);
  writeFileSync(file('downloads.conf'), settings({ plugname: 'default' }));
  writeFileSync(file('e2guardian.conf'), mainConfiguration(file, port, tunnels));
  writeFileSync(file('e2guardianf1.conf'), groupConfiguration(file));
  const launch = {
    command: findProgram('e2guardian')!,
    args: ['-N', '-c', file('e2guardian.conf')],
    folder,
    asNobody: true,
  };
  const program = await startProgram(launch, () => accepts(port));
  return {
    id: 'e2guardian',
    pid: program.pid,
    port,
    originHost: 'localhost',
    keepAlive: true,
    refusal: REFUSAL,
    [Symbol.asyncDispose]: program.stop,
  };
}

function mainConfiguration(file: (name: string) => string, port: number, tunnels: number): string {
  return settings({
    languagedir: '/usr/share/e2guardian/languages',
    language: 'ukenglish',
    loglevel: 3,
    logexceptionhits: 2,
    logfileformat: 6,
    loglocation: file('access.log'),
    pidfilename: file('e2guardian.pid'),
    daemonuser: userName(),
    daemongroup: userName('g'),
    filterip: '127.0.0.1',
    filterports: port,
    proxytimeout: 5,
    connecttimeout: 5,
    proxyexchange: 300,
    pcontimeout: 300,
    filtergroups: 1,
    filtergroupslist: file('empty'),
    iplist: `name=nobody,messageno=100,path=${file('empty')}`,
    weightedphrasemode: 0,
    usecustombannedimage: 'off',
    usecustombannedflash: 'off',
    downloadmanager: file('downloads.conf'),
    filecachedir: file(''),
    httpworkers: tunnels + 200,
    preauthstoryboard: file('preauth.story'),
  });
}

function groupConfiguration(file: (name: string) => string): string {
  return settings({
    groupname: 'everybody',
    storyboard: file('site.story'),
    sitelist: `name=banned,messageno=500,path=${file('banned')}`,
    maxuploadsize: -1,
    reportinglevel: 3,
    sslmitm: 'off',
  });
}

function settings(values: Record<string, string | number>): string {
  const lines = Object.entries(values).map(
    ([name, value]) => `${name} = ${typeof value === 'number' ? value : `'${value}'`}`,
  );
  return `${lines.join('\n')}\n`;
}

/** It insists on being told the name of the user it runs as. */
function userName(kind: 'u' | 'g' = 'u'): string {
  const whom = process.getuid!() === 0 ? ['nobody'] : [];
  return execFileSync('id', [`-n${kind}`, ...whom], { encoding: 'utf8' }).trim();
}
