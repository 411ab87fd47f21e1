// Real servers on loopback behind names of the test's own: what a school's other system gets, and what becomes of one that misbehaves.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { performance } from 'node:perf_hooks';
import t, { type Test } from 'tap';
import { Secret } from '../../src/config/secret.ts';
import { callOutside } from '../../src/delivery/outside-heartbeat.ts';
import { createWebhooks, type WebhookOptions, type Webhooks, webhookSignature } from '../../src/delivery/webhook.ts';
import { createAuthority } from '../helpers/certificates.ts';
import { listen } from '../helpers/listening.ts';

const NOW = Date.UTC(2026, 10, 23, 10);
const SECRET = 'a secret that both sides know';
const authority = createAuthority();
const { cert, key } = authority.issue(['records.example']);

interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answerer = (response: ServerResponse, call: Call) => void;

/** A system at `https://records.example:<port>/`, and the webhooks that reach it. */
async function system(t: Test, answer: Answerer, change: Partial<WebhookOptions> = {}) {
  const calls: Call[] = [];
  const server = createTlsServer({ cert, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      const call = { method: method!, url: url!, headers, body: Buffer.concat(chunks).toString() };
      calls.push(call);
      answer(response, call);
    });
  });
  const place = await listen(server);
  t.teardown(() => place.close());
  const webhooks = hooks(t, { ca: authority.cert, mayCall: () => true, ...change });
  return { calls, webhooks, place, url: `https://records.example:${place.port}/hooks/schoolgate?key=hidden` };
}

function hooks(t: Test, change: Partial<WebhookOptions>): Webhooks {
  const resolve = async (): Promise<readonly string[]> => ['127.0.0.1'];
  const made = createWebhooks({ secret: new Secret(SECRET), clock: () => NOW, resolve, ...change });
  t.teardown(() => made.close());
  return made;
}

const fine: Answerer = (response) => void response.writeHead(204).end();

void t.test('a call says who it is from and when, signed as a whole', async (t) => {
  const { calls, webhooks, url } = await system(t, fine);
  const body = JSON.stringify({ type: 'alert', severity: 'danger' });
  await webhooks.post(url, '01J00000000000000000000001', body);
  await webhooks.post(url, '01J00000000000000000000001', body);
  t.equal(calls.length, 2);
  const { method, headers, ...call } = calls[0]!;
  t.equal(method, 'POST');
  t.equal(call.body, body);
  t.equal(call.url, '/hooks/schoolgate?key=hidden');
  t.equal(headers['schoolgate-timestamp'], String(NOW / 1000));
  t.equal(headers['schoolgate-signature'], webhookSignature(SECRET, NOW / 1000, body));
  t.equal(calls[1]!.headers['schoolgate-delivery'], headers['schoolgate-delivery'], 'a copy is known for one');
  // Worked out once with another program: printf '%s' '1795428000.{}' | openssl dgst -sha256 -hmac 'k'
  const known = '9e729b380deb00b1d47a467eed7c9bf0d0eb66c8974feb1d1bccc9f36a6fde45';
  t.equal(webhookSignature('k', 1_795_428_000, '{}'), `v1=${known}`);
  const signatures = [
    webhookSignature(SECRET, NOW / 1000, body),
    webhookSignature(SECRET, NOW / 1000 + 1, body),
    webhookSignature(SECRET, NOW / 1000, `${body} `),
    webhookSignature(`${SECRET} `, NOW / 1000, body),
  ];
  t.equal(new Set(signatures).size, 4, 'time, body and secret all count');
});

void t.test('what misbehaves is an error that says what to do, and shows neither path nor secret', async (t) => {
  const elsewhere = createServer((_request, response) => void response.end());
  let wasCalled = false;
  elsewhere.on('connection', () => (wasCalled = true));
  const inside = await listen(elsewhere);
  t.teardown(() => inside.close());
  const cases: readonly [name: string, answer: Answerer, error: RegExp][] = [
    [
      'redirects inwards',
      (one) => void one.writeHead(307, { location: `http://127.0.0.1:${inside.port}/` }).end(),
      /it redirects, which is not followed/,
    ],
    [
      'redirects at all',
      (one) => void one.writeHead(301, { location: 'https://other.example/' }).end(),
      /it redirects/,
    ],
    ['refuses', (one) => void one.writeHead(403).end(), /it answered 403; look at its log/],
    ['fails', (one) => void one.writeHead(500).end('x'.repeat(1000)), /it answered 500/],
    ['hangs', () => {}, /it did not answer in time/],
    ['dies before it answers', (one) => void one.socket!.destroy(), /it cannot be reached/],
  ];
  for (const [name, answer, error] of cases) {
    const { webhooks, url, calls } = await system(t, answer, { timeoutMs: 300 });
    const began = performance.now();
    const refused = await webhooks.post(url, '01J00000000000000000000001', '{}').then(
      () => null,
      (reason: Error) => reason,
    );
    t.match(refused, { code: 'webhook_not_sent', message: error }, name);
    t.match(refused?.message, /records\.example/, name);
    t.notMatch(`${refused?.message}${refused?.stack}`, /hidden|hooks|a secret/, name);
    t.equal(calls.length, 1, `${name}: asked once`);
    t.ok(performance.now() - began < 5_000, `${name}: holds nobody up`);
  }
  t.notOk(wasCalled, 'nothing inside was asked for');
});

void t.test('a yes is a yes, whatever comes after it: nothing is sent twice for it', async (t) => {
  const half = { 'content-length': '1000' };
  const afterwards: Record<string, (response: ServerResponse) => void> = {
    dies: (response) => void response.writeHead(200, half).write('half', () => response.socket!.destroy()),
    hangs: (response) => void response.writeHead(200, half).write('half'),
  };
  for (const [name, answer] of Object.entries(afterwards)) {
    const { webhooks, url, calls } = await system(t, answer, { timeoutMs: 300 });
    await webhooks.post(url, '01J00000000000000000000001', '{}');
    t.equal(calls.length, 1, name);
  }
});

void t.test('an endless answer is not read to its end', async (t) => {
  const { webhooks, url } = await system(t, (response) => {
    const pour = (): void => void (response.destroyed || response.write('x'.repeat(65_536), pour));
    response.writeHead(200);
    pour();
  });
  await webhooks.post(url, '01J00000000000000000000001', '{}');
});

void t.test('private addresses are never called, however they are written', async (t) => {
  const { place } = await system(t, fine);
  const { port } = place;
  const literal = hooks(t, { ca: authority.cert });
  for (const host of [
    '127.0.0.1',
    '10.1.2.3',
    '192.168.0.1',
    '169.254.169.254',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[fd00::1]',
    '2130706433',
    '0x7f.1',
    '0.0.0.0',
  ]) {
    await t.rejects(
      literal.post(`https://${host}:${port}/`, '1', '{}'),
      /private address, which is never called/,
      host,
    );
  }
  const answers: readonly (readonly string[])[] = [['127.0.0.1'], ['93.184.216.34', '10.0.0.1'], ['::1'], []];
  for (const addresses of answers) {
    const named = hooks(t, { ca: authority.cert, resolve: async () => addresses });
    await t.rejects(named.post(`https://records.example:${port}/`, '1', '{}'), /private address/, addresses.join(' '));
  }
  t.equal(place.accepted(), 0, 'nothing was connected to');
});

void t.test('a name that changes its mind is called where it was checked, or not at all', async (t) => {
  const { place, url } = await system(t, fine);
  const asked: string[] = [];
  // As of a rebinding name server: one that may be called when it is checked, inside when it is asked again.
  const resolve = async (host: string): Promise<readonly string[]> => {
    asked.push(host);
    return asked.length === 1 ? ['127.0.0.9'] : ['127.0.0.1'];
  };
  const webhooks = hooks(t, {
    ca: authority.cert,
    resolve,
    mayCall: (address) => address === '127.0.0.9',
    timeoutMs: 300,
  });
  await t.rejects(webhooks.post(url, '1', '{}'), { code: 'webhook_not_sent' });
  t.equal(asked.length, 1, 'one look-up');
  t.equal(place.accepted(), 0);
});

void t.test('another’s certificate is refused, and without a secret nothing is sent', async (t) => {
  const { url, calls } = await system(t, fine);
  const mayCall = (): boolean => true;
  await t.rejects(hooks(t, { mayCall }).post(url, '1', '{}'), /its certificate was not accepted/);
  const wrongName = hooks(t, { ca: authority.cert, mayCall }).post(url.replace('records.', 'other.'), '1', '{}');
  await t.rejects(wrongName, /its certificate was not accepted/);
  await t.rejects(hooks(t, { secret: null, mayCall }).post(url, '1', '{}'), /set SCHOOLGATE_WEBHOOK_SECRET/);
  t.equal(calls.length, 0);
});

void t.test('the address outside the school is called; an answer that is none says so without its path', async (t) => {
  const answers: Record<string, number> = { '/good': 200, '/redirect': 302, '/bad': 500 };
  const asked: string[] = [];
  const place = await listen(
    createServer(({ method, url }, response) => {
      asked.push(`${method} ${url}`);
      response.writeHead(answers[url!.replace('-secret', '')]!, { location: '/good-secret' }).end();
    }),
  );
  t.teardown(() => place.close());
  const url = (path: string): Secret => new Secret(`http://127.0.0.1:${place.port}${path}`);
  await callOutside(url('/good-secret'));
  for (const path of ['/redirect-secret', '/bad-secret']) {
    const refused = await callOutside(url(path)).catch((error: Error) => error);
    t.match(refused, { code: 'heartbeat_not_sent', message: /did not answer well \((?:302|500)\)/ });
    t.notMatch((refused as Error).message, /secret/);
  }
  t.strictSame(asked, ['GET /good-secret', 'GET /redirect-secret', 'GET /bad-secret']);
  await place.close();
  await t.rejects(callOutside(url('/good-secret')), { message: /\(not at all\)/ });
});
