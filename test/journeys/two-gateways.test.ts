// Two gateways, one console, one Redis: what is published reaches both, what is forged reaches none, and each goes on alone.
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dataLayout } from '../../src/config/data-layout.ts';
import type { SignedSnapshot } from '../../src/events/bus.ts';
import { openRecord } from '../../src/store/database.ts';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { getThrough } from '../helpers/proxied.ts';
import { dial } from '../helpers/raw-client.ts';
import { RedisServer } from '../helpers/redis-server.ts';
import { Stack } from '../helpers/stack.ts';
import { asStaff, HEAD, joinBoth, MANAGER } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

const { folder, isEverywhere, openTunnel, makeSchool } = await journey(t);
mkdirSync(join(folder, 'redis'));
const redis = await new RedisServer(join(folder, 'redis'), await freePort()).start();
t.teardown(() => redis.stop());
const school = makeSchool();
const env = { SCHOOLGATE_REDIS_URL: redis.url.reveal() };
const stackOf = (role: 'gateway' | 'console', name: string): Stack =>
  new Stack({ school, role, dataDir: join(school.folder, name), env });
const console = await stackOf('console', 'data').start();
t.teardown(() => console.stop());
const [north, south] = [stackOf('gateway', 'north'), stackOf('gateway', 'south')];
const gateways = [north, south];
t.teardown(() => Promise.all(gateways.map((gateway) => gateway.stop())));

/** The first policy as it was signed. */
let firstPolicy = '';

const everywhere = async (name: string, status: number): Promise<boolean> =>
  (await Promise.all(gateways.map((gateway) => isEverywhere(gateway, name, status)))).every(Boolean);

/** Waits until every worker answers so; gives how long it took, ms. */
async function msUntilEverywhere(name: string, status: number): Promise<number> {
  const begin = performance.now();
  await until(`${name} is answered ${status} by every worker`, () => everywhere(name, status));
  return performance.now() - begin;
}

const unblock = (user: string, ...args: readonly string[]): ReturnType<Stack['run']> =>
  asStaff(console, user, ['unblock', ...args]);

/** Asks for a site for some time; gives the unblock's id. */
async function requestUnblock(site: string, ms: number): Promise<{ readonly id: string; readonly end: number }> {
  const end = Date.now() + ms;
  const times = ['--until', new Date(end).toISOString()];
  const asked = ['--topic', 'Chance', '--reason', 'Year 2 counts dice', '--site', site, '--level', 'ks1', ...times];
  const { stdout, stderr } = await unblock(MANAGER, 'request', ...asked);
  const id = /Asked for: (\w+)/.exec(stdout)?.[1];
  if (id === undefined) throw new Error(stderr);
  return { id, end };
}

void t.test('a gateway that does not know its console says what to copy and does not start', async (t) => {
  north.launch();
  t.same(await north.exited(), { code: 1, signal: null });
  t.match(north.stderr, /console\.pub is missing: copy keys\/console\.pub from the console/);
});

void t.test('both gateways take the published policy and filter by it', async (t) => {
  for (const { layout } of gateways) {
    cpSync(dataLayout(school.dataDir).signingPublicKey, layout.signingPublicKey);
  }
  await Promise.all(gateways.map((gateway) => gateway.start()));
  t.ok(await everywhere('games.test', 403));
  t.ok(await everywhere('open.test', 200));
  for (const gateway of gateways) t.match(await gateway.health(), { console: 'elsewhere', policySerial: 1 });
});

void t.test('a change of the policy reaches every worker of both within two seconds of its publication', async (t) => {
  t.ok(await everywhere('banned.test', 200));
  firstPolicy = storedPolicy(north);
  school.writeSettings({ never: ['banned.test'] });
  await until('it is published', () => console.rows('SELECT * FROM policy_versions WHERE serial = 2')[0]);
  const ms = await msUntilEverywhere('banned.test', 403);
  t.ok(ms < 2000, `after ${Math.round(ms)} ms`);
});

void t.test(
  'what somebody else writes into Redis is refused with an alarm, and what was in force stays so',
  async (t) => {
    const signed = JSON.parse(storedPolicy(north)) as SignedSnapshot;
    const open = signed.body.replace('"never":[{', '"neverMind":[{');
    t.not(open, signed.body);
    const unsigned = JSON.stringify({ ...signed, serial: 9, body: open });
    for (const [what, forged] of Object.entries({ unsigned, older: firstPolicy })) {
      const before = await Promise.all(gateways.map(refusals));
      await redisCommand('SET', 'schoolgate:snapshot:policy', forged);
      await redisCommand('PUBLISH', 'schoolgate:snapshots', 'policy');
      await until(`both have refused the ${what} one`, async () =>
        (await Promise.all(gateways.map(refusals))).every((count, i) => count > before[i]!),
      );
      t.ok(await everywhere('banned.test', 403), `${what}: the policy is as it was`);
    }
    for (const gateway of gateways) {
      await until('it tells of the second', async () => (await gateway.health()).policySerial === 2);
      t.match(JSON.parse(storedPolicy(gateway)), { serial: 2, signature: signed.signature });
    }
  },
);

void t.test(
  'one person asks for a site, another approves, and it opens within two seconds on every worker',
  async (t) => {
    await joinBoth(console);
    t.ok(await everywhere('games.test', 403));
    const { id } = await requestUnblock('games.test', 3_600_000);
    const own = await unblock(MANAGER, 'approve', id);
    t.equal(own.code, 1, 'not by whoever asked');
    const approved = await unblock(HEAD, 'approve', id);
    t.equal(approved.stdout, `${id} is active.\n`, approved.stderr);
    await msUntilEverywhere('games.test', 200);
    const opened = Date.now() - recordedAt('unblock.approved', id);
    t.ok(opened < 2000, `open ${opened} ms after the approval`);

    const tunnels = await Promise.all(gateways.map((gateway) => openTunnel(gateway, 'www.games.test')));
    t.equal((await unblock(HEAD, 'revoke', id)).code, 0);
    for (const tunnel of tunnels) t.equal((await tunnel.readToEnd()).peer, 'ended');
    const cut = Date.now() - recordedAt('unblock.revoked', id);
    t.ok(cut < 2000, `cut ${cut} ms after the revocation`);
    t.ok((await msUntilEverywhere('games.test', 403)) < 2000, 'and nothing new is let through');
  },
);

void t.test('the console puts its own snapshot back over a forged one', async (t) => {
  const { signature } = JSON.parse(storedPolicy(north)) as SignedSnapshot;
  await until('the right one is back', async () =>
    (await redisCommand('GET', 'schoolgate:snapshot:policy')).includes(signature),
  );
  t.ok(await everywhere('banned.test', 403));
});

void t.test(
  'with console and Redis killed an unblock still ends, and a tunnel open under it within two seconds',
  async (t) => {
    const { id, end } = await requestUnblock('games.test', 9_000);
    t.equal((await unblock(HEAD, 'approve', id)).code, 0);
    await msUntilEverywhere('games.test', 200);
    const tunnels = await Promise.all(gateways.map((gateway) => openTunnel(gateway, 'games.test')));
    await console.kill();
    await redis.kill();
    for (const tunnel of tunnels) {
      t.equal((await tunnel.readToEnd(20_000)).peer, 'ended');
      const late = Date.now() - end;
      t.ok(late >= 0 && late < 2000, `cut ${late} ms after the end`);
    }
    t.ok(await everywhere('games.test', 403));
  },
);

void t.test(
  'with console and Redis away both keep filtering, and one that is started again works from its disk',
  async (t) => {
    t.ok(await everywhere('open.test', 200));
    await south.stop();
    await south.start();
    t.ok(await everywhere('open.test', 200));
    t.ok(await everywhere('games.test', 403));
    t.ok(await everywhere('banned.test', 403), 'with the policy published last');
    for (const [i, { proxyPort }] of gateways.entries()) {
      t.equal((await getThrough(proxyPort, `http://alone${i}.casino.test/`)).status, 403);
    }
  },
);

void t.test('what happened meanwhile is on record when they are back, once', async (t) => {
  await redis.start();
  await console.start();
  const alone = (): string[] =>
    console.rows("SELECT host FROM flagged WHERE host LIKE 'alone%' ORDER BY host").map(({ host }) => String(host));
  await until('both refusals took effect', () => alone().length >= 2, 20_000);
  t.same(alone(), ['alone0.casino.test', 'alone1.casino.test']);
  await until('gateways and console agree again', async () =>
    (await redisCommand('GET', 'schoolgate:snapshot:live')).includes('signature'),
  );
});

void t.test('all of it is in the audit, which a changed row breaks', async (t) => {
  const { stdout } = await console.run(['audit', 'show', '--json', '--limit', '200']);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { action: string; actor: string });
  const acts = rows
    .filter(({ action }) => action.startsWith('unblock.'))
    .map(({ action, actor }) => `${action} ${actor}`);
  t.same(acts.slice(0, 5), [
    `unblock.requested ${MANAGER}`,
    `unblock.approved ${HEAD}`,
    `unblock.revoked ${HEAD}`,
    `unblock.requested ${MANAGER}`,
    `unblock.approved ${HEAD}`,
  ]);
  const intact = await console.run(['audit', 'verify']);
  t.equal(intact.code, 0);
  t.match(intact.stdout, /^The record is intact: \d+ rows/);
  await console.stop();
  const record = openRecord(console.layout.record);
  // What somebody with the file in hand can do: the table's own guard is no hindrance to them.
  record.write((tx) => {
    tx.run('DROP TRIGGER audit_is_append_only_update');
    tx.run("UPDATE audit SET actor = 'nobody' WHERE seq = 3");
  });
  record.close();
  const broken = await console.run(['audit', 'verify']);
  t.equal(broken.code, 1);
  t.match(broken.stderr, /^The record is broken at row 3:/);
});

/** When an act took place, ms since the epoch. */
function recordedAt(action: string, id: string): number {
  return Date.parse(
    String(console.rows('SELECT at FROM audit WHERE action = ? AND subject = ?', action, `unblock:${id}`)[0]!['at']),
  );
}

/** The snapshot that a gateway took last, as it would start with it. */
function storedPolicy({ layout }: Stack): string {
  return readFileSync(join(layout.lastGoodSnapshots, 'policy.json'), 'utf8');
}

/** How often a gateway has refused a snapshot. */
async function refusals(gateway: Stack): Promise<number> {
  return (await gateway.health()).alarms.filter(({ code }) => code === 'snapshot-refused').length;
}

/** One command over a connection of its own; gives the answer as it came (RESP). */
async function redisCommand(...words: readonly string[]): Promise<string> {
  await using connection = await dial(redis.port);
  const bulk = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
  await connection.send(Buffer.from(`*${words.length}\r\n${bulk}`));
  const head = (await connection.read('\r\n')).toString();
  if (!head.startsWith('$')) return head;
  return (
    await connection.read((bytes) => (bytes.length >= Number(head.slice(1)) ? Number(head.slice(1)) : -1))
  ).toString();
}
