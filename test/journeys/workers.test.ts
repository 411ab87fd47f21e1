// The gateway's worker processes: one that dies, one that keeps dying, limits over all of them, new lists, and the end.
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { RefusedLoad } from '../helpers/proxied.ts';
import { dial, type RawConnection } from '../helpers/raw-client.ts';
import { Stack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const { origin, site, httpStatus, openTunnel, isEverywhere, makeSchool } = await journey(t);
const school = makeSchool();
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());

const host = `open.test:${origin.http.port}`;
const statusOf = (name: string): Promise<number> => httpStatus(stack, name);

/** Whether the tunnel still carries bytes both ways. */
async function isCarrying(tunnel: RawConnection): Promise<boolean> {
  if (tunnel.peer !== 'open') return false;
  await tunnel.send('ping\n');
  return await tunnel.read('ping\n').then(
    () => true,
    () => false,
  );
}

/** Kills a worker and waits for the process that takes its place; gives its pid and how long it took, ms. */
async function killWorker(pid: number): Promise<{ readonly pid: number; readonly ms: number }> {
  const before = new Set(stack.pids('worker'));
  const killedAt = performance.now();
  process.kill(pid, 'SIGKILL');
  const found = await until('another process takes its place', () =>
    stack.pids('worker').find((found) => !before.has(found)),
  );
  return { pid: found, ms: performance.now() - killedAt };
}

void t.test(
  'a worker killed under load is back within a second; the others and their tunnels do not notice',
  async (t) => {
    const load = new RefusedLoad(() => stack.proxyPort, 'casino.test');
    const tunnels = await Promise.all(Array.from({ length: 24 }, () => openTunnel(stack, 'echo.test')));
    await until('there is load', () => load.seen.size > 50);
    const [victim, other] = stack.pids('worker') as [number, number];
    const { ms } = await killWorker(victim);
    t.ok(ms < 1000, `started again after ${Math.round(ms)} ms`);
    await stack.allListen();
    t.ok(stack.pids('worker').includes(other), 'the other process is the same');
    const carrying = await Promise.all(tunnels.map(isCarrying));
    const survivors = carrying.filter(Boolean).length;
    t.ok(survivors > 0 && survivors < tunnels.length, `${survivors} of ${tunnels.length} tunnels go on`);
    const seen = load.seen.size;
    await until('the load is served on', () => load.seen.size > seen + 50);
    await load.stop();
    t.same(load.strange, [], 'whoever was answered was refused');
    for (const tunnel of tunnels) await tunnel.close();
    const gap = await until('the gap is on record', () => stack.rows('SELECT * FROM history_gaps')[0]);
    t.match(gap, { worker: 1 });
    t.ok(String(gap['from_at']) < String(gap['until_at']), 'it has a length');
    await until('health is good again', async () => (await stack.health()).status === 'ok');
  },
);

// Cause: a worker that was alive but did nothing kept its share of the port, and its clients waited for ever.
void t.test('a worker that hangs is noticed, killed and started again, and somebody is told', async (t) => {
  const before = stack.pids('worker');
  const [stuck, other] = before as [number, number];
  process.kill(stuck, 'SIGSTOP');
  await until(
    'another process takes its place',
    () => stack.pids('worker').some((pid) => !before.includes(pid)),
    20_000,
  );
  await stack.allListen();
  t.notOk(stack.pids('worker').includes(stuck));
  t.ok(stack.pids('worker').includes(other), 'the other process is the same');
  t.ok((await stack.health()).alarms.some(({ code }) => code === 'worker-stuck'));
  t.ok(await isEverywhere(stack, 'casino.test', 403));
});

void t.test('a name saved in a list file is refused by every worker soon, by itself', async (t) => {
  t.equal(await statusOf('fresh.test'), 200);
  school.addToList('gambling', 'fresh.test');
  await until('every worker refuses it', () => isEverywhere(stack, 'fresh.test', 403));
  stack.signal('SIGHUP');
  t.equal(await statusOf('fresh.test'), 403, 'a look at what has not changed changes nothing');
});

void t.test('an index that "lists build" makes while the gateway runs is picked up by every worker', async (t) => {
  t.equal(await statusOf('fresher.test'), 200);
  school.addToList('gambling', 'fresher.test');
  t.equal((await stack.run(['lists', 'build'])).code, 0);
  await until('every worker refuses it', () => isEverywhere(stack, 'fresher.test', 403));
});

void t.test('a limit for one client holds over all workers together, and is given back by a killed one', async (t) => {
  const most = 20;
  school.writeSettings({ connectionsPerClient: most });
  await until('the limit is in force', async () => (await stack.health()).policySerial === 2);
  const client = { localAddress: '127.0.0.9' };
  const ask = async (): Promise<{ connection: RawConnection; status: number }> => {
    const connection = await dial(stack.proxyPort, client);
    await connection.send(`GET ${site('open.test')} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return { connection, status: (await connection.readResponse()).status };
  };
  const asked = await Promise.all(Array.from({ length: 3 * most }, ask));
  const served = asked.filter(({ status }) => status === 200);
  t.ok(served.length > 0 && served.length <= most, `${served.length} of ${asked.length} at a time`);
  t.ok(asked.every(({ status }) => status === 200 || status === 429));
  t.equal(await statusOf('open.test'), 200, 'another client is not held back');
  for (const pid of stack.pids('worker')) await killWorker(pid);
  await stack.allListen();
  for (const { connection } of asked) await connection.close();
  const again = await Promise.all(Array.from({ length: 3 * most }, ask));
  const servedAgain = again.filter(({ status }) => status === 200).length;
  t.ok(servedAgain > 0 && servedAgain <= most, `${servedAgain} of ${again.length} at a time`);
  for (const { connection } of again) await connection.close();
});

void t.test('a worker that keeps dying is started with growing pauses, and somebody is told', async (t) => {
  const [steady] = stack.pids('worker') as [number, number];
  let pause = 0;
  for (let death = 0; death < 6 && pause < 950; death++) {
    const victim = stack.pids('worker').find((pid) => pid !== steady)!;
    pause = (await killWorker(victim)).ms;
    t.equal(await statusOf('casino.test'), 403, 'the other worker serves');
  }
  t.ok(pause >= 950, `it was started only after ${Math.round(pause)} ms`);
  const { alarms } = await stack.health();
  t.equal(alarms[0]?.code, 'worker-crash-loop');
  await until('the console knows', () => stack.rows("SELECT * FROM alarms WHERE code = 'worker-crash-loop'")[0]);
});

void t.test(
  'SIGTERM lets a download finish, takes nothing new, and cuts and counts what is open at the deadline',
  async (t) => {
    const tunnel = await openTunnel(stack, 'echo.test');
    const download = await dial(stack.proxyPort);
    await download.send(`GET ${site('open.test', '/drip?n=40&ms=50')} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await download.read('\r\n\r\n');
    stack.signal('SIGTERM');
    // As it comes from a launcher that passes on what its whole group was told.
    stack.signal('SIGTERM');
    await until('nothing new is taken', () =>
      dial(stack.proxyPort).then(
        async (connection) => {
          await connection.close();
          return false;
        },
        () => true,
      ),
    );
    t.ok(await isCarrying(tunnel), 'what is open goes on');
    const { bytes } = await download.readToEnd();
    t.equal(bytes.toString().match(/\./g)?.length, 40, 'the download is whole');
    t.equal((await tunnel.readToEnd(20_000)).peer, 'ended');
    t.same(await stack.exited(), { code: 0, signal: null });
    t.match(stack.stderr, '1 connection was cut at the deadline.');
  },
);
