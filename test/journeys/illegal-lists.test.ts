// An illegal list from its file to the end of it: nowhere in clear, before a hit or after one, but for two of three people.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { holdsInMemory } from '../helpers/memory.ts';
import { getThrough } from '../helpers/proxied.ts';
import { connectThrough, dial } from '../helpers/raw-client.ts';
import { type Ran, Stack } from '../helpers/stack.ts';
import { asStaff, HEAD, joinBoth, joinInvited, MANAGER, nextCode, STAFF_PASSWORD } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

const MARKER = `m${randomBytes(8).toString('hex')}`;
const HOST = `${MARKER}.test`;
const PAGE = `shared.test/${MARKER}-page`;

const { makeSchool, site } = await journey(t);
const school = makeSchool('school', { lists: { gambling: ['casino.test'], csam: [HOST, PAGE] } });
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());

/** Every file below the data folder that holds a text, also packed. */
function holding(text: string): string[] {
  return readdirSync(stack.layout.root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return (path.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).includes(text);
    });
}

const hits = (): number => Number(stack.rows("SELECT count(*) AS n FROM flagged WHERE type = 'illegal.hit'")[0]!['n']);

void t.test('before any request nothing holds it: no file, no log, no worker’s memory', async (t) => {
  t.same(holding(MARKER), []);
  t.notMatch(stack.stdout + stack.stderr, MARKER);
  for (const pid of stack.pids('worker')) {
    const held = holdsInMemory(pid, MARKER);
    if (held === null) t.comment('the memory of another process cannot be read here');
    else t.equal(held, false, 'a worker does not hold it');
    if (held !== null) t.equal(holdsInMemory(pid, 'casino-that-nobody-listed'), false);
    if (held !== null) t.equal(holdsInMemory(pid, 'proxyAuth'), true, 'its memory was looked at');
  }
});

void t.test('the canary was refused through the proxy, and nobody is troubled by it', async (t) => {
  const status = await until('the canary was asked for', async () => {
    const { stdout } = await stack.run(['lists', 'status']);
    return stdout.includes('canary refused') ? stdout : null;
  });
  t.match(status, /test-csam: enforced since .*; .*plain HTTP only \(1 of 2\); canary refused 0 minutes ago\./);
  t.equal(hits(), 0);
  t.equal((await stack.status('/ready')).status, 200);
  t.same(holding('canary-'), [], 'its name is not kept either');
});

void t.test('three people make a key, from the command line', async (t) => {
  await joinBoth(stack);
  await joinInvited(stack, HEAD, 'third', ['safeguarding-lead']);
  const own = (name: string): string[] => [`evidence of ${name}`, `evidence of ${name}`];
  const account = async (name: string): Promise<string[]> => [STAFF_PASSWORD, await nextCode(stack, name)];
  const typed = [
    ...own(HEAD),
    ...(await account(MANAGER)),
    ...own(MANAGER),
    ...(await account('third')),
    ...own('third'),
  ];
  const made = await asStaff(stack, HEAD, ['evidence', 'init', '--holder', MANAGER, '--holder', 'third'], typed);
  t.equal(made.code, 0, made.stderr);
  t.match(made.stdout, /evidence key is made/);
});

void t.test('it is refused however it is asked for, and reported', async (t) => {
  const sealed = (): boolean => stack.rows('SELECT 1 FROM flagged WHERE json LIKE \'%"sealed"%\'').length > 0;
  await until('a gateway has the key', async () => {
    t.equal((await getThrough(stack.proxyPort, site(HOST, '/'))).status, 403);
    return sealed();
  });
  const raw = async (...lines: string[]): Promise<number> => {
    await using client = await dial(stack.proxyPort);
    await client.send([...lines, '', ''].join('\r\n'));
    return (await client.readResponse()).status;
  };
  t.equal((await getThrough(stack.proxyPort, site('shared.test', `/${MARKER}-page?x`))).status, 403);
  const { connection, response } = await connectThrough(stack.proxyPort, `${HOST}:443`);
  t.equal(response.status, 403);
  await connection.close();
  t.equal(await raw(`GET http://${HOST}/ HTTP/1.1`, `Host: ${HOST}`, 'Upgrade: websocket', 'Connection: Upgrade'), 403);
  t.equal(await raw(`GET http://${HOST}/ HTTP/1.1`, 'Host: other.test'), 400);
  t.equal(await raw(`GET http://me@${HOST}/ HTTP/1.1`, `Host: ${HOST}`), 400);
  t.equal(await raw(`GET http://${HOST}/ HTTP/1.1`, `Host ${HOST}`), 400);
  await until('the hits are on record', () => hits() >= 4);
});

void t.test('two of the three see the address of a hit, once; it is on record that they did', async (t) => {
  const listed = await asStaff(stack, HEAD, ['evidence', 'list']);
  t.equal(listed.code, 0, listed.stderr);
  t.notMatch(listed.stdout, MARKER);
  const [, id] = /^(\w{26}) .* {2}sealed$/m.exec(listed.stdout) ?? [];
  const open = async (headTypes: string): Promise<Ran> => {
    const manager = [STAFF_PASSWORD, await nextCode(stack, MANAGER), `evidence of ${MANAGER}`];
    return await asStaff(stack, HEAD, ['evidence', 'open', id!, '--with', MANAGER], [headTypes, ...manager]);
  };
  const wrong = await open('not the password');
  t.equal(wrong.code, 1);
  t.notMatch(wrong.stdout + wrong.stderr, MARKER);
  const opened = await open(`evidence of ${HEAD}`);
  t.equal(opened.code, 0, opened.stderr);
  t.match(opened.stdout, /DO NOT OPEN/);
  t.match(opened.stdout, MARKER);
  const acts = stack.rows("SELECT action FROM audit WHERE action LIKE 'evidence.%' ORDER BY seq");
  t.same(
    acts.map(({ action }) => action),
    ['evidence.initialised', 'evidence.refused', 'evidence.opened'],
  );
  t.same(holding(MARKER), [], 'no file holds it all the same');
});

void t.test('taken out of the catalogue it stays enforced, until two people end it', async (t) => {
  const list = {
    id: 'test-gambling',
    category: 'gambling',
    format: 'domains',
    source: './gambling.txt',
    enabled: true,
  };
  writeFileSync(join(school.listsDir, 'catalogue.yaml'), JSON.stringify({ lists: [list] }));
  rmSync(join(school.listsDir, 'csam.txt'));
  stack.signal('SIGHUP');
  await until(
    'somebody is told',
    () => stack.rows("SELECT * FROM alarms WHERE text LIKE '%lists remove test-csam%'")[0],
  );
  t.equal((await getThrough(stack.proxyPort, site(HOST, '/'))).status, 403);
  const remove = (name: string): ReturnType<Stack['run']> => asStaff(stack, name, ['lists', 'remove', 'test-csam']);
  t.match(await remove(MANAGER), { code: 0, stdout: /stays enforced until another person/ });
  t.match(await remove(MANAGER), { code: 1, stderr: /another person/ });
  t.equal((await getThrough(stack.proxyPort, site(HOST, '/'))).status, 403);
  t.match(await remove(HEAD), { code: 0, stdout: /deleted/ });
  await until('it is open', async () => (await getThrough(stack.proxyPort, site(HOST, '/'))).status === 200);
});

void t.test('after all that no file and no log holds what was asked for while it was listed', async (t) => {
  await stack.stop();
  const kept = holding(`${MARKER}-page`);
  t.same(kept, []);
  t.notMatch(stack.stdout + stack.stderr, MARKER);
});
