// An illegal list that its publisher gives to members over https: switched on, changed, withheld, and in clear on no disk meanwhile.
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { type ListAnswer, inTheUsualWay, startListServer } from '../helpers/list-server.ts';
import { holdsInMemory } from '../helpers/memory.ts';
import { childrenOf } from '../helpers/processes.ts';
import { getThrough } from '../helpers/proxied.ts';
import { Stack } from '../helpers/stack.ts';
import { asStaff, joinBoth, MANAGER } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

const MARKER = `m${randomBytes(8).toString('hex')}`;
const PASSWORD = `pass-${randomBytes(8).toString('hex')}`;
const host = (i: number): string => `${MARKER}-${i}.test`;
/** So many hosts, and a page. */
const text = (count: number): string =>
  `${Array.from({ length: count }, (_, i) => `${host(i)}\n`).join('')}shared.test/${MARKER}-page\n`;

const { folder, isEverywhere, makeSchool, site } = await journey(t);
const server = await startListServer();
t.teardown(() => server.close());
const school = makeSchool();
const catalogue = join(school.listsDir, 'catalogue.yaml');
const credentials = join(folder, 'members.txt');
const { lists } = JSON.parse(readFileSync(catalogue, 'utf8')) as { lists: object[] };
const row = {
  id: 'members',
  category: 'csam',
  format: 'illegal-urls',
  source: server.url('/members.txt'),
  credentials,
  licence: 'Members only',
  enabled: false,
};
writeFileSync(catalogue, JSON.stringify({ lists: [...lists, row] }, null, 2));
const ca = join(folder, 'ca.pem');
writeFileSync(ca, server.ca);

const stack = await new Stack({ school, env: { NODE_EXTRA_CA_CERTS: ca } }).start();
t.teardown(() => stack.stop());
await joinBoth(stack);
const asManager = (...args: string[]) => asStaff(stack, MANAGER, ['lists', ...args]);

/** Gives the list to members. */
const toMembers =
  (answer: ListAnswer): ListAnswer =>
  (request, response, body) => {
    const [, given = ''] = (request.headers.authorization ?? '').split(' ');
    if (Buffer.from(given, 'base64').toString() === `school:${PASSWORD}`) return answer(request, response, body);
    response.writeHead(401).end('members only');
  };
const publish = (body: string | Uint8Array, answer: ListAnswer = inTheUsualWay): void =>
  server.publish('/members.txt', body, toMembers(answer));

/** Every file below the data folder and the lists that holds what nobody may find, and what was printed. */
function found(): string[] {
  const files = [school.dataDir, school.listsDir].flatMap((root) =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name)),
  );
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch {
      // Gone since its folder was read.
      return Buffer.alloc(0);
    }
  };
  const printed = `${stack.stdout}${stack.stderr}`;
  return [
    ...files.filter((path) => [MARKER, PASSWORD].some((secret) => read(path).includes(secret))),
    ...[MARKER, PASSWORD].filter((secret) => printed.includes(secret)),
  ];
}

await t.test('without the right credentials it stays off', async (t) => {
  publish(text(20));
  t.match(await asManager('enable', 'members', '--accept-licence'), { code: 1, stderr: /credentials cannot be read/ });
  writeFileSync(credentials, 'school:wrong\n', { mode: 0o600 });
  const refused = await asManager('enable', 'members', '--accept-licence');
  t.match(refused, { code: 1, stderr: /status 401: it does not take the credentials; .*It stays switched off/ });
  t.match(readFileSync(catalogue, 'utf8'), '"enabled": false');
});

await t.test('while it comes no file holds a line of it, and then it is enforced', async (t) => {
  writeFileSync(credentials, `school:${PASSWORD}\n`);
  let halted: ServerResponse | null = null;
  publish(text(20), (_request, response) => {
    halted = response;
    response.writeHead(200, { etag: '"one"' }).write(text(19).slice(0, 100));
  });
  const enabling = asManager('enable', 'members', '--accept-licence');
  const response: ServerResponse = await until('half of it has come', () => halted);
  const keying = (): number[] =>
    stack
      .pids('console')
      .flatMap((pid) => childrenOf(pid).flatMap((one) => (one.module === 'keying-process.ts' ? [one.pid] : [])));
  t.equal(keying().length, 1, 'a process of its own fetches it');
  const args =
    readFileSync(`/proc/${keying()[0]}/cmdline`, 'utf8') + readFileSync(`/proc/${keying()[0]}/environ`, 'utf8');
  t.notMatch(args, /members|pass-/, 'which is told nothing that others could read');
  t.same(found(), []);
  response.end(text(20).slice(100));
  t.match(await enabling, { code: 0, stdout: /members: 21 entries in force \(new\)\./, stderr: '' });
  t.same(keying(), [], 'and has gone with its memory');
  await until('every worker refuses it', () => isEverywhere(stack, host(7), 403));
  t.equal((await getThrough(stack.proxyPort, site('shared.test', `/${MARKER}-page/1`))).status, 403);
  const acts = stack.rows("SELECT action, actor, payload FROM audit WHERE subject = 'list:members'");
  t.match(acts, [
    { action: 'list.enabled', actor: MANAGER, payload: /"licence":"Members only"/ },
    { action: 'list.changed', actor: MANAGER, payload: /"entries":21/ },
  ]);
  t.same(found(), []);
  const held = stack.pids('console').map((pid) => holdsInMemory(pid, `${MARKER}-page`));
  if (held.includes(null)) t.comment('the memory of another process cannot be read here');
  else t.same(held, [false], 'nor does the console know it');
});

await t.test('what has not changed is not sent again, and what has is enforced', async (t) => {
  publish('', (request, response) => {
    response.writeHead(request.headers['if-none-match'] === '"one"' ? 304 : 500).end();
  });
  t.match(await asManager('update', 'members'), { code: 0, stdout: /1 list has not changed/ });
  t.equal(server.asked.at(-1), '/members.txt 304');
  publish(gzipSync(text(22)));
  t.match(await asManager('update', 'members'), { code: 0, stdout: /members: 23 entries in force \(before: 21\)/ });
  await until('every worker has it', () => isEverywhere(stack, host(21), 403));
  const { stdout } = await stack.run(['lists', 'status']);
  t.match(stdout, /^members +csam +23 +\S.* ok +less than an hour ago +\d{4}-\d\d-\d\dT03:17Z$/m);
  t.match(stdout, /^members: enforced since .*plain HTTP only \(1 of 23\)/m);
  const metrics = await fetch(`http://127.0.0.1:${stack.consolePort}/metrics`);
  t.equal(await stack.metric('schoolgate_list_entries{list="members"}'), 23);
  t.match(await metrics.text(), /^schoolgate_list_fetch_failing\{list="members"\} 0$/m);
});

await t.test('whatever comes instead of it, what was enforced stays so and nothing of it is kept', async (t) => {
  const cases: [string, string | Uint8Array, RegExp, ListAnswer?][] = [
    ['a page', `<!doctype html><p>${MARKER}`, /a web page came instead of a list; what was fetched .* stays in force/],
    ['half of it', gzipSync(text(300)).subarray(0, -20), /cannot be unpacked or read/],
    ['no member any more', text(1), /status 401/, (_request, response) => void response.writeHead(401).end(MARKER)],
    ['most of it gone', text(2), /"members": more than 20 % of its entries are gone/],
  ];
  for (const [what, body, said, answer] of cases) {
    publish(body, answer);
    const update = await asManager('update', 'members');
    t.match(update, { code: 1, stderr: said }, what);
    t.notMatch(update.stdout + update.stderr, MARKER, what);
    t.equal((await getThrough(stack.proxyPort, site(host(20)))).status, 403, what);
    t.same(found(), [], what);
  }
  const alarms = stack.rows("SELECT text FROM alarms WHERE text LIKE '%members%'");
  for (const [, , said] of cases) t.match(alarms, { length: cases.length }, String(said));
});

await t.test('a console that is killed in the middle takes the fetch with it', async (t) => {
  let isClosed = false;
  let isAsked = false;
  publish('', (_request, response) => {
    isAsked = true;
    response.on('close', () => (isClosed = true));
    response.write(text(5));
  });
  const update = asManager('update', 'members');
  await until('half of it has come', () => isAsked);
  for (const pid of stack.pids('console')) process.kill(pid, 'SIGKILL');
  t.not((await update).code, 0);
  await until('nobody reads on', () => isClosed);
  t.same(found(), []);
  publish(text(24));
  await until('the console is back', async () => (await asManager('update', 'members')).code === 0, 30_000);
  t.equal((await getThrough(stack.proxyPort, site(host(23)))).status, 403);
});

await t.test('a first start fetches what the catalogue names, and without it nothing is served', async (t) => {
  await stack.stop();
  t.same(found(), []);
  const first = new Stack({ school, dataDir: join(folder, 'another'), env: { NODE_EXTRA_CA_CERTS: ca } });
  t.teardown(() => first.stop());
  publish('', (_request, response) => void response.writeHead(401).end());
  await t.rejects(first.start(), { message: /catalogue\.yaml:\d+: List "members" could not be updated: .*status 401/ });
  await first.stop();
  publish(text(3));
  const schoolFile = join(school.policyDir, 'school.yaml');
  const settings = JSON.parse(readFileSync(schoolFile, 'utf8')) as object;
  const illegal = { csam: { heading: 'Stop & think', text: ['Our provider says so.'] } };
  writeFileSync(schoolFile, JSON.stringify({ ...settings, illegal }));
  await first.start();
  const refused = await getThrough(first.proxyPort, site(host(2)));
  t.equal(refused.status, 403);
  t.match(refused.body.toString(), /<h1>Stop &amp; think<\/h1>\s*<p>Our provider says so\.<\/p>/);
  const shown = await first.run(['policy', 'show', 'ks3']);
  t.match(shown.stdout, 'The page about csam says: Stop & think / Our provider says so. (school.yaml#illegal.csam)');
});
