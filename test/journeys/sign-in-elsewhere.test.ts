// Two gateways, one Redis, and the console that knows all passwords elsewhere: signing in, and what is left of it when both are gone.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import t from 'tap';
import { dataLayout } from '../../src/config/data-layout.ts';
import type { SignedSnapshot } from '../../src/events/bus.ts';
import type { AlarmCode } from '../../src/events/catalogue.ts';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { getThrough } from '../helpers/proxied.ts';
import { request } from '../helpers/raw-client.ts';
import { RedisServer } from '../helpers/redis-server.ts';
import { Stack } from '../helpers/stack.ts';
import { HEAD, joinBoth, MANAGER, STAFF_PASSWORD } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

const { folder, isEverywhere, openTunnel, makeSchool, site } = await journey(t);
mkdirSync(join(folder, 'redis'));
const redis = await new RedisServer(join(folder, 'redis'), await freePort()).start();
t.teardown(() => redis.stop());
const school = makeSchool('school', { lists: { gambling: ['casino.test'], hacking: ['forum.test'] } });
// One site that the manager gets and others do not.
writeFileSync(
  join(school.policyDir, 'rules.yaml'),
  `people: [{ name: ${MANAGER}, level: ks1, allow: [forum.test] }]\n`,
);
const env = { SCHOOLGATE_REDIS_URL: redis.url.reveal() };
const stackOf = (role: 'gateway' | 'console', name: string): Stack =>
  new Stack({ school, role, dataDir: join(school.folder, name), env });
const console = await stackOf('console', 'data').start();
t.teardown(() => console.stop());
const [north, south] = [stackOf('gateway', 'north'), stackOf('gateway', 'south')];
const gateways = [north, south];
t.teardown(() => Promise.all(gateways.map((gateway) => gateway.stop())));
for (const { layout } of gateways) cpSync(dataLayout(school.dataDir).signingPublicKey, layout.signingPublicKey);
await Promise.all([joinBoth(console), ...gateways.map((gateway) => gateway.start())]);

/** What went over the channel of questions, as somebody hears it who can read Redis. */
const heard: string[] = [];
const intruder = new Redis(redis.url.reveal(), { maxRetriesPerRequest: null });
const spy = intruder.duplicate();
for (const client of [intruder, spy]) {
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
}
await spy.subscribe('schoolgate:questions');
spy.on('message', (_channel: string, text: string) => void heard.push(text));

const everywhere = async (name: string, status: number): Promise<boolean> =>
  (await Promise.all(gateways.map((gateway) => isEverywhere(gateway, name, status)))).every(Boolean);

/** Waits until every worker answers so; gives how long it took, ms. */
async function msUntilEverywhere(name: string, status: number): Promise<number> {
  const begin = performance.now();
  await until(`${name} is answered ${status} by every worker`, () => everywhere(name, status), 20_000);
  return performance.now() - begin;
}

void t.test(
  'a sign-in at one gateway reaches every worker of both within two seconds, and so does its end',
  async (t) => {
    t.ok(await everywhere('forum.test', 403));
    await until('the front desk has met the console', async () => (await formToken(north)) !== '');
    t.equal(await signIn(north, 'not the password'), 401);
    t.equal(acts('device.refused'), 1, 'by the console, which is elsewhere');
    t.equal(await signIn(north), 303);
    t.ok((await msUntilEverywhere('forum.test', 200)) < 2000, 'signed in');
    const tunnels = await Promise.all(gateways.map((gateway) => openTunnel(gateway, 'forum.test')));
    const begin = performance.now();
    t.equal(await signOut(south), 303);
    for (const tunnel of tunnels) t.equal((await tunnel.readToEnd()).peer, 'ended');
    t.ok(performance.now() - begin < 2000, 'what was open is cut');
    t.ok((await msUntilEverywhere('forum.test', 403)) < 2000, 'signed out at the other');
    t.notMatch(heard.join(), new RegExp(`${MANAGER}|${STAFF_PASSWORD}`));
  },
);

void t.test(
  'credentials with a request are checked from each gateway, and guesses counted over all of them',
  async (t) => {
    for (const gateway of gateways) {
      t.equal(await basic(gateway, MANAGER, STAFF_PASSWORD), 200);
      t.equal(await basic(gateway, MANAGER, 'not the password'), 403, 'unknown, not let in');
    }
    const before = acts('proxy-auth.refused');
    for (let n = 0; n < 8; n++) t.equal(await basic(gateways[n % 2]!, HEAD, `guess ${n}`), 403);
    t.equal(acts('proxy-auth.refused') - before, 5, 'the sixth and all after it were not looked at');
  },
);

void t.test('whoever writes to Redis signs nobody in, nor keeps somebody signed in', async (t) => {
  t.equal(await signIn(north), 303);
  await msUntilEverywhere('forum.test', 200);
  const signedIn = (await intruder.get('schoolgate:snapshot:live'))!;
  t.equal(await signOut(north), 303);
  await msUntilEverywhere('forum.test', 403);

  const signed = JSON.parse(signedIn) as SignedSnapshot;
  const renumbered = JSON.stringify({ ...signed, serial: signed.serial + 9 });
  for (const [what, live] of Object.entries({ 'are older': signedIn, 'bear another number': renumbered })) {
    const refused = (): Promise<number[]> => Promise.all(gateways.map((one) => alarms(one, 'snapshot-refused')));
    const before = await refused();
    await intruder.set('schoolgate:snapshot:live', live);
    await intruder.publish('schoolgate:snapshots', 'live');
    await until(`both have refused sign-ins that ${what}`, async () =>
      (await refused()).every((count, i) => count > before[i]!),
    );
    t.ok(await everywhere('forum.test', 403), what);
  }

  for (const question of heard.slice()) await intruder.publish('schoolgate:questions', question);
  const told = "SELECT 1 FROM alarms WHERE code = 'question-refused'";
  await until('the console tells of it', () => console.rows(told).length > 0);
  t.ok(await everywhere('forum.test', 403), 'a sign-in that was recorded');

  const token = await formToken(south);
  process.kill(console.pid, 'SIGSTOP');
  const before = heard.length;
  const guessing = submit(south, '/sign-in', { name: MANAGER, password: 'not the password', token });
  const guess = await until('the guess is on its way', () => heard[before]);
  const { key, from } = JSON.parse(guess) as { key: string; from: string };
  const state = { state: 'signed-in', userName: MANAGER, fullName: 'M', until: Date.now() + 3_600_000 };
  const box = Buffer.from(JSON.stringify({ answer: state })).toString('base64');
  await intruder.publish(`schoolgate:answers:${from}`, JSON.stringify({ to: key, box }));
  await until('the gateway tells of it', async () => (await alarms(south, 'answer-refused')) === 1);
  process.kill(console.pid, 'SIGCONT');
  t.equal(await guessing, 401, 'an answer that the console did not give');
});

void t.test('while the console alone is away a sign-in is told so, and nobody waits for it', async (t) => {
  spy.disconnect();
  const token = await formToken(north);
  await console.kill();
  const begin = performance.now();
  const answer = await post(north, '/sign-in', { name: MANAGER, password: STAFF_PASSWORD, token });
  t.match(answer, { status: 503, body: 'You cannot sign in just now' });
  t.equal(await basic(south, HEAD, STAFF_PASSWORD), 403);
  t.ok(performance.now() - begin < 2000);
  await console.start();
  await until('somebody can sign in again', async () => (await signIn(north)) === 303, 20_000);
  await msUntilEverywhere('forum.test', 200);
});

void t.test(
  'with console and Redis killed whoever was signed in stays so, at both, and after a restart from disk',
  async (t) => {
    const token = await formToken(south);
    await console.kill();
    await redis.kill();
    t.ok(await everywhere('forum.test', 200));
    t.ok(await everywhere('casino.test', 403));
    t.equal(await submit(south, '/sign-in', { name: HEAD, password: STAFF_PASSWORD, token }), 503);
    await south.stop();
    await south.start();
    t.ok(await everywhere('forum.test', 200));
    t.ok(await everywhere('casino.test', 403));
  },
);

void t.test('when they are back, so is signing in and out', async () => {
  await redis.start();
  await console.start();
  await until('somebody can sign out', async () => (await signOut(south)) === 303, 20_000);
  await msUntilEverywhere('forum.test', 403);
});

/** How often the console put an act on record. */
function acts(action: string): number {
  return console.rows('SELECT 1 FROM audit WHERE action = ?', action).length;
}

/** How often a gateway has raised an alarm of late. */
async function alarms(gateway: Stack, code: AlarmCode): Promise<number> {
  return (await gateway.health()).alarms.filter((alarm) => alarm.code === code).length;
}

/** The status of a request with credentials. */
async function basic({ proxyPort }: Stack, name: string, password: string): Promise<number> {
  const credentials = Buffer.from(`${name}:${password}`).toString('base64');
  const fields = [`Proxy-Authorization: Basic ${credentials}`];
  return (await getThrough(proxyPort, site('forum.test'), fields)).status;
}

async function signIn(gateway: Stack, password = STAFF_PASSWORD): Promise<number> {
  return await submit(gateway, '/sign-in', { name: MANAGER, password, token: await formToken(gateway) });
}

async function signOut(gateway: Stack): Promise<number> {
  return await submit(gateway, '/sign-out', { token: await formToken(gateway) });
}

/** Empty while the page has no form. */
async function formToken({ proxyPort }: Stack): Promise<string> {
  const { body } = await getThrough(proxyPort, 'http://schoolgate.internal/sign-in');
  return /name="token" value="([\w-]+)"/.exec(body.toString())?.[1] ?? '';
}

type Fields = Readonly<Record<string, string>>;

/** Sends a form of a gateway's front desk as the page does; gives the status of the answer. */
async function submit(gateway: Stack, path: string, fields: Fields): Promise<number> {
  return (await post(gateway, path, fields)).status;
}

async function post({ proxyPort }: Stack, path: string, fields: Fields): Promise<{ status: number; body: string }> {
  const body = new URLSearchParams(fields).toString();
  const head = [
    `POST http://schoolgate.internal${path} HTTP/1.1`,
    'Host: schoolgate.internal',
    'Connection: close',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
  ];
  const answer = await request(proxyPort, head, body);
  return { status: answer.status, body: answer.body.toString() };
}
