import type { FastifyInstance } from 'fastify';
import t from 'tap';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { tellRefusals } from '../../src/frontdesk/refusals.ts';
import { createRefusalLog } from '../../src/gateway/refusal-log.ts';
import { FACTS, makeDesk, NOW, refused } from './desk.ts';

const CLIENT = '10.1.2.3';

async function ask(
  app: FastifyInstance,
  url: string,
  options: { headers?: Record<string, string>; from?: string } = {},
): Promise<{ status: number; type: string; text: string; headers: Record<string, unknown> }> {
  const { headers = {}, from = CLIENT } = options;
  const answer = await app.inject({ method: 'GET', url, headers, remoteAddress: from });
  return {
    status: answer.statusCode,
    type: String(answer.headers['content-type']),
    text: answer.body,
    headers: answer.headers,
  };
}

void t.test('what was refused is told newest first, once, and to nobody else', async (t) => {
  const records = [
    refused(600, { host: 'first.test' }),
    refused(30, { host: 'twice.test' }),
    refused(22, { host: 'twice.test' }),
    refused(5, { host: 'last.test', reason: 'never', category: null }),
    refused(4, { host: 'other.test', client: '10.1.2.4' }),
    refused(3, { host: 'opened.test', verdict: 'allow' }),
    refused(3601, { host: 'long-ago.test' }),
  ];
  const { pages, adverts } = tellRefusals(records, CLIENT, NOW, FACTS);
  t.strictSame(
    pages.map((one) => one.host),
    ['last.test', 'twice.test', 'first.test'],
  );
  t.strictSame(adverts, []);
  t.equal(pages[1]!.reference, records[2]!.id, 'the newest of two is the one to quote');
  t.match(pages[0]!.why[0], 'Your school has chosen');
  t.match(pages[1]!.why[0], 'a group called “Games & $& fun”');
});

void t.test('repeats are one line, other refusals of the same host are not', async (t) => {
  const hosts = (records: readonly AccessRecord[]): readonly (string | null)[] =>
    tellRefusals(records, CLIENT, NOW, FACTS).pages.map((one) => one.host);
  t.strictSame(hosts([refused(10), refused(20), refused(30)]), ['games.test'], 'each within 10 s of the next');
  t.strictSame(hosts([refused(10), refused(20.5)]), ['games.test', 'games.test'], 'more than 10 s apart');
  t.strictSame(
    hosts([refused(2), refused(4, { reason: 'block-list' })]),
    ['games.test', 'games.test'],
    'another reason',
  );
  t.strictSame(hosts([refused(1), refused(2, { host: 'b.test' }), refused(3)]), ['games.test', 'b.test']);
  t.equal(hosts(Array.from({ length: 40 }, (_, i) => refused(i, { host: `h${i}.test` }))).length, 20);
});

void t.test('adverts and trackers stand apart', async (t) => {
  const records = [
    refused(1, { host: 'ads.test', category: 'adverts' }),
    refused(2),
    refused(3, { host: 'spy.test', category: 'trackers' }),
  ];
  const { pages, adverts } = tellRefusals(records, CLIENT, NOW, FACTS);
  t.strictSame(
    pages.map((one) => one.host),
    ['games.test'],
  );
  t.strictSame(
    adverts.map((one) => one.host),
    ['ads.test', 'spy.test'],
  );
});

void t.test('the gateway keeps what a person asked for, bounded, and lets repeats and adverts go first', async (t) => {
  let now = NOW;
  const log = createRefusalLog(() => now);
  log.add(refused(60, { host: 'asked.test' }));
  for (let i = 0; i < 50; i++) log.add(refused(50 - i, { host: `ads${i}.test`, category: 'adverts' }));
  t.equal(log.of(CLIENT).length, 20);
  t.equal(log.of(CLIENT).at(-1)!.host, 'asked.test');
  for (let i = 0; i < 5; i++) log.add(refused(0.5, { host: 'again.test' }));
  t.equal(log.of(CLIENT).filter((one) => one.host === 'again.test').length, 1);
  for (let i = 0; i < 30; i++) log.add(refused(0.4, { host: `page${i}.test` }));
  t.strictSame(
    log.of(CLIENT).map((one) => one.host),
    Array.from({ length: 20 }, (_, i) => `page${29 - i}.test`),
  );
  t.strictSame(log.of('10.9.9.9'), []);
  now += 3_600_000;
  t.strictSame(log.of(CLIENT), [], 'an hour later nothing is told');
});

void t.test('"why was I blocked?" tells each in the voice of its level', async (t) => {
  const app = await makeDesk([
    refused(1, { host: 'odd<b>.test', level: 'staff' }),
    refused(100, { host: 'sad.test', category: 'self-harm', level: 'ks4' }),
    refused(200, { host: null, target: null, category: 'csam', reason: 'illegal', locked: true }),
    refused(300, { host: 'listed.test', category: 'csam', reason: 'illegal', locked: true }),
    refused(400, { host: null, target: null, reason: 'malformed', category: null }),
    refused(500, { host: 'ads.test', category: 'adverts' }),
  ]);
  t.teardown(() => app.close());
  const { status, type, text, headers } = await ask(app, '/why');
  t.equal(status, 200);
  t.equal(type, 'text/html; charset=utf-8');
  t.equal(headers['cache-control'], 'no-store');
  t.match(text, 'odd&lt;b&gt;.test');
  t.match(text, 'Hill &lt;School&gt; &amp; Co');
  t.match(text, /the category “Games &amp; \$&amp; fun”/);
  t.match(text, '116\u00a0123');
  t.match(text, 'call 999');
  t.match(text, 'A page that is not shown');
  t.match(text, 'Said &lt;by&gt; the school.', 'in the school’s own words');
  t.match(text, 'An address that could not be read');
  t.notMatch(text, 'listed.test');
  t.match(text, 'help@school.example', 'the newest refusal was met by a member of staff');
  t.match(text, '<dd>10.1.2.3</dd>');
  t.match(text, /Adverts and trackers[^]*ads\.test/);
  t.equal(text.match(/<details open>/g)!.length, 1, 'only the newest is open');
  const empty = await ask(app, '/why', { from: '10.1.2.9' });
  t.match(empty.text, 'Nothing was blocked on this device');
  t.notMatch(empty.text, /\.test/, 'another address sees nothing of it');
});

void t.test('what a time closed is told with its end', async (t) => {
  const change = { reason: 'schedule', step: 'level', category: null, rule: 'levels/ks2.yaml#hours' } as const;
  const opens = Date.parse('2026-11-23T13:20:00Z');
  const app = await makeDesk([{ ...refused(5, change), opens }]);
  t.teardown(() => app.close());
  t.match((await ask(app, '/why')).text, 'It opens again at 13:20.');
});

void t.test('what a lesson list refused is told with the list', async (t) => {
  const lesson = { until: Date.parse('2026-11-23T11:05:00Z'), sites: ['volcano.test'] };
  const change = { reason: 'lesson', step: 'lesson', category: null, rule: 'lesson:1' } as const;
  const app = await makeDesk([{ ...refused(5, change), lesson }, refused(60, { ...change, host: 'early.test' })]);
  t.teardown(() => app.close());
  const { text } = await ask(app, '/why');
  t.match(text, 'There is a lesson list until 11:05. On it is:');
  t.equal(text.split('href="https://volcano.test/"').length, 2, 'not with one whose list is over');
});

void t.test('the connection says who asks; what a request says of it counts for nothing', async (t) => {
  const asked: string[] = [];
  const recentRefusals = { of: async (client: string) => (asked.push(client), []) };
  const outer = await makeDesk([], { recentRefusals });
  const inner = await makeDesk([], { recentRefusals, clientFrom: 'gateway' });
  t.teardown(() => Promise.all([outer.close(), inner.close()]));
  const forged = { 'schoolgate-client': '10.6.6.6', 'x-forwarded-for': '10.6.6.7', forwarded: 'for=10.6.6.8' };
  await ask(outer, '/why', { headers: forged });
  await ask(outer, '/why', { headers: forged, from: '::ffff:10.1.2.3' });
  await ask(outer, '/why', { from: 'FD00:0::0007' });
  await ask(inner, '/why', { headers: { ...forged, 'schoolgate-client': '10.1.2.5' } });
  await ask(inner, '/why', { headers: { 'schoolgate-client': 'fd00:0:0::5' } });
  t.strictSame(asked, ['10.1.2.3', '10.1.2.3', 'fd00::7', '10.1.2.5', 'fd00::5']);
  for (const headers of [{}, { 'schoolgate-client': 'nobody' }, { 'schoolgate-client': '10.1.2.3, 10.1.2.4' }]) {
    t.equal((await ask(inner, '/why', { headers })).status, 400);
  }
  t.equal(asked.length, 5, 'nobody was asked about');
});

void t.test('devices find their proxy settings', async (t) => {
  const app = await makeDesk([]);
  const inner = await makeDesk([], { clientFrom: 'gateway' });
  const tls = await makeDesk([], {
    publicUrl: 'https://filter.school.test',
    proxy: () => ({ port: 3129, isTls: true }),
  });
  t.teardown(() => Promise.all([app.close(), inner.close(), tls.close()]));
  for (const url of ['/proxy.pac', '/wpad.dat', '/proxy.pac?x=1']) {
    const { status, type, text, headers } = await ask(app, url, { headers: { host: 'wpad.school.test' } });
    t.equal(status, 200, url);
    t.equal(type, 'application/x-ns-proxy-autoconfig');
    t.equal(headers['cache-control'], 'no-cache');
    t.match(text, '"PROXY wpad.school.test:3128"');
  }
  t.match((await ask(tls, '/proxy.pac')).text, '"HTTPS filter.school.test:3129"');
  const lost = await ask(inner, '/proxy.pac', { headers: { host: 'schoolgate.internal' } });
  t.equal(lost.status, 404);
  t.match(lost.text, 'SCHOOLGATE_PUBLIC_URL');
  t.match(
    (await ask(app, '/', { headers: { host: 'desk.school.test:8801' } })).text,
    'http://desk.school.test:8801/proxy.pac',
  );
  t.notMatch((await ask(inner, '/', { headers: { host: 'schoolgate.internal' } })).text, 'proxy.pac');
});

void t.test('every answer is locked down, and faults are told without their cause', async (t) => {
  const app = await makeDesk([], { recentRefusals: { of: () => Promise.reject(new Error('secret detail')) } });
  t.teardown(() => app.close());
  const home = await ask(app, '/');
  t.match(home.headers['content-security-policy'], "default-src 'none'");
  t.equal(home.headers['x-content-type-options'], 'nosniff');
  t.notMatch(home.text, /<script|style="|javascript:/);
  t.match((await ask(app, '/style.css')).text, '.who{');
  t.strictSame(JSON.parse((await ask(app, '/health')).text), { status: 'ok' });
  const missing = await ask(app, '/admin"><script>');
  t.equal(missing.status, 404);
  t.notMatch(missing.text, '<script>');
  const failed = await ask(app, '/why');
  t.equal(failed.status, 500);
  t.match(failed.text, 'That is our fault');
  t.notMatch(failed.text, 'secret detail');
  t.equal((await app.inject({ method: 'POST', url: '/why', payload: 'a=1' })).statusCode, 404);
});

void t.test('one device cannot keep the front desk busy, and never loses its proxy settings', async (t) => {
  const app = await makeDesk([], { pagesPerMinute: 3 });
  t.teardown(() => app.close());
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await ask(app, '/why')).status);
  t.strictSame(statuses, [200, 200, 200, 429, 429]);
  t.match((await ask(app, '/')).text, 'Wait a minute');
  t.equal((await ask(app, '/proxy.pac')).status, 200);
  t.equal((await ask(app, '/why', { from: '10.1.2.4' })).status, 200);
});
