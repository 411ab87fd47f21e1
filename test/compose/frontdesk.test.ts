import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request, type RequestOptions } from 'node:http';
import { request as requestTls } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { loadCatalogue } from '../../src/categories/catalogue.ts';
import { runFrontDesk, type RunFrontDeskOptions, type RunningFrontDesk } from '../../src/compose/frontdesk.ts';
import { createDataFolders, type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { type Environment, readEnvironment } from '../../src/config/environment.ts';
import { loadOrCreateKeys, signSnapshot } from '../../src/events/signing.ts';
import { isoTime } from '../../src/kernel/clock.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { NOBODY, NOW } from '../frontdesk/desk.ts';
import { createAuthority } from '../helpers/certificates.ts';
import { listen } from '../helpers/listening.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

function shippedPolicy(): PolicySnapshot {
  const read = loadPolicy('policies');
  if ('problems' in read) throw new Error('the shipped policy does not load');
  const compiled = compilePolicy(read.documents, loadCatalogue('blocklists').categories);
  if ('problems' in compiled) throw new Error('the shipped policy does not compile');
  return compiled.snapshot;
}

function publish(layout: DataLayout, policy: PolicySnapshot, serial: number): void {
  const { privateKey } = loadOrCreateKeys(layout);
  const unsigned = { kind: 'policy', serial, at: isoTime(NOW), body: JSON.stringify(policy) } as const;
  writeFileSync(join(layout.lastGoodSnapshots, 'policy.json'), JSON.stringify(signSnapshot(privateKey, unsigned)));
}

const newFolder = (): string => tempFolder(t);

interface Answered {
  readonly status: number;
  readonly text: string;
}

async function get(options: RequestOptions & { ca?: string }, isTls = false): Promise<Answered> {
  const asked = (isTls ? requestTls : request)({ ...options, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks = (await response.toArray()) as Buffer[];
  return { status: response.statusCode!, text: Buffer.concat(chunks).toString() };
}

interface Desk {
  readonly desk: RunningFrontDesk;
  readonly layout: DataLayout;
  readonly asked: string[];
}

function environmentOf(root: string, more: Record<string, string> = {}): Environment {
  const env = { SCHOOLGATE_DATA_DIR: root, SCHOOLGATE_FRONT_HOST: '127.0.0.1', SCHOOLGATE_FRONT_PORT: '0', ...more };
  return readEnvironment(env, process.cwd());
}

function optionsFor(asked: string[]): RunFrontDeskOptions {
  return {
    orders: { proxyPort: 0, tlsPort: null, warningKey: Buffer.alloc(32, 5).toString('base64') },
    passes: { put: async () => {} },
    recentRefusals: { of: async (client) => (asked.push(client), []) },
    devices: NOBODY,
    askLessons: async () => ({ state: 'nobody' }),
    askWishes: async () => ({ state: 'nobody' }),
    sendReport: async () => ({ state: 'done' }),
    clock: () => NOW,
    log: createLogger('test', 'silent'),
  };
}

async function openDesk(root: string, more: Record<string, string> = {}): Promise<Desk> {
  const layout = dataLayout(root);
  createDataFolders(layout);
  const asked: string[] = [];
  const desk = await runFrontDesk(environmentOf(root, more), optionsFor(asked));
  t.teardown(() => desk.stop());
  return { desk, layout, asked };
}

void t.test('both doors open, believe whom they should, and close', async (t) => {
  const { desk, layout, asked } = await openDesk(newFolder());
  const headers = { host: 'schoolgate.internal', 'schoolgate-client': '10.1.2.3' };
  t.equal(statSync(layout.frontSocket).mode & 0o777, 0o600);
  t.equal((await get({ port: desk.port, path: '/why', headers })).status, 200);
  t.equal((await get({ socketPath: layout.frontSocket, path: '/why', headers })).status, 200);
  t.strictSame(asked, ['127.0.0.1', '10.1.2.3']);
  await desk.stop();
  await t.rejects(get({ port: desk.port, path: '/' }), { code: 'ECONNREFUSED' });
  t.throws(() => statSync(layout.frontSocket), { code: 'ENOENT' });
});

void t.test('the pages follow the policy and the ports in force', async (t) => {
  const { desk, layout } = await openDesk(newFolder());
  const home = async (): Promise<string> => (await get({ port: desk.port, path: '/' })).text;
  t.match(await home(), 'Your school');
  const policy = shippedPolicy();
  publish(layout, policy, 1);
  desk.reload();
  t.match(await home(), policy.school);
  writeFileSync(join(layout.lastGoodSnapshots, 'policy.json'), '{"kind":"policy"');
  desk.reload();
  t.match(await home(), policy.school, 'what cannot be read changes nothing');
  publish(layout, { ...policy, school: 'Renamed School' }, 2);
  desk.reload();
  t.match(await home(), 'Renamed School');
  desk.setPorts({ proxyPort: 3128, tlsPort: null });
  t.match((await get({ port: desk.port, path: '/proxy.pac' })).text, `"PROXY localhost:3128"`);
  desk.setPorts({ proxyPort: 3128, tlsPort: 3129 });
  t.match((await get({ port: desk.port, path: '/wpad.dat' })).text, `"HTTPS localhost:3129"`);
});

void t.test('a stale socket is no obstacle, a taken port is, and then nothing stays open', async (t) => {
  const root = newFolder();
  const first = await openDesk(root);
  await first.desk.stop();
  writeFileSync(first.layout.frontSocket, '');
  await using taken = await listen(createServer());
  const environment = environmentOf(root, { SCHOOLGATE_FRONT_PORT: String(taken.port) });
  await t.rejects(runFrontDesk(environment, optionsFor([])), { code: 'EADDRINUSE' });
  t.throws(() => statSync(first.layout.frontSocket), { code: 'ENOENT' });
});

void t.test('with a certificate the front desk speaks TLS to everyone but the gateway', async (t) => {
  const root = newFolder();
  const authority = createAuthority();
  const { cert, key } = authority.issue(['localhost']);
  const [certFile, keyFile] = [join(root, 'cert.pem'), join(root, 'key.pem')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  const { desk, layout } = await openDesk(root, { SCHOOLGATE_TLS_CERT: certFile, SCHOOLGATE_TLS_KEY: keyFile });
  const outer = await get({ host: 'localhost', port: desk.port, path: '/', ca: authority.cert }, true);
  t.match(outer.text, `https://localhost:${desk.port}/proxy.pac`);
  t.equal((await get({ socketPath: layout.frontSocket, path: '/health' })).status, 200);
});
