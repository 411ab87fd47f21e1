// One part after the other is gone: console, relay, front desk, the supervisor itself, the record. Filtering goes on.
import { renameSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { getThrough } from '../helpers/proxied.ts';
import { Stack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const { isEverywhere, makeSchool, site } = await journey(t);
const school = makeSchool();
const port = await freePort();
const stack = await new Stack({ school, workers: 1, env: { SCHOOLGATE_PROXY_PORT: String(port) } }).start();
t.teardown(() => stack.stop());

const filters = async (): Promise<boolean> =>
  (await isEverywhere(stack, 'open.test', 200)) && (await isEverywhere(stack, 'casino.test', 403));

const isOnRecord = (host: string): boolean => stack.rows('SELECT id FROM flagged WHERE host = ?', host).length === 1;

async function refuse(name: string): Promise<void> {
  const { status } = await getThrough(stack.proxyPort, site(name));
  if (status !== 403) throw new Error(`${name} was answered ${status}`);
}

void t.test(
  'the console is away: filtering goes on, health tells, what happened arrives when it is back',
  async (t) => {
    const [pid] = stack.pids('console');
    process.kill(pid!, 'SIGKILL');
    await until('health tells', async () => (await stack.health()).console === 'down');
    t.equal((await stack.health()).status, 'degraded');
    await refuse('one.casino.test');
    t.ok(await filters());
    await until('it is back', async () => (await stack.health()).console === 'up');
    await until('the refusal is on record', () => isOnRecord('one.casino.test'));
  },
);

void t.test('the console hangs: filtering goes on, what happened is taken when it moves again', async (t) => {
  const [pid] = stack.pids('console');
  process.kill(pid!, 'SIGSTOP');
  try {
    await refuse('two.casino.test');
    t.ok(await filters());
  } finally {
    process.kill(pid!, 'SIGCONT');
  }
  await until('the refusal is on record', () => isOnRecord('two.casino.test'));
});

void t.test('the relay is away: filtering goes on, a policy made meanwhile arrives when it is back', async (t) => {
  const [pid] = stack.pids('relay');
  process.kill(pid!, 'SIGSTOP');
  school.writeSettings({ never: ['banned.test'] });
  await until('it is published', () => stack.rows('SELECT * FROM policy_versions WHERE serial = 2')[0]);
  t.ok(await isEverywhere(stack, 'banned.test', 200), 'with the policy it has');
  t.ok(await filters());
  process.kill(pid!, 'SIGKILL');
  await until('the new policy is in force', () => isEverywhere(stack, 'banned.test', 403));
});

void t.test('the front desk is away: filtering goes on, its pages are missing until it is back', async (t) => {
  const why = async (): Promise<number> => (await getThrough(stack.proxyPort, 'http://schoolgate.internal/why')).status;
  t.equal(await why(), 200);
  const [pid] = stack.pids('frontdesk');
  process.kill(pid!, 'SIGSTOP');
  t.ok(await filters());
  process.kill(pid!, 'SIGKILL');
  t.ok(await filters());
  await until('it is back', async () => (await why()) === 200);
});

void t.test(
  'the supervisor is killed: nothing is left running, and a start goes on with all that was seen',
  async (t) => {
    await refuse('three.casino.test');
    await stack.kill();
    await stack.start();
    t.ok(await filters());
    await until('the refusal is on record', () => isOnRecord('three.casino.test'));
  },
);

void t.test(
  'the record cannot be read: the gateway starts and filters all the same, and nothing is lost',
  async (t) => {
    await stack.stop();
    const { record } = stack.layout;
    renameSync(record, `${record}.good`);
    writeFileSync(
      record,
      'this is no database, but it is as long as the first page of one would be at least\n'.repeat(99),
    );
    stack.launch();
    const isOpen = (): Promise<boolean> =>
      getThrough(port, site('open.test')).then(
        ({ status }) => status === 200,
        () => false,
      );
    await until('its doors are open', isOpen, 30_000);
    t.equal((await getThrough(port, site('four.casino.test'))).status, 403);
    // The doors do not wait for the console.
    await until('the console says why it cannot run', () => /record\.sqlite cannot be used/.test(stack.stderr));
    await stack.stop();
    renameSync(`${record}.good`, record);
    await stack.start();
    await until('the refusal is on record', () => isOnRecord('four.casino.test'));
  },
);
