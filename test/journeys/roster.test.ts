// From a school's roster to a pupil who is refused: commands, log-in card, proxy, suspension.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import t from 'tap';
import { startNameServer } from '../helpers/dns.ts';
import { startOrigin } from '../helpers/origin.ts';
import { generatedRoster } from '../helpers/rosters.ts';
import { asStaff, join as joinAs, MANAGER } from '../helpers/staff.ts';
import { Stack } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { TestSchool } from '../helpers/test-school.ts';
import { until } from '../helpers/until.ts';

const folder = tempFolder(t);
const names = ['open.test', 'forum.test'];
const origin = await startOrigin({ names });
t.teardown(() => origin.close());
const dns = await startNameServer(names.map((name) => [name, ['127.0.0.1']] as const));
t.teardown(() => dns.close());
const school = new TestSchool(folder, {
  agreements: true,
  http: [origin.http.port],
  tls: [origin.https.port],
  lists: { hacking: ['forum.test'] },
  dnsServer: dns.address,
});
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());
await joinAs(stack.firstLinks.get('network-manager')!, MANAGER);

/** Status of a page by plain http, as curl got it through the proxy with a name and password. */
async function statusOf(host: string, credentials: string): Promise<number> {
  const proxy = ['-x', `http://127.0.0.1:${stack.proxyPort}`, '--noproxy', '', '-U', credentials];
  const args = ['-q', '-s', '-m', '20', '-o', '/dev/null', '-w', '%{http_code}', ...proxy];
  const { stdout } = await promisify(execFile)('curl', [...args, `http://${host}:${origin.http.port}/`]);
  return Number(stdout);
}

/** A TLS connection through the proxy that stays open. */
async function openTunnel(credentials: string): Promise<TLSSocket> {
  const socket = connect(stack.proxyPort, '127.0.0.1');
  const authority = `open.test:${origin.https.port}`;
  const basic = Buffer.from(credentials).toString('base64');
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (!answer.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(answer.toString('latin1'));
  const secure = connectTls({ socket, servername: 'open.test', rejectUnauthorized: false }).on('error', () => {});
  await once(secure, 'secureConnect');
  return secure;
}

const OWN = 'four quite plain words';

/** A page of the front desk, or what comes of its form with these fields and the hidden ones of the page it is on. */
async function atDesk(path: string, fields?: Record<string, string>, page?: string): Promise<string> {
  const url = `http://127.0.0.1:${stack.frontPort}${path}`;
  if (fields === undefined) return (await fetch(url)).text();
  const shown = page ?? (await atDesk(path));
  const form = shown.slice(shown.indexOf(`action="${path}"`)).split('</form>')[0]!;
  const hidden = Array.from(
    form.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g),
    ([, name, value]): [string, string] => [name!, value!],
  );
  const body = new URLSearchParams([...hidden, ...Object.entries(fields)]);
  return (await fetch(url, { method: 'POST', body })).text();
}

const people = (...args: string[]) => asStaff(stack, MANAGER, ['people', ...args]);

void t.test('a roster, a card, one’s own level, and a suspension within two seconds', async (t) => {
  const roster = join(folder, 'roster');
  mkdirSync(roster);
  for (const [name, text] of Object.entries(generatedRoster(60))) writeFileSync(join(roster, name), text);
  const preview = await people('import', roster, '--dry-run');
  t.match(preview, { code: 0, stdout: /62 new, 0 changed, 0 leaving/ });
  t.match(await people('import', roster), { code: 0, stdout: /Imported\./ });
  t.match(await people('import', roster), { code: 0, stdout: /Nothing to change/ });
  t.match(await people('list', '--class', '7x0'), { code: 0, stdout: /teacher0 {2}Terry Teacher0/ });

  const page = join(folder, 'cards.html');
  t.match(await people('cards', 'teacher0', '--out', page), { code: 0, stdout: /1 card is in/ });
  const password = /Password<\/dt>\s*<dd>\s*([^<\s]+)/.exec(readFileSync(page, 'utf8'))![1]!;
  t.equal(await statusOf('open.test', `teacher0:${password}`), 403, 'a card opens nothing but the way to a password');
  const first = await atDesk('/sign-in', { name: 'teacher0', password });
  t.match(first, 'Choose your own password');
  t.match(await atDesk('/password', { next: OWN, again: OWN }, first), 'Acceptable use agreement for staff');
  const teacher = `teacher0:${OWN}`;
  t.equal(await statusOf('open.test', teacher), 403, 'not before the agreement is accepted');
  t.match(await atDesk('/agreement', {}, await atDesk('/agreement')), 'You are signed in');
  await until('what is agreed to opens', async () => (await statusOf('open.test', teacher)) === 200, 2_000);
  await atDesk('/sign-out', {}, await atDesk('/sign-in'));
  const card = `teacher0:${password}`;
  await until('the card is waste paper', async () => (await statusOf('forum.test', card)) === 403, 2_000);
  // The journey school's staff may open what its strictest level may not.
  t.match(await stack.run(['check', 'http://forum.test/', '--user', 'teacher0', '--json']), {
    stdout: /"level":"staff"/,
  });
  t.equal(await statusOf('forum.test', teacher), 200);

  const tunnel = await openTunnel(teacher);
  t.teardown(() => tunnel.destroy());
  t.match(await people('suspend', 'teacher0'), { code: 0 });
  await until('the open tunnel has ended', () => tunnel.closed, 2_000);
  await until('the teacher is refused', async () => (await statusOf('open.test', teacher)) === 403, 2_000);
  t.match(await people('suspend', 'teacher0', '--lift'), { code: 0 });
  await until('and let in again', async () => (await statusOf('open.test', teacher)) === 200, 2_000);
  t.match(await people('suspend', 'nobody'), { code: 1, stderr: /nobody with this user name/ });
});
