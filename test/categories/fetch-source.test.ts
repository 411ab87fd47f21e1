import { gzipSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import {
  createSourceClient,
  type Fetched,
  SourceError,
  type SourceRequest,
} from '../../src/categories/fetch-source.ts';
import { type ListAnswer, startListServer } from '../helpers/list-server.ts';
import { startParent } from '../helpers/parent-proxy.ts';

const server = await startListServer();
t.teardown(() => server.close());
const LIMITS = { connectMs: 2_000, idleMs: 400, totalMs: 1_200 };
const client = createSourceClient({ parent: null, ca: server.ca, limits: LIMITS });
t.teardown(() => client.close());
const never = new AbortController().signal;

function ask(path: string, more: Partial<SourceRequest> = {}): SourceRequest {
  return { url: server.url(path), etag: null, lastModified: null, maxBytes: 10_000, ...more };
}

async function bodyOf(fetched: Fetched): Promise<string> {
  if (fetched.status !== 'ok') throw new Error('nothing came');
  return (await buffer(fetched.body)).toString();
}

/** What is wrong with a source, whether it shows at once or in the middle of the body. */
async function faultOf(request: SourceRequest, through = client): Promise<SourceError> {
  try {
    await bodyOf(await through.fetch(request, never));
  } catch (error) {
    if (error instanceof SourceError) return error;
    throw error;
  }
  throw new Error('it was fetched');
}

void t.test('a list, and that it has not changed since', async (t) => {
  server.publish('/a.txt', 'bets.test\n');
  const first = await client.fetch(ask('/a.txt'), never);
  t.match(first, { status: 'ok', etag: /^"[0-9a-f]{16}"$/, lastModified: /2026/, contentType: 'text/plain' });
  t.equal(await bodyOf(first), 'bets.test\n');
  const { etag, lastModified } = first as Extract<Fetched, { status: 'ok' }>;
  t.strictSame(await client.fetch(ask('/a.txt', { etag, lastModified }), never), { status: 'not-modified' });
  server.publish('/a.txt', 'bets.test\nmore.test\n');
  t.equal(await bodyOf(await client.fetch(ask('/a.txt', { etag }), never)), 'bets.test\nmore.test\n');
});

void t.test('packed on the way', async (t) => {
  server.publish('/packed', gzipSync('bets.test\n'), (_request, response, body) => {
    response.writeHead(200, { 'content-encoding': 'x-gzip' }).end(body);
  });
  t.equal(await bodyOf(await client.fetch(ask('/packed'), never)), 'bets.test\n');
});

void t.test('redirects from https to https are followed, a few', async (t) => {
  const to =
    (target: string): ListAnswer =>
    (_request, response) =>
      void response.writeHead(302, { location: target }).end();
  server.publish('/list', 'bets.test\n');
  server.publish('/there', '', to('/list'));
  server.publish('/far', '', to(server.url('/there')));
  server.publish('/round', '', to('/round'));
  server.publish('/open', '', to(`http://127.0.0.1:${server.port}/list`));
  server.publish('/user', '', to(`https://me:secret@127.0.0.1:${server.port}/list`));
  server.publish('/lost', '', (_request, response) => void response.writeHead(302).end());
  t.equal(await bodyOf(await client.fetch(ask('/far'), never)), 'bets.test\n');
  t.match(await faultOf(ask('/round')), { message: /redirects more than 5 times/, again: false });
  t.match(await faultOf(ask('/open')), { message: /redirects to http:.* which is not https/, again: false });
  t.notMatch((await faultOf(ask('/user'))).message, /secret/);
  t.match(await faultOf(ask('/lost')), { message: /redirects to nowhere/ });
});

void t.test('what cannot be had, and whether to try again', async (t) => {
  const endless: ListAnswer = (_request, response) => {
    const drip = setInterval(() => response.write('bets.test\n'), 50);
    response.on('close', () => clearInterval(drip));
  };
  const cases: [what: string, answer: ListAnswer, message: RegExp, again: boolean][] = [
    ['missing', (_request, response) => void response.writeHead(404).end(), /answered with status 404/, false],
    ['busy', (_request, response) => void response.writeHead(503).end(), /answered with status 503/, true],
    ['unasked', (_request, response) => void response.writeHead(304).end(), /answered with status 304/, false],
    ['silent', () => {}, /did not answer in time/, true],
    ['stalls', (_request, response) => void response.write('bets.test\n'), /did not answer in time/, true],
    ['never ends', endless, /did not answer in time/, true],
    [
      'breaks off',
      (_request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('bets', () => response.destroy());
      },
      /could not be fetched/,
      true,
    ],
    [
      'breaks off packed',
      (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(gzipSync('bets.test\n'.repeat(50)).subarray(0, -9));
      },
      /broke off or was damaged/,
      true,
    ],
    [
      'said to be too big',
      (_request, response) => {
        response.writeHead(200, { 'content-length': 10_001 }).write('b');
      },
      /bigger than 10,000 bytes.*maxBytes/,
      false,
    ],
    ['too big', (_request, response) => void response.end('x'.repeat(10_001)), /bigger than 10,000 bytes/, false],
    [
      'too big unpacked',
      (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100_000)));
      },
      /bigger than 10,000 bytes/,
      false,
    ],
    [
      'a strange packing',
      (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'br' }).end('x');
      },
      /encoded as "br"/,
      false,
    ],
  ];
  for (const [what, answer, message, again] of cases) {
    server.publish('/bad?key=secret', '', answer);
    const fault = await faultOf(ask('/bad?key=secret'));
    t.match(fault, { message, again }, what);
    t.notMatch(fault.message, /secret/, 'a subscriber’s key is not told');
  }
});

void t.test('nobody there, and somebody else there', async (t) => {
  const strict = createSourceClient({ parent: null, limits: LIMITS });
  t.match(await faultOf(ask('/a.txt'), strict), { message: /no certificate that can be trusted/, again: false });
  await strict.close();
  t.match(await faultOf({ ...ask('/'), url: 'https://127.0.0.1:1/x' }), { message: /ECONNREFUSED/, again: true });
});

void t.test('through the authority’s proxy', async (t) => {
  const parent = await startParent('Basic c2Nob29sOnNlY3JldA==');
  t.teardown(() => parent.close());
  server.publish('/via', 'bets.test\n');
  const through = (authorization: string | null) =>
    createSourceClient({
      parent: { host: '127.0.0.1', port: parent.port, authorization },
      ca: server.ca,
      limits: LIMITS,
    });
  const good = through('Basic c2Nob29sOnNlY3JldA==');
  // By a name that only the proxy can resolve.
  const url = `https://lists.test:${server.port}/via`;
  t.equal(await bodyOf(await good.fetch({ ...ask('/via'), url }, never)), 'bets.test\n');
  t.match(parent.seen, [{ method: 'CONNECT', url: `lists.test:${server.port}` }]);
  for (const inside of [
    server.url('/via'),
    `https://[::ffff:10.0.0.1]:${server.port}/`,
    'https://169.254.169.254/latest',
  ]) {
    server.publish('/in', '', (_request, response) => void response.writeHead(302, { location: inside }).end());
    const request = { ...ask('/in'), url: url.replace('/via', '/in') };
    t.match(
      await faultOf(request, good),
      { message: /redirects to .* an address inside a network/, again: false },
      inside,
    );
  }
  await good.close();
  const refused = through(null);
  t.match(await faultOf(ask('/via'), refused), { message: /could not be fetched/ });
  await refused.close();
});

void t.test('told to stop', async (t) => {
  server.publish('/slow', '', () => {});
  const stop = new AbortController();
  const fetching = client.fetch(ask('/slow'), stop.signal);
  stop.abort();
  await t.rejects(fetching, { message: /Schoolgate is stopping/ });
});
