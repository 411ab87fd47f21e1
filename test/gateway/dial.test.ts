import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t from 'tap';
import type { ParentProxy } from '../../src/gateway/dial.ts';
import { createResolve } from '../../src/gateway/resolve.ts';
import { canonicalHost } from '../../src/kernel/host.ts';
import { startNameServer } from '../helpers/dns.ts';
import { eventually, listen } from '../helpers/listening.ts';
import { startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { startParent, type TestParent } from '../helpers/parent-proxy.ts';
import { connectThrough, dial, request } from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/raw-response.ts';
import { startTestGateway, type TestGateway } from '../helpers/test-gateway.ts';

const text = (bytes: Buffer): string => bytes.toString('latin1');

const UPGRADE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** The three ways to ask a gateway for a place; gives the answer to each. */
const WAYS: Record<string, (gateway: TestGateway, authority: string) => Promise<RawResponse>> = {
  GET: (gateway, authority) => request(gateway.port, [`GET http://${authority}/ HTTP/1.1`, `Host: ${authority}`]),
  CONNECT: async (gateway, authority) => {
    const { connection, response } = await connectThrough(gateway.port, authority);
    await connection.close();
    return response;
  },
  upgrade: async (gateway, authority) => {
    await using client = await dial(gateway.port);
    const head = [`GET http://${authority}/socket HTTP/1.1`, `Host: ${authority}`, ...UPGRADE, '', ''];
    await client.send(head.join('\r\n'));
    return await client.readResponse();
  },
};

void t.test('inside addresses are refused, however they are named, and nothing is connected to', async (t) => {
  await using origin = await startOrigin();
  const { port } = origin.http;
  const inside = ['10.0.0.1', '172.16.0.1', '192.168.1.1', '127.0.0.1', '127.9.9.9', '169.254.169.254', '100.64.0.1'];
  const special = ['0.0.0.0', '224.0.0.1', '255.255.255.255', '192.0.2.1', '240.0.0.1'];
  const six = [
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    'fc00::1',
    'ff02::1',
    '2002:a00:1::',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
  ];
  const spellings = [
    '127.1',
    '2130706433',
    '0x7f000001',
    '017700000001',
    '127.0.0.1.',
    '%31%32%37.0.0.1',
    '%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1',
  ];
  const names: Record<string, string[]> = {};
  for (const [i, address] of [...inside, ...special, ...six.slice(0, 7)].entries())
    names[`rebind-${i}.test`] = [address];
  names['several.test'] = ['10.0.0.1', '127.0.0.1', '::1'];
  await using gateway = await startTestGateway(
    {},
    {
      names,
      network: `network: { clients: ["127.0.0.0/8"], connectPorts: [{ port: ${port} }], httpPorts: [${port}] }`,
    },
  );
  const hosts = [
    ...inside,
    ...special,
    ...six.map((address) => `[${address}]`),
    ...spellings,
    ...Object.keys(names),
    'localhost',
    'LOCALHOST.',
    'a.b.localhost',
  ];
  for (const host of hosts) {
    for (const [way, ask] of Object.entries(WAYS)) {
      gateway.spool.records.length = 0;
      const response = await ask(gateway, `${host}:${port}`);
      t.equal(response.status, 403, `${way} ${host}`);
      t.match(gateway.spool.records, [{ verdict: 'block', reason: 'destination', status: 403 }], `${way} ${host}`);
    }
  }
  t.equal(origin.http.accepted(), 0);
});

void t.test('what the policy opens is reached, but never a listener of our own', async (t) => {
  await using origin = await startOrigin();
  await using ours = await startOrigin();
  const ports = [origin.http.port, ours.http.port];
  await using gateway = await startTestGateway(
    { http: ports, tls: ports },
    { ownPorts: new Set([ours.http.port]), names: { 'ours.test': ['127.0.0.1'] } },
  );
  for (const [way, ask] of Object.entries(WAYS)) {
    t.ok((await ask(gateway, `127.0.0.1:${origin.http.port}`)).status < 300, way);
    for (const host of ['127.0.0.1', '127.0.0.2', 'ours.test', 'localhost', '[::ffff:127.0.0.1]']) {
      t.equal((await ask(gateway, `${host}:${ours.http.port}`)).status, 403, `${way} ${host}`);
    }
  }
  t.equal(ours.http.accepted(), 0);
});

void t.test('the address that was checked is the one that is connected to', async (t) => {
  const taken: string[] = [];
  const serve = (name: string) =>
    createServer((socket) => {
      taken.push(name);
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
    });
  await using good = await listen(serve('good'));
  await using bad = await listen(serve('bad'), '127.0.0.2', good.port);
  let asked = 0;
  const answers = [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.2', '127.0.0.1'], ['127.0.0.1', '127.0.0.2']];
  await using gateway = await startTestGateway(
    {},
    {
      resolve: async () => answers[asked++ % answers.length]!,
      network: `network:
  clients: ["127.0.0.0/8"]
  allowDestinations: ["127.0.0.1"]
  connectPorts: [{ port: ${good.port}, tls: false }]
  httpPorts: [${good.port}]`,
    },
  );
  for (const [way, ask] of Object.entries(WAYS)) {
    asked = 0;
    taken.length = 0;
    for (const [i, statuses] of [[200], [403], [200], [200]].entries()) {
      const response = await ask(gateway, `turns.test:${good.port}`);
      t.ok(statuses.includes(response.status), `${way}, answer ${i}: ${response.status}`);
      t.equal(asked, i + 1, 'one look-up for one request');
    }
    await eventually('three connections', () => taken.length === 3);
    t.same(new Set(taken), new Set(['good']), way);
  }
  t.equal(bad.accepted(), 0);
});

void t.test('a kept connection serves only the addresses it was opened for', async (t) => {
  await using first = await startOrigin();
  const second = await startOrigin({ host: '127.0.0.2' });
  t.teardown(() => second.close());
  let address = '127.0.0.1';
  await using gateway = await startTestGateway({ http: [first.http.port] }, { resolve: async () => [address] });
  const ask = () => WAYS['GET']!(gateway, `moves.test:${first.http.port}`);
  t.equal((await ask()).status, 200);
  t.equal((await ask()).status, 200);
  t.equal(first.http.accepted(), 1, 'kept and used again');
  address = '127.0.0.2';
  t.equal((await ask()).status, 502, 'nobody listens there');
  t.equal(first.seen.length, 2);
});

void t.test('IPv6 origins by literal and by name', async (t) => {
  await using origin = await startOrigin({ host: '::1' });
  const { port } = origin.http;
  await using gateway = await startTestGateway(
    { http: [port], raw: [port] },
    {
      names: { 'six.test': ['::1'], 'both.test': ['127.0.0.1', '::1'], 'dead-first.test': ['::2', '127.0.0.1', '::1'] },
    },
  );
  for (const host of ['[::1]', '[0:0:0:0:0:0:0:1]', 'six.test', 'both.test', 'dead-first.test', 'localhost']) {
    for (const [way, ask] of Object.entries(WAYS)) {
      const response = await ask(gateway, `${host}:${port}`);
      t.ok(response.status < 300, `${way} ${host}: ${response.status}`);
    }
  }
  const hosts = origin.seen.map(({ rawHeaders }) => rawHeaders[rawHeaders.findIndex((one) => /^host$/i.test(one)) + 1]);
  t.ok(hosts.includes(`[::1]:${port}`), 'Host has brackets');
  t.match(gateway.spool.records[0], { host: '::1', target: `http://[::1]:${port}/` });
  await using zone = await dial(gateway.port);
  await zone.send(`GET http://[fe80::1%25eth0]:${port}/ HTTP/1.1\r\nHost: [fe80::1%25eth0]:${port}\r\n\r\n`);
  t.equal((await zone.readResponse()).status, 400, 'a zone is no part of an address');
});

void t.test('connecting takes its time only as long as it may', async (t) => {
  // A stopped process takes nothing from its queue of one: the next connection waits for ever.
  const code = 'require("net").createServer().listen(0,"127.0.0.1",1,function(){console.log(this.address().port)})';
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const fillers: Socket[] = [];
  await eventually('the queue is full', async () => {
    const filler = connect(port, '127.0.0.1');
    fillers.push(filler);
    return !(await Promise.race([
      once(filler, 'connect').then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300)),
    ]));
  });
  await using gateway = await startTestGateway({ raw: [port], http: [port] }, { limits: { connectMs: 500 } });
  for (const [way, ask] of Object.entries(WAYS)) {
    const response = await ask(gateway, `127.0.0.1:${port}`);
    t.equal(response.status, 504, way);
    t.equal(response.header('proxy-status'), 'schoolgate; error=connection_timeout');
  }
  for (const filler of fillers) filler.destroy();
});

async function startChain(credentials: string | null, given: string | null) {
  const origin = await startOrigin();
  const parent = await startParent(credentials);
  const { port } = origin.http;
  const up: ParentProxy = { host: '127.0.0.1', port: parent.port, authorization: given };
  const gateway = await startTestGateway(
    { http: [port], raw: [port], tls: [origin.https.port] },
    { parent: up, limits: { connectMs: 600 }, listed: { 'bet.test': ['gambling'] } },
  );
  return {
    origin,
    parent,
    gateway,
    port,
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await parent.close();
      await origin.close();
    },
  };
}

void t.test('a parent proxy carries all three, with our credentials and never the client’s', async (t) => {
  await using run = await startChain('Basic b3Vyczpvd24=', 'Basic b3Vyczpvd24=');
  const { parent, gateway, port } = run;
  for (const [way, ask] of Object.entries(WAYS)) {
    parent.seen.length = 0;
    const response = await ask(gateway, `site.test:${port}`);
    t.ok(response.status < 300, `${way}: ${response.status}`);
    t.equal(parent.seen.length, 1, way);
    t.match(parent.seen[0], {
      method: way === 'GET' ? 'GET' : 'CONNECT',
      url: way === 'GET' ? `http://site.test:${port}/` : `site.test:${port}`,
      authorization: 'Basic b3Vyczpvd24=',
      headers: { host: `site.test:${port}` },
    });
    t.equal(response.header('x-parent'), undefined, 'its own answer stays with us');
  }
  parent.seen.length = 0;
  const head = [`GET http://site.test:${port}/echo HTTP/1.1`, `Host: site.test:${port}`];
  const response = await request(gateway.port, [...head, 'Proxy-Authorization: Basic Y2xpZW50']);
  t.match(text(response.body), /"url":"\/echo"/);
  t.equal(parent.seen[0]!.authorization, 'Basic b3Vyczpvd24=');
  t.notOk(run.origin.seen.at(-1)!.rawHeaders.some((value) => /Y2xpZW50/.test(value)));
  t.equal((await WAYS['GET']!(gateway, 'bet.test')).status, 403, 'what is blocked does not get so far');
  t.equal((await WAYS['GET']!(gateway, '10.0.0.1')).status, 403, 'nor does an inside address');
});

void t.test('TLS through a parent proxy, and bytes that come together with its answer', async (t) => {
  await using run = await startChain(null, null);
  const authority = `localhost:${run.origin.https.port}`;
  const { connection, response } = await connectThrough(run.gateway.port, `site.test:${run.origin.https.port}`);
  t.equal(response.status, 200);
  const inner = await connection.startTls({ ca: run.origin.authority.cert, servername: 'localhost' });
  await inner.send(`GET /bytes?n=500000 HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  t.equal((await inner.readResponse()).body.length, 500_000);
  await inner.close();
  await connection.close();
  run.parent.early = 'early bytes';
  const { connection: raw } = await connectThrough(run.gateway.port, `site.test:${run.port}`);
  t.equal(text(await raw.read('early bytes')), 'early bytes');
  await raw.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  t.equal((await raw.readResponse()).status, 200);
  await raw.close();
  await eventually('nothing is left', () => run.parent.open() === 0 && run.gateway.listener.connections === 0);
});

void t.test('a parent proxy that refuses, is silent, wants another sign-in, or is down', async (t) => {
  const table: [string, (parent: TestParent) => void | Promise<void>, string[], number, string][] = [
    ['403', (parent) => void (parent.refuse = 403), ['CONNECT', 'upgrade'], 503, 'destination_unavailable'],
    ['504', (parent) => void (parent.refuse = 504), ['CONNECT', 'upgrade'], 504, 'connection_timeout'],
    ['silence', (parent) => void (parent.refuse = 0), ['CONNECT', 'upgrade'], 504, 'connection_timeout'],
    ['down', (parent) => parent.close(), Object.keys(WAYS), 502, 'connection_refused'],
  ];
  for (const [what, change, ways, status, error] of table) {
    await using run = await startChain(null, null);
    await change(run.parent);
    for (const way of ways) {
      const response = await WAYS[way]!(run.gateway, `site.test:${run.port}`);
      t.equal(response.status, status, `${what}, ${way}`);
      t.equal(response.header('proxy-status'), `schoolgate; error=${error}`, `${what}, ${way}`);
    }
    await eventually('all are recorded', () => run.gateway.spool.records.length === ways.length);
    t.equal(run.origin.http.accepted(), 0);
  }
  await using run = await startChain('Basic b3Vyczpvd24=', null);
  for (const [way, ask] of Object.entries(WAYS)) {
    const response = await ask(run.gateway, `site.test:${run.port}`);
    t.equal(response.status, 503, `${way}: not the client’s to answer`);
    t.equal(response.header('proxy-authenticate'), undefined);
  }
});

void t.test('a parent proxy that talks nonsense', async (t) => {
  const answers: [string, number][] = [
    ['220 mail.test ESMTP\r\n\r\n', 502],
    [`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(20_000)}`, 502],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 503],
  ];
  for (const [answer, status] of answers) {
    await using parent = await startTcpOrigin((socket) => void socket.once('data', () => socket.write(answer)));
    await using gateway = await startTestGateway(
      { raw: [9] },
      { parent: { host: '127.0.0.1', port: parent.port, authorization: null }, limits: { connectMs: 1000 } },
    );
    t.equal((await WAYS['CONNECT']!(gateway, 'site.test:9')).status, status, answer.slice(0, 20));
  }
});

void t.test('names are asked for once as long as their answer holds', async (t) => {
  let now = 1_000_000;
  await using server = await startNameServer(
    [
      ['site.test', ['127.0.0.5', '127.0.0.6']],
      ['empty.test', []],
    ],
    60,
  );
  const resolve = createResolve([server.address], () => now);
  const answers = await Promise.all([resolve('site.test'), resolve('site.test'), resolve('site.test')]);
  for (const answer of answers) t.same(answer, ['127.0.0.5', '127.0.0.6']);
  t.same(server.asked.toSorted(), ['A site.test', 'AAAA site.test'], 'asked once for three');
  server.names.set('site.test', ['127.0.0.7']);
  now += 59_000;
  t.same(await resolve('site.test'), ['127.0.0.5', '127.0.0.6']);
  now += 2_000;
  t.same(await resolve('site.test'), ['127.0.0.7']);
  for (const name of ['nowhere.test', 'empty.test']) await t.rejects(resolve(name), { code: 'dns_error' });
  server.names.set('nowhere.test', ['127.0.0.8']);
  t.same(await resolve('nowhere.test'), ['127.0.0.8'], 'that there is no such name is not remembered');
});

void t.test('the system’s resolver', async (t) => {
  const resolve = createResolve([], Date.now);
  const found = await resolve('localhost');
  t.ok(found.length > 0);
  for (const address of found) t.equal(canonicalHost(address)?.name, address, 'canonical');
});

void t.test('a name server that is slow to answer', async (t) => {
  await using silent = await startNameServer([]);
  const address = silent.address;
  await silent.close();
  await t.rejects(createResolve([address], Date.now)('site.test'), { code: /^dns_/ });
});

// A parent proxy sits outside the school: it would look for localhost and for addresses inside on its own side.
void t.test('what lies inside the school is reached straight, whatever parent there is', async (t) => {
  await using run = await startChain(null, null);
  for (const host of ['localhost', '127.0.0.1']) {
    for (const [way, ask] of Object.entries(WAYS)) {
      t.ok((await ask(run.gateway, `${host}:${run.port}`)).status < 300, `${way} ${host}`);
    }
  }
  t.same(run.parent.seen, []);
});

// A socket that is a tunnel through the parent must not be used for an absolute-form request with the parent's credentials.
void t.test('plain HTTP inside a CONNECT to port 80 goes to the parent proxy in absolute form', async (t) => {
  await using origin = await startOrigin();
  await using parent = await startParent('Basic b3Vyczpvd24=');
  const up: ParentProxy = { host: '127.0.0.1', port: parent.port, authorization: 'Basic b3Vyczpvd24=' };
  await using gateway = await startTestGateway({}, { parent: up, portMap: { 80: origin.http.port } });
  const { connection, response } = await connectThrough(gateway.port, 'site.test:80');
  t.equal(response.status, 200);
  await connection.send('GET /echo HTTP/1.1\r\nHost: site.test\r\n\r\n');
  await connection.readResponse();
  t.match(parent.seen, [
    { method: 'CONNECT', url: `site.test:${origin.http.port}` },
    { method: 'GET', url: 'http://site.test/echo', authorization: 'Basic b3Vyczpvd24=' },
  ]);
  t.notOk(origin.seen.some(({ rawHeaders }) => rawHeaders.join().includes('b3Vyczpvd24=')));
  await connection.close();
  await eventually('nothing is left', () => gateway.listener.connections + parent.open() === 0);
});
