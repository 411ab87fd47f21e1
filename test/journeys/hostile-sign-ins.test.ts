// Every door at which somebody signs in, over the wire and as nobody means it: forged addresses, a router's address, names that are
// none, guessing; and the proxy's own sign-in over TLS.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { createPasswords } from '../../src/identity/passwords.ts';
import { insertPerson, storePassword } from '../../src/identity/repository.ts';
import { openRecord } from '../../src/store/database.ts';
import { createAuthority } from '../helpers/certificates.ts';
import { startNameServer } from '../helpers/dns.ts';
import { freePort } from '../helpers/listening.ts';
import { startOrigin } from '../helpers/origin.ts';
import { STAFF_PASSWORD } from '../helpers/staff.ts';
import { Stack } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { TestSchool } from '../helpers/test-school.ts';
import { until } from '../helpers/until.ts';

const folder = tempFolder(t);
const origin = await startOrigin({ names: ['open.test'] });
t.teardown(() => origin.close());
const dns = await startNameServer([['open.test', ['127.0.0.1']]]);
t.teardown(() => dns.close());
/** Devices of the school, each an address of its own; behind the last are several people. */
const [OWN, OTHER, GUESSER, SHARED] = ['127.0.0.5', '127.0.0.6', '127.0.0.7', '127.0.0.77'] as const;
const school = new TestSchool(folder, { http: [origin.http.port], tls: [origin.https.port], dnsServer: dns.address });
school.writeSettings({ mode: 'challenge', shared: [`${SHARED}/32`] });
const authority = createAuthority();
const { cert, key } = authority.issue(['127.0.0.1']);
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const tlsPort = await freePort();
const env = {
  SCHOOLGATE_HTTPS_PROXY_PORT: String(tlsPort),
  SCHOOLGATE_TLS_CERT: file('cert.pem', cert),
  SCHOOLGATE_TLS_KEY: file('key.pem', key),
};
const stack = await new Stack({ school, env }).start();
t.teardown(() => stack.stop());
const hash = await createPasswords().hash(STAFF_PASSWORD);
const record = openRecord(stack.layout.record);
record.write((tx) => {
  for (const name of ['ann', 'tess', 'lou']) {
    insertPerson(tx, { id: `01J${name.toUpperCase().padStart(23, '0')}`, userName: name, fullName: name }, name, 0);
    storePassword(tx, `01J${name.toUpperCase().padStart(23, '0')}`, hash, 0);
  }
});
record.close();

interface Sent {
  readonly from: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** One request from a device's address; `tls`: what has our certificate. */
async function send(
  port: number,
  path: string,
  { from, headers = {}, form, json }: Sent,
  tls: boolean,
): Promise<Answer> {
  const body =
    form !== undefined ? new URLSearchParams(form).toString() : json === undefined ? '' : JSON.stringify(json);
  const type = form !== undefined ? 'application/x-www-form-urlencoded' : 'application/json';
  const asked = (tls ? httpsRequest : httpRequest)({
    host: '127.0.0.1',
    port,
    path,
    method: body === '' ? 'GET' : 'POST',
    localAddress: from,
    agent: false,
    headers: { ...(body !== '' && { 'content-type': type, 'content-length': Buffer.byteLength(body) }), ...headers },
    ...(tls && { ca: authority.cert }),
  });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += String(chunk);
  return { status: answer.statusCode!, headers: answer.headers, body: text };
}

const printed = (what: string): number =>
  Number(new RegExp(`${what} +https://127\\.0\\.0\\.1:(\\d+)/`).exec(stack.stdout)![1]);
/** A page of the front desk on its own port, and by way of the proxy. */
const desk = (path: string, sent: Sent): Promise<Answer> => send(printed('Front desk'), path, sent, true);
const inner = (path: string, { headers, ...sent }: Sent): Promise<Answer> =>
  send(
    stack.proxyPort,
    `http://schoolgate.internal${path}`,
    { ...sent, headers: { host: 'schoolgate.internal', ...headers } },
    false,
  );
/** A page of a site through the proxy. */
const open = (from: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
  const host = `open.test:${origin.http.port}`;
  return send(stack.proxyPort, `http://${host}/`, { from, headers: { host, ...headers } }, false);
};
/** What marks a form as shown to this device; a page with a form is shown to everybody. */
const token = async (way: typeof desk, from: string): Promise<string> =>
  /name="token" value="([\w-]+)"/.exec((await way('/report', { from })).body)![1]!;
const basic = (name: string, password: string): Record<string, string> => ({
  'proxy-authorization': `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});
const sessions = (): string[] =>
  stack.rows('SELECT address FROM device_sessions').map(({ address }) => String(address));

/** Fields in which a client can claim to be somebody else. */
const forgedAs = (address: string): Record<string, string> => ({
  'x-forwarded-for': address,
  forwarded: `for=${address}`,
  'x-real-ip': address,
  'schoolgate-client': address,
});

void t.test('a device is where its connection comes from, whatever it says of itself', async (t) => {
  for (const [way, from] of [
    [desk, OWN],
    [inner, OTHER],
  ] as const) {
    const form = { token: await token(way, from), name: 'ann', password: STAFF_PASSWORD };
    t.equal((await way('/sign-in', { from, form, headers: forgedAs(GUESSER) })).status, 303);
    t.same(sessions(), [from]);
    await until('the device is known', async () => (await open(from)).status === 200, 5_000);
    t.equal((await open(GUESSER, forgedAs(from))).status, 407, 'nobody is somebody by a field');
    t.match((await way('/sign-in', { from: GUESSER, headers: forgedAs(from) })).body, 'id="password"');
    await way('/sign-out', { from: GUESSER, form: { token: await token(way, GUESSER) }, headers: forgedAs(from) });
    t.same(sessions(), [from], 'nor signs them out');
    await way('/sign-out', { from, form: { token: await token(way, from) } });
    t.same(sessions(), []);
  }
});

void t.test('an address that several people share never gets a session, whatever is sent from it', async (t) => {
  for (const way of [desk, inner]) {
    const form = { token: await token(way, SHARED), name: 'ann', password: STAFF_PASSWORD };
    for (const headers of [{}, forgedAs(OWN)]) {
      const answer = await way('/sign-in', { from: SHARED, form, headers });
      t.match(answer, { status: 200, body: 'You cannot sign in on this page' });
    }
    const others = { ...form, token: await token(way, OWN) };
    t.equal((await way('/sign-in', { from: SHARED, form: others })).status, 403, 'with the form of another device');
  }
  t.same(sessions(), []);
  t.equal((await open(SHARED)).status, 407);
  t.equal((await open(SHARED, basic('ann', STAFF_PASSWORD))).status, 200, 'who says who they are with each request');
  t.equal((await open(SHARED)).status, 407, 'and nobody else there');
});

void t.test('what is no name or password is refused at every door, and all goes on', async (t) => {
  const names = ['x'.repeat(10_240), 'a\0nn', 'é'.repeat(5_000), '\u202enna', 'ann\0', "' OR 1=1 --"];
  for (const [i, name] of names.entries()) {
    const what = JSON.stringify(name.slice(0, 12));
    const [way, from] = [i % 2 === 0 ? desk : inner, `127.0.1.${i + 1}`];
    const asked = { token: await token(way, from) };
    const password = `pass\0${i}`;
    t.equal((await way('/sign-in', { from, form: { ...asked, name, password } })).status, 401, what);
    t.equal((await way('/guest', { from, form: { ...asked, code: name } })).status, 401, `${what} as a code`);
    const change = { ...asked, name, current: 'x', next: password, again: 'n' };
    t.equal((await way('/password', { from, form: change })).status, 401, `${what} for another password`);
    t.equal((await open(`127.0.2.${i + 1}`, basic(name, 'x'))).status, 407, `${what} at the proxy`);
    const signIn = { userName: name, password: name, code: '' };
    const console = await send(printed('Console'), '/api/v1/session', { from: `127.0.3.${i + 1}`, json: signIn }, true);
    t.ok([400, 401].includes(console.status), `${what} at the console: ${console.status}`);
  }
  for (const value of [
    'Basic',
    'Basic =',
    'Basic !!!!',
    'Basic YW5u',
    `Basic ${'A'.repeat(12_000)}`,
    'Negotiate abc',
  ]) {
    t.ok([407, 431].includes((await open('127.0.2.99', { 'proxy-authorization': value })).status), value.slice(0, 20));
  }
  t.equal((await open(OTHER, basic('tess', STAFF_PASSWORD))).status, 200);
  t.match(await stack.health(), { status: /ok|degraded/ });
});

void t.test(
  'guessing is answered 429 with a time to wait, for the name over all devices and for the device over all names',
  async (t) => {
    const form = { token: await token(desk, GUESSER), name: 'lou', password: 'guess' };
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) {
      const from = `127.0.4.${i + 1}`;
      statuses.push(
        (await desk('/sign-in', { from, form: { ...form, token: await token(desk, from), password: `${i}` } })).status,
      );
    }
    t.same(statuses, [401, 401, 401, 401, 401]);
    const held = await desk('/sign-in', { from: GUESSER, form });
    t.equal(held.status, 429);
    const wait = Number(held.headers['retry-after']);
    t.ok(wait > 0 && wait <= 30, `${wait} s`);
    t.equal(
      (await open(OTHER, basic('lou', STAFF_PASSWORD))).status,
      407,
      'nor at the proxy, not even with the right one',
    );
    for (let i = 0; i < 20; i++) await desk('/sign-in', { from: GUESSER, form: { ...form, name: `n${i}` } });
    const stuffed = await desk('/sign-in', {
      from: GUESSER,
      form: { ...form, name: 'tess', password: STAFF_PASSWORD },
    });
    t.equal(stuffed.status, 429);
    t.ok(Number(stuffed.headers['retry-after']) > 0);
    const guess = { userName: 'lou', password: 'guess', code: '' };
    const answers: Answer[] = [];
    for (let i = 0; i < 8; i++)
      answers.push(await send(printed('Console'), '/api/v1/session', { from: GUESSER, json: guess }, true));
    t.same(new Set(answers.map(({ status }) => status)), new Set([401, 429]));
  },
);

void t.test('name and password travel to the proxy over TLS', async (t) => {
  const ca = file('authority.pem', authority.cert);
  const curl = async (user: string): Promise<string> => {
    const proxy = ['-x', `https://127.0.0.1:${tlsPort}`, '--proxy-cacert', ca, '--noproxy', '', '-U', user];
    const args = ['-q', '-s', '-k', '-m', '20', '-o', '/dev/null', '-w', '%{http_code} %{http_connect}', ...proxy];
    const url = `https://open.test:${origin.https.port}/`;
    return (await promisify(execFile)('curl', [...args, url]).catch((error: { stdout: string }) => error)).stdout;
  };
  t.equal(await curl(`tess:${STAFF_PASSWORD}`), '200 200');
  t.equal(await curl('tess:wrong'), '000 407');
});
