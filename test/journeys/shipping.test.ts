// The index on its way from the console's lists to gateways that have none: first of all, by itself, damaged, and with everything
// on the way killed. What is in force goes on filtering.
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import t from 'tap';
import { readManifest } from '../../src/categories/current-index.ts';
import { dataLayout } from '../../src/config/data-layout.ts';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { childrenOf } from '../helpers/processes.ts';
import { getThrough, RefusedLoad } from '../helpers/proxied.ts';
import { RedisServer } from '../helpers/redis-server.ts';
import { Stack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const { folder, site, isEverywhere, makeSchool } = await journey(t);
mkdirSync(join(folder, 'redis'));
const redisServer = await new RedisServer(join(folder, 'redis'), await freePort()).start();
t.teardown(() => redisServer.stop());
const redis = new Redis(redisServer.url.reveal(), { maxRetriesPerRequest: null });
redis.on('error', () => {});
t.teardown(() => redis.disconnect());

// Enough names that an index takes several chunks.
const bulk = Array.from({ length: 130_000 }, (_, i) => `n${i}.bulk.test`);
const school = makeSchool('school', { lists: { gambling: ['casino.test'], games: ['games.test', ...bulk] } });
const noLists = join(folder, 'no-lists');
mkdirSync(noLists);
const env = { SCHOOLGATE_REDIS_URL: redisServer.url.reveal() };
const console = new Stack({ school, role: 'console', env });
const gateways = ['north', 'south'].map(
  (name) =>
    new Stack({
      school,
      role: 'gateway',
      dataDir: join(school.folder, name),
      env: { ...env, SCHOOLGATE_LISTS_DIR: noLists },
    }),
);
const [north] = gateways as [Stack, Stack];
t.teardown(() => Promise.all([console.stop(), ...gateways.map((gateway) => gateway.stop())]));

const everywhere = async (name: string, status: number): Promise<boolean> =>
  (await Promise.all(gateways.map((gateway) => isEverywhere(gateway, name, status)))).every(Boolean);

const hashInForce = ({ layout }: Stack): string | undefined => readManifest(layout)?.sha256;

const catalogue = join(school.listsDir, 'catalogue.yaml');
const goodCatalogue = readFileSync(catalogue, 'utf8');

void t.test('a gateway without an index keeps its doors shut, says why, and opens them when it has come', async (t) => {
  const { lists } = JSON.parse(goodCatalogue) as { lists: object[] };
  const locked = { id: 'members', category: 'csam', format: 'illegal-urls', source: './members.txt', enabled: true };
  writeFileSync(catalogue, JSON.stringify({ lists: [...lists, locked] }));
  await console.start();
  await until(
    'the console says that it could not build',
    () => console.rows("SELECT * FROM alarms WHERE text LIKE 'The lists could not be built%members%'")[0],
  );
  for (const { layout } of gateways) {
    cpSync(dataLayout(school.dataDir).signingPublicKey, layout.signingPublicKey);
  }
  for (const gateway of gateways) gateway.launch();
  const started = gateways.map((gateway) =>
    until('it waits', () => existsSync(join(gateway.layout.lastGoodSnapshots, 'policy.json'))),
  );
  await Promise.all(started);
  for (const gateway of gateways) {
    await until('it says so', () => gateway.stderr.includes('doors stay closed until policy and index'));
    t.match(gateway.stderr, 'This gateway has no policy and no index of the lists yet');
    t.equal(gateway.stdout, '');
    t.same(gateway.pids('worker'), [], 'nobody serves');
  }
  writeFileSync(catalogue, goodCatalogue);
  await Promise.all(
    gateways.map((gateway) => until('its doors open', () => gateway.stdout.includes('npx schoolgate check'), 30_000)),
  );
  t.ok(await everywhere('casino.test', 403));
  t.ok(await everywhere('n7.bulk.test', 403));
  t.ok(await everywhere('open.test', 200));
  t.equal((await north.status('/ready')).status, 200);
  t.ok((await redis.keys('schoolgate:chunk:*')).length >= 2, 'in several chunks');
  t.equal(hashInForce(north), hashInForce(console));
});

void t.test('a line saved in a list file reaches every worker of both within seconds, by itself', async (t) => {
  t.ok(await everywhere('fresh.test', 200));
  const saved = performance.now();
  school.addToList('gambling', 'fresh.test');
  await until('it is refused', () => everywhere('fresh.test', 403), 30_000);
  t.comment(`in force ${Math.round(performance.now() - saved)} ms after the save`);
  t.ok(await everywhere('open.test', 200));
});

void t.test(
  'a chunk that somebody damaged is refused with an alarm, and the right one is taken when it is back',
  async (t) => {
    const [relay] = north.pids('relay');
    process.kill(relay!, 'SIGSTOP');
    const before = hashInForce(north);
    school.addToList('gambling', 'damaged.test');
    await until('the other gateway has it', () => isEverywhere(gateways[1]!, 'damaged.test', 403), 30_000);
    const names = await redis.keys('schoolgate:chunk:*');
    for (const name of names) await redis.set(name, Buffer.alloc(await redis.strlen(name), 7));
    process.kill(relay!, 'SIGCONT');
    await until('it tells', async () => (await north.health()).alarms.some(({ code }) => code === 'index-not-taken'));
    t.equal(hashInForce(north), before);
    t.ok(await isEverywhere(north, 'casino.test', 403));
    await until('it has the right one', () => isEverywhere(north, 'damaged.test', 403), 60_000);
  },
);

type Victim = 'the console' | 'the build' | 'the relay' | 'Redis';

/** Kills one of them with SIGKILL while an index is on its way, and has it run again where nobody else does. */
async function killOnTheWay(victim: Victim): Promise<void> {
  const { pid } = console;
  const before = hashInForce(console);
  const isShipping = (): boolean => hashInForce(console) !== before;
  if (victim === 'the build') {
    const build = await until('it builds', () => childrenOf(pid).find(({ module }) => module === 'main.ts'), 20_000);
    process.kill(build.pid, 'SIGKILL');
  } else if (victim === 'the relay') {
    const parts = (): boolean => readdirSync(north.layout.index).some((name) => name.endsWith('.part'));
    await until('it fetches', () => parts() || hashInForce(north) !== before, 20_000);
    process.kill(north.pids('relay')[0]!, 'SIGKILL');
  } else {
    await until('it is built', isShipping, 20_000);
    await (victim === 'Redis' ? redisServer.kill() : console.kill());
    await (victim === 'Redis' ? redisServer.start() : console.start());
  }
}

void t.test('whoever is killed on the way: the old index goes on, the new one comes afterwards', async (t) => {
  const victims: Victim[] = ['the build', 'the relay', 'Redis', 'the console'];
  const load = new RefusedLoad(() => north.proxyPort, 'casino.test', 2);
  for (const [round, victim] of victims.entries()) {
    const name = `round${round}.test`;
    t.ok(await everywhere(name, 200));
    appendFileSync(join(school.listsDir, 'gambling.txt'), `${name}\n`);
    await killOnTheWay(victim);
    t.ok(await everywhere('casino.test', 403), `${victim} killed: filtering goes on`);
    t.equal((await getThrough(north.proxyPort, site('open.test'))).status, 200);
    await until(`${victim} killed: the new index is in force on both`, () => everywhere(name, 403), 60_000);
  }
  await load.stop();
  t.same(load.strange, [], 'nobody was answered anything but a refusal');
  t.equal(load.unanswered.size, 0, 'and everybody was answered');
});

void t.test('with everything else away a gateway starts with the index it has', async (t) => {
  await console.kill();
  await redisServer.kill();
  await north.stop();
  await north.start();
  t.ok(await isEverywhere(north, 'round3.test', 403));
  t.ok(await isEverywhere(north, 'open.test', 200));
});

void t.test('one whose index was damaged on its disk does not serve with it, and mends it', async (t) => {
  await north.stop();
  const path = join(north.layout.index, readManifest(north.layout)!.file);
  const bytes = readFileSync(path);
  bytes[200]! ^= 1;
  writeFileSync(path, bytes);
  north.launch();
  await until('it says so', () => north.stderr.includes('no index that is whole'));
  t.same(north.pids('worker'), []);
  await redisServer.start();
  await until('it serves', () => north.stdout.includes('npx schoolgate check'), 30_000);
  t.ok(await isEverywhere(north, 'round3.test', 403));
});

void t.test('Redis keeps the chunks of one index', async (t) => {
  await console.start();
  const wanted = (): number => Math.ceil(readManifest(console.layout)!.bytes / (1 << 20));
  await until('the others are gone', async () => (await redis.keys('schoolgate:chunk:*')).length === wanted(), 30_000);
  t.ok(wanted() >= 2);
});

// Until now no worker could start there until somebody started the gateway again.
void t.test('one whose index is damaged while it runs has it mended before a worker needs it', async (t) => {
  const path = join(north.layout.index, readManifest(north.layout)!.file);
  const whole = readFileSync(path);
  const damaged = Buffer.from(whole);
  damaged[200]! ^= 1;
  writeFileSync(path, damaged);
  await until('it is whole', () => readFileSync(path).equals(whole), 60_000);
  const [worker] = north.pids('worker');
  process.kill(worker!, 'SIGKILL');
  await until(
    'another serves in its place',
    () => !north.pids('worker').includes(worker!) && north.pids('worker').length > 1,
  );
  t.ok(await isEverywhere(north, 'round3.test', 403));
});

// Until now it went on as ready without the list, and with the key there until it was started again.
void t.test(
  'a list of illegal material is enforced where its key is, and a gateway without it is not ready',
  async (t) => {
    const south = gateways[1]!;
    const { lists } = JSON.parse(goodCatalogue) as { lists: object[] };
    const locked = { id: 'members', category: 'csam', format: 'illegal-urls', source: './members.txt', enabled: true };
    writeFileSync(join(school.listsDir, 'members.txt'), 'marker.test\nshared.test/marker-page\n');
    writeFileSync(catalogue, JSON.stringify({ lists: [...lists, locked] }));
    const ready = async (gateway: Stack): Promise<number> => (await gateway.status('/ready')).status;
    await until(
      'both say that they are not ready',
      async () => (await ready(north)) + (await ready(south)) === 1006,
      30_000,
    );
    t.ok(await everywhere('casino.test', 403), 'filtering goes on');
    cpSync(console.layout.illegalKey, north.layout.illegalKey);
    await until('it is enforced', () => isEverywhere(north, 'marker.test', 403), 30_000);
    t.equal((await getThrough(north.proxyPort, site('shared.test', '/marker-page/1'))).status, 403);
    await until('it is ready', async () => (await ready(north)) === 200, 30_000);
    t.equal(await ready(south), 503, 'the other one still is not');
    const hits = (): unknown[] => console.rows("SELECT 1 FROM flagged WHERE type = 'illegal.hit'");
    await until('the hits come to the console', () => hits().length > 0);
  },
);
