import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { eventually, listen, settled } from '../helpers/listening.ts';
import { byteAt, type Echo } from '../helpers/origin-routes.ts';
import { type Origin, startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { dial, exchange, type RawConnection, request } from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/raw-response.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../helpers/test-gateway.ts';

const text = (bytes: Buffer): string => bytes.toString('latin1');
const echoed = (response: RawResponse): Echo => JSON.parse(response.body.toString()) as Echo;

/** An origin, a gateway that may reach it, and requests to it through that gateway. */
async function start(options: TestGatewayOptions = {}, host = '127.0.0.1') {
  const origin = await startOrigin({ host });
  const gateway = await startTestGateway({ http: [origin.http.port] }, options);
  const authority = `${host.includes(':') ? `[${host}]` : host}:${origin.http.port}`;
  const head = (method: string, path: string, ...fields: string[]): string[] => [
    `${method} http://${authority}${path} HTTP/1.1`,
    `Host: ${authority}`,
    ...fields,
  ];
  return {
    origin,
    gateway,
    authority,
    head,
    ask: (method: string, path: string, fields: string[] = [], body: string | Uint8Array = '') =>
      request(gateway.port, head(method, path, ...fields), body),
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await origin.close();
    },
  };
}

/** Nothing is open at the origin or at the gateway, and this many requests are on record. */
async function isOver(origin: Pick<Origin['http'], 'open'>, gateway: TestGateway, records: number): Promise<void> {
  await eventually('no connection is left', () => origin.open() === 0 && gateway.listener.connections === 0);
  await eventually(`${records} records`, () => gateway.spool.records.length >= records);
}

void t.test('methods, bodies and their framing reach the origin as they were meant', async (t) => {
  await using run = await start();
  const body = 'some bytes';
  const length = `Content-Length: ${body.length}`;
  const chunks = '5\r\nsome \r\n5;ext=1\r\nbytes\r\n0\r\nX-Trailer: dropped\r\n\r\n';
  const table: [string, string[], string, number][] = [
    ['GET', [], '', 0],
    ['GET', [length], body, 10],
    ['POST', [length], body, 10],
    ['POST', ['Content-Length: 0'], '', 0],
    ['POST', [], '', 0],
    ['PUT', ['Transfer-Encoding: chunked'], chunks, 10],
    ['PATCH', ['transfer-encoding: Chunked'], chunks, 10],
    ['DELETE', [], '', 0],
    ['DELETE', ['Transfer-Encoding: chunked'], chunks, 10],
    ['OPTIONS', ['Transfer-Encoding: chunked'], chunks, 10],
    ['PROPFIND', [length], body, 10],
    ['REPORT', ['Transfer-Encoding: chunked'], chunks, 10],
  ];
  for (const [method, fields, sent, bytes] of table) {
    const what = `${method} ${fields.join()}`;
    await using client = await dial(run.gateway.port);
    // The second request proves that the first one's body was taken whole: nothing of it is read as a request.
    await client.send(`${run.head(method, '/echo?x=1', ...fields).join('\r\n')}\r\n\r\n${sent}`);
    const echo = echoed(await client.readResponse());
    t.match(echo, { method, url: '/echo?x=1', bodyBytes: bytes }, what);
    t.same(echo.rawTrailers, [], `${what}: trailers of requests stay here`);
    if (bytes > 0) t.equal(echo.bodySha256, createHash('sha256').update(body).digest('hex'), what);
    await client.send(`${run.head('GET', '/').join('\r\n')}\r\n\r\n`);
    t.equal(text((await client.readResponse()).body), 'hello from the origin\n', `${what}, then another`);
  }
  t.equal(run.origin.seen.length, 2 * table.length, 'the origin saw exactly what was asked');
  await isOver({ open: () => 0 }, run.gateway, 2 * table.length);
  t.equal(run.gateway.spool.records.length, 2 * table.length);
  t.match(run.gateway.spool.records[2], { method: 'GET', up: 10, status: 200, verdict: 'allow' });
});

void t.test('a large upload arrives whole, with a length and in chunks', async (t) => {
  await using run = await start();
  const body = Buffer.alloc(20_000_000, 'upload');
  const sha256 = createHash('sha256').update(body).digest('hex');
  t.match(echoed(await run.ask('POST', '/echo', [`Content-Length: ${body.length}`], body)), {
    bodyBytes: body.length,
    bodySha256: sha256,
  });
  const chunked = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
  t.match(echoed(await run.ask('POST', '/echo', ['Transfer-Encoding: chunked'], chunked)), { bodySha256: sha256 });
  await isOver({ open: () => 0 }, run.gateway, 2);
  for (const record of run.gateway.spool.records) t.equal(record.up, body.length);
});

void t.test('answers come down as the origin sent them', async (t) => {
  await using run = await start();
  const big = await run.ask('GET', '/bytes?n=5000000');
  t.equal(big.header('content-length'), '5000000');
  t.ok(
    big.body.every((byte, i) => byte === byteAt(i)),
    'every byte',
  );
  const chunked = await run.ask('GET', '/bytes?n=100000&chunked=1');
  t.equal(chunked.header('transfer-encoding'), 'chunked');
  t.equal(chunked.body.length, 100_000);
  const range = await run.ask('GET', '/bytes?n=1000', ['Range: bytes=100-199']);
  t.equal(range.status, 206);
  t.equal(range.header('content-range'), 'bytes 100-199/1000');
  t.equal(range.body[0], byteAt(100));
  t.equal((await run.ask('GET', '/bytes?n=10', ['Range: bytes=100-'])).status, 416);
  const head = await run.ask('HEAD', '/bytes?n=1234');
  t.equal(head.header('content-length'), '1234');
  t.equal(head.body.length, 0);
  for (const code of [204, 304, 404, 500]) t.equal((await run.ask('GET', `/status?code=${code}`)).status, code);
  t.equal((await run.ask('GET', '/redirect?to=http://other.test/')).header('location'), 'http://other.test/');
  const fields = await run.ask('GET', '/fields');
  t.same(
    fields.headers.filter(([name]) => /^set-cookie$/i.test(name)).map(([, value]) => value),
    ['a=1', 'b=2'],
  );
  t.equal(fields.header('x-odd-case'), 'caf\u00e9');
  t.match(fields.header('via'), /^1\.1 schoolgate$/);
  const hop = await run.ask('GET', '/hop-by-hop');
  t.equal(hop.header('x-public'), 'for everybody');
  for (const name of ['x-private', 'proxy-authenticate', 'proxy-connection'])
    t.equal(hop.header(name), undefined, name);
  t.equal(text((await run.ask('GET', '/fault/no-length')).body), 'until the end');
});

void t.test('no trailer is for one hop or asks for a sign-in', async (t) => {
  const fields = ['Proxy-Authenticate: Basic', 'Proxy-Connection: close', 'Keep-Alive: timeout=1', 'Upgrade: h2c'];
  await using origin = await startTcpOrigin((socket) => {
    const trailers = [...fields, 'X-Kept: yes'].join('\r\n');
    socket.once('data', () =>
      socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailers}\r\n\r\n`),
    );
  });
  await using gateway = await startTestGateway({ http: [origin.port] });
  const host = `127.0.0.1:${origin.port}`;
  const response = await request(gateway.port, [`GET http://${host}/ HTTP/1.1`, `Host: ${host}`]);
  t.equal(text(response.body), 'ok');
  t.same(response.trailers, [['X-Kept', 'yes']]);
});

void t.test('trailers and early hints are passed on', async (t) => {
  await using run = await start();
  const response = await run.ask('GET', '/trailers');
  t.equal(text(response.body), 'body with trailers');
  t.same(response.trailers, [
    ['X-First', 'one'],
    ['X-Last', 'two'],
  ]);
  await using client = await dial(run.gateway.port);
  await client.send(`${run.head('GET', '/early-hints').join('\r\n')}\r\n\r\n`);
  const hints = await client.readResponse();
  t.equal(hints.status, 103);
  t.match(hints.header('link'), /style\.css/);
  t.equal(text((await client.readResponse()).body), 'after the hints\n');
  const old = await exchange(run.gateway.port, `GET http://${run.authority}/early-hints HTTP/1.0\r\n\r\n`);
  t.match(text(old.bytes), /^HTTP\/1\.1 200 /, 'HTTP/1.0 knows no 1xx');
});

void t.test('hints that Node would not send itself do not spoil the answer', async (t) => {
  const hints = [
    'Link: </a.css>; rel=preload, </b.js>; rel=preload; as=script',
    'Link: </a.css>; rel=preload; media="(min-width: 600px)"',
    'Link: nonsense',
    'X-Other: no link at all',
    'Connection: X-Other\r\nProxy-Authenticate: Basic\r\nLink: </a.css>; rel=preload',
  ];
  for (const hint of hints) {
    await using odd = await startTcpOrigin((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n${hint}\r\n\r\n`);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    await using gateway = await startTestGateway({ http: [odd.port] });
    const host = `127.0.0.1:${odd.port}`;
    await using client = await dial(gateway.port);
    await client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    let response = await client.readResponse();
    while (response.status < 200) {
      t.equal(response.header('proxy-authenticate'), undefined);
      response = await client.readResponse();
    }
    t.equal(response.status, 200, hint);
  }
});

void t.test('Expect: 100-continue is answered when the body is wanted', async (t) => {
  await using run = await start({ listed: { 'bet.test': ['gambling'] } });
  await using client = await dial(run.gateway.port);
  const fields = ['Content-Length: 4', 'Expect: 100-continue'];
  await client.send(`${run.head('POST', '/echo', ...fields).join('\r\n')}\r\n\r\n`);
  t.equal((await client.readResponse()).status, 100);
  await client.send('body');
  const echo = echoed(await client.readResponse());
  t.equal(echo.bodyBytes, 4);
  t.notOk(echo.rawHeaders.some((name) => name.toLowerCase() === 'expect'));
  const refused = await request(run.gateway.port, ['POST http://bet.test/ HTTP/1.1', 'Host: bet.test', ...fields]);
  t.equal(refused.status, 403, 'a refused body is not asked for');
});

void t.test('HTTP/1.0 clients, with and without Host, get an answer that ends with the connection', async (t) => {
  await using run = await start();
  for (const fields of ['', `Host: ${run.authority}\r\n`, 'Connection: keep-alive\r\n']) {
    const target = `http://${run.authority}/bytes?n=20&chunked=1`;
    const { bytes, peer } = await exchange(run.gateway.port, `GET ${target} HTTP/1.0\r\n${fields}\r\n`);
    t.match(text(bytes), /^HTTP\/1\.[01] 200 /);
    t.notMatch(text(bytes), /transfer-encoding/i);
    t.equal(bytes.length - bytes.indexOf('\r\n\r\n') - 4, 20);
    t.not(peer, 'open');
  }
});

void t.test('many requests on one connection, one after the other and pipelined, keep their order', async (t) => {
  await using run = await start();
  await using client = await dial(run.gateway.port);
  for (let i = 0; i < 20; i++) {
    await client.send(`${run.head('GET', `/echo?n=${i}`).join('\r\n')}\r\n\r\n`);
    t.equal(echoed(await client.readResponse()).url, `/echo?n=${i}`);
  }
  const pipelined = [0, 1, 2, 3, 4].map((i) => run.head('GET', i % 2 ? `/slow?ms=60&n=${i}` : `/echo?n=${i}`));
  await client.send(pipelined.map((head) => `${head.join('\r\n')}\r\n\r\n`).join(''));
  const bodies: string[] = [];
  for (let i = 0; i < 5; i++) bodies.push(text((await client.readResponse()).body));
  t.match(bodies, [/n=0/, 'slow\n', /n=2/, 'slow\n', /n=4/]);
  t.equal(run.gateway.spool.records.length, 25);
  t.equal(new Set(run.gateway.spool.records.map(({ id }) => id)).size, 25);
  t.ok(run.origin.http.accepted() < 10, 'upstream connections are used again');
});

void t.test('pipelined requests are served one at a time', async (t) => {
  await using run = await start();
  await using client = await dial(run.gateway.port);
  const one = `${run.head('GET', '/slow?ms=2').join('\r\n')}\r\n\r\n`;
  await client.send(one.repeat(300));
  for (let i = 0; i < 300; i++) {
    await client.readResponse();
    if (run.origin.http.open() > 2) t.fail(`${run.origin.http.open()} upstream connections for one client`);
  }
  t.equal(run.gateway.spool.records.length, 300);
  await client.send(`${run.head('GET', '/fault/never').join('\r\n')}\r\n\r\n${one.repeat(5)}`);
  await eventually('the first is asked for', () => run.origin.seen.length === 301);
  await client.close();
  // One connection is kept for whoever comes next.
  await isOver({ open: () => run.origin.http.open() - 1 }, run.gateway, 301);
  t.equal(run.origin.seen.length, 301, 'what had to wait was never asked for');
});

void t.test('a CONNECT or an upgrade behind a request that waits is not mixed with its answer', async (t) => {
  await using run = await start();
  const slow = `${run.head('GET', '/slow?ms=100').join('\r\n')}\r\n\r\n`;
  const upgrade = run.head('GET', '/socket', 'Upgrade: websocket', 'Connection: Upgrade');
  for (const second of [['CONNECT site.test:443 HTTP/1.1', 'Host: x'], upgrade]) {
    run.gateway.spool.records.length = 0;
    const { bytes, peer } = await exchange(run.gateway.port, `${slow}${second.join('\r\n')}\r\n\r\n`);
    t.equal(text(bytes), '');
    t.not(peer, 'open');
    await isOver(run.origin.http, run.gateway, 2);
    t.match(run.gateway.spool.records, [{ reason: 'malformed', status: 0 }, { error: 'client_aborted' }]);
  }
});

void t.test('what is refused before anything is looked up', async (t) => {
  await using run = await start();
  const table: [string, number, string][] = [
    ['https://site.test/', 403, 'protocol'],
    ['ftp://site.test/', 403, 'protocol'],
    ['ws://site.test/', 403, 'protocol'],
    ['http://site.test:22/', 403, 'port'],
    ['http://site.test:443/', 403, 'port'],
    ['http://site.test:3128/', 403, 'port'],
    ['http://10.0.0.1/', 403, 'destination'],
    // Wrong in two ways: the earlier in the precedence counts.
    ['https://me@site.test/', 400, 'malformed'],
    ['https://site.test:22/', 403, 'protocol'],
    ['http://10.0.0.1:22/', 403, 'port'],
  ];
  for (const [target, status, reason] of table) {
    run.gateway.spool.records.length = 0;
    const host = /\/\/([^/]*)/.exec(target)![1]!.replace('me@', '');
    t.equal((await request(run.gateway.port, [`GET ${target} HTTP/1.1`, `Host: ${host}`])).status, status, target);
    t.match(run.gateway.spool.records, [{ verdict: 'block', reason }], target);
  }
});

void t.test('a client that goes away takes all its upstream requests with it', async (t) => {
  await using run = await start();
  const early: ((client: RawConnection) => Promise<void>)[] = [(client) => client.close(), (client) => client.reset()];
  const asked: [string, string][] = [
    ['waiting for the answer', `${run.head('GET', '/fault/never').join('\r\n')}\r\n\r\n`],
    ['in the middle of the answer', `${run.head('GET', '/drip?n=100000&ms=5').join('\r\n')}\r\n\r\n`],
    ['in the middle of a body', `${run.head('POST', '/echo', 'Content-Length: 100').join('\r\n')}\r\n\r\nhalf`],
  ];
  for (const [what, bytes] of asked) {
    for (const leave of early) {
      run.origin.seen.length = 0;
      run.gateway.spool.records.length = 0;
      const requests = bytes.split('Host:').length - 1;
      const client = await dial(run.gateway.port);
      await client.send(bytes);
      await eventually(`the origin is asked, ${what}`, () => run.origin.seen.length === requests);
      await leave(client);
      await isOver(run.origin.http, run.gateway, requests);
      t.equal(run.gateway.spool.records.length, requests, what);
      for (const record of run.gateway.spool.records)
        t.match(record, { verdict: 'allow', error: 'client_aborted' }, what);
    }
  }
});

void t.test('a client that goes away before its upstream is asked leaves nothing running', async (t) => {
  let found = (): void => {};
  let asked = 0;
  const resolve = (): Promise<readonly string[]> => {
    asked++;
    return new Promise((done) => (found = () => done(['127.0.0.1'])));
  };
  await using run = await start({ resolve });
  const port = run.origin.http.port;
  for (const path of ['/', '/bytes?n=30000000', '/fault/never']) {
    for (const body of ['', 'some body']) {
      run.gateway.spool.records.length = 0;
      const before = asked;
      const client = await dial(run.gateway.port);
      const head = [`POST http://slow.test:${port}${path} HTTP/1.1`, `Host: slow.test:${port}`];
      await client.send([...head, `Content-Length: ${body.length}`, '', body].join('\r\n'));
      await eventually('the name is looked up', () => asked > before);
      await client.close();
      await eventually('the gateway knows', () => run.gateway.listener.connections === 0);
      found();
      await isOver(run.origin.http, run.gateway, 1);
      t.match(run.gateway.spool.records, [{ verdict: 'allow', status: 0, error: 'client_aborted' }], path);
    }
  }
  t.same(run.origin.seen, [], 'and nothing was asked for in its name');
});

void t.test('every request of a connection is judged by what is in force when it comes', async (t) => {
  await using run = await start({ names: { 'site.test': ['127.0.0.1'] } });
  const host = `site.test:${run.origin.http.port}`;
  await using client = await dial(run.gateway.port);
  const ask = async (): Promise<number> => {
    await client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return (await client.readResponse()).status;
  };
  t.equal(await ask(), 200);
  run.gateway.setPolicy({ listed: { 'site.test': ['gambling'] } });
  t.equal(await ask(), 403);
  run.gateway.setPolicy({ listed: {} });
  t.equal(await ask(), 200);
});

void t.test('what goes wrong upstream is answered with the matching status and error', async (t) => {
  await using run = await start({
    names: { 'dead.test': ['127.0.0.1'] },
    limits: { responseHeadersMs: 400, connectMs: 400 },
  });
  await using gone = await startTcpOrigin(() => {});
  await gone.close();
  const table: [string, number, string][] = [
    ['/fault/close', 502, 'connection_terminated'],
    ['/fault/reset', 502, 'connection_terminated'],
    ['/fault/never', 504, 'http_response_timeout'],
    ['/fault/half-head-then-silence', 504, 'http_response_timeout'],
    ['/fault/half-head', 502, 'connection_terminated'],
    ['/fault/status-line', 502, 'http_protocol_error'],
    ['/fault/not-http', 502, 'http_protocol_error'],
    ['/fault/header-name', 502, 'http_protocol_error'],
    ['/fault/header-control', 502, 'http_protocol_error'],
    ['/fault/two-lengths', 502, 'http_protocol_error'],
    ['/fault/length-and-chunked', 502, 'http_protocol_error'],
    ['/fault/huge-header', 502, 'http_protocol_error'],
    ['/fault/unasked-upgrade', 502, 'connection_terminated'],
  ];
  for (const [path, status, error] of table) {
    run.gateway.spool.records.length = 0;
    const response = await run.ask('GET', path);
    t.equal(response.status, status, path);
    t.equal(response.header('proxy-status'), `schoolgate; error=${error}`, path);
    t.match(run.gateway.spool.records, [{ verdict: 'allow', status, error }], path);
  }
  const unreachable: [string, number, string][] = [
    [`127.0.0.1:${gone.port}`, 502, 'connection_refused'],
    ['nowhere.test', 502, 'dns_error'],
  ];
  for (const [authority, status, error] of unreachable) {
    await using gateway = await startTestGateway({ http: [gone.port] });
    const response = await request(gateway.port, [`GET http://${authority}/ HTTP/1.1`, `Host: ${authority}`]);
    t.equal(response.status, status, authority);
    t.equal(response.header('proxy-status'), `schoolgate; error=${error}`);
    t.match(gateway.spool.records, [{ status, error }]);
  }
});

void t.test('an answer that breaks off is broken off for the client too', async (t) => {
  await using run = await start({ limits: { bodyIdleMs: 600 } });
  const paths = [
    '/fault/truncated',
    '/fault/truncated-chunk',
    '/fault/reset-mid-body',
    '/fault/chunk-size',
    '/fault/half-body-then-silence',
  ];
  for (const path of paths) {
    run.gateway.spool.records.length = 0;
    const { bytes, peer } = await exchange(run.gateway.port, `${run.head('GET', path).join('\r\n')}\r\n\r\n`);
    t.not(peer, 'open', path);
    if (bytes.length > 0) t.notMatch(text(bytes), /\r\n0\r\n\r\n$/, `${path} has no regular end`);
    await eventually('the record', () => run.gateway.spool.records.length === 1);
    t.match(run.gateway.spool.records[0], { error: /^(?:http_response_incomplete|http_protocol_error)$/ }, path);
  }
});

void t.test('many fields from upstream pass; what follows an answer is not taken for another one', async (t) => {
  await using run = await start();
  const many = await run.ask('GET', '/fault/many-headers?count=3000');
  t.equal(many.header('x-2999'), '2999');
  const first = await run.ask('GET', '/fault/second-response');
  t.equal(text(first.body), 'ok');
  t.equal(text((await run.ask('GET', '/')).body), 'hello from the origin\n');
});

void t.test('an answer nobody asked for never reaches the next client', async (t) => {
  const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
  for (const isApart of [false, true]) {
    let served = 0;
    await using origin = await startTcpOrigin((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        const body = `answer ${++served}`;
        const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
        if (isApart) socket.write(answer, () => socket.write(poison));
        else socket.write(answer + poison);
      });
      socket.on('end', () => socket.end());
    });
    await using gateway = await startTestGateway({ http: [origin.port] });
    const host = `127.0.0.1:${origin.port}`;
    for (let i = 0; i < 15; i++) {
      const response = await request(gateway.port, [`GET http://${host}/ HTTP/1.1`, `Host: ${host}`]);
      t.match(text(response.body), /^answer \d+$/);
      // A connection on which more comes than was asked for is not kept.
      await eventually('it is closed', () => origin.open() === 0, 2000);
    }
  }
});

void t.test('odd answers are passed on or refused, and never hang', async (t) => {
  const ok = 'Content-Length: 2\r\n\r\nok';
  const table: [string, string, number][] = [
    ['no reason', `HTTP/1.1 200\r\n${ok}`, 200],
    ['an empty reason', `HTTP/1.1 200 \r\n${ok}`, 200],
    ['a reason in Latin-1', `HTTP/1.1 200 \xe9\r\n${ok}`, 200],
    ['a control in the reason', `HTTP/1.1 200 a\x01b\r\n${ok}`, 200],
    ['HTTP/1.0', `HTTP/1.0 200 OK\r\n${ok}`, 200],
    ['HTTP/2.0', `HTTP/2.0 200 OK\r\n${ok}`, 200],
    ['status 99', `HTTP/1.1 99 X\r\n${ok}`, 502],
    ['status 600', `HTTP/1.1 600 X\r\n${ok}`, 600],
    ['status 1000', `HTTP/1.1 1000 X\r\n${ok}`, 502],
    ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 502],
    ['a folded field', `HTTP/1.1 200 OK\r\nX: a\r\n b\r\n${ok}`, 502],
    ['a field without a name', `HTTP/1.1 200 OK\r\n: x\r\n${ok}`, 502],
    ['DEL in a value', `HTTP/1.1 200 OK\r\nX: a\x7fb\r\n${ok}`, 502],
    ['a tab in a value', `HTTP/1.1 200 OK\r\nX: a\tb\r\n${ok}`, 200],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok', 502],
    ['a length list', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok', 502],
    ['no body allowed', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok', 204],
    ['hints without end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2000), 504],
  ];
  for (const [what, answer, status] of table) {
    await using origin = await startTcpOrigin((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(Buffer.from(answer, 'latin1')));
      socket.on('end', () => socket.end());
    });
    await using gateway = await startTestGateway({ http: [origin.port] }, { limits: { responseHeadersMs: 500 } });
    const host = `127.0.0.1:${origin.port}`;
    const client = await dial(gateway.port);
    await client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    let response = await client.readResponse();
    while (response.status === 103) response = await client.readResponse();
    t.equal(response.status, status, what);
    await client.close();
    await isOver({ open: () => 0 }, gateway, 1);
    t.equal(gateway.spool.records.length, 1, what);
  }
});

void t.test('a kept connection that the upstream has closed meanwhile costs the client nothing', async (t) => {
  let served = 0;
  const server = createServer((_request, response) => {
    served++;
    response.end('served');
  });
  await using origin = await listen(server);
  await using gateway = await startTestGateway({ http: [origin.port] });
  const host = `127.0.0.1:${origin.port}`;
  const ask = (method: string) =>
    request(gateway.port, [`${method} http://${host}/ HTTP/1.1`, `Host: ${host}`, 'Content-Length: 0']);
  for (let i = 0; i < 20; i++) {
    t.equal((await ask('GET')).status, 200);
    // Reset without waiting for anybody to notice: the next request meets a socket that is already dead.
    origin.resetAll();
  }
  t.equal(served, 20);
  await eventually('nothing is left', () => gateway.listener.connections === 0);
});

void t.test(
  'an upstream that dies on every connection is asked twice at most, and only what may be repeated',
  async (t) => {
    const asked: string[] = [];
    await using origin = await startTcpOrigin((socket) => {
      socket.once('data', (bytes) => {
        asked.push(text(bytes).split(' ')[0]!);
        socket.destroy();
      });
    });
    await using gateway = await startTestGateway({ http: [origin.port] });
    const host = `127.0.0.1:${origin.port}`;
    for (const [method, times] of [
      ['GET', 2],
      ['HEAD', 2],
      ['POST', 1],
      ['DELETE', 1],
      ['PUT', 1],
    ] as const) {
      asked.length = 0;
      const response = await request(gateway.port, [
        `${method} http://${host}/ HTTP/1.1`,
        `Host: ${host}`,
        'Content-Length: 0',
      ]);
      t.equal(response.status, 502, method);
      t.equal(asked.length, times, method);
    }
  },
);

void t.test('a slow client holds the origin back instead of filling the gateway', async (t) => {
  let source: Socket | undefined;
  const size = 100_000_000;
  await using origin = await startTcpOrigin((socket) => {
    source = socket;
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      let left = size;
      const push = (): void => {
        while (left > 0 && socket.write(Buffer.alloc(Math.min(left, 1 << 16), 'd'))) left -= 1 << 16;
        left -= 1 << 16;
      };
      socket.on('drain', push);
      push();
    });
  });
  await using gateway = await startTestGateway({ http: [origin.port] });
  const host = `127.0.0.1:${origin.port}`;
  const client = await dial(gateway.port);
  client.hold(true);
  await client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const sent = await settled(() => (source === undefined ? 0 : source.bytesWritten - source.writableLength));
  // What lies in four kernel buffers and the gateway together.
  t.ok(sent < 40_000_000, `${sent} bytes were taken`);
  client.hold(false);
  await client.read('\r\n\r\n');
  let got = 0;
  await client.pass(size, (chunk) => (got += chunk.length), 20_000);
  t.equal(got, size, 'and all of it comes when it is read');
  await client.close();
});

void t.test('a slow origin holds the client back', async (t) => {
  const paused: Socket[] = [];
  await using origin = await startTcpOrigin((socket) => void paused.push(socket.pause()));
  await using gateway = await startTestGateway({ http: [origin.port] }, { limits: { bodyIdleMs: 1500 } });
  const host = `127.0.0.1:${origin.port}`;
  const client = await dial(gateway.port);
  await client.send(`POST http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000000\r\n\r\n`);
  const { socket } = client;
  const piece = Buffer.alloc(1 << 16, 'u');
  const push = (): void => {
    while (!socket.destroyed && socket.bytesWritten < 100_000_000 && socket.write(piece));
  };
  socket.on('drain', push);
  push();
  const taken = await settled(() => socket.bytesWritten - socket.writableLength);
  t.ok(taken < 40_000_000, `${taken} bytes were taken`);
  await eventually('a stalled upload is not kept for ever', () => gateway.listener.connections === 0, 8000);
  for (const one of paused) one.on('end', () => one.end()).resume();
  await isOver(origin, gateway, 1);
  await client.close();
});

void t.test('a client that stops in the middle of its body is not kept for ever', async (t) => {
  await using run = await start({ limits: { bodyIdleMs: 500 } });
  const client = await dial(run.gateway.port);
  await client.send(`${run.head('POST', '/echo', 'Content-Length: 100').join('\r\n')}\r\n\r\nhalf`);
  t.not((await client.readToEnd()).peer, 'open');
  await isOver(run.origin.http, run.gateway, 1);
  await client.close();
});

void t.test('an origin that answers before it has read the body is heard, and the connection goes on', async (t) => {
  await using origin = await startTcpOrigin((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 413 Too Much\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      socket.resume();
    });
  });
  await using gateway = await startTestGateway({ http: [origin.port] });
  const host = `127.0.0.1:${origin.port}`;
  const size = 3_000_000;
  await using client = await dial(gateway.port);
  await client.send(`POST http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${size}\r\n\r\n`);
  await client.send(Buffer.alloc(1000, 'x'));
  t.equal((await client.readResponse()).status, 413);
  await client.send(Buffer.alloc(size - 1000, 'x'));
  await client.send('GET http://schoolgate.test/ HTTP/1.1\r\nHost: schoolgate.test\r\n\r\n');
  t.equal((await client.readResponse()).status, 502, 'the next request is read where it begins');
  t.equal(gateway.spool.records.length, 2);
});

void t.test('an upload to an origin that is down gets its answer', async (t) => {
  await using gone = await startTcpOrigin(() => {});
  await gone.close();
  await using gateway = await startTestGateway({ http: [gone.port] });
  const host = `127.0.0.1:${gone.port}`;
  const client = await dial(gateway.port);
  await client.send(`POST http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 9000000\r\n\r\n`);
  await client.send(Buffer.alloc(9_000_000, 'x'));
  t.equal((await client.readResponse()).status, 502);
  await client.close();
});

void t.test('a refused body that never ends is not read for ever', async (t) => {
  await using gateway = await startTestGateway({}, { listed: { 'bet.test': ['gambling'] } });
  const client = await dial(gateway.port);
  await client.send('POST http://bet.test/ HTTP/1.1\r\nHost: bet.test\r\nTransfer-Encoding: chunked\r\n\r\n');
  t.equal((await client.readResponse()).status, 403);
  const timer = setInterval(() => void client.send('5\r\nagain\r\n'), 100);
  await eventually('it is closed', () => gateway.listener.connections === 0, 8000);
  clearInterval(timer);
  await client.close();
});

void t.test('a refused upload gets its page although nobody reads the body', async (t) => {
  await using gateway = await startTestGateway({}, { listed: { 'bet.test': ['gambling'] } });
  await using client = await dial(gateway.port);
  for (const size of [10, 100_000, 20_000_000]) {
    await client.send(`POST http://bet.test/ HTTP/1.1\r\nHost: bet.test\r\nContent-Length: ${size}\r\n\r\n`);
    // The whole body goes out before the answer is looked at; a reset would show in both.
    await client.send(Buffer.alloc(size, 'x'));
    t.equal((await client.readResponse()).status, 403, `${size} bytes`);
  }
  t.equal(gateway.spool.records.length, 3);
});

void t.test('fields meant for one hop stay with us, whoever names them', async (t) => {
  await using run = await start();
  const echo = echoed(
    await run.ask('GET', '/echo', [
      'Connection: keep-alive, X-One, X-Two',
      'Connection: X-Three, Host, Content-Length, Cookie',
      'X-One: 1',
      'x-two: 2',
      'X-THREE: 3',
      'Keep-Alive: timeout=5',
      'TE: trailers',
      'Trailer: X-T',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
      'Proxy-Authorization: Basic c2VjcmV0',
      'Proxy-Connection: keep-alive',
      'Schoolgate-Client: 10.0.0.99',
      'Via: 1.0 fred, 1.1 other',
      'Cookie: a=1',
      'X-Twice: a',
      'X-Twice: b',
      'X-Latin: caf\u00e9',
    ]),
  );
  const names = echo.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  const hop = ['x-one', 'x-two', 'x-three', 'keep-alive', 'te', 'trailer', 'upgrade', 'http2-settings'];
  for (const name of [...hop, 'proxy-authorization', 'proxy-connection', 'schoolgate-client']) {
    t.notOk(names.includes(name), name);
  }
  const values = (name: string): string[] =>
    echo.rawHeaders.filter((_, i) => names[(i - 1) / 2] === name && i % 2 === 1);
  t.same(values('host'), [run.authority]);
  t.same(values('cookie'), ['a=1']);
  t.same(values('x-twice'), ['a', 'b']);
  t.same(values('via'), ['1.0 fred, 1.1 other, 1.1 schoolgate']);
  t.same(values('x-latin'), ['caf\u00e9']);
});

void t.test('more fields than Node counts by itself are all passed on', async (t) => {
  let seen = '';
  await using origin = await startTcpOrigin((socket) => {
    socket.on('data', (bytes) => {
      seen += text(bytes);
      if (seen.endsWith('body')) socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  await using gateway = await startTestGateway({ http: [origin.port] });
  const host = `127.0.0.1:${origin.port}`;
  const many = Array.from({ length: 1500 }, (_, i) => `X-${i}: y`);
  const head = [`POST http://${host}/ HTTP/1.1`, `Host: ${host}`, ...many, 'Content-Length: 4'];
  t.equal((await request(gateway.port, head, 'body')).status, 204);
  for (const field of [...many, 'content-length: 4']) if (!seen.includes(`${field}\r\n`)) t.fail(field);
});

void t.test('what two readers could understand differently is refused, and nothing reaches the origin', async (t) => {
  await using run = await start();
  const { authority } = run;
  const get = `GET http://${authority}/ HTTP/1.1\r\n`;
  const post = `POST http://${authority}/echo HTTP/1.1\r\nHost: ${authority}\r\n`;
  const table: [string, string][] = [
    ['no Host', `${get}\r\n`],
    ['empty Host', `${get}Host:\r\n\r\n`],
    ['two Hosts', `${get}Host: ${authority}\r\nHost: ${authority}\r\n\r\n`],
    ['two different Hosts', `${get}Host: ${authority}\r\nHost: other.test\r\n\r\n`],
    ['another Host', `${get}Host: other.test\r\n\r\n`],
    ['another port in Host', `${get}Host: 127.0.0.1:1\r\n\r\n`],
    ['Host with userinfo', `${get}Host: a@${authority}\r\n\r\n`],
    ['Host with another port by default', 'GET https://site.test:80/ HTTP/1.1\r\nHost: site.test\r\n\r\n'],
    ['Host list', `${get}Host: ${authority}, other.test\r\n\r\n`],
    ['Host with a path', `${get}Host: ${authority}/x\r\n\r\n`],
    ['userinfo', `GET http://user:pw@${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`],
    ['userinfo that looks like a host', `GET http://good.test@${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`],
    ['port 0', 'GET http://127.0.0.1:0/ HTTP/1.1\r\nHost: 127.0.0.1:0\r\n\r\n'],
    ['port 65536', 'GET http://127.0.0.1:65536/ HTTP/1.1\r\nHost: 127.0.0.1:65536\r\n\r\n'],
    ['port that is no number', 'GET http://127.0.0.1:8a/ HTTP/1.1\r\nHost: 127.0.0.1:8a\r\n\r\n'],
    ['no host', 'GET http:/// HTTP/1.1\r\nHost:\r\n\r\n'],
    ['no slashes', `GET http:${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`],
    ['CL and TE', `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['TE and CL', `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${post}Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody`],
    ['the same length twice', `${post}Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody`],
    ['length list', `${post}Content-Length: 4, 4\r\n\r\nbody`],
    ['negative length', `${post}Content-Length: -4\r\n\r\nbody`],
    ['plus length', `${post}Content-Length: +4\r\n\r\nbody`],
    ['hex length', `${post}Content-Length: 0x4\r\n\r\nbody`],
    ['huge length', `${post}Content-Length: 99999999999999999999\r\n\r\nbody`],
    ['TE twice', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['TE list', `${post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
    ['TE identity', `${post}Transfer-Encoding: identity\r\n\r\n`],
    ['TE gzip, chunked', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['TE gzip in a line of its own', `${post}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['TE chunked, identity', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['TE unknown', `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['TE with a comma', `${post}Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n`],
    ['TE with a tab', `${post}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`],
    ['TE in HTTP/1.0', `POST http://${authority}/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a loop', `${get}Host: ${authority}\r\nVia: ${'1.1 schoolgate, '.repeat(5)}1.1 x\r\n\r\n`],
    ['TRACE', `TRACE http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`],
  ];
  const long = `GET http://${authority}/${'a'.repeat(20_000)} HTTP/1.1\r\nHost: ${authority}\r\n`;
  const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';
  table.push(['a long target', `${long}\r\n`], ['a long target of an upgrade', `${long}${upgrade}\r\n`]);
  for (const [what, bytes] of table) {
    run.gateway.spool.records.length = 0;
    const smuggled = `GET http://${authority}/smuggled HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
    const answer = await exchange(run.gateway.port, bytes + smuggled, 3000);
    t.match(text(answer.bytes), what.startsWith('a long target') ? /^HTTP\/1\.1 414 / : /^HTTP\/1\.1 400 /, what);
    t.not(answer.peer, 'open', `${what} is closed`);
    t.equal(text(answer.bytes).split('HTTP/1.1 ').length, 2, `${what} is answered once`);
    t.match(run.gateway.spool.records, [{ verdict: 'block', reason: 'malformed' }], `${what} is recorded once`);
  }
  t.same(run.origin.seen, []);
  await isOver(run.origin.http, run.gateway, 0);
});

void t.test('broken chunks never become a request of their own', async (t) => {
  await using run = await start();
  const smuggled = `GET http://${run.authority}/smuggled HTTP/1.1\r\nHost: ${run.authority}\r\n\r\n`;
  const bodies = [
    `zz\r\n${smuggled}`,
    `5\r\nhelloXX0\r\n\r\n${smuggled}`,
    `5\nhello\r\n0\r\n\r\n${smuggled}`,
    `-1\r\n${smuggled}`,
    `0x5\r\nhello\r\n0\r\n\r\n${smuggled}`,
    `ffffffffffffffffff\r\n${smuggled}`,
    `5 \r\nhello\r\n0\r\n\r\n${smuggled}`,
    `5;a\nb\r\nhello\r\n0\r\n\r\n${smuggled}`,
    `0\r\nX: y\r\n z\r\n\r\n${smuggled}`,
    `0\r\nbad trailer\r\n\r\n${smuggled}`,
    `5;${'e'.repeat(40_000)}\r\nhello\r\n0\r\n\r\n${smuggled}`,
  ];
  for (const body of bodies) {
    run.gateway.spool.records.length = 0;
    const head = run.head('POST', '/echo', 'Transfer-Encoding: chunked').join('\r\n');
    const { peer } = await exchange(run.gateway.port, `${head}\r\n\r\n${body}`, 3000);
    t.not(peer, 'open', JSON.stringify(body.slice(0, 20)));
    await eventually('the record', () => run.gateway.spool.records.length >= 1);
    t.equal(run.gateway.spool.records.length, 1, JSON.stringify(body.slice(0, 20)));
  }
  t.notOk(run.origin.seen.some(({ url }) => url === '/smuggled'));
  await isOver(run.origin.http, run.gateway, 0);
});

void t.test(
  'spellings of one URL are judged alike, and the origin gets the canonical host and the client’s own path, which climbs nowhere',
  async (t) => {
    await using run = await start({ names: { 'site.test': ['127.0.0.1'] } });
    const { port } = run.origin.http;
    const table: [string, string][] = [
      [`http://SITE.test:${port}/A%2fb?Q=%41#frag`, '/A%2fb?Q=%41'],
      [`http://site.test.:${port}/a/../b?c/../d`, '/b?c/../d'],
      [`http://site.test:${port}/blocked/x%2f..%252f..%5ca%2fb`, '/a/b'],
      [`HTTP://%73ite.test:0${port}//x`, '//x'],
      [`http://site.test:${port}?q`, '/?q'],
      [`http://2130706433:${port}/dec`, '/dec'],
      [`http://0x7f.1:${port}/hex`, '/hex'],
      [`http://[::ffff:127.0.0.1]:${port}/mapped`, '/mapped'],
    ];
    for (const [target, path] of table) {
      run.origin.seen.length = 0;
      const named = /\/\/([^/?\\#]*)/.exec(target)![1]!;
      const response = await request(run.gateway.port, [`GET ${target} HTTP/1.1`, `Host: ${named}`]);
      t.ok(response.status < 400 || response.status === 404, `${target} ${response.status}`);
      t.equal(run.origin.seen[0]?.url, path, target);
      const { rawHeaders } = run.origin.seen[0]!;
      const host = rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === 'host') + 1]!;
      t.ok([`site.test:${port}`, `127.0.0.1:${port}`].includes(host), host);
    }
  },
);

void t.test('the front desk is reached by its name only, and told who asks by us alone', async (t) => {
  const seen: string[][] = [];
  const desk = createServer((request, response) => {
    seen.push([...request.rawHeaders, request.url!]);
    response.end('the front desk');
  });
  const folder = mkdtempSync(join(tmpdir(), 'front-'));
  const frontSocket = join(folder, 'front.sock');
  await new Promise<void>((resolve) => desk.listen(frontSocket, resolve));
  t.teardown(() => {
    desk.close();
    desk.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  await using gateway = await startTestGateway({}, { frontSocket, never: ['schoolgate.internal'] });
  for (const host of ['schoolgate.internal', 'SchoolGate.Internal.']) {
    const response = await request(gateway.port, [
      `GET http://${host}/why?x=1 HTTP/1.1`,
      `Host: ${host}`,
      'Schoolgate-Client: 10.0.0.99',
      'schoolgate-client: 10.0.0.98',
      'Connection: schoolgate-client',
    ]);
    t.equal(text(response.body), 'the front desk');
  }
  for (const raw of seen) {
    const told = raw.filter((_, i) => raw[i - 1]?.toLowerCase() === 'schoolgate-client');
    t.same(told, ['127.0.0.1']);
    t.equal(raw.at(-1), '/why?x=1');
  }
  t.match(gateway.spool.records, [
    { verdict: 'allow', host: 'schoolgate.internal', flagged: false },
    { verdict: 'allow', host: 'schoolgate.internal' },
  ]);
  const spoofed = await request(gateway.port, ['GET http://schoolgate.internal/ HTTP/1.1', 'Host: other.test']);
  t.equal(spoofed.status, 400);
  const under = await request(gateway.port, [
    'GET http://x.schoolgate.internal/ HTTP/1.1',
    'Host: x.schoolgate.internal',
  ]);
  t.equal(under.status, 403, 'a name under it is a site like any other');
});

void t.test('a front desk that is down is no reason to look elsewhere', async (t) => {
  await using gateway = await startTestGateway({}, { names: { 'schoolgate.internal': ['127.0.0.1'] } });
  const head = ['GET http://schoolgate.internal/ HTTP/1.1', 'Host: schoolgate.internal'];
  const response = await request(gateway.port, head);
  t.ok([502, 503].includes(response.status), String(response.status));
  await using busy = await dial(gateway.port);
  await busy.send('CONNECT schoolgate.internal:443 HTTP/1.1\r\nHost: schoolgate.internal:443\r\n\r\n');
  t.ok((await busy.readResponse('CONNECT')).status >= 400);
});
