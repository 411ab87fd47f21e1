// The machine under Schoolgate fails it: the disk is full, the clock was set back.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { connectThrough, dial, type RawConnection } from '../helpers/raw-client.ts';
import { Stack } from '../helpers/stack.ts';
import { HEAD, joinBoth, MANAGER, signIn } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

const { folder, echo, httpStatus, isEverywhere, makeSchool } = await journey(t);

/** A file system of its own, so that it can be filled. Null where this account may not mount one. */
function mountSmallDisk(path: string): { unmount(): void } | null {
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m,mode=0700', 'tmpfs', path], { stdio: 'pipe' });
  } catch {
    return null;
  }
  return { unmount: () => execFileSync('umount', [path]) };
}

/** Writes until nothing more fits. */
function fill(path: string): void {
  const fd = openSync(path, 'w');
  for (const piece of [Buffer.alloc(1 << 20), Buffer.alloc(512), Buffer.alloc(1)]) {
    try {
      while (writeSync(fd, piece) === piece.length);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(fd);
}

const AT_ONCE = 100;

/** Asks for so many refused pages over one connection and gives how many were refused. */
async function askRefused(connection: RawConnection, from: number): Promise<number> {
  const asked = Array.from({ length: AT_ONCE }, (_, n) => `n${from + n}.casino.test`);
  await connection.send(asked.map((name) => `HEAD http://${name}/ HTTP/1.1\r\nHost: ${name}\r\n\r\n`).join(''));
  for (let n = 0; n < AT_ONCE; n++) {
    const { status } = await connection.readResponse('HEAD', 20_000);
    if (status !== 403) throw new Error(`a refused page was answered ${status}`);
  }
  return AT_ONCE;
}

void t.test(
  'a full disk: filtering goes on, then nothing that could not be recorded, then all is made up for',
  async (t) => {
    const dataDir = join(folder, 'small-disk');
    const disk = mountSmallDisk(dataDir);
    if (disk === null) {
      t.pass('a file system of its own cannot be mounted here', { skip: 'mounting needs root' });
      return;
    }
    t.teardown(() => disk.unmount());
    const stack = await new Stack({ school: makeSchool('disk'), dataDir, workers: 1 }).start();
    t.teardown(() => stack.stop());
    const { connection: tunnel } = await connectThrough(stack.proxyPort, `open.test:${echo.port}`);
    const client = await dial(stack.proxyPort);
    const healthOf = async (): Promise<{ status: number; body: string }> => {
      await client.send('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const { status, body } = await client.readResponse();
      return { status, body: body.toString() };
    };

    const filler = join(dataDir, 'filler');
    fill(filler);
    let refused = await askRefused(client, 0);
    t.equal(await httpStatus(stack, 'open.test'), 200, 'what is allowed is carried');
    const failing = await until('health says failing', async () => {
      const health = await healthOf();
      return health.status === 503 ? health : null;
    });
    t.match(JSON.parse(failing.body), { status: 'failing', workers: [{ spool: 'failing' }] });
    t.match(failing.body, 'disk-refuses');

    const isTurnedAway = async (): Promise<boolean> => (await stack.status('/ready')).status === 503;
    await until(
      'new connections are turned away',
      async () => {
        refused += await askRefused(client, refused);
        return await isTurnedAway();
      },
      60_000,
    );
    t.ok(refused >= 5000, `after ${refused} refusals were held in memory`);
    const turnedAway = await stack.status('/ready');
    t.equal(turnedAway.header('retry-after'), '5');
    await tunnel.send('ping\n');
    t.equal((await tunnel.read('ping\n')).toString(), 'ping\n', 'what is open goes on');

    rmSync(filler);
    await until('new connections are served', async () => !(await isTurnedAway()));
    await until('health is good', async () => (await healthOf()).status === 200);
    const onRecord = (): number =>
      Number(stack.rows("SELECT count(*) AS n FROM flagged WHERE host LIKE '%.casino.test'")[0]!['n']);
    await until('every refusal took effect', () => onRecord() >= refused, 60_000);
    t.equal(onRecord(), refused);
    await tunnel.close();
    await client.close();
  },
);

void t.test('a clock that was set back while nothing ran cannot bring an unblock back that had ended', async (t) => {
  const stack = await new Stack({ school: makeSchool('clock'), workers: 1 }).start();
  t.teardown(() => stack.stop());
  await joinBoth(stack);
  const [manager, head] = [await signIn(stack, MANAGER), await signIn(stack, HEAD)];
  const until10 = new Date(Date.now() + 600_000).toISOString();
  const terms = {
    topic: 'Chance',
    reason: 'Year 2 counts dice',
    hosts: ['games.test'],
    levels: ['ks1'],
    until: until10,
  };
  const { id } = await manager.call<{ id: string }>('POST', '/api/v1/unblocks', terms);
  await head.call('POST', `/api/v1/unblocks/${id}/approve`, {});
  await until('it is open', () => isEverywhere(stack, 'games.test', 200));
  await stack.stop();
  // As a run an hour from now would have left it, before somebody set the clock back to what it is.
  writeFileSync(join(stack.layout.root, 'gateway/highest-instant'), `${Date.now() + 3_600_000}\n`);
  await stack.start();
  t.ok(await isEverywhere(stack, 'games.test', 403));
  t.ok(await isEverywhere(stack, 'open.test', 200));
  await until('somebody is told', () => stack.rows("SELECT * FROM alarms WHERE code = 'clock-stepped-back'")[0]);
});
