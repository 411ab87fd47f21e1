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

/** Something that can be killed, and is there again (or on its way) when the promise resolves. */
type Blow = () => Promise<void>;

/** Strikes one blow after another while clients are being refused, then counts what took effect. */
async function countEffects(t: Test, stack: Stack, blows: readonly Blow[]): Promise<void> {
  const load = new RefusedLoad(() => stack.proxyPort, 'casino.test');
  for (const blow of blows) {
    const seen = load.seen.size;
    await until('clients are being refused', () => load.seen.size > seen + 150, 20_000);
    await blow();
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
  t.ok(stack.rows('SELECT * FROM history_gaps').length > 0, 'that workers were killed is on record');
}

const MARKS = 8;

/** Refusals after everything else, over all workers: when they are there, so is what came before, and what comes twice came. */
async function settle(stack: Stack): Promise<void> {
  await stack.allListen();
  for (let mark = 0; mark < MARKS; mark++) await getThrough(stack.proxyPort, `http://mark${mark}.poker.test/`);
  const arrived = (): number => stack.rows("SELECT id FROM flagged WHERE host LIKE '%.poker.test'").length;
  await until('the last refusals took effect', () => arrived() === MARKS, 30_000);
}

type Killable = 'worker' | 'console' | 'relay';

function killOne(stack: Stack, of: Killable): Blow {
  return async () => {
    // With no worker at all nobody is answered, and nothing is shown.
    if (of === 'worker') await stack.allListen();
    const [pid] = stack.pids(of);
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  };
}

void t.test('one machine, the folder between gateway and console', async (t) => {
  await using stack = await new Stack({ school: makeSchool('folder', { lists }) }).start();
  const kill = (of: Killable): Blow => killOne(stack, of);
  const blows = (['worker', 'console', 'relay', 'worker', 'console', 'worker'] as const).map(kill);
  await countEffects(t, stack, blows);
});

void t.test('Redis between them', async (t) => {
  mkdirSync(join(folder, 'redis'));
  const redis = await new RedisServer(join(folder, 'redis'), await freePort()).start();
  t.teardown(() => redis.stop());
  const env = { SCHOOLGATE_REDIS_URL: redis.url.reveal() };
  await using stack = await new Stack({ school: makeSchool('redis-school', { lists }), env }).start();
  const killRedis = async (): Promise<void> => {
    await redis.kill();
    await redis.start();
  };
  const kill = (of: Killable): Blow => killOne(stack, of);
  const blows = [kill('worker'), killRedis, kill('console'), kill('relay'), killRedis, kill('worker'), kill('console')];
  await countEffects(t, stack, blows);
});
