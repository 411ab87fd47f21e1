// A teacher signs in on a device and gives 9X a list: pupils of 9X at another device are bound within two seconds, nobody else is.
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { createPasswords } from '../../src/identity/passwords.ts';
import { storePassword } from '../../src/identity/repository.ts';
import { localInput } from '../../src/kernel/local-time.ts';
import { openRecord } from '../../src/store/database.ts';
import { startNameServer } from '../helpers/dns.ts';
import { startOrigin, startTcpOrigin } from '../helpers/origin.ts';
import { join, MANAGER, signIn as asStaff, STAFF_PASSWORD } from '../helpers/staff.ts';
import { Stack } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { TestSchool } from '../helpers/test-school.ts';
import { until } from '../helpers/until.ts';

const folder = tempFolder(t);
const names = ['volcano.test', 'open.test', 'games.test'];
const origin = await startOrigin({ names });
t.teardown(() => origin.close());
const echo = await startTcpOrigin((socket) => void socket.pipe(socket));
t.teardown(() => echo.close());
const dns = await startNameServer(names.map((name) => [name, ['127.0.0.1']] as const));
t.teardown(() => dns.close());
const school = new TestSchool(folder, {
  http: [origin.http.port],
  raw: [echo.port],
  lists: { gambling: ['games.test'] },
  dnsServer: dns.address,
});
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());
await join(stack.firstLinks.get('network-manager')!, MANAGER);

/** Devices of the school, each an address of its own. */
const [TEACHER, IN_9X, IN_9Y] = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;
const ROSTER = `username,id,given name,family name,role,year,classes,teaches
t.ash,t1,Tess,Ash,teacher,,,9X
ann,p1,Ann,Ames,pupil,9,9X,
bob,p2,Bob,Bell,pupil,9,9Y,
`;

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function send(port: number, path: string, from: string, form?: URLSearchParams, host?: string): Promise<Answer> {
  const headers: Record<string, string> = { connection: 'close', ...(host !== undefined && { host }) };
  if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded';
  const method = form === undefined ? 'GET' : 'POST';
  const asked = httpRequest({ host: '127.0.0.1', port, path, method, headers, localAddress: from });
  asked.end(form?.toString());
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of answer.setEncoding('utf8')) body += String(chunk);
  return { status: answer.statusCode!, body };
}

/** A page by plain http through the proxy. */
const open = (site: string, from: string): Promise<Answer> => {
  const host = `${site}:${origin.http.port}`;
  return send(stack.proxyPort, `http://${host}/`, from, undefined, host);
};

/** A page of the front desk, and a form of it with the token that the page shows. */
const desk = (path: string, from: string): Promise<Answer> => send(stack.frontPort, path, from);
async function post(page: string, path: string, from: string, fields: Record<string, string>): Promise<Answer> {
  const token = /name="token" value="([\w-]+)"/.exec((await desk(page, from)).body)![1]!;
  return await send(stack.frontPort, path, from, new URLSearchParams({ token, ...fields }));
}

async function signIn(name: string, from: string): Promise<void> {
  const answer = await post('/sign-in', '/sign-in', from, { name, password: STAFF_PASSWORD });
  if (answer.status !== 303) throw new Error(`${name} was answered ${answer.status}: ${answer.body}`);
}

await (
  await asStaff(stack, MANAGER)
).call('POST', '/api/v1/people/import', {
  files: [{ name: 'people.csv', text: ROSTER }],
});
// As if each had changed the password of their card.
const hash = await createPasswords().hash(STAFF_PASSWORD);
const record = openRecord(stack.layout.record);
record.write((tx) => {
  for (const { person_id: id } of tx.all('SELECT person_id FROM directory')) storePassword(tx, String(id), hash, 0);
});
record.close();
await signIn('t.ash', TEACHER);
await signIn('ann', IN_9X);
await signIn('bob', IN_9Y);
for (const from of [IN_9X, IN_9Y])
  await until('pupils are known', async () => (await open('open.test', from)).status === 200);

void t.test('a list from the front desk binds the class within two seconds, and nobody else', async (t) => {
  const tunnel = connect({ host: '127.0.0.1', port: stack.proxyPort, localAddress: IN_9X }).on('error', () => {});
  t.teardown(() => tunnel.destroy());
  tunnel.write(`CONNECT open.test:${echo.port} HTTP/1.1\r\nHost: open.test:${echo.port}\r\n\r\n`);
  const [established] = (await once(tunnel, 'data')) as [Buffer];
  t.match(established.toString(), /^HTTP\/1\.1 200/);
  tunnel.resume();
  const now = Date.now();
  const list = {
    title: 'Volcanoes',
    sites: 'volcano.test\ngames.test',
    classes: '9X',
    pupils: '',
    from: localInput(now, 'Europe/London'),
    until: localInput(now + 3_600_000, 'Europe/London'),
  };
  const checked = await post('/lessons/new', '/lessons/new', TEACHER, { ...list, do: 'check' });
  t.match(checked.body, /games\.test<\/strong> stays closed for 9X[^]*Ask for an unblock/);
  const given = await post('/lessons/new', '/lessons/new', TEACHER, { ...list, do: 'give' });
  const givenAt = Date.now();
  t.equal(given.status, 303, given.body);
  await once(tunnel, 'close');
  await until('9X is bound', async () => (await open('open.test', IN_9X)).status === 403, 2_000);
  t.ok(Date.now() - givenAt < 2_000, 'within two seconds, and the open tunnel is cut');
  const refused = await open('open.test', IN_9X);
  t.match(refused.body, /Your class has a lesson list that lasts until[^]*https:\/\/volcano\.test\//);
  t.match((await desk('/why', IN_9X)).body, /There is a lesson list until[^]*volcano\.test/);
  t.equal((await open('volcano.test', IN_9X)).status, 200);
  t.equal((await open('games.test', IN_9X)).status, 403, 'the list opens nothing');
  t.equal((await open('open.test', IN_9Y)).status, 200, 'another class');
  t.equal((await open('open.test', TEACHER)).status, 200, 'the teacher');
});

void t.test('the teacher sees it and asks about a site; a pupil gets nothing of this', async (t) => {
  const page = await desk('/lessons', TEACHER);
  t.match(page.body, /Volcanoes[^]*These stay closed all the same[^]*games\.test/);
  const asked = { className: '9X', sites: 'open.test' };
  const { body } = await post('/lessons/look-up', '/lessons/look-up', TEACHER, asked);
  t.match(body, /open\.test<\/strong> stays closed for 9X\. A lesson list is in force/);
  const pupil = await desk('/lessons', IN_9X);
  t.equal(pupil.status, 403);
  t.notMatch(pupil.body, 'Volcanoes');
  const token = { token: /name="token" value="([\w-]+)"/.exec((await desk('/sign-in', IN_9X)).body)![1]! };
  const id = /name="id" value="([\w-]+)"/.exec(page.body)![1]!;
  const ended = await send(stack.frontPort, '/lessons/end', IN_9X, new URLSearchParams({ ...token, id }));
  t.equal(ended.status, 403);
  t.equal((await open('open.test', IN_9X)).status, 403, 'still in force');
});

void t.test('a site is added, and the list is ended, within two seconds', async (t) => {
  const id = /name="id" value="([\w-]+)"/.exec((await desk('/lessons', TEACHER)).body)![1]!;
  await post('/lessons', '/lessons/add', TEACHER, { id, site: 'open.test' });
  await until('the site is on it', async () => (await open('open.test', IN_9X)).status === 200, 2_000);
  t.equal((await open('127.0.0.1', IN_9X)).status, 403, 'and no other');
  await post('/lessons', '/lessons/end', TEACHER, { id });
  await until('all is as before', async () => (await open('127.0.0.1', IN_9X)).status === 200, 2_000);
  const acts = stack.rows(`SELECT action, actor FROM audit WHERE action LIKE 'lesson.%' ORDER BY seq`);
  t.same(
    acts.map(({ action, actor }) => `${String(action)} ${String(actor)}`),
    ['lesson.given t.ash', 'lesson.site-added t.ash', 'lesson.ended t.ash'],
  );
});
