import { connect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { once } from 'node:events';
import t from 'tap';
import { createAuthority } from '../helpers/certificates.ts';
import { eventually } from '../helpers/listening.ts';
import { startOrigin } from '../helpers/origin.ts';
import { connectThrough, dial, exchange, type RawConnection, request } from '../helpers/raw-client.ts';
import { startTestGateway, type TestGateway } from '../helpers/test-gateway.ts';

const text = (bytes: Buffer): string => bytes.toString('latin1');

async function isEmpty(gateway: TestGateway): Promise<void> {
  await eventually('no connection is left', () => gateway.listener.connections === 0);
}

void t.test('our own pages answer origin-form requests, and nothing else does', async (t) => {
  await using gateway = await startTestGateway({});
  const table: [string, number][] = [
    ['GET /health', 200],
    ['HEAD /health', 200],
    ['GET /ready?x=1', 200],
    ['GET /metrics', 200],
    ['POST /health', 400],
    ['GET /', 400],
    ['GET //health', 400],
    ['GET /%68ealth', 400],
    ['OPTIONS *', 400],
  ];
  for (const [line, status] of table) {
    const response = await request(gateway.port, [`${line} HTTP/1.1`, 'Host: any.test']);
    t.equal(response.status, status, line);
  }
  t.equal(gateway.spool.records.length, table.filter(([, status]) => status === 400).length);
  await isEmpty(gateway);
});

void t.test('a client outside network.clients is closed without a byte', async (t) => {
  await using gateway = await startTestGateway({}, { network: 'network: { clients: ["127.0.0.2"] }' });
  const { bytes, peer } = await exchange(gateway.port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  t.equal(bytes.length, 0);
  t.not(peer, 'open');
  await using inside = await dial(gateway.port, { localAddress: '127.0.0.2' });
  await inside.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  t.equal((await inside.readResponse()).status, 200);
});

void t.test('while nothing can be recorded, new connections get 503 and open ones go on', async (t) => {
  await using gateway = await startTestGateway({});
  await using early = await dial(gateway.port);
  await early.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  t.equal((await early.readResponse()).status, 200);
  gateway.spool.health = 'full';
  const refused = await request(gateway.port, ['GET http://any.test/ HTTP/1.1', 'Host: any.test']);
  t.equal(refused.status, 503);
  t.ok(Number(refused.header('retry-after')) > 0);
  t.match(refused.header('proxy-status'), /^schoolgate; error=/);
  gateway.spool.health = 'failing';
  t.equal((await request(gateway.port, ['GET /health HTTP/1.1', 'Host: x'])).status, 200);
});

void t.test('one client gets so many connections and no more; another is not affected', async (t) => {
  await using gateway = await startTestGateway({}, { connectionsPerClient: 20 });
  const opened: RawConnection[] = [];
  for (let i = 0; i < 30; i++) opened.push(await dial(gateway.port));
  const statuses = await Promise.all(
    opened.map(async (one) => {
      await one.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
      return (await one.readResponse()).status;
    }),
  );
  t.equal(statuses.filter((status) => status === 200).length, 20);
  t.equal(statuses.filter((status) => status === 429).length, 10);
  await using other = await dial(gateway.port, { localAddress: '127.0.0.2' });
  await other.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  t.equal((await other.readResponse()).status, 200);
  await Promise.all(opened.map((one) => one.close()));
  await eventually('the slots are free again', async () => {
    return (await request(gateway.port, ['GET /health HTTP/1.1', 'Host: x'])).status === 200;
  });
});

void t.test('beyond what the whole gateway may carry, new connections get 503 and open ones go on', async (t) => {
  let free = 1;
  await using gateway = await startTestGateway(
    {},
    {
      office: {
        ask: async (key, count) => (key === '*' ? Math.max(0, free--) : count),
        giveBack: () => {},
      },
      listed: { 'bet.test': ['gambling'] },
    },
  );
  await using first = await dial(gateway.port);
  const ask = async (): Promise<number> => {
    await first.send('GET http://bet.test/ HTTP/1.1\r\nHost: bet.test\r\n\r\n');
    return (await first.readResponse()).status;
  };
  t.equal(await ask(), 403);
  const refused = await request(gateway.port, ['GET http://any.test/ HTTP/1.1', 'Host: any.test']);
  t.equal(refused.status, 503);
  t.ok(Number(refused.header('retry-after')) > 0);
  t.equal(refused.header('proxy-status'), 'schoolgate; error=connection_limit_reached');
  t.equal(await ask(), 403, 'and is judged as before');
  t.match(await gateway.context.metrics.registry.metrics(), 'connections_refused_total{why="gateway-limit"} 1');
});

void t.test('a client that resets while its slot is asked for does no harm', async (t) => {
  const answers: ((granted: number) => void)[] = [];
  const givenBack: [string, number][] = [];
  await using gateway = await startTestGateway(
    {},
    {
      office: {
        ask: () => new Promise((resolve) => answers.push(resolve)),
        giveBack: (key, count) => givenBack.push([key, count]),
      },
    },
  );
  const client = await dial(gateway.port);
  await eventually('both slots are asked for', () => answers.length === 2);
  await client.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.reset();
  await isEmpty(gateway);
  for (const answer of answers) answer(1);
  await eventually('both slots are given back', () => givenBack.length === 2);
  const late = await dial(gateway.port);
  await eventually('they are asked for again', () => answers.length === 4);
  await late.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  // The event loop goes round, so that the bytes are read before the slots are there.
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  for (const answer of answers.slice(2)) answer(1);
  t.equal((await late.readResponse()).status, 200, 'what was sent meanwhile is not lost');
  await late.close();
});

void t.test('a client that is slow to send its header section is answered 408 and closed', async (t) => {
  await using gateway = await startTestGateway({}, { limits: { headersMs: 300 } });
  const drip = await dial(gateway.port);
  await drip.send('GET http://any.test/ HTTP/1.1\r\n');
  const timer = setInterval(() => void drip.send('X-Drip: 1\r\n'), 50);
  const { bytes, peer } = await drip.readToEnd(4000);
  clearInterval(timer);
  t.match(text(bytes), /^HTTP\/1\.1 408 /);
  t.not(peer, 'open');
  t.match(await gateway.record(), { verdict: 'block', reason: 'malformed', status: 408 });
  await drip.close();
  await isEmpty(gateway);
});

void t.test('a connection on which nothing is asked is closed without an answer or a record', async (t) => {
  await using gateway = await startTestGateway({}, { limits: { headersMs: 300 } });
  const { bytes, peer } = await exchange(gateway.port, '', 4000);
  t.equal(bytes.length, 0);
  t.not(peer, 'open');
  t.equal(gateway.spool.records.length, 0);
});

void t.test('an idle kept-alive connection is closed after its time', async (t) => {
  await using gateway = await startTestGateway({}, { limits: { clientIdleMs: 200 } });
  const { bytes, peer } = await exchange(gateway.port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n', 4000);
  t.match(text(bytes), /^HTTP\/1\.1 200 /);
  t.not(peer, 'open');
  await isEmpty(gateway);
});

void t.test('a refused client that goes on sending is not kept', async (t) => {
  await using gateway = await startTestGateway({}, { listed: { 'bet.test': ['gambling'] } });
  const { connection, response } = await connectThrough(gateway.port, 'bet.test:443');
  t.equal(response.status, 403);
  const timer = setInterval(() => void connection.send('still here'), 100);
  await eventually('it is closed', () => gateway.listener.connections === 0, 8000);
  clearInterval(timer);
  await connection.close();
});

void t.test('what the parser cannot read is answered once, recorded once and closed', async (t) => {
  await using gateway = await startTestGateway({});
  const table: [string, string | Buffer, number][] = [
    ['binary garbage', Buffer.from('16030100a50100', 'hex'), 400],
    ['NUL bytes', Buffer.alloc(64), 400],
    ['no version', 'GET http://any.test/\r\n\r\n', 400],
    ['odd version', 'GET http://any.test/ HTTP/9.9\r\n\r\n', 400],
    ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['SSH', 'SSH-2.0-OpenSSH_9.9\r\n', 400],
    ['lower-case method', 'get http://any.test/ HTTP/1.1\r\nHost: any.test\r\n\r\n', 400],
    ['space in the target', 'GET http://any.test/a b HTTP/1.1\r\nHost: any.test\r\n\r\n', 400],
    ['NUL in the target', 'GET http://any.test/\0 HTTP/1.1\r\nHost: any.test\r\n\r\n', 400],
    ['NUL in a field', 'GET http://any.test/ HTTP/1.1\r\nHost: any.test\r\nX: a\0b\r\n\r\n', 400],
    ['control in a name', 'GET http://any.test/ HTTP/1.1\r\nHost: any.test\r\nX\x01: a\r\n\r\n', 400],
    ['space before the colon', 'GET http://any.test/ HTTP/1.1\r\nHost : any.test\r\n\r\n', 400],
    ['bare CR', 'GET http://any.test/ HTTP/1.1\r\nHost: any.test\rX: y\r\n\r\n', 400],
    ['bare LF', 'GET http://any.test/ HTTP/1.1\nHost: any.test\n\n', 400],
    ['bare LF in the fields', 'GET http://any.test/ HTTP/1.1\r\nHost: any.test\nX: y\r\n\r\n', 400],
    ['folded field', 'GET http://any.test/ HTTP/1.1\r\nHost: any.test\r\nX: a\r\n b\r\n\r\n', 400],
    ['field without a colon', 'GET http://any.test/ HTTP/1.1\r\nHost: any.test\r\nnonsense\r\n\r\n', 400],
    ['64 KB URL', `GET http://any.test/${'a'.repeat(65_536)} HTTP/1.1\r\nHost: any.test\r\n\r\n`, 414],
    ['64 KB field', `GET http://any.test/ HTTP/1.1\r\nHost: any.test\r\nX: ${'a'.repeat(65_536)}\r\n\r\n`, 431],
    ['64 KB method', 'A'.repeat(65_536), 400],
    ['10,000 fields', `GET http://any.test/ HTTP/1.1\r\nHost: any.test\r\n${'X-Many: y\r\n'.repeat(10_000)}\r\n`, 431],
    ['unknown expectation', 'GET http://any.test/ HTTP/1.1\r\nHost: any.test\r\nExpect: miracles\r\n\r\n', 417],
  ];
  for (const [what, bytes, status] of table) {
    gateway.spool.records.length = 0;
    const answer = await exchange(gateway.port, bytes, 2000);
    t.match(text(answer.bytes), new RegExp(`^HTTP/1\\.1 ${status} `), what);
    t.not(answer.peer, 'open', `${what} is closed`);
    t.equal(text(answer.bytes).split('HTTP/1.1 ').length, 2, `${what} is answered once`);
    t.equal(gateway.spool.records.length, 1, `${what} is recorded once`);
    t.match(gateway.spool.records[0], { verdict: 'block', reason: 'malformed', status }, what);
  }
  await isEmpty(gateway);
});

void t.test('half a request and then the end', async (t) => {
  await using gateway = await startTestGateway({});
  for (const bytes of [
    'GET http://any.test/ HTT',
    'GET http://any.test/ HTTP/1.1\r\nHost: any',
    'CONNECT any.test:443 HTTP/1.1\r\n',
  ]) {
    gateway.spool.records.length = 0;
    const client = await dial(gateway.port);
    await client.send(bytes);
    client.end();
    const { bytes: answer, peer } = await client.readToEnd();
    t.match(text(answer), /^HTTP\/1\.1 400 /, bytes);
    t.not(peer, 'open');
    t.match(gateway.spool.records, [{ reason: 'malformed' }], bytes);
    await client.close();
  }
  const silent = await dial(gateway.port);
  silent.end();
  const { bytes } = await silent.readToEnd();
  t.equal(bytes.length, 0);
  await silent.close();
  await isEmpty(gateway);
});

void t.test('a body that turns to garbage never mixes two answers', async (t) => {
  await using origin = await startOrigin();
  await using gateway = await startTestGateway({ http: [origin.http.port] });
  const host = `127.0.0.1:${origin.http.port}`;
  const head = `POST http://${host}/drip?n=50&ms=20 HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  await using client = await dial(gateway.port);
  await client.send(`${head}5\r\nhello\r\n`);
  await client.read('\r\n\r\n');
  await client.send('zz\r\n');
  const { bytes, peer } = await client.readToEnd();
  t.notMatch(text(bytes), /HTTP\/1\.1/, 'no second answer inside the first one');
  t.not(peer, 'open');
  await eventually('the upstream is let go', () => origin.http.open() === 0);
  await isEmpty(gateway);
});

void t.test('garbage behind a request that waits for its answer closes both', async (t) => {
  await using origin = await startOrigin();
  await using gateway = await startTestGateway({ http: [origin.http.port] });
  const host = `127.0.0.1:${origin.http.port}`;
  await using client = await dial(gateway.port);
  await client.send(`GET http://${host}/fault/never HTTP/1.1\r\nHost: ${host}\r\n\r\n\0\0\0`);
  const { bytes, peer } = await client.readToEnd();
  t.equal(text(bytes), '', 'the answer to the garbage is not taken for the answer to the request');
  t.not(peer, 'open');
  await eventually('both are recorded', () => gateway.spool.records.length === 2);
  await eventually('the upstream is let go', () => origin.http.open() === 0);
  await isEmpty(gateway);
});

void t.test('a drain lets go of idle connections at once and cuts the rest at its deadline', async (t) => {
  await using origin = await startOrigin();
  await using gateway = await startTestGateway({ http: [origin.http.port] });
  const host = `127.0.0.1:${origin.http.port}`;
  await using idle = await dial(gateway.port);
  await idle.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  t.equal((await idle.readResponse()).status, 200);
  await using busy = await dial(gateway.port);
  await busy.send(`GET http://${host}/slow?ms=300 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await eventually('it is on its way', () => origin.seen.length === 1);
  const began = performance.now();
  const drained = gateway.listener.drain(10_000);
  t.not((await idle.readToEnd(2000)).peer, 'open', 'idle: closed');
  t.equal((await busy.readResponse()).status, 200, 'busy: finished');
  t.equal(await drained, 0);
  t.ok(performance.now() - began < 5000);
  await t.rejects(dial(gateway.port), 'no more connections');
});

void t.test('a drain counts what it had to cut', async (t) => {
  await using origin = await startOrigin();
  await using gateway = await startTestGateway({ http: [origin.http.port], raw: [origin.https.port] });
  const host = `127.0.0.1:${origin.http.port}`;
  await using busy = await dial(gateway.port);
  await busy.send(`GET http://${host}/fault/never HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const { connection } = await connectThrough(gateway.port, `127.0.0.1:${origin.https.port}`);
  await eventually('it is on its way', () => origin.seen.length === 1);
  t.equal(await gateway.listener.drain(100), 2);
  t.not((await busy.readToEnd()).peer, 'open');
  t.not((await connection.readToEnd()).peer, 'open');
  await eventually('both are recorded', () => gateway.spool.records.length === 2);
  await eventually('nothing is left upstream', () => origin.http.open() === 0 && origin.https.open() === 0);
  await connection.close();
});

void t.test('the same proxy over TLS', async (t) => {
  await using origin = await startOrigin();
  const authority = createAuthority();
  const issued = authority.issue(['proxy.test', '127.0.0.1']);
  const tls = { cert: Buffer.from(issued.cert), key: Buffer.from(issued.key) };
  await using gateway = await startTestGateway(
    { http: [origin.http.port], tls: [origin.https.port] },
    { tls, limits: { headersMs: 500 }, listed: { 'bet.test': ['gambling'] } },
  );
  const host = `127.0.0.1:${origin.http.port}`;
  const open = async (): Promise<RawConnection> =>
    await (await dial(gateway.tlsPort!)).startTls({ ca: authority.cert, servername: 'proxy.test' });
  const plain = await open();
  await plain.send(`GET http://${host}/bytes?n=300000 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  t.equal((await plain.readResponse()).body.length, 300_000);
  await plain.send('GET http://bet.test/ HTTP/1.1\r\nHost: bet.test\r\n\r\n');
  t.equal((await plain.readResponse()).status, 403);
  await plain.close();
  const outer = await open();
  await outer.send(`CONNECT localhost:${origin.https.port} HTTP/1.1\r\nHost: localhost:${origin.https.port}\r\n\r\n`);
  t.equal((await outer.readResponse('CONNECT')).status, 200);
  const inner = await outer.startTls({ ca: origin.authority.cert, servername: 'localhost' });
  await inner.send('GET /bytes?n=300000 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.equal((await inner.readResponse()).body.length, 300_000);
  await inner.close();
  await outer.close();
  t.match(await gateway.record((one) => one.method === 'CONNECT'), { client: '127.0.0.1', sni: 'localhost' });

  await using garbage = await dial(gateway.tlsPort!);
  await garbage.send('GET / HTTP/1.1\r\n\r\n');
  t.not((await garbage.readToEnd()).peer, 'open', 'plain HTTP on the TLS port is closed');
  const mute = connect({ host: '127.0.0.1', port: gateway.tlsPort! });
  await once(mute, 'close');
  const old = tlsConnect({ host: '127.0.0.1', port: gateway.tlsPort!, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
  t.match(await once(old, 'error'), [{ code: /SSL/ }], 'an old TLS version is refused');
  await isEmpty(gateway);
});

// A handshake costs more than a request: it must not be had by who may not be here, nor more often than connections may.
void t.test('a TLS connection is counted and checked before its handshake', async (t) => {
  const issued = createAuthority().issue(['proxy.test']);
  const tls = { cert: Buffer.from(issued.cert), key: Buffer.from(issued.key) };
  await using gateway = await startTestGateway(
    {},
    { tls, connectionsPerClient: 1, network: 'network: { clients: ["127.0.0.0/30"] }', limits: { headersMs: 1000 } },
  );
  const outside = connect({ host: '127.0.0.1', port: gateway.tlsPort!, localAddress: '127.0.0.9' });
  await once(outside, 'close');
  t.equal(outside.bytesRead, 0);
  await using mute = await dial(gateway.tlsPort!);
  await eventually('it is there', () => gateway.listener.connections === 1);
  await using second = await dial(gateway.port);
  await second.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  t.equal((await second.readResponse()).status, 429, 'one that has not begun its handshake counts');
  await second.close();
  await mute.close();
  await eventually('its slot is free again', async () => {
    return (await request(gateway.port, ['GET /health HTTP/1.1', 'Host: x'])).status === 200;
  });
  await isEmpty(gateway);
});
