// A public list, from the catalogue into force: switched on, fetched, broken, shrunk, accepted, and killed in the middle.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { startListServer } from '../helpers/list-server.ts';
import { freePort } from '../helpers/listening.ts';
import { Stack } from '../helpers/stack.ts';
import { asStaff, HEAD, joinBoth, MANAGER } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

const { folder, isEverywhere, httpStatus, makeSchool } = await journey(t);
const server = await startListServer();
t.teardown(() => server.close());
const school = makeSchool();
const catalogue = join(school.listsDir, 'catalogue.yaml');
const names = (count: number): string => Array.from({ length: count }, (_, i) => `far-${i}.test\n`).join('');

server.publish('/far.txt', names(100));
const { lists } = JSON.parse(readFileSync(catalogue, 'utf8')) as { lists: object[] };
const far = { id: 'far', category: 'gambling', format: 'domains', source: server.url('/far.txt'), enabled: false };
const row = { ...far, licence: 'MIT', homepage: 'https://far.example/' };
writeFileSync(catalogue, `# Ours\n${JSON.stringify({ lists: [...lists, row] }, null, 2)}\n`);
const ca = join(folder, 'ca.pem');
writeFileSync(ca, server.ca);

// The same after the console was killed.
const port = String(await freePort());
const stack = await new Stack({ school, env: { NODE_EXTRA_CA_CERTS: ca, SCHOOLGATE_CONSOLE_PORT: port } }).start();
t.teardown(() => stack.stop());
await joinBoth(stack);
const asManager = (...args: string[]) => asStaff(stack, MANAGER, ['lists', ...args]);

await t.test('without its licence accepted a list stays off, and it is said what to read', async (t) => {
  t.match(stack.stdout, /^STARTER|^Lists: 2 names/m);
  const shown = await stack.run(['lists', 'enable', 'far']);
  t.equal(shown.code, 2);
  t.match(shown.stdout, /far\.txt\n {2}Licence: MIT\n {2}Publisher: https:\/\/far\.example\/\n/);
  t.match(shown.stderr, /lists enable far --accept-licence --user NAME/);
  const head = await asStaff(stack, HEAD, ['lists', 'enable', 'far', '--accept-licence']);
  t.match(head, { code: 1, stderr: /Your role does not allow this/ });
  t.equal(await httpStatus(stack, 'far-7.test'), 200);
  t.match(server.asked, []);
});

await t.test('switched on it is fetched, built, in force, and on record with who accepted what', async (t) => {
  const on = await asManager('enable', 'far', '--accept-licence');
  t.match(on, { code: 0, stdout: /far: 100 entries in force \(new\)\./, stderr: '' });
  await until('every worker refuses it', () => isEverywhere(stack, 'far-7.test', 403));
  const checked = await stack.run(['check', 'http://www.far-7.test/', '--json']);
  t.match(JSON.parse(checked.stdout), { verdict: 'block', category: 'gambling', lists: ['far'] });
  t.match(readFileSync(catalogue, 'utf8'), /^# Ours\n\{/, 'comments stay');
  const acts = stack.rows("SELECT action, actor, subject, payload FROM audit WHERE subject = 'list:far' ORDER BY seq");
  t.match(acts, [
    { action: 'list.enabled', actor: MANAGER, payload: /"licence":"MIT"/ },
    { action: 'list.changed', payload: /"entries":100/ },
  ]);
  t.equal(await stack.metric('schoolgate_list_entries{list="far"}'), 100);
  const console = await fetch(`http://127.0.0.1:${stack.consolePort}/metrics`);
  t.match(await console.text(), /^schoolgate_list_fetch_failing\{list="far"\} 0$/m);
});

await t.test('a shrunk update waits, and is in force when a person accepts it', async (t) => {
  server.publish('/far.txt', names(50));
  const shrunk = await asManager('update', 'far');
  t.match(shrunk, { code: 1, stderr: /List "far": its source shrank from 100 to 50 .*lists accept far --user NAME/ });
  t.equal(await httpStatus(stack, 'far-77.test'), 403);
  const status = await stack.run(['lists', 'status']);
  t.match(status.stdout, /^far +gambling +100 +\S.* last good copy +less than an hour ago +\d{4}-\d\d-\d\dT03:17Z$/m);
  t.match(stack.rows("SELECT code FROM alarms WHERE text LIKE '%shrank%'"), [{ code: 'list-from-last-good' }]);
  const accepted = await asManager('accept', 'far');
  t.match(accepted, { code: 0, stdout: /far: 50 entries in force \(before: 100\)\./ });
  await until('every worker has it', () => isEverywhere(stack, 'far-77.test', 200));
  t.equal(await httpStatus(stack, 'far-7.test'), 403);
  t.match(await asManager('accept', 'far'), { code: 1, stderr: /no update waits/ });
});

await t.test('a page of a portal and a missing file change nothing and are told', async (t) => {
  server.publish('/far.txt', '<!doctype html><title>Sign in</title>');
  t.match(await asManager('update', 'far'), { code: 1, stderr: /a web page came instead of a list/ });
  server.publish('/far.txt', '', (_request, response) => void response.writeHead(404).end());
  t.match(await asManager('update', 'far'), { code: 1, stderr: /status 404; .* stays in force/ });
  t.match((await stack.run(['lists', 'status'])).stdout, /^far: last try .* status 404\.$/m);
  t.equal(await httpStatus(stack, 'far-7.test'), 403);
});

await t.test('killed in the middle of a download, it goes on with what it had', async (t) => {
  server.publish('/far.txt', '', (_request, response) => void response.write('far-0.test\n'));
  const fetched = join(school.dataDir, 'lists/fetched/far');
  const update = asManager('update', 'far');
  await until('a part has come', () => readdirSync(fetched).includes('fetching.part'));
  for (const pid of stack.pids('console')) process.kill(pid, 'SIGKILL');
  t.not((await update).code, 0);
  t.equal(await httpStatus(stack, 'far-7.test'), 403);
  server.publish('/far.txt', names(60));
  const updated = (): Promise<boolean> =>
    asManager('update', 'far').then(
      ({ code }) => code === 0,
      // Codes for the sign-in come from the console as well.
      () => false,
    );
  await until('the console is back', updated, 30_000);
  await until('the next one is in force', () => isEverywhere(stack, 'far-55.test', 403));
  t.notOk(readdirSync(fetched).includes('fetching.part'));
  const verified = await stack.run(['audit', 'verify']);
  t.equal(verified.code, 0, verified.stderr);
});
