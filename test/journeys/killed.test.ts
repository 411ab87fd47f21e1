// Workers, console and Redis are killed with SIGKILL under load: what a client saw refused is on record, once.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { getThrough, RefusedLoad } from '../helpers/proxied.ts';
import { RedisServer } from '../helpers/redis-server.ts';
import { Stack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const { folder, makeSchool } = await journey(t);
const lists = { gambling: ['casino.test', 'poker.test'] };

type Victim = 'worker' | 'console' | 'relay' | 'redis';

/** Kills one after another while clients are being refused, then counts what took effect. */
async function countEffects(
  t: Test,
  stack: Stack,
  victims: readonly Victim[],
  redis: RedisServer | null = null,
): Promise<void> {
  const load = new RefusedLoad(() => stack.proxyPort, 'casino.test');
  for (const victim of victims) {
    const seen = load.seen.size;
    await until('clients are being refused', () => load.seen.size > seen + 150, 20_000);
    if (victim === 'redis') await restart(redis!);
    else await killOne(stack, victim);
  }
  await load.stop();
  t.same(load.strange, [], 'nobody was answered anything but a refusal');
  await settle(stack);
  const rows = stack.rows("SELECT host FROM flagged WHERE host LIKE '%.casino.test'");
  const hosts = new Set(rows.map(({ host }) => String(host)));
  const lost = [...load.seen].filter((name) => !hosts.has(name));
  t.same(lost, [], `all ${load.seen.size} refusals that were seen took effect`);
  t.equal(rows.length, hosts.size, 'none twice');
  const invented = [...hosts].filter((name) => !load.seen.has(name) && !load.unanswered.has(name));
  t.same(invented, [], 'none that was not asked for');
  const [counted] = stack.rows("SELECT sum(navigations) AS n FROM flagged_counts WHERE category = 'gambling'");
  t.equal(Number(counted!['n']), hosts.size + MARKS, 'the counts of the day are the same');
  const killed = victims.filter((victim) => victim === 'worker').length;
  const gaps = (): number => stack.rows('SELECT * FROM history_gaps').length;
  await until('every gap is on record', () => gaps() >= killed);
  t.equal(gaps(), killed, 'one gap for each worker that was killed');
}

const MARKS = 8;

/** Refusals after everything else, over all workers: when they are there, so is what came before, and what comes twice came. */
async function settle(stack: Stack): Promise<void> {
  await stack.allListen();
  for (let mark = 0; mark < MARKS; mark++) await getThrough(stack.proxyPort, `http://mark${mark}.poker.test/`);
  const arrived = (): number => stack.rows("SELECT id FROM flagged WHERE host LIKE '%.poker.test'").length;
  await until('the last refusals took effect', () => arrived() === MARKS, 30_000);
}

async function killOne(stack: Stack, of: Exclude<Victim, 'redis'>): Promise<void> {
  // With no worker at all nobody is answered, and nothing is shown.
  if (of === 'worker') await stack.allListen();
  const pid = await until(`the ${of} runs`, () => stack.pids(of)[0]);
  process.kill(pid, 'SIGKILL');
}

async function restart(redis: RedisServer): Promise<void> {
  await redis.kill();
  await redis.start();
}

void t.test('one machine, the folder between gateway and console', async (t) => {
  await using stack = await new Stack({ school: makeSchool('folder', { lists }) }).start();
  await countEffects(t, stack, ['worker', 'console', 'relay', 'worker', 'console', 'worker']);
});

void t.test('Redis between them', async (t) => {
  mkdirSync(join(folder, 'redis'));
  const redis = await new RedisServer(join(folder, 'redis'), await freePort()).start();
  t.teardown(() => redis.stop());
  const env = { SCHOOLGATE_REDIS_URL: redis.url.reveal() };
  await using stack = await new Stack({ school: makeSchool('redis-school', { lists }), env }).start();
  await countEffects(t, stack, ['worker', 'redis', 'console', 'relay', 'redis', 'worker', 'console'], redis);
});
