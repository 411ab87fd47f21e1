import t from 'tap';
import type { IllegalHitRecord } from '../../src/events/access-record.ts';
import { askerOf, createIllegalProbes } from '../../src/gateway/illegal-probes.ts';
import { startOrigin } from '../helpers/origin.ts';
import { clientHello } from '../helpers/client-hello.ts';
import { connectThrough, dial, request } from '../helpers/raw-client.ts';
import { createTestIllegal } from '../helpers/test-illegal.ts';
import { proof, startTestGateway } from '../helpers/test-gateway.ts';

const MINUTE = 60_000;
const PERSON = askerOf('pat', '10.0.0.1');
const ADDRESS = askerOf(null, '10.0.0.1');

void t.test(
  'only different listed targets within ten minutes are counted, and the answer to many ends by itself',
  async (t) => {
    let now = 1_000_000_000;
    const probes = createIllegalProbes(
      () => now,
      () => {},
    );
    const hit = (asker: string, entry: number): void => probes.hit(asker, { entry, category: 'csam' });
    for (let i = 0; i < 50; i++) hit(PERSON, 1);
    for (const entry of [2, 3, 4, 5]) hit(PERSON, entry);
    t.equal(probes.answerFor(PERSON), 'as-usual', 'a page that is asked for again and again is one');
    now += 11 * MINUTE;
    hit(PERSON, 6);
    t.equal(probes.answerFor(PERSON), 'as-usual', 'what is long ago does not count');
    for (const entry of [1, 2, 3, 4, 5]) for (const asker of [PERSON, ADDRESS]) hit(asker, entry);
    hit(ADDRESS, 6);
    t.equal(probes.answerFor(PERSON), 'refuse-all');
    t.equal(probes.answerFor(ADDRESS), 'hide-hits', 'several people may sit behind an address');
    t.equal(probes.answerFor(askerOf('sam', '10.0.0.1')), 'as-usual');
    t.equal(probes.lastCategory(PERSON), 'csam');
    now += 10 * MINUTE - 1;
    t.equal(probes.answerFor(PERSON), 'refuse-all');
    now += 1;
    t.equal(probes.answerFor(PERSON), 'as-usual');
  },
);

void t.test('word of a hit goes round once, and askers are bounded', async (t) => {
  const told: string[] = [];
  const one = createIllegalProbes(
    () => 5_000,
    (asker, hit) => {
      told.push(asker);
      other.hit(asker, hit);
    },
  );
  const other = createIllegalProbes(
    () => 5_000,
    (asker, hit) => {
      told.push(asker);
      one.hit(asker, hit);
    },
  );
  one.hit(PERSON, { entry: 1, category: 'csam' });
  t.ok(told.length <= 2, told.join());
  for (let i = 0; i < 6; i++) (i % 2 === 0 ? one : other).hit(PERSON, { entry: i, category: 'csam' });
  t.same([one.answerFor(PERSON), other.answerFor(PERSON)], ['refuse-all', 'refuse-all'], 'all workers count together');
  for (let i = 0; i < 6_000; i++) one.hit(`address ${i}`, { entry: 1, category: 'csam' });
  t.equal(one.answerFor(PERSON), 'as-usual', 'the longest ago go first');
});

const LISTED = Array.from({ length: 8 }, (_, i) => `listed-${i}.test`);
const get = (host: string, ...fields: string[]): string[] => [
  `GET http://${host}/ HTTP/1.1`,
  `Host: ${host}`,
  ...fields,
];

void t.test('an address past the limit: hits look like sites that do not exist, and the class goes on', async (t) => {
  await using origin = await startOrigin();
  const { port } = origin.http;
  await using gateway = await startTestGateway(
    { http: [port] },
    { names: { 'open.test': ['127.0.0.1'] }, illegal: createTestIllegal({ csam: LISTED }).index },
  );
  const statuses: number[] = [];
  for (const host of LISTED) statuses.push((await request(gateway.port, get(host))).status);
  t.same(statuses, [403, 403, 403, 403, 403, 502, 502, 502]);
  const hidden = await request(gateway.port, get('listed-7.test'));
  const missing = await request(gateway.port, get('absent-7.test'));
  const shape = ({ status, headers, body }: typeof hidden, name: string): unknown => [
    status,
    headers.map(([field, value]) => [field, field.toLowerCase() === 'date' ? '' : value]),
    body
      .toString()
      .replaceAll(name, 'NAME')
      .replace(/<code>.*?<\/code>/, ''),
  ];
  t.same(shape(hidden, 'listed-7.test'), shape(missing, 'absent-7.test'));
  const tunnels = await Promise.all(
    ['listed-0.test:443', 'missing.test:443'].map((to) => connectThrough(gateway.port, to)),
  );
  t.same(tunnels[0]!.response.body, tunnels[1]!.response.body);
  t.same(
    tunnels.map(({ response }) => response.status),
    [502, 502],
  );
  for (const { connection } of tunnels) await connection.close();
  t.equal((await request(gateway.port, get(`open.test:${port}`))).status, 200, 'lessons go on');
  t.equal(gateway.spool.events.length, LISTED.length + 2, 'every hit is still reported');
  t.notMatch(JSON.stringify(gateway.spool), /listed-\d/);
});

void t.test('a person past the limit gets the very page of a hit for whatever they ask', async (t) => {
  await using origin = await startOrigin();
  const { port } = origin.http;
  await using gateway = await startTestGateway(
    { http: [port] },
    {
      names: { 'open.test': ['127.0.0.1'] },
      illegal: createTestIllegal({ csam: LISTED }).index,
      rules: 'people: [{ name: pat, level: ks1 }, { name: sam, level: ks1 }]',
      verify: async ({ name }) => proof(name),
    },
  );
  const as = (name: string): string => `Proxy-Authorization: Basic ${Buffer.from(`${name}:x`).toString('base64')}`;
  for (const host of LISTED.slice(0, 6)) t.equal((await request(gateway.port, get(host, as('pat')))).status, 403);
  const open = await request(gateway.port, get(`open.test:${port}`, as('pat')));
  const listed = await request(gateway.port, get('listed-0.test', as('pat')));
  const page = ({ status, body }: typeof open): unknown => [status, body.toString().replace(/<code>.*?<\/code>/, '')];
  t.same(page(open), page(listed));
  t.equal((await request(gateway.port, get(`open.test:${port}`, as('sam')))).status, 200, 'nobody else is meant');
  const last = gateway.spool.records.find(({ reason }) => reason === 'limit');
  t.match(last, { user: 'pat', host: 'open.test', flagged: false, locked: false, verdict: 'block' });
  t.equal(gateway.spool.events.length, 7, 'an ordinary site is no hit');
});

void t.test('every way to ask for a listed page or host is refused and leaves nothing in clear', async (t) => {
  await using origin = await startOrigin();
  const listed = createTestIllegal({
    csam: ['marker-host.test', 'shared.test/marker-page'],
    terrorism: ['marker-two.test'],
  });
  await using gateway = await startTestGateway(
    { http: [origin.http.port], tls: [origin.https.port] },
    { names: { 'open.test': ['127.0.0.1'], 'shared.test': ['127.0.0.1'] }, illegal: listed.index },
  );
  const raw = async (...lines: string[]): Promise<number> => {
    await using client = await dial(gateway.port);
    await client.send([...lines, '', ''].join('\r\n'));
    return (await client.readResponse(lines[0]!.split(' ', 1)[0])).status;
  };
  const upgrade = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
  const table: [string, Promise<number>, number][] = [
    ['GET', raw(...get('www.marker-host.test')), 403],
    ['a page', raw('GET http://shared.test/marker-page?x HTTP/1.1', 'Host: shared.test'), 403],
    ['another spelling', raw('GET http://SHARED.test./%6Darker-page/ HTTP/1.1', 'Host: shared.test'), 403],
    ['CONNECT', raw('CONNECT marker-host.test:443 HTTP/1.1', 'Host: marker-host.test:443'), 403],
    ['CONNECT to 80', raw('CONNECT marker-host.test:80 HTTP/1.1', 'Host: marker-host.test:80'), 403],
    ['a port that is not open', raw('CONNECT marker-host.test:22 HTTP/1.1', 'Host: marker-host.test:22'), 403],
    ['an upgrade', raw('GET http://marker-host.test/ HTTP/1.1', 'Host: marker-host.test', ...upgrade), 403],
    ['two hosts', raw('GET http://marker-host.test/ HTTP/1.1', 'Host: marker-host.test', 'Host: x.test'), 400],
    ['another Host', raw('GET http://marker-host.test/ HTTP/1.1', 'Host: x.test'), 400],
    ['a listed Host', raw('GET http://x.test/ HTTP/1.1', 'Host: marker-host.test'), 400],
    ['TRACE', raw('TRACE http://marker-host.test/ HTTP/1.1', 'Host: marker-host.test'), 400],
    ['userinfo', raw('GET http://me:me@marker-host.test/ HTTP/1.1', 'Host: marker-host.test'), 400],
    ['https in the open', raw('GET https://shared.test/marker-page HTTP/1.1', 'Host: shared.test'), 403],
    ['no HTTP at all', raw('GET http://marker-host.test/ HTTP/1.1', 'Host marker-host.test'), 400],
  ];
  for (const [what, status, expected] of table) t.equal(await status, expected, what);
  const { connection } = await connectThrough(gateway.port, `open.test:${origin.https.port}`);
  await connection.send(clientHello({ serverNames: ['marker-two.test'] }));
  t.not((await connection.readToEnd()).peer, 'open');
  await connection.close();
  const tunnelled = await connectThrough(gateway.port, `shared.test:${origin.https.port}`);
  t.equal(tunnelled.response.status, 200, 'a page cannot be seen in a tunnel');
  await tunnelled.connection.close();
  await gateway.record(({ method, host }) => method === 'CONNECT' && host === 'shared.test');
  t.equal(origin.http.accepted(), 0);
  const kept = JSON.stringify([gateway.spool, gateway.context.refusals.of('127.0.0.1')]);
  t.notMatch(kept, /marker/);
  const hits = gateway.spool.events.filter(({ type }) => type === 'illegal.hit');
  t.ok(hits.every(({ data }) => /^[0-9a-f]{64}$/.test((data as IllegalHitRecord).mark!)));
  t.same(new Set(hits.flatMap(({ data }) => (data as IllegalHitRecord).categories)), new Set(['csam', 'terrorism']));
});

void t.test('no rule opens a listed host: level, class, person, lesson or unblock', async (t) => {
  const site = 'listed-0.test';
  await using gateway = await startTestGateway(
    {},
    {
      illegal: createTestIllegal({ csam: [site] }).index,
      listed: { [site]: ['known-good'] },
      categories: { 'known-good': 'allow' },
      levels: { open: `title: Open\nvoice: adult\nextends: ks1\nallow: [${site}]\n` },
      identity: 'identity: { mode: open, strictestLevel: open }',
      rules: [
        `groups: [{ name: 9x, allow: [${site}], categories: { known-good: allow } }]`,
        `people: [{ name: pat, level: open, groups: [9x], allow: [${site}] }]`,
        `lessons: [{ group: 9x, from: "2020-01-01T00:00:00Z", until: "2099-01-01T00:00:00Z", sites: [${site}] }]`,
      ].join('\n'),
      verify: async ({ name }) => proof(name),
    },
  );
  const terms = { topic: 'x', categories: ['known-good'], levels: ['open'], people: ['pat'], ranges: ['127.0.0.0/8'] };
  gateway.setGrants([{ id: 'g', hosts: [site], from: 0, until: 9e15, passesPersonBlock: true, ...terms }]);
  const pat = `Proxy-Authorization: Basic ${Buffer.from('pat:x').toString('base64')}`;
  for (const fields of [[], [pat]]) t.equal((await request(gateway.port, get(site, ...fields))).status, 403);
  for (const record of gateway.spool.records) t.match(record, { reason: 'illegal', step: 'illegal', target: null });
});
