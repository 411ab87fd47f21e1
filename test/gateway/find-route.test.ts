import t from 'tap';
import { clientHello } from '../helpers/client-hello.ts';
import { eventually } from '../helpers/listening.ts';
import { startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { connectThrough, dial, request } from '../helpers/raw-client.ts';
import { startTestGateway } from '../helpers/test-gateway.ts';
import { createTestIndex } from '../helpers/test-index.ts';

const NAMES = {
  'plain.test': ['127.0.0.1'],
  'bad.test': ['127.0.0.1', '127.0.0.2'],
  'good.test': ['127.0.0.3', '127.0.0.1'],
  'good-bad.test': ['127.0.0.2'],
  'watched.test': ['127.0.0.1', '127.0.0.4'],
};

/** `bad.test` is on no list, one of its addresses is. */
const LISTED = {
  '127.0.0.2': ['malware'],
  '127.0.0.3': ['gambling'],
  '127.0.0.4': ['games'],
  'good.test': ['known-good'],
  'good-bad.test': ['known-good'],
};

void t.test('a name is judged on the addresses it resolves to, in every carrier', async (t) => {
  await using origin = await startOrigin();
  const { port } = origin.http;
  const table: [name: string, verdict: string, category: string | null, events: string[], why: string][] = [
    ['plain.test', 'allow', null, [], 'no list'],
    ['bad.test', 'block', 'malware', ['access.blocked'], 'one address of two is listed'],
    ['good.test', 'allow', 'known-good', [], 'a known good name beats an address that is listed'],
    ['good-bad.test', 'block', 'malware', ['access.blocked'], 'but not malware'],
    ['watched.test', 'allow', 'games', ['access.flagged'], 'an address that is watched is told of'],
  ];
  for (const [name, verdict, category, events, why] of table) {
    await using gateway = await startTestGateway(
      { http: [port], raw: [port] },
      { names: NAMES, listed: LISTED, categories: { 'known-good': 'allow' } },
    );
    const target = `${name}:${port}`;
    const before = origin.http.accepted();
    const get = await request(gateway.port, [`GET http://${target}/ HTTP/1.1`, `Host: ${target}`]);
    t.equal(get.status, verdict === 'allow' ? 200 : 403, why);
    const { connection, response } = await connectThrough(gateway.port, target);
    t.equal(response.status, verdict === 'allow' ? 200 : 403, why);
    await connection.close();
    await using socket = await dial(gateway.port);
    const fields = [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ];
    await socket.send([`GET http://${target}/ HTTP/1.1`, `Host: ${target}`, ...fields, '', ''].join('\r\n'));
    t.equal((await socket.readResponse()).status === 403, verdict === 'block', why);
    await socket.close();
    await eventually('three records', () => gateway.spool.records.length === 3);
    for (const record of gateway.spool.records) {
      t.equal(record.verdict, verdict, why);
      t.equal(record.category ?? record.categories[0] ?? null, category, why);
    }
    const told = gateway.spool.events.map(({ type }) => type);
    t.same(
      told,
      [0, 1, 2].flatMap(() => events),
      why,
    );
    if (verdict === 'block') t.equal(origin.http.accepted(), before, `${why}: nothing was connected to`);
  }
});

void t.test(
  'a written range closes names that lead into it, also behind an open tunnel; what it allows opens addresses alone',
  async (t) => {
    await using origin = await startTcpOrigin((socket) => void socket.on('end', () => socket.end()).resume());
    const level = (text: string): Record<string, string> => ({
      ks1: `title: Key stage 1\nvoice: child\n${text}\n`,
    });
    await using gateway = await startTestGateway({ raw: [origin.port] }, { names: NAMES });
    const status = async (name: string): Promise<number> => {
      const { connection, response } = await connectThrough(gateway.port, `${name}:${origin.port}`);
      await connection.close();
      return response.status;
    };
    t.equal(await status('good-bad.test'), 502, 'nothing listens there, and nothing refuses');
    const { connection } = await connectThrough(gateway.port, `plain.test:${origin.port}`);
    await eventually('it is open', () => gateway.context.open.size === 1);
    gateway.setPolicy({ levels: level('uncategorised: allow\nblock: [127.0.0.2/31]') });
    t.equal(gateway.context.open.size, 1, 'another range leaves it alone');
    t.equal(await status('good-bad.test'), 403);
    t.equal(await status('127.0.0.2'), 403);
    t.equal(await status('bad.test'), 403, 'one address of two lies in it');
    t.equal(await status('plain.test'), 200);
    gateway.setPolicy({ levels: level('uncategorised: allow\nblock: [127.0.0.0/31]') });
    t.not((await connection.readToEnd()).peer, 'open');
    await connection.close();
    gateway.setPolicy({ levels: level('uncategorised: block\nallow: [127.0.0.0/24]') });
    t.equal(await status('127.0.0.1'), 200);
    t.equal(await status('plain.test'), 403, 'whoever has a name chooses where it leads');
  },
);

void t.test('an open tunnel is cut when its address comes on a list', async (t) => {
  await using origin = await startTcpOrigin((socket) => void socket.on('end', () => socket.end()).resume());
  await using gateway = await startTestGateway({ tls: [origin.port] }, { names: NAMES });
  const { connection } = await connectThrough(gateway.port, `plain.test:${origin.port}`);
  await connection.send(clientHello({ serverNames: ['plain.test'] }));
  await eventually('it is open', () => gateway.context.open.size === 1);
  gateway.setPolicy({ index: createTestIndex({ 'other.test': ['malware'] }) });
  t.equal(gateway.context.open.size, 1, 'another list leaves it alone');
  gateway.setPolicy({ index: createTestIndex({ '127.0.0.1': ['malware'] }) });
  t.not((await connection.readToEnd()).peer, 'open');
  await connection.close();
});

void t.test('a fault over an address refuses, and a name without one is told of as well', async (t) => {
  const fails = (): never => {
    throw new Error('deliberate');
  };
  const index = { ...createTestIndex({}), matchAddress: fails };
  await using gateway = await startTestGateway({}, { names: NAMES, index });
  t.equal((await request(gateway.port, ['GET http://plain.test/ HTTP/1.1', 'Host: plain.test'])).status, 403);
  t.match(await gateway.record(), { verdict: 'block', reason: 'fault' });
  t.match(gateway.spool.events, [{ type: 'fault' }]);

  await using other = await startTestGateway({}, { listed: { 'nowhere.test': ['games'] } });
  t.equal((await request(other.port, ['GET http://nowhere.test/ HTTP/1.1', 'Host: nowhere.test'])).status, 502);
  t.match(other.spool.events, [{ type: 'access.flagged' }]);
});
