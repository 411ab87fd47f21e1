// Starts that must not succeed: every problem is said at once, in words that say what to do, and nothing is half-started.
import { appendFileSync, chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listen } from '../helpers/listening.ts';
import { getThrough } from '../helpers/proxied.ts';
import { Stack, type StackOptions } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { TestSchool } from '../helpers/test-school.ts';
import { until } from '../helpers/until.ts';

let schools = 0;

function newSchool(t: Pick<Test, 'teardown'>): TestSchool {
  return new TestSchool(join(tempFolder(t), String(++schools)));
}

/** One that has started well, for starts beside and after it. */
const running = await startWell();

async function startWell(): Promise<{ readonly school: TestSchool; readonly stack: Stack }> {
  const school = newSchool(t);
  const stack = new Stack({ school, workers: 1 });
  t.teardown(() => stack.stop());
  return { school, stack: await stack.start() };
}

/** What a start that fails says; fails the test when it runs instead, or shows a stack trace. */
async function complaint(t: Test, options: StackOptions): Promise<string> {
  const stack = new Stack(options);
  t.teardown(() => stack.stop());
  stack.launch();
  // One that runs all the same is ended, and then has another status.
  const late = setTimeout(() => stack.signal('SIGTERM'), 20_000);
  const { code } = await stack.exited();
  clearTimeout(late);
  t.equal(code, 1, 'exit status');
  t.equal(stack.stdout, '', 'nothing is announced');
  t.notMatch(stack.stderr, /^\s+at |Unexpected fault/m, 'no stack trace');
  return stack.stderr;
}

/** Writes another list into the catalogue. */
function addList(school: TestSchool, id: string, category: string): void {
  const path = join(school.listsDir, 'catalogue.yaml');
  const { lists } = JSON.parse(readFileSync(path, 'utf8')) as { lists: object[] };
  const list = { id, category, format: 'illegal-urls', source: `./${category}.txt`, enabled: true };
  writeFileSync(path, JSON.stringify({ lists: [...lists, list] }));
}

void t.test('a malformed environment: every problem at once, and not even the data folder is made', async (t) => {
  const school = newSchool(t);
  const env = {
    SCHOOLGATE_PROXY_PORT: 'banana',
    SCHOOLGATE_WORKERS: '0',
    SCHOOLGATE_POLICY_DIR: join(school.folder, 'nowhere'),
    SCHOOLGATE_REDIS_URL: 'http://127.0.0.1',
    SCHOOLGATE_DNS_SERVERS: 'my-router',
    SCHOOLGATE_COLOUR: 'blue',
  };
  const said = await complaint(t, { school, env });
  for (const name of Object.keys(env)) t.match(said, name);
  t.notOk(existsSync(school.dataDir));
});

void t.test('ports that are in use: each is named', async (t) => {
  const school = newSchool(t);
  const [proxy, front] = [await listen(createServer()), await listen(createServer())];
  t.teardown(() => Promise.all([proxy.close(), front.close()]));
  const env = { SCHOOLGATE_PROXY_PORT: String(proxy.port), SCHOOLGATE_FRONT_PORT: String(front.port) };
  const said = await complaint(t, { school, env });
  t.match(said, `SCHOOLGATE_PROXY_PORT: port ${proxy.port} on 127.0.0.1 is in use by another program`);
  t.match(said, `SCHOOLGATE_FRONT_PORT: port ${front.port} on 127.0.0.1 is in use by another program`);
});

void t.test('a second start on the same data folder, and a console beside the one that runs', async (t) => {
  const { school } = running;
  t.match(await complaint(t, { school }), `Schoolgate already runs on ${school.dataDir}; stop it first`);
  t.match(await complaint(t, { school, role: 'console' }), 'already runs on this data folder; stop it first');
  t.equal((await getThrough(running.stack.proxyPort, 'http://casino.test/')).status, 403, 'the first is not disturbed');
});

void t.test(
  'policies with mistakes in several files: all of them with file and line, and nothing is built',
  async (t) => {
    const school = newSchool(t);
    const ks1 = join(school.policyDir, 'levels/ks1.yaml');
    writeFileSync(ks1, readFileSync(ks1, 'utf8').replace('gambling: block', 'gambling: forbid'));
    const line =
      readFileSync(ks1, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('gambling: forbid')) + 1;
    appendFileSync(join(school.policyDir, 'levels/staff.yaml'), '\ncolour: blue\n');
    const said = await complaint(t, { school });
    t.match(said, new RegExp(`levels/ks1\\.yaml:${line}\\b`));
    t.match(said, /levels\/staff\.yaml:\d+: .*colour/);
    t.notOk(existsSync(join(school.dataDir, 'gateway/index/current.json')));
    t.notOk(existsSync(join(school.dataDir, 'record.sqlite')));
  },
);

void t.test('a first start whose list is missing', async (t) => {
  const school = newSchool(t);
  rmSync(join(school.listsDir, 'games.txt'));
  t.match(await complaint(t, { school }), /"test-games".*games\.txt/);
  t.notOk(existsSync(join(school.dataDir, 'record.sqlite')));
});

void t.test('a later start whose list is missing: its last good copy stands in, and that is said', async (t) => {
  const { school, stack } = running;
  await stack.stop();
  rmSync(join(school.listsDir, 'games.txt'));
  await stack.start();
  t.match(stack.stderr, /"test-games".*last good copy/);
  t.match(stack.stdout, 'List test-games could not be read: its last good copy is in use.');
  t.equal((await getThrough(stack.proxyPort, 'http://games.test/')).status, 403);

  addList(school, 'members-only', 'csam');
  stack.signal('SIGHUP');
  await until('somebody is told', () => stack.rows("SELECT * FROM alarms WHERE text LIKE '%members-only%'")[0]);
  t.equal((await getThrough(stack.proxyPort, 'http://games.test/')).status, 403, 'what runs goes on with what it has');
  await stack.stop();
  const named = /"members-only" of the locked category csam never loaded/;
  t.match(await complaint(t, { school }), named, 'but it does not start without a locked list that is named');
});

void t.test('a signing key that others can read', async (t) => {
  const { school, stack } = running;
  chmodSync(stack.layout.signingKey, 0o644);
  t.match(await complaint(t, { school }), /console\.key can be read by other accounts; run chmod 600/);
});

void t.test('a list of a locked category that never loaded: nothing is served without it', async (t) => {
  const school = newSchool(t);
  addList(school, 'members-only', 'csam');
  t.match(await complaint(t, { school }), /locked category never loaded[^]*"members-only"/);
});

void t.test('a data folder that cannot be made', async (t) => {
  const school = newSchool(t);
  const file = join(school.folder, 'a-file');
  writeFileSync(file, '');
  t.match(
    await complaint(t, { school, dataDir: join(file, 'data') }),
    `${join(file, 'data')} cannot be made, written in or closed to other accounts (ENOTDIR)`,
  );
});
