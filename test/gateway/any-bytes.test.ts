import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { clientHello } from '../helpers/client-hello.ts';
import { eventually } from '../helpers/listening.ts';
import { startOrigin } from '../helpers/origin.ts';
import { dial, request } from '../helpers/raw-client.ts';
import { startTestGateway } from '../helpers/test-gateway.ts';

/** Everything a client may say, to be cut, changed, put one behind the other and left in the middle. */
function phrases(http: number, https: number): string[] {
  const host = `site.test:${http}`;
  const get = (target: string, ...fields: string[]): string =>
    [
      `GET ${target} HTTP/1.1`,
      `Host: ${target.startsWith('/') ? 'site.test' : target.split('/')[2]}`,
      ...fields,
      '',
      '',
    ].join('\r\n');
  const post = (path: string, ...rest: string[]): string =>
    [`POST http://${host}${path} HTTP/1.1`, `Host: ${host}`, ...rest].join('\r\n');
  const upgrade = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  const paths = [
    '/bytes?n=5000',
    '/bytes?n=300000&chunked=1',
    '/fault/reset-mid-body',
    '/fault/never',
    '/early-hints',
    '/trailers',
  ];
  return [
    ...paths.map((path) => get(`http://${host}${path}`)),
    post('/echo', 'Content-Length: 5', '', 'hello'),
    post('/echo', 'Expect: 100-continue', 'Content-Length: 5', '', 'hello'),
    post('/refuse-body', 'Transfer-Encoding: chunked', '', '5', 'hello', '0', '', ''),
    'POST http://bet.test/ HTTP/1.1\r\nHost: bet.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    `GET http://play.test:${http}/ HTTP/1.0\r\n\r\n`,
    get('http://csam.test/x'),
    get('/health'),
    get('http://schoolgate.internal/'),
    'CONNECT site.test:80 HTTP/1.1\r\nHost: x\r\n\r\n',
    get('/'),
    get('/socket', ...upgrade),
    get(`http://${host}/socket`, ...upgrade),
    get(`http://${host}/upgrade-refused`, ...upgrade),
    '\x81\x85abcd\0\0\0\0\0',
    `CONNECT site.test:${https} HTTP/1.1\r\nHost: x\r\n\r\n`,
    'CONNECT bet.test:443 HTTP/1.1\r\nHost: x\r\n\r\n',
    clientHello({ serverNames: ['site.test'], grease: true }).toString('latin1'),
    clientHello({ serverNames: ['bet.test'] }).toString('latin1'),
  ];
}

const inserted = fc.oneof(
  fc.constantFrom(
    '',
    '\0',
    '\r\n',
    '\n',
    ' ',
    ':',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    '\r\n\r\n',
  ),
  fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)),
);
const saying = fc.record({
  phrase: fc.nat({ max: 23 }),
  change: fc.option(fc.record({ at: fc.nat({ max: 400 }), by: inserted, cut: fc.nat({ max: 3 }) }), { freq: 2 }),
  split: fc.nat({ max: 200 }),
  wait: fc.nat({ max: 3 }),
});
const visit = fc.record({
  sayings: fc.array(saying, { minLength: 1, maxLength: 5 }),
  leaves: fc.constantFrom('end', 'reset', 'close', 'stay'),
});
type Visit = typeof visit extends fc.Arbitrary<infer V> ? V : never;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function call(port: number, said: readonly string[], { sayings, leaves }: Visit): Promise<void> {
  const client = await dial(port);
  for (const { phrase, change, split, wait } of sayings) {
    let bytes = said[phrase]!;
    if (change !== null) bytes = bytes.slice(0, change.at) + change.by + bytes.slice(change.at + change.cut);
    void client.send(bytes.slice(0, split));
    if (wait > 1) await pause(wait);
    void client.send(bytes.slice(split));
    if (wait === 1) await pause(4);
  }
  if (leaves === 'end') client.end();
  if (leaves === 'reset') await client.reset();
  if (leaves === 'end' || leaves === 'stay') await client.readToEnd(leaves === 'stay' ? 30 : 4000);
  await client.close();
}

void t.test('whatever clients say and however they leave, the worker goes on and keeps nothing of them', async (t) => {
  await using origin = await startOrigin();
  const said = phrases(origin.http.port, origin.https.port);
  t.equal(said.length, 24);
  const patience = { headersMs: 800, helloMs: 800, bodyIdleMs: 800, responseHeadersMs: 800, halfClosedIdleMs: 800 };
  await using gateway = await startTestGateway(
    { http: [origin.http.port], tls: [origin.https.port] },
    {
      names: { 'site.test': ['127.0.0.1'], 'play.test': ['127.0.0.1'] },
      listed: { 'bet.test': ['gambling'], 'play.test': ['games'], 'csam.test': ['csam'] },
      portMap: { 80: origin.http.port },
      limits: { ...patience, tunnelIdleMs: 1500 },
    },
  );
  const faults: unknown[] = [];
  gateway.context.log.error = (fault: unknown) => void faults.push(fault);
  await fc.assert(
    fc.asyncProperty(fc.array(visit, { minLength: 20, maxLength: 20 }), async (visits) => {
      gateway.spool.records.length = 0;
      await Promise.all(visits.map((one) => call(gateway.port, said, one)));
      await eventually('all have gone', () => gateway.listener.connections + gateway.context.open.size === 0, 9000);
      assert.deepEqual(faults, []);
      const ids = gateway.spool.records.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, 'no id twice');
      // By host: changed bytes may well put the name into the path of another site.
      const isListed = (host: string | null): boolean => host === 'csam.test' || host?.endsWith('.csam.test') === true;
      assert.ok(!gateway.spool.records.some(({ host }) => isListed(host)), 'an illegal address is never written down');
      assert.equal((await request(gateway.port, ['GET /health HTTP/1.1', 'Host: x'])).status, 200);
    }),
    { numRuns: 40, endOnFailure: true },
  );
  await eventually('nothing is left upstream', () => origin.http.open() + origin.https.open() === 0, 9000);
});
