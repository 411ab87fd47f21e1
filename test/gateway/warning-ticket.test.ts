import t from 'tap';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { createWarningTickets, type GivenWarning, warningOf } from '../../src/gateway/warning-ticket.ts';
import { siteOf } from '../../src/categories/public-suffix.ts';
import { refused } from '../frontdesk/desk.ts';
import { type Origin, startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { connectThrough, dial, request } from '../helpers/raw-client.ts';
import { clientHello } from '../helpers/client-hello.ts';
import { startTestGateway, type TestGateway } from '../helpers/test-gateway.ts';

const NOW = Date.parse('2026-11-23T10:00:00.000Z');
const MINUTE_MS = 60_000;
const WARNING: GivenWarning = {
  client: '10.1.2.3',
  user: 'ann',
  host: 'chat.test',
  category: 'games',
  url: 'http://chat.test/a?b=1',
  at: NOW,
};

void t.test('a ticket says what was sealed, for an hour, under one key', async (t) => {
  let now = NOW;
  const tickets = createWarningTickets(Buffer.alloc(32, 1), () => now);
  const ticket = tickets.make(WARNING);
  t.strictSame(tickets.read(ticket), WARNING);
  t.match(ticket, /^[\w-]+\.[\w-]{43}$/, 'and fits into a form as it is');
  const another = createWarningTickets(Buffer.alloc(32, 2), () => now);
  const other = tickets.make({ ...WARNING, url: 'http://evil.test/' });
  const forged = [
    another.make(WARNING),
    `${other.split('.')[0]}.${ticket.split('.')[1]}`,
    `${ticket}.x`.replace(/^./, 'x'),
    ticket.slice(0, -1),
    '',
    '.',
    'null.',
    'a'.repeat(1_000_000),
    `${ticket.split('.')[0]}.${'\u{1f512}'.repeat(11)}`,
  ];
  for (const text of forged) t.equal(tickets.read(text), null, text.slice(0, 40));
  now = NOW + 60 * MINUTE_MS - 1;
  t.strictSame(tickets.read(ticket), WARNING);
  now++;
  t.equal(tickets.read(ticket), null, 'an hour is over');
});

void t.test('which records are of a warning that can be passed, and where its button leads', async (t) => {
  const warned = (change: Partial<AccessRecord>): AccessRecord => refused(0, { action: 'warn', ...change });
  const table: [string, AccessRecord, string | null][] = [
    ['plain http', warned({ method: 'GET', target: 'http://games.test:8080/a?b' }), 'http://games.test:8080/a?b'],
    ['https', warned({ target: 'games.test:443' }), 'https://games.test/'],
    ['another port', warned({ target: 'games.test:8443' }), 'https://games.test:8443/'],
    ['CONNECT to port 80', warned({ target: 'games.test:80' }), 'http://games.test/'],
    ['an address', warned({ host: '::1', target: '[::1]:443' }), 'https://[::1]/'],
    ['blocked', refused(0), null],
    ['passed', warned({ verdict: 'allow' }), null],
    ['locked', warned({ locked: true }), null],
    ['without a name', warned({ host: null, target: null }), null],
    ['for the name in the TLS hello', warned({ sni: 'other.test' }), null],
  ];
  for (const [name, record, url] of table) t.equal(warningOf(record)?.url ?? null, url, name);
});

interface Run extends AsyncDisposable {
  readonly origin: Origin;
  readonly gateway: TestGateway;
  readonly url: string;
  readonly get: (path?: string, method?: string) => ReturnType<typeof request>;
  /** As the front desk and the supervisor do it. */
  readonly pass: (ticket: string, until?: number) => void;
}

async function start(clock?: () => number): Promise<Run> {
  const origin = await startOrigin();
  const names = { 'games.test': ['127.0.0.1'], 'bet.test': ['127.0.0.1'], 'play.test': ['127.0.0.1'] };
  const gateway = await startTestGateway(
    { http: [origin.http.port], tls: [origin.http.port] },
    {
      names,
      categories: { games: 'warn', gambling: 'block' },
      listed: { 'games.test': ['games'], 'play.test': ['games'], 'bet.test': ['games', 'gambling'] },
      portMap: { 80: origin.http.port },
      ...(clock !== undefined && { clock }),
    },
  );
  const host = `games.test:${origin.http.port}`;
  return {
    origin,
    gateway,
    url: `http://${host}/`,
    get: (path = '/', method = 'GET') =>
      request(gateway.port, [`${method} http://${host}${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close']),
    pass: (ticket, until = Infinity) => {
      const { host: of, category, user, client } = gateway.context.warnings.read(ticket)!;
      gateway.context.passes.add({ site: siteOf(of), category, user, client, until });
    },
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await origin.close();
    },
  };
}

const ticketIn = (page: string): string | undefined => /name="ticket" value="([\w.-]+)"/.exec(page)?.[1];

void t.test('a page that is warned of says so, with one button, and opens once it was passed', async (t) => {
  await using run = await start();
  const page = await run.get('/?d=e&f=%2541');
  const text = page.body.toString();
  t.equal(page.status, 403);
  t.equal(page.header('proxy-status'), 'schoolgate; error=http_request_denied');
  t.equal(page.header('cache-control'), 'no-store');
  t.match(page.header('content-security-policy'), "form-action http://schoolgate.internal 'self'");
  t.match(text, 'Stop and think first');
  t.match(text, 'a group called &#8220;Games&#8221;');
  t.match(text, /open for you until \d\d:\d\d/);
  t.match(text, 'can see that you went on');
  t.equal(text.match(/<form/g)?.length, 1);
  t.match(text, '<form method="post" action="http://schoolgate.internal/warning">');
  t.match(run.gateway.context.warnings.read(ticketIn(text)!), {
    client: '127.0.0.1',
    user: null,
    host: 'games.test',
    category: 'games',
    url: `${run.url}?d=e&f=A`,
  });
  t.equal(run.origin.seen.length, 0, 'the site was not asked');

  t.equal((await run.get('/', 'HEAD')).header('content-length'), String((await run.get('/')).body.length));
  const posted = (await run.get('/', 'POST')).body.toString();
  t.match(posted, 'Stop and think first');
  t.notMatch(posted, '<form', 'what was sent is not sent again');

  run.pass(ticketIn(text)!);
  t.equal((await run.get('/?d=e&f=%2541')).status, 200);
  const record = await run.gateway.record(({ verdict }) => verdict === 'allow');
  t.match(record, { action: 'warn', reason: 'category', category: 'games', flagged: true, status: 200 });
  t.match(run.gateway.spool.events, [{ type: 'access.flagged', id: record.id, data: { action: 'warn' } }]);
  const beside = `bet.test:${run.origin.http.port}`;
  const both = await request(run.gateway.port, [`GET http://${beside}/ HTTP/1.1`, `Host: ${beside}`]);
  t.equal(both.status, 403);
  t.equal(ticketIn(both.body.toString()), undefined, 'what is blocked offers nothing');
});

void t.test('CONNECT is refused until the warning was passed, and an open tunnel ends with the pass', async (t) => {
  await using echo = await startTcpOrigin((socket) => void socket.pipe(socket));
  let now = NOW;
  await using gateway = await startTestGateway(
    { tls: [echo.port] },
    {
      clock: () => now,
      names: { 'games.test': ['127.0.0.1'], 'open.test': ['127.0.0.1'] },
      categories: { games: 'warn' },
      listed: { 'games.test': ['games'] },
    },
  );
  const tunnelTo = (name: string) => connectThrough(gateway.port, `${name}:${echo.port}`);
  const refusedFirst = await tunnelTo('games.test');
  t.equal(refusedFirst.response.status, 403);
  await refusedFirst.connection.close();
  const [record] = gateway.context.refusals.of('127.0.0.1');
  t.equal(warningOf(record!)?.url, `https://games.test:${echo.port}/`);
  gateway.context.passes.add({
    site: 'games.test',
    category: 'games',
    user: null,
    client: '127.0.0.1',
    until: NOW + 15 * MINUTE_MS,
  });
  const { connection, response } = await tunnelTo('games.test');
  t.equal(response.status, 200);
  const hello = clientHello({ serverNames: ['games.test'] });
  await connection.send(hello);
  await connection.read((received) => (received.length >= hello.length ? hello.length : -1));
  now = NOW + 15 * MINUTE_MS - 1;
  t.equal((await tunnelTo('games.test')).response.status, 200, 'to the last moment');
  now++;
  await connection.readToEnd();
  const ended = await gateway.record(({ error }) => error === 'cut');
  t.match(ended, { verdict: 'allow', action: 'warn', flagged: true });
  t.equal((await tunnelTo('games.test')).response.status, 403, 'warned of again');

  const inside = await tunnelTo('open.test');
  t.equal(inside.response.status, 200);
  await inside.connection.send(clientHello({ serverNames: ['games.test'] }));
  await inside.connection.readToEnd();
  const hidden = await gateway.record(({ error }) => error === 'server_name');
  t.match(hidden, { host: 'open.test', sni: 'games.test', verdict: 'block', action: 'warn' });
  t.equal(warningOf(hidden), null, 'and no button for a name that nobody asked for');
});

void t.test('inside a CONNECT to port 80 the page is shown, and nothing goes up before it was passed', async (t) => {
  await using run = await start();
  const { connection, response } = await connectThrough(run.gateway.port, 'games.test:80');
  t.equal(response.status, 200);
  const ask = async (): Promise<{ status: number; text: string }> => {
    await connection.send('GET /?q HTTP/1.1\r\nHost: games.test\r\n\r\n');
    const { status, body } = await connection.readResponse();
    return { status, text: body.toString() };
  };
  const page = await ask();
  t.equal(page.status, 403);
  t.equal(run.gateway.context.warnings.read(ticketIn(page.text)!)?.url, 'http://games.test/?q');
  t.equal(run.origin.seen.length, 0);
  run.pass(ticketIn(page.text)!);
  t.equal((await ask()).status, 200);
  await connection.close();
  const blocked = await connectThrough(run.gateway.port, 'bet.test:80');
  t.equal(blocked.response.status, 403, 'what is blocked is not let in to be told so');
  await blocked.connection.close();
  await using client = await dial(run.gateway.port);
  await client.send('CONNECT play.test:443 HTTP/1.1\r\nHost: play.test:443\r\n\r\n');
  t.equal((await client.readResponse('CONNECT')).status, 403);
});
