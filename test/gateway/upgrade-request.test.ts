import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import t from 'tap';
import { eventually, settled } from '../helpers/listening.ts';
import { startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { connectThrough, dial, type RawConnection } from '../helpers/raw-client.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../helpers/test-gateway.ts';

const text = (bytes: Buffer): string => bytes.toString('latin1');

/** A masked text frame (RFC 6455 §5.2). */
function frame(payload: Buffer): Buffer {
  const size = payload.length < 126 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 255];
  const mask = randomBytes(4);
  const masked = payload.map((byte, i) => byte ^ mask[i & 3]!);
  return Buffer.concat([Buffer.from([0x81, ...size]), mask, masked]);
}

/** The size of an echoed frame of this payload. */
const echoSize = (payload: Buffer): number => payload.length + (payload.length < 126 ? 2 : 4);

function opening(target: string, host: string, ...fields: string[]): string {
  return [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...fields,
    '',
    '',
  ].join('\r\n');
}

async function start(options: TestGatewayOptions = {}) {
  const origin = await startOrigin();
  const names = { 'site.test': ['127.0.0.1'], 'bet.test': ['127.0.0.1'], 'play.test': ['127.0.0.1'] };
  const gateway = await startTestGateway(
    { http: [origin.http.port] },
    { names, listed: { 'bet.test': ['gambling'], 'play.test': ['games'] }, ...options },
  );
  return {
    origin,
    gateway,
    host: (name: string) => `${name}:${origin.http.port}`,
    open: async (name: string, path = '/socket', ...fields: string[]) => {
      const host = `${name}:${origin.http.port}`;
      const client = await dial(gateway.port);
      await client.send(opening(`http://${host}${path}`, host, ...fields));
      return { client, response: await client.readResponse() };
    },
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await origin.close();
    },
  };
}

async function isOver(gateway: TestGateway, origin: { open: () => number }, records = 1): Promise<void> {
  await eventually('no connection is left at the gateway', () => gateway.listener.connections === 0);
  await eventually('no connection is left at the origin', () => origin.open() === 0);
  await eventually('the record', () => gateway.spool.records.length >= records);
  t.equal(gateway.context.open.size, 0);
  t.equal(gateway.spool.records.length, records);
}

async function echo(client: RawConnection, payload: Buffer): Promise<Buffer> {
  await client.send(frame(payload));
  const back = await client.read((bytes) => (bytes.length >= echoSize(payload) ? echoSize(payload) : -1));
  return back.subarray(echoSize(payload) - payload.length);
}

void t.test('a WebSocket opens and carries frames both ways', async (t) => {
  await using run = await start();
  const { client, response } = await run.open('site.test', '/socket?x=1', 'Cookie: a=1', 'Origin: http://site.test');
  t.equal(response.status, 101);
  t.match(response.header('upgrade'), /^websocket$/i);
  t.match(response.header('connection'), /upgrade/i);
  t.equal(response.header('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  let carried = 0;
  for (const size of [5, 200, 60_000]) {
    const payload = randomBytes(size);
    t.ok((await echo(client, payload)).equals(payload), `${size} bytes`);
    carried += size;
  }
  t.equal(run.gateway.context.open.size, 1);
  await client.close();
  await isOver(run.gateway, run.origin.http);
  const record = await run.gateway.record();
  t.match(record, {
    method: 'GET',
    verdict: 'allow',
    status: 101,
    target: `http://${run.host('site.test')}/socket?x=1`,
  });
  t.ok(record.up > carried && record.up < carried + 100, `${record.up} bytes up`);
  t.ok(record.down > carried && record.down < carried + 100, `${record.down} bytes down`);
});

void t.test('fields for one hop stay with us; the handshake goes up whole', async (t) => {
  let seen = '';
  await using origin = await startTcpOrigin((socket) => {
    socket.once('data', (bytes) => {
      seen = text(bytes);
      const fields = [
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Proxy-Authenticate: Basic',
        'Keep-Alive: timeout=5',
      ];
      const own = ['Set-Cookie: a=1', 'Set-Cookie: b=2', 'X-Kept: yes'];
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${[...fields, ...own].join('\r\n')}\r\n\r\nfirst bytes`);
      socket.on('end', () => socket.end());
    });
  });
  await using gateway = await startTestGateway({ http: [origin.port] });
  const host = `127.0.0.1:${origin.port}`;
  const client = await dial(gateway.port);
  await client.send(
    opening(
      `http://${host}//a/./b?x={|}`,
      host,
      'Proxy-Authorization: Basic c2VjcmV0',
      'X-Named: 1',
      'Connection: X-Named',
      'Schoolgate-Client: 10.0.0.1',
      'Sec-WebSocket-Protocol: chat',
      'X-Twice: a',
      'X-Twice: b',
    ),
  );
  const response = await client.readResponse();
  t.equal(response.status, 101);
  t.equal(text(await client.read('first bytes')), 'first bytes');
  for (const name of ['proxy-authorization', 'x-named', 'schoolgate-client']) {
    t.notMatch(seen.toLowerCase(), `\r\n${name}:`);
  }
  for (const field of [
    'sec-websocket-protocol: chat',
    'sec-websocket-version: 13',
    'upgrade: websocket',
    'x-twice: b',
  ]) {
    t.match(seen.toLowerCase(), `\r\n${field}\r\n`);
  }
  t.match(seen, /^GET \/\/a\/\.\/b\?x=\{\|\} HTTP\/1\.1\r\n/, 'the path as the client wrote it');
  t.match(seen.toLowerCase(), /\r\nvia: 1\.1 schoolgate\r\n/);
  t.equal(seen.split(/\r\nhost:/i).length, 2);
  t.equal(response.header('proxy-authenticate'), undefined);
  t.equal(response.header('x-kept'), 'yes');
  t.equal(response.headers.filter(([name]) => name.toLowerCase() === 'set-cookie').length, 2);
  await client.close();
  await isOver(gateway, origin);
});

void t.test('an upstream that will not upgrade is heard', async (t) => {
  await using run = await start();
  const { client, response } = await run.open('site.test', '/upgrade-refused');
  t.equal(response.status, 403);
  t.equal(text(response.body), 'no');
  t.not((await client.readToEnd()).peer, 'open');
  await client.close();
  await isOver(run.gateway, run.origin.http);
  t.match(run.gateway.spool.records, [{ verdict: 'allow', status: 403, down: 2 }]);
  const answers = [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.0 200 OK\r\n\r\nhello',
  ];
  for (const answer of answers) {
    await using odd = await startTcpOrigin((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    await using gateway = await startTestGateway({ http: [odd.port] });
    const host = `127.0.0.1:${odd.port}`;
    const refused = await dial(gateway.port);
    await refused.send(opening(`http://${host}/`, host));
    const { bytes, peer } = await refused.readToEnd();
    t.match(text(bytes), /hello$/);
    t.notMatch(text(bytes), /transfer-encoding/i, 'a coding that is undone is not named');
    t.not(peer, 'open');
    await refused.close();
    await isOver(gateway, odd);
  }
});

void t.test('an upstream that cannot be reached or does not answer', async (t) => {
  await using gone = await startTcpOrigin(() => {});
  await gone.close();
  const faults: [string, (socket: Socket) => void, number, string][] = [
    ['silence', (socket) => void socket.resume(), 504, 'http_response_timeout'],
    ['a close', (socket) => void socket.once('data', () => socket.end()), 502, 'connection_terminated'],
    ['a reset', (socket) => void socket.once('data', () => socket.resetAndDestroy()), 502, 'connection_terminated'],
    ['no HTTP', (socket) => void socket.once('data', () => socket.end('220 mail\r\n')), 502, 'http_protocol_error'],
  ];
  for (const [what, fault, status, error] of faults) {
    await using odd = await startTcpOrigin(fault);
    await using gateway = await startTestGateway({ http: [odd.port] }, { limits: { responseHeadersMs: 400 } });
    const host = `127.0.0.1:${odd.port}`;
    const client = await dial(gateway.port);
    await client.send(opening(`http://${host}/`, host));
    const response = await client.readResponse();
    t.equal(response.status, status, what);
    t.equal(response.header('proxy-status'), `schoolgate; error=${error}`, what);
    t.not((await client.readToEnd()).peer, 'open', what);
    await client.close();
    await eventually('no connection is left', () => gateway.listener.connections === 0);
    t.match(gateway.spool.records, [{ status, error }], what);
  }
  await using gateway = await startTestGateway({ http: [gone.port] });
  for (const [host, error] of [
    [`127.0.0.1:${gone.port}`, 'connection_refused'],
    ['nowhere.test', 'dns_error'],
  ] as const) {
    const client = await dial(gateway.port);
    await client.send(opening(`http://${host}/`, host));
    const response = await client.readResponse();
    t.equal(response.status, 502);
    t.equal(response.header('proxy-status'), `schoolgate; error=${error}`);
    await client.close();
  }
  await eventually('both are recorded', () => gateway.spool.records.length === 2);
});

void t.test('what is refused, and told before it is answered', async (t) => {
  await using run = await start();
  const { client, response } = await run.open('bet.test');
  t.equal(response.status, 403);
  t.match(run.gateway.spool.events, [{ type: 'access.blocked', data: { host: 'bet.test' } }]);
  await client.close();
  const monitored = await run.open('play.test');
  t.equal(monitored.response.status, 101);
  t.match(run.gateway.spool.events, [{}, { type: 'access.flagged' }]);
  await monitored.client.close();
  const table: [string, string][] = [
    ['another Host', opening(`http://${run.host('site.test')}/`, 'other.test')],
    ['userinfo', opening(`http://a:b@${run.host('site.test')}/`, run.host('site.test'))],
    ['two Hosts', opening(`http://${run.host('site.test')}/`, run.host('site.test'), `Host: ${run.host('site.test')}`)],
    ['ws scheme', opening(`ws://${run.host('site.test')}/`, run.host('site.test'))],
    ['origin-form', opening('/', run.host('site.test'))],
  ];
  for (const [what, bytes] of table) {
    await using odd = await dial(run.gateway.port);
    await odd.send(bytes);
    const answer = await odd.readResponse();
    t.ok([400, 403].includes(answer.status), `${what}: ${answer.status}`);
    t.not((await odd.readToEnd()).peer, 'open', what);
  }
  await isOver(run.gateway, run.origin.http, 2 + table.length);
  t.equal(run.origin.http.accepted(), 1);
});

void t.test('an upgrade that is none is served as the plain request it is', async (t) => {
  await using run = await start();
  const host = run.host('site.test');
  const body = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  const table: [string, string][] = [
    ['h2c', `GET http://${host}/echo HTTP/1.1\r\nHost: ${host}\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n`],
    ['no Connection', `GET http://${host}/echo HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n\r\n`],
    [
      'POST',
      `POST http://${host}/echo HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ],
    [
      'a body',
      `GET http://${host}/echo HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ],
    [
      'chunks',
      `GET http://${host}/echo HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    ],
  ];
  for (const [what, bytes] of table) {
    await using client = await dial(run.gateway.port);
    await client.send(bytes);
    const response = await client.readResponse();
    t.equal(response.status, 200, what);
    const seen = JSON.parse(response.body.toString()) as { bodyBytes: number; rawHeaders: string[] };
    t.equal(seen.bodyBytes, bytes.includes('smuggled') ? body.length : 0, what);
    t.notOk(
      seen.rawHeaders.some((name) => name.toLowerCase() === 'upgrade'),
      what,
    );
    await client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    t.equal(text((await client.readResponse()).body), 'hello from the origin\n', `${what}, then another`);
  }
  t.notOk(run.origin.seen.some(({ url }) => url === '/smuggled'));
});

void t.test('a client that leaves takes the upstream with it, whenever that is', async (t) => {
  const sockets: Socket[] = [];
  await using silent = await startTcpOrigin((socket) => {
    sockets.push(socket);
    socket.on('end', () => socket.end()).resume();
  });
  await using gateway = await startTestGateway({ http: [silent.port] });
  const host = `127.0.0.1:${silent.port}`;
  const leaves = [(one: RawConnection) => one.close(), (one: RawConnection) => one.reset()];
  for (const leave of leaves) {
    gateway.spool.records.length = 0;
    const before = silent.accepted();
    const client = await dial(gateway.port);
    await client.send(opening(`http://${host}/`, host));
    await eventually('the upstream is asked', () => silent.accepted() > before);
    await leave(client);
    await isOver(gateway, silent);
    t.match(gateway.spool.records, [{ verdict: 'allow', status: 0, error: 'client_aborted' }]);
  }
  await using run = await start();
  for (const leave of leaves) {
    run.gateway.spool.records.length = 0;
    const { client } = await run.open('site.test');
    t.equal(text(await echo(client, Buffer.from('hello'))), 'hello');
    await leave(client);
    await isOver(run.gateway, run.origin.http);
    t.match(run.gateway.spool.records, [{ status: 101 }]);
  }
});

void t.test('an upstream that leaves takes the client with it', async (t) => {
  await using run = await start();
  const { client } = await run.open('site.test');
  run.origin.http.resetAll();
  t.not((await client.readToEnd()).peer, 'open');
  await client.close();
  await isOver(run.gateway, run.origin.http);
  t.match(run.gateway.spool.records, [{ status: 101 }]);
});

void t.test('what is no longer allowed is cut, and what is quiet for too long', async (t) => {
  await using run = await start({ limits: { tunnelIdleMs: 2000 } });
  const first = await run.open('site.test');
  const quiet = await run.open('play.test');
  run.gateway.setPolicy({ listed: { 'site.test': ['gambling'] } });
  t.not((await first.client.readToEnd()).peer, 'open');
  t.equal(quiet.client.peer, 'open');
  t.not((await quiet.client.readToEnd()).peer, 'open');
  await isOver(run.gateway, run.origin.http, 2);
  t.match(run.gateway.spool.records, [
    { host: 'site.test', error: 'cut' },
    { host: 'play.test', error: 'idle_timeout' },
  ]);
  await first.client.close();
  await quiet.client.close();
});

void t.test('a slow reader holds the other side back', async (t) => {
  let source: Socket | undefined;
  await using flood = await startTcpOrigin((socket) => {
    socket.once('data', () => {
      source = socket;
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      const push = (): void => {
        while (socket.bytesWritten < 100_000_000 && socket.write(Buffer.alloc(65_536)));
      };
      socket.on('drain', push);
      push();
    });
  });
  await using gateway = await startTestGateway({ http: [flood.port] });
  const host = `127.0.0.1:${flood.port}`;
  const client = await dial(gateway.port);
  client.hold(true);
  await client.send(opening(`http://${host}/`, host));
  const sent = await settled(() => (source === undefined ? 0 : source.bytesWritten - source.writableLength));
  t.ok(sent < 40_000_000, `${sent} bytes were taken`);
  await client.close();
  await isOver(gateway, { open: () => 0 });
});

void t.test('ws:// as browsers send it: inside a CONNECT to port 80', async (t) => {
  await using origin = await startOrigin();
  await using gateway = await startTestGateway(
    {},
    { names: { 'site.test': ['127.0.0.1'] }, portMap: { 80: origin.http.port } },
  );
  const { connection, response } = await connectThrough(gateway.port, 'site.test:80');
  t.equal(response.status, 200);
  await connection.send(opening('/socket', 'site.test'));
  t.equal((await connection.readResponse()).status, 101);
  t.equal(text(await echo(connection, Buffer.from('hello'))), 'hello');
  t.equal(gateway.context.open.size, 1);
  await connection.close();
  await isOver(gateway, origin.http, 2);
  t.equal(origin.http.accepted(), 1, 'the connection that the CONNECT brought along is the one that is used');
  t.match(gateway.spool.records, [
    { method: 'CONNECT', status: 200 },
    { method: 'GET', status: 101, target: 'http://site.test/socket' },
  ]);
  const other = await connectThrough(gateway.port, 'site.test:80');
  await other.connection.send(opening('/socket', 'other.test'));
  t.equal((await other.connection.readResponse()).status, 400);
  await other.connection.close();
});
