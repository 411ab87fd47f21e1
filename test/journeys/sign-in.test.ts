// Signing in at the proxy, as curl and a browser do it: the network manager's account, from the first link to the record.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdDecompressSync } from 'node:zlib';
import t from 'tap';
import { startChromium } from '../helpers/chromium.ts';
import { startNameServer } from '../helpers/dns.ts';
import { startOrigin } from '../helpers/origin.ts';
import { join as joinAs, MANAGER, STAFF_PASSWORD } from '../helpers/staff.ts';
import { Stack } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { TestSchool } from '../helpers/test-school.ts';
import { until } from '../helpers/until.ts';

const folder = tempFolder(t);
const names = ['open.test', 'casino.test', 'forum.test'];
const origin = await startOrigin({ names });
t.teardown(() => origin.close());
const dns = await startNameServer(names.map((name) => [name, ['127.0.0.1']] as const));
t.teardown(() => dns.close());
const school = new TestSchool(folder, {
  http: [origin.http.port],
  tls: [origin.https.port],
  lists: { gambling: ['casino.test'], hacking: ['forum.test'] },
  dnsServer: dns.address,
});
school.writeSettings({ mode: 'challenge' });
writeFileSync(
  join(school.policyDir, 'rules.yaml'),
  `people: [{ name: ${MANAGER}, level: staff, allow: [casino.test] }]\n`,
);
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());
await joinAs(stack.firstLinks.get('network-manager')!, MANAGER);

const authority = join(folder, 'authority.pem');
writeFileSync(authority, origin.authority.cert);
const http = (name: string): string => `http://${name}:${origin.http.port}/`;
const https = (name: string): string => `https://${name}:${origin.https.port}/`;
const WRONG = 'eight purple walrus lanterns';

/** What curl got through the proxy: the site's or the proxy's status, the answer to its CONNECT, and the body. */
async function curl(url: string, credentials: string | null, more: readonly string[] = []) {
  const proxy = ['-x', `http://127.0.0.1:${stack.proxyPort}`, '--noproxy', '', '--cacert', authority];
  const user = credentials === null ? [] : ['-U', credentials];
  const written = '\n%{http_code} %{http_connect}';
  const args = ['-q', '-s', '-m', '20', '-w', written, ...proxy, ...user, ...more, url];
  // It ends with a status of its own when a CONNECT is refused; what it wrote says all.
  const { stdout } = await promisify(execFile)('curl', args).catch((error: { stdout: string }) => error);
  const [, body, status, connect] = /^([^]*)\n(\d+) (\d+)$/.exec(stdout)!;
  return { body: body!, status: Number(status), connect: Number(connect) };
}

void t.test('without credentials, and with wrong ones, 407', async (t) => {
  for (const credentials of [null, `${MANAGER}:${WRONG}`, `nobody:${STAFF_PASSWORD}`]) {
    t.match(await curl(http('open.test'), credentials), { status: 407, body: 'Journey School' }, `${credentials}`);
    t.match(await curl(https('open.test'), credentials), { status: 0, connect: 407 }, `${credentials}`);
  }
  t.same(origin.seen, []);
});

void t.test('with the right ones, the sites of one’s own level, also when curl waits to be asked', async (t) => {
  const right = `${MANAGER.toUpperCase()}:${STAFF_PASSWORD}`;
  for (const more of [[], ['--proxy-anyauth']]) {
    for (const name of names) {
      t.match(await curl(http(name), right, more), { status: 200, body: 'hello from the origin' });
      t.match(await curl(https(name), right, more), { status: 200, connect: 200, body: 'hello from the origin' });
    }
  }
  t.notMatch(JSON.stringify(origin.seen), /proxy-authorization/i);
});

void t.test('a browser that has been given name and password', async (t) => {
  const browser = await startChromium(stack.proxyPort);
  t.teardown(() => browser.close());
  const proxy = { server: `http://127.0.0.1:${stack.proxyPort}`, bypass: '<-loopback>' };
  const open = async (password: string) => {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      proxy: { ...proxy, username: MANAGER, password },
    });
    return await context.newPage();
  };
  const page = await open(STAFF_PASSWORD);
  // It is asked at its first https site; before that a page by plain http would lead it to the front desk.
  for (const url of [https('casino.test'), https('open.test'), http('open.test')]) {
    t.equal((await page.goto(url))?.status(), 200, url);
    t.match(await page.textContent('body'), 'hello from the origin');
  }
  const stranger = await open(WRONG);
  await stranger.goto(http('open.test'));
  t.equal(stranger.url(), 'http://schoolgate.internal/sign-in');
  await t.rejects(stranger.goto(https('open.test')), /ERR_|net::/);
});

function readKept(file: string): string {
  const bytes = readFileSync(file);
  return (file.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).toString('latin1');
}

void t.test('the record says who; nothing that is kept or printed holds a password', async (t) => {
  const flagged = await until(
    'what an adult should see is on record',
    () => stack.rows("SELECT DISTINCT user, level, host FROM flagged WHERE verdict = 'allow'")[0],
  );
  t.same({ ...flagged }, { user: MANAGER, level: 'staff', host: 'forum.test' });
  const refused = stack.rows("SELECT DISTINCT subject FROM audit WHERE action = 'proxy-auth.refused' ORDER BY subject");
  t.equal(refused.length, 2, 'one who has an account, one who has none');
  await stack.stop();
  const kept = readdirSync(school.dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readKept(join(entry.parentPath, entry.name)))
    .concat(stack.stdout, stack.stderr);
  t.ok(
    kept.some((text) => text.includes('"identified":"proxy-auth"')),
    'requests are among what is read',
  );
  for (const password of [STAFF_PASSWORD, WRONG]) {
    const encoded = Buffer.from(`${MANAGER}:${password}`).toString('base64').replace(/=+$/, '');
    t.notOk(kept.some((text) => text.includes(password) || text.includes(encoded)));
  }
});
