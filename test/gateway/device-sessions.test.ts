import t from 'tap';
import type { CredentialsAnswer } from '../../src/identity/credentials.ts';
import { manualClock } from '../helpers/control-plane.ts';
import { eventually } from '../helpers/listening.ts';
import { startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { connectThrough, request } from '../helpers/raw-client.ts';
import { proof, startTestGateway, type TestGatewayOptions } from '../helpers/test-gateway.ts';

const CLIENT = '127.0.0.1';
const SENIOR = 'title: Senior\nvoice: teen\nextends: ks1\nallow: [casino.test]\n';
const RULES = 'people: [{ name: ann, level: senior }, { name: bob, level: ks1 }]';

const origin = await startOrigin();
t.teardown(() => origin.close());
const echo = await startTcpOrigin((socket) => void socket.pipe(socket));
t.teardown(() => echo.close());

async function gateway(more: TestGatewayOptions = {}, clock = manualClock()) {
  const started = await startTestGateway(
    { http: [origin.http.port], raw: [echo.port] },
    {
      listed: { 'casino.test': ['gambling'] },
      names: { 'casino.test': [CLIENT], 'open.test': [CLIENT] },
      levels: { senior: SENIOR },
      rules: RULES,
      ...more,
      clock,
    },
  );
  t.teardown(() => started.close());
  const get = async (name: string, ...fields: string[]) =>
    request(started.port, [
      `GET http://${name}:${origin.http.port}/ HTTP/1.1`,
      `Host: ${name}:${origin.http.port}`,
      'Connection: close',
      ...fields,
    ]);
  return { gateway: started, clock, get };
}

void t.test('a session opens what its person’s level allows, is on record, and ends without a message', async (t) => {
  const { gateway: one, clock, get } = await gateway();
  t.equal((await get('casino.test')).status, 403);
  one.setSessions([{ address: CLIENT, user: 'ann', until: clock() + 60_000 }]);
  t.equal((await get('casino.test')).status, 200);
  t.match(one.spool.records.at(-1), { user: 'ann', identified: 'session', level: 'senior' });
  t.same([...one.context.activeDevices], [CLIENT], 'which says that the device is in use');
  one.setSessions([{ address: '10.0.0.1', user: 'ann', until: clock() + 60_000 }]);
  t.equal((await get('casino.test')).status, 403, 'another device’s session is no help');
  one.setSessions([{ address: CLIENT, user: 'ann', until: clock() + 60_000 }]);
  clock.advance(60_000);
  t.equal((await get('casino.test')).status, 403);
  t.match(one.spool.records.at(-1), { user: null, identified: 'none' });
});

void t.test('a session is stronger than a range and weaker than a sign-in at the proxy', async (t) => {
  const {
    gateway: one,
    clock,
    get,
  } = await gateway({
    identity: `identity: { mode: open, strictestLevel: ks1, ranges: [{ cidr: 127.0.0.0/8, level: senior, name: Lab }] }`,
    verify: async () => proof('ann'),
  });
  t.equal((await get('casino.test')).status, 200, 'by range');
  one.setSessions([{ address: CLIENT, user: 'bob', until: clock() + 60_000 }]);
  t.equal((await get('casino.test')).status, 403, 'bob is in ks1');
  const credentials = `Proxy-Authorization: Basic ${Buffer.from('ann:x').toString('base64')}`;
  t.equal((await get('casino.test', credentials)).status, 200);
  t.match(one.spool.records.at(-1), { user: 'ann', identified: 'proxy-auth' });
});

void t.test('an open tunnel is cut when its session ends, is taken away or is another’s', async (t) => {
  const { gateway: one, clock } = await gateway();
  const tunnel = async () => {
    one.setSessions([{ address: CLIENT, user: 'ann', until: clock() + 60_000 }]);
    const { connection, response } = await connectThrough(one.port, `casino.test:${echo.port}`);
    t.equal(response.status, 200);
    return connection;
  };
  const ends: [string, () => void][] = [
    ['taken away', () => one.setSessions([])],
    ['another’s', () => one.setSessions([{ address: CLIENT, user: 'bob', until: clock() + 60_000 }])],
    ['over', () => clock.advance(61_000)],
  ];
  for (const [what, end] of ends) {
    const connection = await tunnel();
    const before = one.spool.records.length;
    end();
    await eventually(`the tunnel is cut: ${what}`, () =>
      one.spool.records.slice(before).some(({ error }) => error === 'cut'),
    );
    await connection.readToEnd();
  }
});

void t.test(
  'a lesson list cuts what it closes when it begins and when one of two ends, by this clock alone',
  async (t) => {
    const { gateway: one, clock, get } = await gateway();
    const session = [{ address: CLIENT, user: 'ann', until: clock() + 3_600_000 }];
    const list = { id: 'l1', groups: [], people: ['ann'], hosts: ['casino.test'] };
    const begins = { ...list, from: clock() + 20_000, until: clock() + 40_000 };
    const goesOn = { ...list, id: 'l2', hosts: ['open.test'], from: clock() + 20_000, until: clock() + 50_000 };
    one.setSessions(session, [begins, goesOn]);
    const open = async (host: string) => (await connectThrough(one.port, `${host}:${echo.port}`)).connection;
    const cuts = (): string[] => one.spool.records.filter(({ error }) => error === 'cut').map(({ host }) => host!);
    const other = await open(CLIENT);
    const [casino, school] = [await open('casino.test'), await open('open.test')];
    // Not at a minute's mark, at which everything is judged in any case.
    clock.advance(20_000);
    await eventually('what is on neither list is cut', () => cuts().length === 1);
    t.same(cuts(), [CLIENT]);
    const refused = await get(CLIENT);
    t.match(refused, { status: 403 });
    t.match(refused.body.toString(), /lesson list that lasts until[^]*casino\.test[^]*open\.test/);
    t.match(one.spool.records.at(-1), { reason: 'lesson', rule: 'lesson:l1', user: 'ann' });
    clock.advance(20_000);
    await eventually('what was on the list that ended is cut', () => cuts().length === 2);
    t.same(cuts(), [CLIENT, 'casino.test']);
    clock.advance(10_000);
    t.equal((await get('casino.test')).status, 200, 'open again when the last has ended');
    await Promise.all([other, casino, school].map((connection) => connection.close()));
  },
);

void t.test('when a time comes, what it closes here is cut within two seconds, by this clock alone', async (t) => {
  const start = Date.parse('2026-11-24T12:19:50Z');
  const times = `
times:
  - { name: Lunch, when: [{ from: "12:20", to: "13:10" }], block: [casino.test] }
  - { name: Next door, when: [always], where: [Hall], closed: true }
  - { name: Assembly, when: [{ days: [tue], from: "13:10", to: "13:30" }], where: [Lab], closed: true }
`;
  const options: TestGatewayOptions = {
    identity: `identity: { mode: open, strictestLevel: ks1, ranges: [{ cidr: 127.0.0.0/8, level: senior, name: Lab }] }
places: { Hall: [10.0.0.0/8] }`,
    levels: { senior: SENIOR + times },
  };
  const { gateway: one, clock, get } = await gateway(options, manualClock(start));
  const open = async (host: string) => (await connectThrough(one.port, `${host}:${echo.port}`)).connection;
  const cuts = (): string[] => one.spool.records.filter(({ error }) => error === 'cut').map(({ host }) => host!);
  const cutWithin2s = async (count: number): Promise<void> => {
    const since = performance.now();
    await eventually(`${count} are cut`, () => cuts().length === count);
    t.ok(performance.now() - since < 2_000, 'within two seconds');
  };
  const [casino, other] = [await open('casino.test'), await open('open.test')];
  clock.advance(10_000);
  await cutWithin2s(1);
  t.same(cuts(), ['casino.test']);
  t.equal((await get('casino.test')).status, 403);
  t.match(one.spool.records.at(-1), { reason: 'block-list', rule: 'levels/senior.yaml#times.Lunch.block.casino.test' });
  clock.advance(50 * 60_000);
  await cutWithin2s(2);
  const closed = await get('open.test');
  t.equal(closed.status, 403);
  t.match(closed.body.toString(), 'It opens again at 13:30.');
  t.match(one.spool.records.at(-1), { reason: 'schedule', rule: 'levels/senior.yaml#times.Assembly' });
  clock.advance(20 * 60_000);
  t.equal((await get('casino.test')).status, 200, 'open again after both');
  await Promise.all([casino, other].map((connection) => connection.close()));
});

void t.test(
  'in challenge mode a person is sent to the page for signing in, and everything else is asked',
  async (t) => {
    const challenge = (more = ''): TestGatewayOptions => ({
      identity: `identity: { mode: challenge, strictestLevel: ks1${more} }`,
    });
    const { gateway: one, clock, get } = await gateway(challenge());
    const page = 'Accept: text/html,application/xhtml+xml';
    const sent = await get('open.test', page);
    t.equal(sent.status, 302);
    t.equal(sent.header('location'), 'http://schoolgate.internal/sign-in');
    t.match(one.spool.records.at(-1), { status: 302, verdict: 'block', reason: 'identity' });
    t.equal((await get('open.test', 'Accept: image/avif')).status, 407);
    t.equal((await get('open.test', page, 'Proxy-Authorization: Basic eDp4')).status, 407, 'who signs in at the proxy');
    t.equal((await connectThrough(one.port, `open.test:${echo.port}`)).response.status, 407);
    one.setSessions([{ address: CLIENT, user: 'bob', until: clock() + 60_000 }]);
    t.equal((await get('open.test', page)).status, 200);
    t.equal((await connectThrough(one.port, `open.test:${echo.port}`)).response.status, 200);

    const shared = await gateway(challenge(', shared: [127.0.0.0/8]'));
    t.equal((await shared.get('open.test', page)).status, 407, 'an address of many cannot be signed in');
    shared.gateway.setSessions([{ address: CLIENT, user: 'bob', until: shared.clock() + 60_000 }]);
    t.equal(
      (await shared.get('open.test', page)).status,
      407,
      'nor does a session count that the console is yet to end',
    );
  },
);

const CREDENTIALS = `Proxy-Authorization: Basic ${Buffer.from('ann:x').toString('base64')}`;

void t.test('the password of a card leads to the page for choosing another, and opens nothing else', async (t) => {
  const { gateway: one, get } = await gateway({
    identity: 'identity: { mode: open, strictestLevel: ks1, shared: [127.0.0.0/8] }',
    listed: { 'help.test': ['known-good'] },
    names: { 'open.test': [CLIENT], 'help.test': [CLIENT] },
    categories: { 'known-good': 'allow' },
    verify: async () => proof('ann', { mustChange: true }),
  });
  const sent = await get('open.test', 'Accept: text/html', CREDENTIALS);
  t.equal(sent.status, 302);
  t.equal(sent.header('location'), 'http://schoolgate.internal/password');
  t.match(one.spool.records.at(-1), { user: 'ann', identified: 'proxy-auth', reason: 'identity' });
  const part = await get('open.test', 'Accept: image/avif', CREDENTIALS);
  t.equal(part.status, 403, 'the credentials are right: asked again, programs would send the same for ever');
  t.match(part.body.toString(), 'schoolgate.internal/password');
  const { response } = await connectThrough(one.port, `open.test:${echo.port}`, [CREDENTIALS]);
  t.equal(response.status, 403);
  t.equal((await get('help.test', CREDENTIALS)).status, 200, 'help is always there');
  t.equal((await get('open.test', 'Accept: text/html')).status, 200, 'whoever is unknown goes on as before');
});

void t.test(
  'a new password ends what the old one opened: credentials that were checked, and open tunnels',
  async (t) => {
    let answer: CredentialsAnswer = proof('ann', { at: 100 });
    const { gateway: one, get } = await gateway({ verify: async () => answer });
    const { connection, response } = await connectThrough(one.port, `casino.test:${echo.port}`, [CREDENTIALS]);
    t.equal(response.status, 200);
    t.equal((await get('casino.test', CREDENTIALS)).status, 200);
    answer = 'wrong';
    one.setLive({ grants: [], renewals: [{ user: 'ann', at: 99 }] });
    t.equal((await get('casino.test', CREDENTIALS)).status, 200, 'an older change');
    one.setLive({ grants: [], renewals: [{ user: 'ann', at: 100 }] });
    await eventually('the tunnel is cut', () => one.spool.records.some(({ error }) => error === 'cut'));
    await connection.readToEnd();
    t.equal((await get('casino.test', CREDENTIALS)).status, 403);
    t.match(one.spool.records.at(-1), { user: null, identified: 'none' });
  },
);

const AGREEMENT = 'title: Rules\nlevels: [senior]\ntext: [Filtered and monitored.]\n';

void t.test(
  'until the agreement is accepted, the page for it and help sites, by session and by credentials',
  async (t) => {
    let agreed: string | null = null;
    const {
      gateway: one,
      clock,
      get,
    } = await gateway({
      listed: { 'casino.test': ['gambling'], 'help.test': ['known-good'] },
      names: { 'casino.test': [CLIENT], 'open.test': [CLIENT], 'help.test': [CLIENT] },
      categories: { 'known-good': 'allow' },
      agreements: { senior: AGREEMENT },
      verify: async () => proof('ann', { at: clock(), agreed }),
    });
    const { version } = one.context.snapshots.facts.agreements!.levels['senior']!;
    const until = clock() + 60_000;
    const page = 'Accept: text/html';
    const session = (more: object = {}): void => one.setSessions([{ address: CLIENT, user: 'ann', until, ...more }]);
    for (const more of [{}, { agreed: 'another version' }]) {
      session(more);
      const sent = await get('casino.test', page);
      t.equal(sent.status, 302);
      t.equal(sent.header('location'), 'http://schoolgate.internal/agreement');
      t.equal((await get('casino.test', 'Accept: image/avif')).status, 403);
      t.equal((await connectThrough(one.port, `casino.test:${echo.port}`)).response.status, 403);
      t.match(one.spool.records.at(-1), { user: 'ann', reason: 'agreement', verdict: 'block' });
      t.equal((await get('help.test')).status, 200);
    }
    session({ agreed: version });
    t.equal((await get('casino.test', page)).status, 200);
    const { connection } = await connectThrough(one.port, `casino.test:${echo.port}`);
    session();
    await eventually('the tunnel is cut', () => one.spool.records.some(({ error }) => error === 'cut'));
    await connection.readToEnd();

    one.setSessions([]);
    t.equal((await get('open.test', page)).status, 200, 'whoever is unknown goes on as before');
    t.equal((await get('casino.test', page, CREDENTIALS)).status, 302);
    agreed = version;
    t.equal((await get('casino.test', page, CREDENTIALS)).status, 302, 'the answer of a minute ago');
    one.setLive({ grants: [], renewals: [{ user: 'ann', at: clock() }] });
    clock.advance(1);
    t.equal((await get('casino.test', page, CREDENTIALS)).status, 200, 'asked anew once it is accepted');
    one.setSessions([{ address: CLIENT, user: 'bob', until }]);
    t.equal((await get('open.test', page)).status, 200, 'a level without an agreement');
  },
);
