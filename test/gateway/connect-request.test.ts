import type { Socket } from 'node:net';
import t from 'tap';
import { clientHello, type HelloOptions } from '../helpers/client-hello.ts';
import { eventually, type Listening, settled } from '../helpers/listening.ts';
import { startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { connectThrough, dial, exchange, type RawConnection, request, tlsThrough } from '../helpers/raw-client.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../helpers/test-gateway.ts';

const text = (bytes: Buffer): string => bytes.toString('latin1');
const grantOf = (hosts: string[], until: number) => ({
  id: 'g1',
  topic: 'Odds in mathematics',
  hosts,
  categories: [],
  levels: ['ks1'],
  people: [],
  ranges: [],
  from: 0,
  until,
  passesPersonBlock: false,
});

/** A TCP origin that keeps what comes and answers nothing by itself. */
async function startSilent(): Promise<Listening & { sockets: Socket[]; bytes: () => Buffer }> {
  const sockets: Socket[] = [];
  const chunks: Buffer[] = [];
  const origin = await startTcpOrigin((socket) => {
    sockets.push(socket);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.end());
  });
  return Object.assign(origin, { sockets, bytes: () => Buffer.concat(chunks) });
}

async function isOver(gateway: TestGateway, ...origins: Pick<Listening, 'open'>[]): Promise<void> {
  await eventually('no connection is left at the gateway', () => gateway.listener.connections === 0);
  await eventually('no connection is left at the origin', () => origins.every((one) => one.open() === 0));
  t.equal(gateway.context.open.size, 0);
}

/** A tunnel to a silent origin on a TLS port, under a name of its own. */
async function startTunnel(name: string, options: TestGatewayOptions = {}) {
  const origin = await startSilent();
  const gateway = await startTestGateway({ tls: [origin.port] }, { names: { [name]: ['127.0.0.1'] }, ...options });
  const { connection, response } = await connectThrough(gateway.port, `${name}:${origin.port}`);
  t.equal(response.status, 200);
  return {
    origin,
    gateway,
    tunnel: connection,
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await gateway.close();
      await origin.close();
    },
  };
}

void t.test('an answer to CONNECT has neither body nor framing, and comes when the upstream stands', async (t) => {
  await using origin = await startSilent();
  await using gateway = await startTestGateway({ tls: [origin.port] });
  const { connection, response } = await connectThrough(gateway.port, `127.0.0.1:${origin.port}`);
  t.equal(response.status, 200);
  t.equal(response.header('content-length'), undefined);
  t.equal(response.header('transfer-encoding'), undefined);
  t.equal(origin.accepted(), 1);
  await connection.close();
  await isOver(gateway, origin);
  t.equal(gateway.spool.records.length, 1);
});

void t.test('TLS goes through end to end', async (t) => {
  await using origin = await startOrigin();
  await using gateway = await startTestGateway({ tls: [origin.https.port] });
  const tunnel = await tlsThrough(gateway.port, `localhost:${origin.https.port}`, {
    ca: origin.authority.cert,
    servername: 'localhost',
  });
  await tunnel.send('GET /bytes?n=1000000 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.equal((await tunnel.readResponse()).body.length, 1_000_000);
  await tunnel.close();
  const record = await gateway.record();
  t.match(record, { method: 'CONNECT', host: 'localhost', status: 200, sni: 'localhost', verdict: 'allow' });
  t.ok(record.up > 200 && record.down > 1_000_000);
});

void t.test('an upstream that cannot be reached is no 200', async (t) => {
  await using gone = await startSilent();
  await gone.close();
  await using gateway = await startTestGateway({ tls: [gone.port] }, { limits: { connectMs: 300 } });
  const table: [string, number, string][] = [
    [`127.0.0.1:${gone.port}`, 502, 'connection_refused'],
    [`nowhere.test:${gone.port}`, 502, 'dns_error'],
  ];
  for (const [authority, status, error] of table) {
    gateway.spool.records.length = 0;
    const { connection, response } = await connectThrough(gateway.port, authority);
    t.equal(response.status, status, authority);
    t.equal(response.header('proxy-status'), `schoolgate; error=${error}`);
    t.not((await connection.readToEnd()).peer, 'open', 'and closed');
    await connection.close();
    t.match(gateway.spool.records, [{ method: 'CONNECT', verdict: 'allow', status, error }]);
  }
  await isOver(gateway);
});

void t.test('what may not be connected to', async (t) => {
  await using gateway = await startTestGateway({}, { listed: { 'bet.test': ['gambling'] } });
  const table: [string, number, string][] = [
    ['bet.test:443', 403, 'category'],
    ['BET.test.:0443', 403, 'category'],
    ['site.test:22', 403, 'port'],
    ['site.test:25', 403, 'port'],
    ['site.test:8080', 403, 'port'],
    ['site.test', 400, 'malformed'],
    ['site.test:', 400, 'malformed'],
    ['site.test:0', 400, 'malformed'],
    ['site.test:65536', 400, 'malformed'],
    ['site.test:4x3', 400, 'malformed'],
    [':443', 400, 'malformed'],
    ['user@site.test:443', 400, 'malformed'],
    ['user:pw@site.test:443', 400, 'malformed'],
    ['https://site.test:443/', 400, 'malformed'],
    ['site.test:443/', 400, 'malformed'],
    ['[site.test]:443', 400, 'malformed'],
    ['a..b.test:443', 502, 'default'],
    ['*:443', 400, 'malformed'],
    [`${'a'.repeat(64)}.test:443`, 400, 'malformed'],
    [`${'a.'.repeat(200)}test:443`, 400, 'malformed'],
    ['site%00.test:443', 400, 'malformed'],
  ];
  for (const [authority, status, reason] of table) {
    gateway.spool.records.length = 0;
    const { bytes, peer } = await exchange(gateway.port, `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\n\r\n`);
    t.match(text(bytes), new RegExp(`^HTTP/1\\.1 ${status} `), authority);
    t.not(peer, 'open', `${authority} is closed`);
    t.match(gateway.spool.records, [{ status }], `${authority} is recorded once`);
    if (status !== 502) t.match(gateway.spool.records, [{ verdict: 'block', reason }], authority);
  }
  await isOver(gateway);
});

void t.test('odd ways to ask for a tunnel', async (t) => {
  await using origin = await startSilent();
  await using gateway = await startTestGateway({ tls: [origin.port] });
  const authority = `127.0.0.1:${origin.port}`;
  const table: [string, string, number][] = [
    ['HTTP/1.0', `CONNECT ${authority} HTTP/1.0\r\n\r\n`, 200],
    ['no Host', `CONNECT ${authority} HTTP/1.1\r\n\r\n`, 200],
    ['another Host', `CONNECT ${authority} HTTP/1.1\r\nHost: other.test\r\n\r\n`, 200],
    ['two Hosts', `CONNECT ${authority} HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n`, 400],
    ['an empty body', `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`, 200],
    ['a body', `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n`, 400],
    ['chunks', `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['a loop', `CONNECT ${authority} HTTP/1.1\r\nVia: ${'1.1 schoolgate, '.repeat(5)}1.1 x\r\n\r\n`, 400],
    ['an upgrade', `CONNECT ${authority} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n`, 200],
    ['lower case', `connect ${authority} HTTP/1.1\r\nHost: x\r\n\r\n`, 400],
    ['bare LF', `CONNECT ${authority} HTTP/1.1\nHost: x\n\n`, 400],
    ['two spaces', `CONNECT  ${authority} HTTP/1.1\r\nHost: x\r\n\r\n`, 200],
    ['space at the end', `CONNECT ${authority} HTTP/1.1 \r\nHost: x\r\n\r\n`, 400],
    ['space before a colon', `CONNECT ${authority} HTTP/1.1\r\nHost : x\r\n\r\n`, 400],
    ['folded field', `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n`, 400],
    ['NUL in a field', `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n`, 400],
    ['10,000 fields', `CONNECT ${authority} HTTP/1.1\r\n${'X-Many: y\r\n'.repeat(10_000)}\r\n`, 431],
    ['a long name', `CONNECT ${'a'.repeat(65_536)}:443 HTTP/1.1\r\nHost: x\r\n\r\n`, 414],
  ];
  for (const [what, bytes, status] of table) {
    gateway.spool.records.length = 0;
    await using connection = await dial(gateway.port);
    await connection.send(bytes);
    const response = await connection.readResponse('CONNECT');
    t.equal(response.status, status, what);
    await connection.close();
    await eventually(`the record of ${what}`, () => gateway.spool.records.length === 1);
  }
  await isOver(gateway, origin);
  // The same bytes in pieces of one must come to the same answer.
  for (const [what, bytes, status] of table.filter(([, bytes]) => bytes.length < 300)) {
    await using connection = await dial(gateway.port);
    for (const byte of bytes) await connection.send(byte);
    t.equal((await connection.readResponse('CONNECT')).status, status, `${what}, byte by byte`);
  }
});

void t.test('the hello goes up when it is whole and judged, whatever its segments', async (t) => {
  const table: [string, HelloOptions, number][] = [
    ['plain', { serverNames: ['site.test'] }, 1e9],
    ['one byte at a time', { serverNames: ['site.test'] }, 1],
    ['post-quantum in packets', { serverNames: ['site.test'], grease: true, keyShareBytes: 1216 }, 1400],
    ['many records', { serverNames: ['site.test'], keyShareBytes: 1216, recordBytes: 100 }, 333],
    ['no server name', {}, 1e9],
    ['ECH', { serverNames: ['outer.test'], ech: true }, 1e9],
  ];
  for (const [what, options, size] of table) {
    await using run = await startTunnel('site.test');
    const hello = Buffer.concat([clientHello(options), Buffer.from('and what follows it')]);
    for (let at = 0; at < hello.length - 20; at += size) {
      t.equal(run.origin.bytes().length, 0, `${what}: nothing goes up before the end`);
      await run.tunnel.send(hello.subarray(at, Math.min(at + size, hello.length - 20)));
    }
    await run.tunnel.send(hello.subarray(hello.length - 20));
    await eventually('all of it went up', () => run.origin.bytes().equals(hello));
    run.origin.sockets[0]!.write('answer');
    t.equal(text(await run.tunnel.read('answer')), 'answer');
    run.tunnel.end();
    await eventually('the record', () => run.gateway.spool.records.length === 1);
    t.match(run.gateway.spool.records[0], { verdict: 'allow', up: hello.length, down: 6, status: 200 }, what);
    const { sni, ech } = run.gateway.spool.records[0]!;
    t.same([sni, ech], [options.serverNames?.[0], options.ech], what);
    await isOver(run.gateway, run.origin);
  }
});

void t.test('bytes that come together with the CONNECT are judged like any', async (t) => {
  await using origin = await startSilent();
  await using gateway = await startTestGateway(
    { tls: [origin.port], raw: [] },
    { names: { 'site.test': ['127.0.0.1'] }, listed: { 'bet.test': ['gambling'] } },
  );
  const head = `CONNECT site.test:${origin.port} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const hello = clientHello({ serverNames: ['site.test'] });
  await using good = await dial(gateway.port);
  await good.send(Buffer.concat([Buffer.from(head), hello]));
  t.equal((await good.readResponse('CONNECT')).status, 200);
  await eventually('the hello went up', () => origin.bytes().equals(hello));
  await using bad = await dial(gateway.port);
  await bad.send(Buffer.concat([Buffer.from(head), clientHello({ serverNames: ['bet.test'] })]));
  t.not((await bad.readToEnd()).peer, 'open');
  t.ok(origin.bytes().equals(hello), 'nothing of the second one went up');
});

void t.test('what is no TLS on a TLS port is cut before a byte goes up', async (t) => {
  const table: [string, string | Buffer][] = [
    ['SSH', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['plain HTTP', 'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n'],
    ['a CONNECT inside', 'CONNECT bet.test:443 HTTP/1.1\r\nHost: bet.test\r\n\r\n'],
    ['OpenVPN', Buffer.from('000e38', 'hex')],
    ['SOCKS', Buffer.from([5, 1, 0])],
    ['NUL bytes', Buffer.alloc(100)],
    ['application data', Buffer.from([23, 3, 3, 0, 4, 1, 2, 3, 4])],
    ['two server names', clientHello({ serverNames: ['a.test', 'b.test'] })],
    ['two extensions', clientHello({ serverNames: ['site.test'], nameExtensions: 2 })],
    ['a hello beyond all measure', clientHello({ keyShareBytes: 65_000 }).fill(0, 200)],
  ];
  for (const [what, bytes] of table) {
    await using run = await startTunnel('site.test');
    await run.tunnel.send(bytes);
    const { bytes: down, peer } = await run.tunnel.readToEnd();
    t.not(peer, 'open', what);
    t.equal(down.length, 0, what);
    await isOver(run.gateway, run.origin);
    t.equal(run.origin.bytes().length, 0, `${what}: nothing went up`);
    t.match(run.gateway.spool.records, [{ verdict: 'block', reason: 'protocol', up: 0, error: 'not_tls' }], what);
  }
});

void t.test('a server that speaks first on a TLS port is no TLS server', async (t) => {
  await using origin = await startTcpOrigin((socket) => {
    const timer = setInterval(() => socket.write('220 mail.test ESMTP\r\n'), 20);
    socket.on('close', () => clearInterval(timer));
    socket.resume();
  });
  await using gateway = await startTestGateway({ tls: [origin.port] });
  const { connection } = await connectThrough(gateway.port, `127.0.0.1:${origin.port}`);
  const { bytes, peer } = await connection.readToEnd(3000);
  t.not(peer, 'open');
  t.equal(bytes.length, 0, 'nothing of it reaches the client');
  await connection.close();
  t.match(await gateway.record(), { verdict: 'block', reason: 'protocol', error: 'not_tls' });
  await isOver(gateway, origin);
});

void t.test('a client that sends no hello, or never the end of it, is cut', async (t) => {
  for (const bytes of ['', clientHello({ serverNames: ['site.test'] }).subarray(0, 50)]) {
    await using run = await startTunnel('site.test', { limits: { helloMs: 1000 } });
    await run.tunnel.send(bytes);
    t.not((await run.tunnel.readToEnd()).peer, 'open');
    await isOver(run.gateway, run.origin);
    t.equal(run.origin.bytes().length, 0);
    t.match(run.gateway.spool.records, [{ error: 'idle_timeout', up: 0 }]);
  }
  await using run = await startTunnel('site.test', { limits: { helloMs: 1000 } });
  const hello = clientHello({ serverNames: ['site.test'] });
  let at = 0;
  const drip = setInterval(() => void run.tunnel.send(hello.subarray(at, ++at)), 50);
  t.not((await run.tunnel.readToEnd()).peer, 'open', 'drip by drip it is no faster');
  clearInterval(drip);
  await isOver(run.gateway, run.origin);
});

void t.test('a client that half-closes before its hello', async (t) => {
  await using run = await startTunnel('site.test');
  run.tunnel.end();
  t.not((await run.tunnel.readToEnd()).peer, 'open');
  await isOver(run.gateway, run.origin);
  t.equal(run.gateway.spool.records.length, 1);
});

void t.test('the stricter of CONNECT name and server name holds, and is told before the cut', async (t) => {
  const listed = { 'bet.test': ['gambling'], 'play.test': ['games'], 'csam.test': ['csam'], 'news.test': ['news'] };
  const table: [string, string, object, number][] = [
    ['site.test', 'www.bet.test', { reason: 'category', category: 'gambling', sni: 'www.bet.test', flagged: true }, 1],
    ['site.test', 'BET.test.', { reason: 'category', category: 'gambling' }, 1],
    ['site.test', 'csam.test', { reason: 'illegal', locked: true, target: null, host: null }, 1],
    ['site.test', 'b\0et.test', { reason: 'malformed' }, 0],
    ['site.test', 'bet.test/', { reason: 'malformed' }, 0],
    // A server may take these bytes for UTF-8, and nothing says that it does.
    ['site.test', 'b\xc3\xbccher.test', { reason: 'malformed' }, 0],
    ['site.test', '%62et.test', { reason: 'category', category: 'gambling' }, 1],
    ['site.test', 'www..bet.test..', { reason: 'category', category: 'gambling' }, 1],
    ['play.test', 'bet.test', { reason: 'category', category: 'gambling' }, 2],
  ];
  for (const [name, serverName, expected, events] of table) {
    await using run = await startTunnel(name, { listed, names: { [name]: ['127.0.0.1'] } });
    let open = (): void => {};
    run.gateway.spool.gate = new Promise((resolve) => (open = resolve));
    await run.tunnel.send(clientHello({ serverNames: [serverName] }));
    if (events > 0) {
      await eventually('the event is handed in', () => run.gateway.spool.waiting > 0);
      t.equal((await request(run.gateway.port, ['GET /health HTTP/1.1', 'Host: x'])).status, 200);
      t.equal(run.tunnel.peer, 'open', `${serverName}: not cut before it is told`);
    }
    open();
    t.not((await run.tunnel.readToEnd()).peer, 'open', serverName);
    await isOver(run.gateway, run.origin);
    t.equal(run.origin.bytes().length, 0, `${serverName}: nothing went up`);
    t.match(run.gateway.spool.records, [{ verdict: 'block', up: 0, ...expected }], serverName);
    t.equal(run.gateway.spool.events.length, events);
    t.equal(new Set(run.gateway.spool.events.map(({ id }) => id)).size, events, 'every event has an id of its own');
    t.notMatch(JSON.stringify([run.gateway.spool.records, run.gateway.spool.events]), /csam\.test/);
  }
});

void t.test('other server names pass and are noted', async (t) => {
  const listed = { 'play.test': ['games'] };
  for (const serverName of ['cdn.test', 'SITE.test', '127.0.0.1', 'xn--bcher-kva.test', 'play.test']) {
    await using run = await startTunnel('site.test', { listed });
    await run.tunnel.send(clientHello({ serverNames: [serverName] }));
    await eventually('it went up', () => run.origin.bytes().length > 0);
    await run.tunnel.close();
    await isOver(run.gateway, run.origin);
    t.match(run.gateway.spool.records, [{ verdict: 'allow', sni: serverName, host: 'site.test' }], serverName);
    if (serverName !== 'play.test') continue;
    t.match(run.gateway.spool.records, [{ flagged: true, categories: ['games'] }], 'a monitored name is flagged');
    t.match(run.gateway.spool.events, [{ type: 'access.flagged' }], 'and told');
  }
});

void t.test('each side may close its half first', async (t) => {
  await using origin = await startTcpOrigin((socket) => {
    let got = '';
    socket.on('data', (chunk: Buffer) => (got += text(chunk)));
    socket.on('end', () => socket.end(`got ${got.length}`));
  });
  await using early = await startTcpOrigin((socket) => {
    let got = '';
    socket.end('all I have');
    socket.on('data', (chunk: Buffer) => (got += text(chunk)));
    socket.on('end', () => received.push(got));
  });
  const received: string[] = [];
  await using gateway = await startTestGateway({ raw: [origin.port, early.port] });
  const { connection: first } = await connectThrough(gateway.port, `127.0.0.1:${origin.port}`);
  await first.send('x'.repeat(100_000));
  first.end();
  t.equal(text((await first.readToEnd()).bytes), 'got 100000', 'the answer comes after our half is closed');
  const { connection: second } = await connectThrough(gateway.port, `127.0.0.1:${early.port}`);
  t.equal(text((await second.readToEnd()).bytes), 'all I have');
  await second.send('y'.repeat(100_000));
  second.end();
  await eventually('it still goes up', () => received[0]?.length === 100_000);
  await isOver(gateway, origin, early);
  t.match(gateway.spool.records, [
    { up: 100_000, down: 10 },
    { up: 100_000, down: 10 },
  ]);
  for (const record of gateway.spool.records) t.notOk('error' in record, 'a regular end is no error');
});

void t.test('a reset on one side cuts the other', async (t) => {
  await using origin = await startSilent();
  await using gateway = await startTestGateway({ raw: [origin.port] });
  const { connection: first } = await connectThrough(gateway.port, `127.0.0.1:${origin.port}`);
  await first.send('hello');
  await eventually('it went up', () => origin.bytes().length === 5);
  await first.reset();
  await isOver(gateway, origin);
  const { connection: second } = await connectThrough(gateway.port, `127.0.0.1:${origin.port}`);
  origin.resetAll();
  t.not((await second.readToEnd()).peer, 'open');
  await second.close();
  await isOver(gateway, origin);
  t.match(gateway.spool.records, [{ error: 'client_aborted', up: 5 }, { error: 'connection_terminated' }]);
});

void t.test('quiet tunnels are cut, half-closed ones sooner, busy ones never', async (t) => {
  await using origin = await startTcpOrigin((socket) => {
    const timer = setInterval(() => socket.writable && socket.write('.'), 200);
    socket.on('close', () => clearInterval(timer));
    socket.on('end', () => socket.end()).resume();
  });
  await using quiet = await startTcpOrigin((socket) => void socket.resume());
  await using gateway = await startTestGateway(
    { raw: [origin.port, quiet.port] },
    { limits: { tunnelIdleMs: 3000, halfClosedIdleMs: 1000 } },
  );
  const began = performance.now();
  const { connection: busy } = await connectThrough(gateway.port, `127.0.0.1:${origin.port}`);
  const { connection: idle } = await connectThrough(gateway.port, `127.0.0.1:${quiet.port}`);
  const { connection: half } = await connectThrough(gateway.port, `127.0.0.1:${quiet.port}`);
  half.end();
  t.not((await half.readToEnd()).peer, 'open');
  t.ok(performance.now() - began < 2900, 'half-closed');
  t.not((await idle.readToEnd()).peer, 'open');
  t.ok(performance.now() - began > 2000, 'idle');
  t.equal(busy.peer, 'open', 'busy');
  await busy.close();
  await idle.close();
  await half.close();
  await isOver(gateway, origin);
  t.match(gateway.spool.records.slice(0, 2), [{ error: 'idle_timeout' }, { error: 'idle_timeout' }]);
  t.equal(gateway.spool.records.length, 3);
});

void t.test('an upstream that does not read holds the client back', async (t) => {
  const paused: Socket[] = [];
  await using origin = await startTcpOrigin((socket) => void paused.push(socket.pause()));
  await using gateway = await startTestGateway({ raw: [origin.port] });
  const { connection } = await connectThrough(gateway.port, `127.0.0.1:${origin.port}`);
  const { socket } = connection;
  const push = (): void => {
    while (socket.writable && socket.bytesWritten < 100_000_000 && socket.write(Buffer.alloc(65_536)));
  };
  socket.on('drain', push);
  push();
  const taken = await settled(() => socket.bytesWritten - socket.writableLength);
  t.ok(taken < 40_000_000, `${taken} bytes were taken`);
  await connection.close();
  for (const one of paused) one.on('end', () => one.end()).resume();
  await isOver(gateway, origin);
});

void t.test('a client that leaves while its upstream is being connected', async (t) => {
  let connect = (): void => {};
  const resolved = new Promise<readonly string[]>((resolve) => (connect = () => resolve(['127.0.0.1'])));
  let asked = 0;
  await using origin = await startSilent();
  const resolve = async (): Promise<readonly string[]> => {
    asked++;
    return await resolved;
  };
  await using gateway = await startTestGateway({ raw: [origin.port] }, { resolve });
  for (const leave of [(one: RawConnection) => one.close(), (one: RawConnection) => one.reset()]) {
    const client = await dial(gateway.port);
    const before = asked;
    await client.send(`CONNECT slow.test:${origin.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await eventually('its upstream is looked up', () => asked > before);
    await leave(client);
  }
  connect();
  await eventually('both are recorded', () => gateway.spool.records.length === 2);
  await isOver(gateway, origin);
  t.equal(gateway.spool.records.length, 2);
});

void t.test('a flagged CONNECT is told before it is answered', async (t) => {
  await using origin = await startSilent();
  await using gateway = await startTestGateway(
    { tls: [origin.port] },
    { names: { 'play.test': ['127.0.0.1'] }, listed: { 'play.test': ['games'], 'bet.test': ['gambling'] } },
  );
  for (const [host, status] of [
    ['play.test', 200],
    ['bet.test', 403],
  ] as const) {
    let open = (): void => {};
    gateway.spool.gate = new Promise((resolve) => (open = resolve));
    await using client = await dial(gateway.port);
    await client.send(`CONNECT ${host}:${origin.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await eventually('the event is handed in', () => gateway.spool.waiting === 1);
    t.equal((await request(gateway.port, ['GET /health HTTP/1.1', 'Host: x'])).status, 200);
    t.equal(client.received.length, 0, `${host}: nothing before it is told`);
    open();
    t.equal((await client.readResponse('CONNECT')).status, status);
  }
  t.match(gateway.spool.events, [{ type: 'access.flagged' }, { type: 'access.blocked' }]);
});

void t.test('a change of the policy, the lists or a grant cuts what is no longer allowed, and only that', async (t) => {
  let now = Date.parse('2026-11-23T10:00:00Z');
  await using origin = await startSilent();
  const names = { 'bet.test': ['127.0.0.1'], 'site.test': ['127.0.0.1'] };
  const gateway = await startTestGateway(
    { raw: [origin.port] },
    { names, listed: { 'bet.test': ['gambling'] }, clock: () => now },
  );
  const open = async (host: string) => (await connectThrough(gateway.port, `${host}:${origin.port}`)).connection;
  const refused = await connectThrough(gateway.port, `bet.test:${origin.port}`);
  t.equal(refused.response.status, 403);
  await refused.connection.close();
  gateway.setGrants([grantOf(['bet.test'], now + 60_000)]);
  const opened = await open('bet.test');
  const site = await open('site.test');
  await opened.send('under the grant');
  await eventually('it goes up', () => origin.bytes().length > 0);
  // The grant ends by the clock alone: no message comes from anywhere.
  now += 60_001;
  const began = performance.now();
  t.not((await opened.readToEnd()).peer, 'open');
  t.ok(performance.now() - began < 2000, 'cut within two seconds');
  t.equal(site.peer, 'open');
  gateway.setGrants([grantOf(['bet.test'], now + 60_000)]);
  const again = await open('bet.test');
  gateway.setGrants([]);
  t.not((await again.readToEnd()).peer, 'open', 'a revoked grant cuts at once');
  gateway.setPolicy({ listed: { 'site.test': ['gambling'] } });
  t.not((await site.readToEnd()).peer, 'open', 'a new list cuts at once');
  for (const one of [opened, site, again]) await one.close();
  await isOver(gateway, origin);
  t.match(
    gateway.spool.records.filter(({ verdict }) => verdict === 'allow'),
    [{ error: 'cut' }, { error: 'cut' }, { error: 'cut' }],
  );
  await gateway.close();
});

void t.test('a tunnel judged by its server name is judged by it again', async (t) => {
  await using run = await startTunnel('site.test');
  await run.tunnel.send(clientHello({ serverNames: ['cdn.test'] }));
  await eventually('it went up', () => run.origin.bytes().length > 0);
  run.gateway.setPolicy({ listed: { 'cdn.test': ['gambling'] } });
  t.not((await run.tunnel.readToEnd(3000)).peer, 'open');
  await isOver(run.gateway, run.origin);
});

/** An origin that is reached as port 80 of `site.test` and `other.test`, and a CONNECT to it. */
async function startInside(options: TestGatewayOptions = {}) {
  const origin = await startOrigin();
  const gateway = await startTestGateway(
    {},
    {
      names: { 'site.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] },
      listed: { 'bet.test': ['gambling'], 'site.test/bets': ['gambling'], 'play.test': ['games'] },
      portMap: { 80: origin.http.port },
      ...options,
    },
  );
  const { connection, response } = await connectThrough(gateway.port, 'site.test:80');
  t.equal(response.status, 200);
  return {
    origin,
    gateway,
    inside: connection,
    ask: async (line: string, ...fields: string[]) => {
      await connection.send(`${[`${line} HTTP/1.1`, ...fields].join('\r\n')}\r\n\r\n`);
      return await connection.readResponse(line.split(' ')[0]);
    },
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await gateway.close();
      await origin.close();
    },
  };
}

void t.test('plain HTTP inside a CONNECT to port 80 goes through the same door', async (t) => {
  await using run = await startInside();
  const { origin, gateway } = run;
  const first = await run.ask('GET /echo?x=1', 'Host: site.test', 'Proxy-Authorization: Basic c2VjcmV0');
  t.equal(first.status, 200);
  t.notMatch(origin.seen[0]!.rawHeaders, /proxy-authorization/i);
  t.equal((await run.ask('GET /bytes?n=100000', 'Host: SITE.test:80')).body.length, 100_000);
  t.equal((await run.ask('GET /bets/today', 'Host: site.test')).status, 403, 'a path is seen here');
  t.equal((await run.ask('GET http://site.test/', 'Host: site.test')).status, 200, 'absolute-form');
  t.equal((await run.ask('GET http://bet.test/', 'Host: bet.test')).status, 403, 'another site is judged as itself');
  t.equal(origin.http.accepted(), 1, 'the connection that was opened for the CONNECT carries them');
  t.same(
    origin.seen.map(({ url }) => url),
    ['/echo?x=1', '/bytes?n=100000', '/'],
  );
  await run.inside.close();
  await eventually('nothing is left at the gateway', () => gateway.listener.connections === 0);
  t.match(gateway.spool.records, [
    { method: 'CONNECT', target: 'site.test:80', status: 200 },
    { method: 'GET', target: 'http://site.test/echo?x=1', status: 200 },
    { method: 'GET', down: 100_000 },
    { method: 'GET', verdict: 'block', category: 'gambling' },
    { method: 'GET', target: 'http://site.test/' },
    { method: 'GET', target: 'http://bet.test/', verdict: 'block' },
  ]);
  t.equal(gateway.spool.records.length, 6);
});

void t.test('inside a CONNECT to port 80, Host must name what was connected to', async (t) => {
  for (const host of ['other.test', 'bet.test', 'site.test:8080', '']) {
    await using run = await startInside();
    t.equal((await run.ask('GET /', `Host: ${host}`)).status, 400, host);
    t.not((await run.inside.readToEnd()).peer, 'open');
    t.same(run.origin.seen, []);
    await isOver(run.gateway, run.origin.http);
  }
});

void t.test('inside a CONNECT to port 80: another CONNECT, TLS, garbage, nothing', async (t) => {
  const table: [string, string | Buffer, RegExp][] = [
    ['a CONNECT', 'CONNECT other.test:443 HTTP/1.1\r\nHost: other.test\r\n\r\n', /^HTTP\/1\.1 403 /],
    ['TLS', clientHello({ serverNames: ['site.test'] }), /^HTTP\/1\.1 400 /],
    ['garbage', '\0\0\0\0', /^HTTP\/1\.1 400 /],
    ['our own pages', 'GET /metrics HTTP/1.1\r\nHost: site.test\r\n\r\n', /^HTTP\/1\.1 404 /],
  ];
  for (const [what, bytes, answer] of table) {
    await using run = await startInside();
    await run.inside.send(bytes);
    t.match(text(await run.inside.read('\r\n\r\n')), answer, what);
    await run.inside.close();
    // An upstream that has answered is kept for whoever comes next.
    await isOver(run.gateway, { open: () => run.origin.http.open() - run.origin.seen.length });
    t.equal(run.gateway.spool.records.length, 2, what);
  }
  await using run = await startInside({ limits: { headersMs: 500 } });
  const silent = await run.inside.readToEnd();
  t.same([silent.bytes.length, silent.peer], [0, 'ended'], 'nothing: closed without a word');
  await isOver(run.gateway, run.origin.http);
  t.equal(run.gateway.spool.records.length, 1, 'and without a record of its own');
});

void t.test('bytes that come together with a CONNECT to port 80 are its first request', async (t) => {
  await using run = await startInside();
  await using client = await dial(run.gateway.port);
  await client.send('CONNECT site.test:80 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
  t.equal((await client.readResponse('CONNECT')).status, 200);
  t.equal(text((await client.readResponse()).body), 'hello from the origin\n');
});

void t.test('a CONNECT after other requests on the same connection', async (t) => {
  await using run = await startInside({ limits: { clientIdleMs: 200 } });
  await using client = await dial(run.gateway.port);
  await client.send('GET http://site.test/ HTTP/1.1\r\nHost: site.test\r\n\r\n');
  t.equal((await client.readResponse()).status, 200);
  await client.send('CONNECT site.test:80 HTTP/1.1\r\nHost: site.test:80\r\n\r\n');
  t.equal((await client.readResponse('CONNECT')).status, 200);
  await client.send('GET /slow?ms=1800 HTTP/1.1\r\nHost: site.test\r\n\r\n');
  t.equal((await client.readResponse()).status, 200, 'the idle time of the first does not cut the second');
});
