import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { buildIndex } from '../../src/categories/build-index.ts';
import { readFindings } from '../../src/categories/canary-findings.ts';
import { loadCurrentIllegal } from '../../src/categories/current-index.ts';
import { CanaryWatch } from '../../src/compose/canary.ts';
import { createDataFolders, type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { startTestGateway } from '../helpers/test-gateway.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MONDAY = Date.parse('2026-11-23T08:00:00Z');

async function builtLists(t: Test): Promise<DataLayout> {
  const root = tempFolder(t);
  const listsDir = join(root, 'lists');
  mkdirSync(listsDir);
  const category = '  - { id: csam, title: Abuse, description: x, uksic: x, locked: true }\n';
  writeFileSync(join(listsDir, 'categories.yaml'), `categories:\n${category}`);
  const list = '  - { id: members, category: csam, format: illegal-urls, source: ./members.txt, enabled: true }\n';
  writeFileSync(join(listsDir, 'catalogue.yaml'), `lists:\n${list}`);
  writeFileSync(join(listsDir, 'members.txt'), 'listed.test\n');
  const layout = dataLayout(join(root, 'data'));
  createDataFolders(layout);
  await buildIndex({ listsDir, layout, clock: () => MONDAY });
  return layout;
}

function watch(layout: DataLayout, port: number): { canaries: CanaryWatch; alarms: string[]; renewed: () => number } {
  const alarms: string[] = [];
  let renewals = 0;
  const renew = (): void => void renewals++;
  const onAlarm = (code: string, text: string): void => void alarms.push(`${code}: ${text}`);
  const options = { layout, clock: () => MONDAY, host: '127.0.0.1', port: () => port, onAlarm, renew, againMs: 1 };
  return { canaries: new CanaryWatch(options), alarms, renewed: () => renewals };
}

void t.test(
  'a gateway that holds requests against the list refuses its canary, and keeps no record of it',
  async (t) => {
    const layout = await builtLists(t);
    await using gateway = await startTestGateway({}, { illegal: loadCurrentIllegal(layout)! });
    const { canaries, alarms } = watch(layout, gateway.port);
    await canaries.look();
    canaries.stop();
    t.same(alarms, []);
    t.same(canaries.failing, []);
    t.same(readFindings(layout), { members: { checkedAt: '2026-11-23T08:00:00.000Z', refused: true } });
    t.same([gateway.spool.records, gateway.spool.events], [[], []]);
    t.same(gateway.context.refusals.of('127.0.0.1'), []);
  },
);

void t.test('a canary that is not refused as listed alarms at once, and once', async (t) => {
  const layout = await builtLists(t);
  const table: [string, (request: IncomingMessage, response: ServerResponse) => void][] = [
    ['answered', (_request, response) => void response.end('hello')],
    ['refused for something else', (_request, response) => void response.writeHead(403).end()],
    ['no such name', (_request, response) => void response.writeHead(502).end()],
    ['cut', (request) => void request.socket.destroy()],
  ];
  for (const [what, answer] of table) {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { canaries, alarms } = watch(layout, (server.address() as AddressInfo).port);
    await canaries.look();
    await canaries.look();
    canaries.stop();
    t.match(alarms, [/^canary-not-refused: The canary of illegal list "members" was not refused/], what);
    t.notMatch(alarms.join(), /canary-[0-9a-f]/, 'its name is not told');
    t.same(canaries.failing, ['members'], what);
    t.match(readFindings(layout), { members: { refused: false } }, what);
    server.close();
  }
});

// A gateway on another machine went on as ready, without the list and with the key there, until it was started again.
void t.test('without the key of the lists nobody can tell, and it is tried until it is there', async (t) => {
  const layout = await builtLists(t);
  await using gateway = await startTestGateway({}, { illegal: loadCurrentIllegal(layout)! });
  const { canaries, alarms, renewed } = watch(layout, gateway.port);
  t.teardown(() => canaries.stop());
  renameSync(layout.illegalKey, `${layout.illegalKey}.away`);
  await canaries.look();
  await canaries.look();
  t.match(alarms, [/^canary-not-refused: The canaries could not be looked at: .*illegal\.key, cannot be read/]);
  t.equal(alarms.length, 1);
  t.same(canaries.failing, ['members']);
  t.equal(renewed(), 1, 'workers look again');
  renameSync(`${layout.illegalKey}.away`, layout.illegalKey);
  await canaries.look();
  t.same(canaries.failing, []);
  t.equal(renewed(), 2);
});

void t.test('a gateway whose lists are not loaded is found out', async (t) => {
  const layout = await builtLists(t);
  await using gateway = await startTestGateway({});
  const { canaries } = watch(layout, gateway.port);
  await canaries.look();
  t.same(canaries.failing, ['members']);
  gateway.setPolicy({ illegal: loadCurrentIllegal(layout)! });
  await canaries.look();
  canaries.stop();
  t.same(canaries.failing, []);
});
