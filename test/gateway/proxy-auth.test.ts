import t from 'tap';
import {
  createProxyAuth,
  FAILURES,
  type ProxyAuth,
  type ProxyAuthOptions,
  VERIFIED_MS,
  WINDOW_MS,
  WRONG_MS,
} from '../../src/gateway/proxy-auth.ts';
import type { CredentialsAnswer, ProxyCredentials } from '../../src/identity/credentials.ts';
import { manualClock } from '../helpers/control-plane.ts';
import { eventually } from '../helpers/listening.ts';
import { startOrigin } from '../helpers/origin.ts';
import { connectThrough, dial, request } from '../helpers/raw-client.ts';
import { proof, startTestGateway, type TestGatewayOptions } from '../helpers/test-gateway.ts';

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
const sent = (name: string, password: string): string[] => ['Proxy-Authorization', basic(name, password)];
const RIGHT = { name: 'A.Smith', password: 'correct horse' };
const A_SMITH = proof('a.smith');
const right = sent(RIGHT.name, RIGHT.password);

/** A console that knows one person and keeps count of what it is asked. */
function rig(answer: (credentials: ProxyCredentials) => Promise<CredentialsAnswer> = know) {
  const asked: ProxyCredentials[] = [];
  const clock = manualClock();
  const verify: ProxyAuthOptions['verify'] = (credentials) => {
    asked.push(credentials);
    return answer(credentials);
  };
  const renewed = new Map<string, number>();
  const isClass: ProxyAuthOptions['isClass'] = (user) => user === '9x-tablets';
  const holds: ProxyAuthOptions['holds'] = ({ user, at }) => (renewed.get(user) ?? -1) < at;
  return {
    asked,
    clock,
    verify,
    renewed,
    auth: createProxyAuth({ clock, key: Buffer.alloc(32, 1), verify, holds, isClass }),
  };
}

async function know({ name, password }: ProxyCredentials): Promise<CredentialsAnswer> {
  return name === RIGHT.name && password === RIGHT.password ? A_SMITH : 'wrong';
}

const now = (answer: ReturnType<ProxyAuth['proofOf']>): string => {
  if (answer instanceof Promise) return 'asks';
  return answer?.user ?? 'nobody';
};

const all = (answers: readonly ReturnType<ProxyAuth['proofOf']>[]): Promise<(string | null)[]> =>
  Promise.all(answers.map(async (answer) => (await answer)?.user ?? null));

void t.test('without credentials, or with several, nobody is asked and nothing is waited for', async (t) => {
  const { auth, asked } = rig();
  const table: [string, string[]][] = [
    ['no fields', []],
    ['others', ['Host', 'site.test', 'Authorization', basic('a', 'b'), 'Proxy-Connection', 'close']],
    ['two that are right', [...right, ...right]],
    ['two spellings of the name', [...right, 'proxy-authorization', 'Basic x']],
    ['malformed', ['Proxy-Authorization', 'Basic YTpi=']],
    ['empty', ['Proxy-Authorization', '']],
    ['Negotiate', ['Proxy-Authorization', 'Negotiate YII']],
  ];
  for (const [what, fields] of table) t.equal(now(auth.proofOf(fields, '10.0.0.1')), 'nobody', what);
  t.same(asked, []);
});

void t.test('the console is asked once, and again after a quarter of an hour', async (t) => {
  const { auth, asked, clock } = rig();
  const first = Array.from({ length: 40 }, () => auth.proofOf(right, '10.0.0.1'));
  t.same(new Set(first.map(now)), new Set(['asks']));
  t.same(new Set(await all(first)), new Set(['a.smith']));
  t.same(asked, [{ ...RIGHT, address: '10.0.0.1' }]);
  t.equal(now(auth.proofOf(['pRoXy-AuThOrIzAtIoN', right[1]!], '10.0.0.2')), 'a.smith', 'at once, from anywhere');
  clock.advance(VERIFIED_MS - 1);
  t.equal(now(auth.proofOf(right, '10.0.0.1')), 'a.smith');
  clock.advance(1);
  t.equal((await auth.proofOf(right, '10.0.0.1'))?.user, 'a.smith');
  t.equal(asked.length, 2);
});

void t.test('a refusal is repeated for a few seconds; no answer is not', async (t) => {
  const { auth, asked, clock } = rig();
  const wrong = sent('a.smith', 'a guess');
  t.equal(await auth.proofOf(wrong, '10.0.0.1'), null);
  t.equal(now(auth.proofOf(wrong, '10.0.0.1')), 'nobody');
  t.equal(asked.length, 1);
  t.equal((await auth.proofOf(right, '10.0.0.1'))?.user, 'a.smith', 'the right password helps at once');
  clock.advance(WRONG_MS);
  t.equal(await auth.proofOf(wrong, '10.0.0.1'), null);
  t.equal(asked.length, 3);

  const answers: (() => Promise<CredentialsAnswer>)[] = [
    async () => 'no-answer',
    () => Promise.reject(new Error('the process is gone')),
    async () => A_SMITH,
  ];
  const away = rig(() => answers.shift()!());
  t.equal(await away.auth.proofOf(right, '10.0.0.1'), null);
  t.equal(await away.auth.proofOf(right, '10.0.0.1'), null);
  t.equal((await away.auth.proofOf(right, '10.0.0.1'))?.user, 'a.smith');
});

void t.test('what has changed about an account since is asked for again, at once', async (t) => {
  let at = 100;
  const { auth, asked, renewed } = rig(async () => proof('a.smith', { at }));
  await auth.proofOf(right, '10.0.0.1');
  renewed.set('b.jones', 200);
  renewed.set('a.smith', 99);
  t.equal(now(auth.proofOf(right, '10.0.0.1')), 'a.smith', 'another’s change, and an older one');
  renewed.set('a.smith', 100);
  at = 101;
  t.equal((await auth.proofOf(right, '10.0.0.1'))?.user, 'a.smith');
  t.equal(asked.length, 2);
  t.equal(now(auth.proofOf(right, '10.0.0.1')), 'a.smith', 'and remembered anew');
});

void t.test('a console that goes away leaves known people known', async (t) => {
  let isAway = false;
  const { auth } = rig((credentials) => (isAway ? Promise.resolve('no-answer') : know(credentials)));
  await auth.proofOf(right, '10.0.0.1');
  isAway = true;
  t.equal(now(auth.proofOf(right, '10.0.0.1')), 'a.smith');
  t.equal(await auth.proofOf(sent('b.jones', 'x'), '10.0.0.1'), null);
});

void t.test(
  'guessing ends by name and by address, for a minute, and all of it sent at once is no way round',
  async (t) => {
    const limits: [string, number, (i: number) => [fields: string[], address: string]][] = [
      [
        'one name from many addresses',
        FAILURES.name,
        (i) => [sent(i % 2 ? 'a.smith' : 'A.SMITH', `${i}`), `10.0.0.${i}`],
      ],
      ['many names from one address', FAILURES.address, (i) => [sent(`name${i}`, 'x'), '10.0.0.1']],
    ];
    for (const [what, most, guess] of limits) {
      const { auth, asked, clock } = rig();
      const guesses = Array.from({ length: 50 }, (_, i) => auth.proofOf(...guess(i)));
      t.same(new Set(await all(guesses)), new Set([null]), what);
      t.equal(asked.length, most, what);
      t.equal(now(auth.proofOf(right, '10.0.0.1')), 'nobody', `${what}: the right ones are not even looked at`);
      clock.advance(WINDOW_MS);
      t.equal((await auth.proofOf(right, '10.0.0.1'))?.user, 'a.smith', `${what}: a minute later they are`);
    }
  },
);

void t.test('who mistypes the account of a class holds out their own device and no other of the class', async (t) => {
  const { auth, asked } = rig(async ({ password }) => (password === 'right' ? proof('9x-tablets') : 'wrong'));
  for (let i = 0; i < 30; i++) await auth.proofOf(sent('9X-Tablets', `${i}`), '10.0.0.1');
  t.equal(asked.length, FAILURES.name);
  t.equal(now(auth.proofOf(sent('9x-tablets', 'right'), '10.0.0.1')), 'nobody');
  t.equal((await auth.proofOf(sent('9x-tablets', 'right'), '10.0.0.2'))?.user, '9x-tablets');
});

void t.test('successes and silence use up no attempts', async (t) => {
  for (const answer of [proof('x'), 'no-answer'] as const) {
    const { auth, asked } = rig(async () => answer);
    for (let i = 0; i < 50; i++) await auth.proofOf(sent('a.smith', `${i}`), '10.0.0.1');
    t.equal(asked.length, 50);
  }
});

const STAFF = 'title: Staff\nvoice: adult\nuncategorised: allow\ncategories: { gambling: allow, games: block }\n';
const CHALLENGE = 'identity: { mode: challenge, strictestLevel: ks1 }';

/** A gateway and an origin; a.smith has an account, and level staff unless the rules do not know them. */
async function start(options: TestGatewayOptions = {}, levelOf: string | null = 'staff') {
  const origin = await startOrigin();
  const asked: ProxyCredentials[] = [];
  const gateway = await startTestGateway(
    { http: [origin.http.port], tls: [origin.https.port] },
    {
      levels: { staff: STAFF },
      listed: { 'bet.test': ['gambling'] },
      names: { 'bet.test': ['127.0.0.1'], 'help.test': ['127.0.0.1'] },
      verify: async (credentials) => {
        asked.push(credentials);
        return know(credentials);
      },
      ...(levelOf !== null && { rules: `people: [{ name: a.smith, level: ${levelOf} }]` }),
      ...options,
    },
  );
  const get = (host: string, fields: string[] = []) =>
    request(gateway.port, [
      `GET http://${host}:${origin.http.port}/ HTTP/1.1`,
      `Host: ${host}:${origin.http.port}`,
      'Connection: close',
      ...fields,
    ]);
  return {
    origin,
    gateway,
    asked,
    get,
    connect: (host: string, fields: string[] = []) =>
      connectThrough(gateway.port, `${host}:${origin.https.port}`, fields),
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await origin.close();
    },
  };
}
const field = (name: string, password: string): string => `Proxy-Authorization: ${basic(name, password)}`;
const RIGHT_FIELD = field(RIGHT.name, RIGHT.password);

void t.test(
  'whoever is not known is asked to sign in, and is let in by their credentials at their own level',
  async (t) => {
    await using run = await start({ identity: CHALLENGE });
    const { gateway, origin } = run;
    const refused = await run.get('bet.test');
    t.equal(refused.status, 407);
    t.equal(refused.header('proxy-authenticate'), 'Basic realm="Schoolgate", charset="UTF-8"');
    const tunnel = await run.connect('bet.test');
    await tunnel.connection.close();
    t.equal(tunnel.response.status, 407);
    t.match(tunnel.response.header('proxy-authenticate'), /^Basic /);
    t.same(run.asked, [], 'nobody is asked about nobody');
    t.same(origin.seen, []);
    t.match(gateway.spool.records, [
      { method: 'GET', user: null, identified: 'none', reason: 'identity', status: 407, flagged: false },
      { method: 'CONNECT', user: null, identified: 'none', reason: 'identity', status: 407 },
    ]);

    gateway.spool.records.length = 0;
    t.equal((await run.get('bet.test', [RIGHT_FIELD])).status, 200);
    const connected = await run.connect('bet.test', [RIGHT_FIELD]);
    t.equal(connected.response.status, 200);
    await connected.connection.close();
    await gateway.record(({ method }) => method === 'CONNECT');
    const known = { user: 'a.smith', identified: 'proxy-auth', level: 'staff', verdict: 'allow', status: 200 };
    t.match(gateway.spool.records, [known, known]);
    t.equal(run.asked.length, 1);
    t.notMatch(JSON.stringify(origin.seen), /proxy-authorization/i, 'credentials stay here');
    const kept = JSON.stringify([gateway.spool.records, gateway.spool.openings, gateway.spool.events]);
    t.notOk(kept.includes('correct horse') || kept.includes(basic(RIGHT.name, RIGHT.password)), 'and on no record');
  },
);

void t.test('what does not hold is answered as if nothing had been sent', async (t) => {
  await using run = await start({ identity: CHALLENGE });
  const table: [string, string[]][] = [
    ['nothing', []],
    ['a wrong password', [field(RIGHT.name, 'x')]],
    ['an unknown name', [field('nobody', RIGHT.password)]],
    ['malformed', ['Proxy-Authorization: Basic x']],
    ['two fields', [RIGHT_FIELD, RIGHT_FIELD]],
    ['the credentials of a site', [RIGHT_FIELD.replace('Proxy-', '')]],
    ['10 KB', [field('a'.repeat(10_000), 'b')]],
  ];
  const answers = new Set<string>();
  for (const [what, fields] of table) {
    const answer = await run.get('bet.test', fields);
    t.equal(answer.status, 407, what);
    const described = answer.headers.filter(([name]) => name.toLowerCase() !== 'date');
    answers.add(JSON.stringify([answer.status, described]));
    const { connection, response } = await run.connect('bet.test', fields);
    t.equal(response.status, 407, what);
    await connection.close();
  }
  t.equal(answers.size, 1, 'no answer tells what was wrong');
  t.same(run.origin.seen, []);
});

void t.test(
  'in open mode the strictest level is for whoever is not known, and for whom the rules do not know',
  async (t) => {
    for (const [levelOf, fields, known] of [
      [null, [], { user: null, identified: 'none', level: 'ks1' }],
      ['staff', [field(RIGHT.name, 'x')], { user: null, identified: 'none', level: 'ks1' }],
      [null, [RIGHT_FIELD], { user: 'a.smith', identified: 'proxy-auth', level: 'ks1' }],
      ['staff', [RIGHT_FIELD], { user: 'a.smith', identified: 'proxy-auth', level: 'staff' }],
    ] as const) {
      await using run = await start({}, levelOf);
      t.equal((await run.get('bet.test', [...fields])).status, known.level === 'staff' ? 200 : 403);
      t.match(await run.gateway.record(), known);
    }
  },
);

void t.test('help sites open without signing in', async (t) => {
  await using run = await start({
    identity: CHALLENGE,
    listed: { 'help.test': ['known-good'] },
    categories: { 'known-good': 'allow' },
  });
  t.equal((await run.get('help.test')).status, 200);
});

void t.test('the same connection may go on with credentials after 407; a CONNECT begins a new one', async (t) => {
  await using run = await start({ identity: CHALLENGE });
  const url = `http://localhost:${run.origin.http.port}/`;
  await using connection = await dial(run.gateway.port);
  const head = `GET ${url} HTTP/1.1\r\nHost: localhost:${run.origin.http.port}\r\n`;
  await connection.send(`${head}\r\n`);
  t.equal((await connection.readResponse()).status, 407);
  await connection.send(`${head}${RIGHT_FIELD}\r\n\r\n`);
  t.equal((await connection.readResponse()).status, 200);
  await connection.send(`${head}\r\n`);
  t.equal((await connection.readResponse()).status, 407, 'each request speaks for itself');
  const first = await run.connect('localhost');
  t.equal(first.response.header('connection'), 'close');
  t.not((await first.connection.readToEnd()).peer, 'open');
  await first.connection.close();
});

void t.test('a WebSocket opens with credentials only', async (t) => {
  await using run = await start({ identity: CHALLENGE });
  const open = async (fields: string[]): Promise<number> => {
    await using connection = await dial(run.gateway.port);
    const place = `localhost:${run.origin.http.port}`;
    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: eA==',
    ];
    await connection.send(
      [`GET http://${place}/ HTTP/1.1`, `Host: ${place}`, ...upgrade, ...fields, '', ''].join('\r\n'),
    );
    return (await connection.readResponse()).status;
  };
  t.equal(await open([]), 407);
  t.equal(await open([RIGHT_FIELD]), 101);
  t.match(await run.gateway.record(({ status }) => status === 101), { user: 'a.smith', level: 'staff' });
});

void t.test('requests inside a CONNECT to port 80 are those of whoever made it', async (t) => {
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const options = { identity: CHALLENGE, names: { 'bet.test': ['127.0.0.1'] }, portMap: { 80: origin.http.port } };
  await using run = await start(options);
  const { connection, response } = await connectThrough(run.gateway.port, 'bet.test:80', [RIGHT_FIELD]);
  t.equal(response.status, 200);
  await connection.send('GET / HTTP/1.1\r\nHost: bet.test\r\n\r\n');
  t.equal((await connection.readResponse()).status, 200);
  await connection.close();
  t.match(await run.gateway.record(({ method }) => method === 'GET'), { user: 'a.smith', level: 'staff' });
});

void t.test('a tunnel stays its maker’s: open while they may, cut when they may no more', async (t) => {
  await using run = await start({ identity: CHALLENGE });
  const { gateway, origin } = run;
  const tunnel = await run.connect('localhost', [RIGHT_FIELD]);
  await using secure = await tunnel.connection.startTls({ ca: origin.authority.cert, servername: 'localhost' });
  gateway.setGrants([]);
  await secure.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.equal((await secure.readResponse()).status, 200, 'judged again as the same person');
  gateway.setPolicy({ rules: 'people: [{ name: a.smith, level: staff, suspended: always }]' });
  t.not((await secure.readToEnd()).peer, 'open');
  t.match(await gateway.record(), { user: 'a.smith', error: 'cut' });
});

void t.test('somebody who leaves while the console is asked harms nobody', async (t) => {
  const waiting: ((answer: CredentialsAnswer) => void)[] = [];
  const verify = (): Promise<CredentialsAnswer> => new Promise((resolve) => waiting.push(resolve));
  await using run = await start({ identity: CHALLENGE, verify });
  const { gateway, origin } = run;
  for (const [line, place] of [
    [`CONNECT localhost:${origin.https.port}`, `localhost:${origin.https.port}`],
    [`GET http://localhost:${origin.http.port}/`, `localhost:${origin.http.port}`],
  ] as const) {
    gateway.spool.records.length = 0;
    const connection = await dial(gateway.port);
    await connection.send(`${line} HTTP/1.1\r\nHost: ${place}\r\n${RIGHT_FIELD}\r\n\r\n`);
    await eventually('the console is asked', () => waiting.length > 0);
    await connection.reset();
    waiting.pop()!('no-answer');
    t.match(await gateway.record(), { reason: 'identity' }, line);
    await eventually('the connection is gone', () => gateway.listener.connections === 0);
  }
  t.same(origin.seen, []);
});
