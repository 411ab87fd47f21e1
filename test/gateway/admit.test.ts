import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { createServer } from 'node:http';
import t from 'tap';
import { admit } from '../../src/gateway/admit.ts';
import { OpenConnections } from '../../src/gateway/open-connections.ts';
import { canonicalHost } from '../../src/kernel/host.ts';
import type { AccessRecord, IllegalHitRecord } from '../../src/events/access-record.ts';
import { smallIndex } from '../categories/small-index.ts';
import { clientHello } from '../helpers/client-hello.ts';
import { eventually, listen } from '../helpers/listening.ts';
import { startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { connectThrough, dial, type RawConnection, request } from '../helpers/raw-client.ts';
import { startTestGateway, type TestGatewayOptions } from '../helpers/test-gateway.ts';
import { createTestIndex } from '../helpers/test-index.ts';

const text = (bytes: Buffer): string => bytes.toString('latin1');

function fails(): never {
  throw new Error('deliberate');
}

/** An index that fails for names that match, and knows nothing else. */
function failingIndex(isBad: (host: string) => boolean): TestGatewayOptions['index'] & object {
  const sound = createTestIndex({});
  return { ...sound, match: (host, path) => (isBad(host) ? fails() : sound.match(host, path)) };
}

void t.test('whatever fails while deciding, the request is refused and the fault is told', async (t) => {
  await using origin = await startOrigin();
  const { port } = origin.http;
  const names = { 'site.test': ['127.0.0.1'] };
  const table: [string, (gateway: Awaited<ReturnType<typeof startTestGateway>>) => void][] = [
    ['the index', (gateway) => gateway.setPolicy({ index: failingIndex(() => true) })],
    ['identification', ({ context }) => void (context.snapshots = { ...context.snapshots, identify: fails })],
    [
      'the ports',
      ({ context }) =>
        void (context.snapshots = { ...context.snapshots, httpPorts: null as never, connectPorts: null as never }),
    ],
    ['the policy', ({ context }) => void (context.snapshots = { ...context.snapshots, policy: null as never })],
    [
      'a level that does not exist',
      ({ context }) => {
        const { identify } = context.snapshots;
        context.snapshots = { ...context.snapshots, identify: (...who) => ({ ...identify(...who), level: 'none' }) };
      },
    ],
  ];
  for (const [what, breakIt] of table) {
    await using gateway = await startTestGateway({ http: [port], tls: [port] }, { names });
    breakIt(gateway);
    const get = await request(gateway.port, [`GET http://site.test:${port}/ HTTP/1.1`, `Host: site.test:${port}`]);
    t.equal(get.status, 403, what);
    const { connection, response } = await connectThrough(gateway.port, `site.test:${port}`);
    t.equal(response.status, 403, what);
    await connection.close();
    await using socket = await dial(gateway.port);
    const fields = ['Upgrade: websocket', 'Connection: Upgrade', '', ''];
    await socket.send([`GET http://site.test:${port}/ HTTP/1.1`, `Host: site.test:${port}`, ...fields].join('\r\n'));
    t.equal((await socket.readResponse()).status, 403, what);
    t.equal(gateway.spool.records.length, 3, what);
    for (const record of gateway.spool.records) t.match(record, { verdict: 'block', reason: 'fault' }, what);
    t.same(
      gateway.spool.events.map(({ type }) => type),
      ['fault', 'fault', 'fault'],
      what,
    );
  }
  t.equal(origin.http.accepted(), 0);
});

void t.test('a fault over the server name, or over an open tunnel, cuts it', async (t) => {
  await using origin = await startTcpOrigin((socket) => void socket.on('end', () => socket.end()).resume());
  await using gateway = await startTestGateway(
    { tls: [origin.port], raw: [] },
    { names: { 'site.test': ['127.0.0.1'] }, index: failingIndex((host) => host === 'bad.test') },
  );
  const open = async () => (await connectThrough(gateway.port, `site.test:${origin.port}`)).connection;
  const first = await open();
  await first.send(clientHello({ serverNames: ['bad.test'] }));
  t.not((await first.readToEnd()).peer, 'open');
  t.match(await gateway.record(), { verdict: 'block', reason: 'fault', up: 0 });
  t.match(gateway.spool.events, [{ type: 'fault' }]);
  const second = await open();
  await second.send(clientHello({ serverNames: ['site.test'] }));
  await eventually('it is open', () => gateway.context.open.size === 1);
  gateway.setPolicy({ index: failingIndex(() => true) });
  t.not((await second.readToEnd()).peer, 'open');
  await eventually('nothing is left', () => gateway.listener.connections === 0 && origin.open() === 0);
  for (const one of [first, second]) await one.close();
});

void t.test('a flagged request is told before it is answered', async (t) => {
  await using origin = await startOrigin();
  const { port } = origin.http;
  await using gateway = await startTestGateway(
    { http: [port] },
    { names: { 'play.test': ['127.0.0.1'] }, listed: { 'play.test': ['games'], 'bet.test': ['gambling'] } },
  );
  for (const host of [`play.test:${port}`, 'bet.test']) {
    let open = (): void => {};
    gateway.spool.gate = new Promise((resolve) => (open = resolve));
    await using client = await dial(gateway.port);
    await client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await eventually('the event is handed in', () => gateway.spool.waiting === 1);
    t.equal((await request(gateway.port, ['GET /health HTTP/1.1', 'Host: x'])).status, 200);
    t.equal(client.received.length, 0, `${host}: nothing before it is told`);
    open();
    t.equal((await client.readResponse()).status, host === 'bet.test' ? 403 : 200);
  }
  t.match(gateway.spool.events, [{ type: 'access.flagged' }, { type: 'access.blocked' }]);
  for (const [i, event] of gateway.spool.events.entries()) t.equal(event.id, gateway.spool.records[i]!.id);
});

void t.test('an illegal target leaves no name behind, in any carrier', async (t) => {
  await using gateway = await startTestGateway({}, { listed: { 'csam.test': ['csam'] } });
  const page = await request(gateway.port, ['GET http://csam.test/secret-path HTTP/1.1', 'Host: csam.test']);
  t.equal(page.status, 403);
  const { connection, response } = await connectThrough(gateway.port, 'csam.test:443');
  t.equal(response.status, 403);
  await connection.close();
  const kept = JSON.stringify([gateway.spool, gateway.context.refusals.of('127.0.0.1')]);
  t.notMatch(kept + text(page.body), /csam\.test|secret-path/);
  t.same(
    gateway.spool.events.map(({ type }) => type),
    ['illegal.hit', 'illegal.hit'],
  );
  for (const record of gateway.spool.records)
    t.match(record, { locked: true, target: null, host: null, flagged: true });
});

/** A way to spell each character of a host, as clients do it. */
const spelling = (host: string) =>
  fc
    .tuple(
      fc.array(fc.constantFrom('plain', 'upper', 'escaped', 'twice'), {
        minLength: host.length,
        maxLength: host.length,
      }),
      fc.constantFrom('', '.', '%2e', '..'),
      fc.constantFrom('', ':80', ':0080', ':'),
    )
    .map(([ways, end, port]) => {
      const hex = (c: string): string => c.charCodeAt(0).toString(16);
      const spell = {
        plain: (c: string) => c,
        upper: (c: string) => c.toUpperCase(),
        escaped: (c: string) => `%${hex(c)}`,
        twice: (c: string) => `%25${hex(c)}`,
      };
      return Array.from(host, (c, i) => spell[ways[i]!](c)).join('') + end + port;
    });

void t.test('every spelling of a blocked host gets the verdict of the plain one', async (t) => {
  await using gateway = await startTestGateway(
    {},
    { listed: { 'bet.test': ['gambling'], 'xn--bcher-kva.test': ['gambling'], '8.8.4.4': ['gambling'] } },
  );
  await using client = await dial(gateway.port);
  const verdict = async (host: string): Promise<unknown> => {
    gateway.spool.records.length = 0;
    await client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.equal((await client.readResponse()).status, 403, host);
    const { reason, category, host: named, target } = gateway.spool.records[0]!;
    return { reason, category, named, target };
  };
  const plain = await verdict('www.bet.test');
  t.match(plain, { reason: 'category', category: 'gambling', named: 'www.bet.test', target: 'http://www.bet.test/' });
  await fc.assert(
    fc.asyncProperty(spelling('www.bet.test'), async (host) => assert.deepEqual(await verdict(host), plain)),
    { numRuns: 150 },
  );
  const idn = await verdict('xn--bcher-kva.test');
  for (const host of [
    'XN--BCHER-KVA.test',
    'b%C3%BCcher.test',
    'B%C3%9Ccher.TEST.',
    'bu%CC%88cher.test',
    'b%C3%BCcher%E3%80%82test',
  ]) {
    t.same(await verdict(host), idn, host);
  }
  const address = await verdict('8.8.4.4');
  for (const host of [
    '134743044',
    '0x08080404',
    '010.8.1028',
    '8.8.1028',
    '0x8.0x8.04.4.',
    '[::ffff:8.8.4.4]',
    '[64:ff9b::808:404]',
    '[0:0:0:0:0:FFFF:808:404]',
  ]) {
    t.same(await verdict(host), address, host);
  }
});

void t.test('every spelling of a blocked path gets the verdict of the plain one', async (t) => {
  await using gateway = await startTestGateway({}, { listed: { 'site.test/bets': ['gambling'] } });
  await using client = await dial(gateway.port);
  const paths = [
    '/bets',
    '/bets/',
    '/bets?x',
    '/%62ets',
    '/%2562ets',
    '//bets',
    '/./bets',
    '/x/../bets',
    '/x/%2e%2e/bets',
  ];
  for (const path of [...paths, '/\\bets', '/x\\..\\bets', '/bets#frag', '/x/..;/bets', '/b%65ts/y', '/bets%2fz']) {
    await client.send(`GET http://site.test${path} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
    t.equal((await client.readResponse()).status, 403, path);
  }
});

void t.test(
  'no spelling of a blocked page reaches the origin, in plain HTTP and inside a CONNECT to port 80',
  async (t) => {
    const seen: { url: string; host: string }[] = [];
    const server = createServer(({ url, headers }, response) => {
      seen.push({ url: url!, host: headers.host! });
      response.end();
    });
    await using origin = await listen(server);
    const { port } = origin;
    const index = smallIndex([{ id: 'a', category: 'gambling', entries: ['bet.test', 'site.test/bets'] }]);
    const options = { resolve: async () => ['127.0.0.1'], portMap: { 80: port }, index };
    await using gateway = await startTestGateway({ http: [port] }, options);
    const sign = fc.constantFrom(
      ...'/ / // bets BETS x .. . %2e%2E %252e %2f %5c \\ ; ;a ? %3f # %c0%af %62ets %u002f'.split(' '),
    );
    const path = fc.array(sign, { maxLength: 5 }).map((signs) => `/${signs.join('')}`);
    const target = fc.tuple(fc.oneof(spelling('bet.test'), fc.constant('site.test:80')), path);
    await fc.assert(
      fc.asyncProperty(target, fc.boolean(), fc.boolean(), async ([host, tail], isInside, isOrigin) => {
        const named = `${host.replace(/:\d*$/, '')}:${isInside ? 80 : port}`;
        const form = isInside && isOrigin && host.startsWith('site') ? tail : `http://${named}${tail}`;
        await using connection = isInside
          ? (await connectThrough(gateway.port, 'site.test:80')).connection
          : await dial(gateway.port);
        await connection.send(`GET ${form} HTTP/1.1\r\nHost: ${named}\r\n\r\n`);
        const { status } = await connection.readResponse();
        assert.ok([200, 403, 404].includes(status), `${status} ${form}`);
        if (status !== 403) assert.match(named, /^site/, form);
      }),
      { numRuns: 400 },
    );
    for (const { url, host } of seen) {
      t.match(host, /^site\.test/, url);
      // As any server may read it: parameters out, escapes undone, backslashes turned, slashes made one.
      const read = decodeURIComponent(
        url
          .split('?', 1)[0]!
          .replace(/;[^/]*/g, '')
          .replace(/%(?![0-7])/g, '%25'),
      );
      t.notMatch(read.replace(/[\\/]+/g, '/'), /^\/bets(?:\/|$)/i, url);
    }
    t.ok(seen.length > 50, 'what is not blocked got there');
  },
);

interface Asked {
  readonly client: string;
  readonly level: string;
  readonly host: string;
  readonly category: string | null;
  readonly status: number;
}

const CLIENTS = 12;
const REQUESTS_EACH = 150;

void t.test('thousands of requests at once: every record and event is about its own', async (t) => {
  await using origin = await startOrigin();
  const { port } = origin.http;
  const kinds: [string, string | null, number][] = [
    ['free.test', null, 200],
    ['play.test', 'games', 200],
    ['bet.test', 'gambling', 403],
    ['csam.test', 'csam', 403],
    ['nowhere.test', null, 502],
  ];
  const levels = { alpha: 'title: A\nvoice: teen\nextends: ks1\n', beta: 'title: B\nvoice: adult\nextends: ks1\n' };
  await using gateway = await startTestGateway(
    { http: [port], tls: [origin.https.port] },
    {
      levels,
      names: { 'free.test': ['127.0.0.1'], 'play.test': ['127.0.0.1'], 'bet.test': ['127.0.0.1'] },
      listed: { 'play.test': ['games'], 'bet.test': ['gambling'], 'csam.test': ['csam'] },
      identity: `identity:
  mode: open
  strictestLevel: ks1
  ranges:
    - { cidr: 127.0.1.0/24, level: alpha, name: Room A }
    - { cidr: 127.0.2.0/24, level: beta, name: Room B }`,
    },
  );
  const asked = new Map<string, Asked>();
  const levelOf = (i: number): string => ['ks1', 'alpha', 'beta'][i % 3]!;
  const run = async (i: number): Promise<void> => {
    const client = `127.0.${i % 3}.${10 + i}`;
    const connection = await dial(gateway.port, { localAddress: client });
    for (let n = 0; n < REQUESTS_EACH; n++) {
      const [host, category, status] = kinds[(i + n * 7) % kinds.length]!;
      const authority = `${host}:${port}`;
      const path = `/bytes?n=${i}0${n}`;
      asked.set(`http://${authority}${path}`, { client, level: levelOf(i), host, category, status });
      await connection.send(`GET http://${authority}${path} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
      const response = await connection.readResponse();
      assert.equal(response.status, status, path);
      if (status === 200) assert.equal(response.body.length, Number(`${i}0${n}`), 'the body is its own too');
      if (n % 10 === 0) await tunnel(client, i);
    }
    await connection.close();
  };
  const tunnel = async (client: string, i: number): Promise<void> => {
    const host = i % 2 === 0 ? 'free.test' : 'bet.test';
    const authority = `${host}:${origin.https.port}`;
    const { connection, response } = await connectThrough(gateway.port, authority, [], { localAddress: client });
    assert.equal(response.status, i % 2 === 0 ? 200 : 403);
    await connection.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, i) => run(i)));
  const tunnels = CLIENTS * (REQUESTS_EACH / 10);
  await eventually('all are recorded', () => gateway.spool.records.length === asked.size + tunnels);
  const { records, events } = gateway.spool;
  t.equal(new Set(records.map(({ id }) => id)).size, records.length, 'no id twice');
  const wrong = records.filter((record) => !isOwn(record, asked));
  t.same(wrong, []);
  const byId = new Map(records.map((record) => [record.id, record]));
  for (const { id, data } of events) {
    const {
      status: _status,
      ms: _ms,
      up: _up,
      down: _down,
      error: _error,
      mark: _mark,
      ...told
    } = data as IllegalHitRecord;
    assert.deepEqual({ ...byId.get(id), ...told }, byId.get(id), 'an event tells of its own record');
  }
  t.equal(events.length, records.filter(({ flagged }) => flagged).length, 'one event for every flagged record');
  await eventually('nothing is left', () => gateway.listener.connections === 0);
});

/** Whether everything on a record belongs to the one request it is about. */
function isOwn(record: AccessRecord, asked: ReadonlyMap<string, Asked>): boolean {
  const i = Number(record.client.split('.')[3]) - 10;
  const isOwnLevel = record.level === ['ks1', 'alpha', 'beta'][i % 3];
  if (record.method === 'CONNECT') return isOwnLevel && record.host === (i % 2 === 0 ? 'free.test' : 'bet.test');
  if (record.locked) return isOwnLevel && record.target === null && record.categories[0] === 'csam';
  const expected = asked.get(record.target!);
  return (
    isOwnLevel &&
    expected?.client === record.client &&
    expected.host === record.host &&
    expected.status === record.status &&
    (record.categories[0] ?? null) === expected.category
  );
}

void t.test('a grant opens a blocked site for whom it is meant, and for nobody else', async (t) => {
  let now = Date.parse('2026-11-23T10:00:00Z');
  await using origin = await startOrigin();
  const host = `bet.test:${origin.http.port}`;
  await using gateway = await startTestGateway(
    { http: [origin.http.port] },
    { names: { 'bet.test': ['127.0.0.1'] }, listed: { 'bet.test': ['gambling'] }, clock: () => now },
  );
  const ask = async (localAddress: string): Promise<number> => {
    await using client: RawConnection = await dial(gateway.port, { localAddress });
    await client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return (await client.readResponse()).status;
  };
  const grant = { id: 'g1', topic: 'Odds', hosts: ['bet.test'], categories: [], levels: [], people: [] };
  gateway.setGrants([
    { ...grant, ranges: ['127.0.0.2/32'], from: now + 1000, until: now + 60_000, passesPersonBlock: false },
  ]);
  t.equal(await ask('127.0.0.2'), 403, 'not yet');
  now += 1000;
  t.equal(await ask('127.0.0.2'), 200);
  t.equal(await ask('127.0.0.3'), 403, 'another address');
  now += 59_000;
  t.equal(await ask('127.0.0.2'), 403, 'over');
  t.same(
    gateway.spool.records.map(({ reason }) => reason),
    ['category', 'unblock', 'category', 'category'],
  );
});

void t.test('a long answer is cut when its grant ends, and a short one ends as it began', async (t) => {
  let now = Date.parse('2026-11-23T10:00:00Z');
  await using origin = await startOrigin();
  const host = `bet.test:${origin.http.port}`;
  await using gateway = await startTestGateway(
    { http: [origin.http.port] },
    { names: { 'bet.test': ['127.0.0.1'] }, listed: { 'bet.test': ['gambling'] }, clock: () => now },
  );
  const grant = { id: 'g1', topic: 'Odds', hosts: ['bet.test'], categories: [], levels: [], people: [], ranges: [] };
  gateway.setGrants([{ ...grant, ranges: ['127.0.0.0/8'], from: now, until: now + 60_000, passesPersonBlock: false }]);
  await using client = await dial(gateway.port);
  await client.send(`GET http://${host}/drip?n=100000&ms=20 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await eventually('the answer has begun', () => client.received.length > 0 && gateway.context.open.size === 1);
  t.equal(gateway.context.open.tunnels, 0, 'it is no tunnel');
  now += 60_000;
  t.not((await client.readToEnd()).peer, 'open');
  t.match(await gateway.record(), { status: 200, error: 'cut', method: 'GET' });
  await eventually('nothing is left', () => gateway.listener.connections + gateway.context.open.size === 0);
  await eventually('the upstream is let go', () => origin.http.open() === 0);
});

// A tunnel was judged by the policy of before for up to a minute when that was replaced while the upstream was being connected.
void t.test('what was being connected when the policy was replaced is judged by the new one', async (t) => {
  await using gateway = await startTestGateway({});
  const host = canonicalHost('late.test')!;
  const ask = { method: 'CONNECT', client: '127.0.0.1', violation: null };
  const target = { host, port: 443, path: null, text: 'late.test:443' };
  const admission = admit(gateway.context, { ...ask, target }, null);
  t.equal(admission.decision.verdict, 'allow');
  const open = new OpenConnections();
  const cut: string[] = [];
  const connection = { kind: 'tunnel', admission, patience: () => 1, quietFor: () => 0 } as const;
  gateway.setPolicy({ never: ['late.test'] });
  open.judgeAll(gateway.context);
  open.add(gateway.context, { ...connection, cut: (why) => cut.push(why) });
  await eventually('it is cut', () => cut.length === 1);
  t.same(cut, ['cut']);
});
