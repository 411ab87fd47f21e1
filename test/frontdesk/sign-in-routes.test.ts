import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import t from 'tap';
import type { FrontDeskOptions } from '../../src/frontdesk/app.ts';
import type { DeskDevices } from '../../src/frontdesk/sign-in-forms.ts';
import type { DeviceAnswer } from '../../src/identity/signed-in-devices.ts';
import { makeDesk, NOW } from './desk.ts';

const CLIENT = '10.1.2.3';
const SIGNED_IN: DeviceAnswer = {
  state: 'signed-in',
  userName: 'a.<smith>',
  fullName: 'Ann & Smith',
  until: Date.parse('2026-11-23T18:00:00Z'),
};

interface Rig {
  readonly app: FastifyInstance;
  /** `name/password/address` of each attempt. */
  readonly asked: string[];
  readonly signedOut: string[];
  readonly post: (
    path: string,
    fields: Record<string, string>,
    headers?: Record<string, string>,
  ) => Promise<LightMyRequestResponse>;
  /** The token that the page shows to this client. */
  readonly token: (from?: string) => Promise<string>;
}

async function rig(
  answer: DeviceAnswer,
  change: Partial<FrontDeskOptions> = {},
  atFirst: DeviceAnswer = { state: 'nobody' },
): Promise<Rig> {
  const [asked, signedOut]: [string[], string[]] = [[], []];
  const devices: DeskDevices = {
    signIn: async (name, password, address) => (asked.push(`${name}/${password}/${address}`), answer),
    signInGuest: async (code, address) => (asked.push(`${code}/${address}`), answer),
    signOut: async (address) => (signedOut.push(address), { state: 'nobody' }),
    changePassword: async (change) => (asked.push(JSON.stringify(change)), answer),
    accept: async (ticket, version, address) => (asked.push(`${ticket}/${version}/${address}`), answer),
    at: async () => atFirst,
  };
  const app = await makeDesk([], { devices, pagesPerMinute: 1000, ...change });
  t.teardown(() => app.close());
  const headers = { 'content-type': 'application/x-www-form-urlencoded', host: 'desk.test' };
  return {
    app,
    asked,
    signedOut,
    post: async (url, fields, more = {}) =>
      app.inject({
        method: 'POST',
        url,
        headers: { ...headers, ...more },
        remoteAddress: CLIENT,
        payload: new URLSearchParams(fields).toString(),
      }),
    token: async (from = CLIENT) => {
      const page = await app.inject({ url: '/sign-in', remoteAddress: from });
      return /name="token" value="([\w-]+)"/.exec(page.body)![1]!;
    },
  };
}

void t.test(
  'the form asks for name and password, and what is typed goes to the console with the device’s address',
  async (t) => {
    const { app, post, token, asked } = await rig(SIGNED_IN);
    const page = await app.inject({ url: '/sign-in', remoteAddress: CLIENT });
    t.match(page.body, /<label for="name">/);
    t.match(page.body, /type="password"/);
    t.match(page.headers, { 'cache-control': 'no-store', 'referrer-policy': 'same-origin' });
    t.notOk('set-cookie' in page.headers, 'the address is what binds');
    const fields = { token: await token(), name: ' a.smith ', password: ' päss word ' };
    const forged = { 'x-forwarded-for': '10.9.9.9', 'schoolgate-client': '10.9.9.9', origin: 'http://desk.test' };
    const answer = await post('/sign-in', fields, forged);
    t.equal(answer.statusCode, 303);
    t.equal(answer.headers.location, '/sign-in');
    t.same(asked, [`a.smith/ päss word /${CLIENT}`]);
  },
);

void t.test('on the gateway’s own socket the gateway says whose device it is', async (t) => {
  const { app } = await rig(SIGNED_IN, { clientFrom: 'gateway' });
  t.equal((await app.inject({ url: '/sign-in' })).statusCode, 400);
  const page = await app.inject({ url: '/sign-in', headers: { 'schoolgate-client': '10.7.7.7' } });
  t.equal(page.statusCode, 200);
});

void t.test('whoever is signed in is told who and until when, and can sign out', async (t) => {
  const { app, post, token, signedOut } = await rig(SIGNED_IN, {}, SIGNED_IN);
  const page = await app.inject({ url: '/sign-in', remoteAddress: CLIENT });
  t.match(page.body, 'Ann &amp; Smith');
  t.match(page.body, 'a.&lt;smith&gt;');
  t.match(page.body, 'until 18:00');
  t.notMatch(page.body, 'Do you teach?');
  const staff: DeviceAnswer = { ...SIGNED_IN, isStaff: true };
  const teacher = await rig(staff, {}, staff);
  t.match((await teacher.app.inject({ url: '/sign-in', remoteAddress: CLIENT })).body, 'Do you teach?');
  const answer = await post('/sign-out', { token: await token() });
  t.equal(answer.statusCode, 303);
  t.same(signedOut, [CLIENT]);
});

void t.test('a form that another page sent, or that was made for another device, changes nothing', async (t) => {
  let now = NOW;
  const { post, token, asked, signedOut } = await rig(SIGNED_IN, { clock: () => now });
  const good = { name: 'a', password: 'b' };
  const own = await token();
  const table: [string, Record<string, string>, Record<string, string>][] = [
    ['no token', good, {}],
    ['made up', { ...good, token: 'x'.repeat(own.length) }, {}],
    ['another device’s', { ...good, token: await token('10.1.2.4') }, {}],
    ['another site’s page', { ...good, token: own }, { origin: 'http://evil.test' }],
  ];
  for (const [what, fields, headers] of table) {
    for (const path of ['/sign-in', '/sign-out']) t.equal((await post(path, fields, headers)).statusCode, 403, what);
  }
  now += 3 * 3_600_000;
  t.equal((await post('/sign-in', { ...good, token: own })).statusCode, 403, 'open for three hours');
  t.same([asked, signedOut], [[], []]);
});

void t.test('every answer has its status and says what to do', async (t) => {
  const table: [DeviceAnswer, number, RegExp][] = [
    [{ state: 'wrong' }, 401, /user name or the password is not right/],
    [{ state: 'held', forMs: 61_000 }, 429, /Try again in 2 minutes/],
    [{ state: 'suspended' }, 403, /has stopped your access/],
    [{ state: 'shared' }, 200, /same address as this device/],
    [{ state: 'no-answer' }, 503, /Try again in a minute/],
  ];
  for (const [answer, status, words] of table) {
    const { post, token } = await rig(answer);
    const page = await post('/sign-in', { token: await token(), name: '"><script>', password: 'hidden words' });
    t.equal(page.statusCode, status, answer.state);
    t.match(page.body, words, answer.state);
    t.notMatch(page.body, /hidden words|<script>/);
    if (status === 429) t.equal(page.headers['retry-after'], '61');
    if (status === 401) t.match(page.body, /<title>Error: Sign in/);
  }
});

void t.test('a guest types the code of a voucher', async (t) => {
  const good = await rig(SIGNED_IN);
  const answer = await good.post('/guest', { token: await good.token(), code: ' k7mp-2qxr ' });
  t.equal(answer.statusCode, 303);
  t.same(good.asked, [`k7mp-2qxr/${CLIENT}`]);
  t.equal((await good.post('/guest', { code: 'k7mp-2qxr' })).statusCode, 403, 'without a token');
  const { post, token } = await rig({ state: 'wrong' });
  const wrong = await post('/guest', { token: await token(), code: '"><b>' });
  t.equal(wrong.statusCode, 401);
  t.match(wrong.body, /href="#code">This code is not good/);
  t.notMatch(wrong.body, '<b>');
  t.equal((await post('/guest', { token: await token(), code: ' ' })).statusCode, 422);
});

void t.test('what is missing is said beside its field and at the top, and nobody is asked', async (t) => {
  const { post, token, asked } = await rig(SIGNED_IN);
  const page = await post('/sign-in', { token: await token(), name: '  ', password: '' });
  t.equal(page.statusCode, 422);
  for (const field of ['name', 'password']) {
    t.match(page.body, `href="#${field}"`);
    t.match(page.body, `aria-describedby="${field}-error"`);
  }
  t.same(asked, []);
});

void t.test('strange bodies are refused or looked at like any other', async (t) => {
  const { app, post, token, asked } = await rig({ state: 'wrong' });
  const long = await post('/sign-in', { token: await token(), name: 'x'.repeat(10_240), password: 'a\0b' });
  t.equal(long.statusCode, 401);
  t.equal(asked.length, 1);
  t.ok(long.body.length < 6_000, 'a long name does not come back whole');
  t.equal((await post('/sign-in', { token: await token(), name: 'x'.repeat(100_000) })).statusCode, 413);
  const json = await app.inject({ method: 'POST', url: '/sign-in', payload: { name: 'a' }, remoteAddress: CLIENT });
  t.equal(json.statusCode, 403);
});

void t.test('guessing at speed is stopped by address', async (t) => {
  const { post, token } = await rig({ state: 'wrong' });
  const fields = { token: await token(), name: 'a', password: 'b' };
  const statuses: number[] = [];
  for (let i = 0; i < 32; i++) statuses.push((await post('/sign-in', fields)).statusCode);
  t.same(new Set(statuses.slice(0, 30)), new Set([401]));
  t.same(statuses.slice(30), [429, 429]);
});

const TEMPORARY: DeviceAnswer = {
  state: 'password',
  userName: 'a.<smith>',
  fullName: 'Ann & Smith',
  ticket: 'tick"et',
  fault: null,
};

void t.test('the password of a card leads to the form for another one, with what shows who it is', async (t) => {
  const { post, token } = await rig(TEMPORARY);
  const page = await post('/sign-in', { token: await token(), name: 'a.smith', password: 'bkt-294' });
  t.equal(page.statusCode, 200);
  t.match(page.body, 'Ann &amp; Smith');
  t.match(page.body, 'name="ticket" value="tick&quot;et"');
  t.notMatch(page.body, /bkt-294|id="current"/);
  for (const id of ['next', 'again']) t.match(page.body, `id="${id}"`);
});

void t.test('a new password is passed on with the ticket, and whoever has it is signed in', async (t) => {
  const { post, token, asked } = await rig(SIGNED_IN);
  const fields = { token: await token(), ticket: 'x.y', next: ' new words ', again: 'new' };
  const answer = await post('/password', fields);
  t.equal(answer.statusCode, 303);
  t.equal(answer.headers.location, '/sign-in');
  const change = { ticket: 'x.y', name: '', current: '', next: ' new words ', again: 'new', address: CLIENT };
  t.same(JSON.parse(asked[0]!), change);
  t.equal((await post('/password', { ticket: 'x.y' })).statusCode, 403, 'without the form’s token');
  t.equal(asked.length, 1);
});

void t.test('whoever has no ticket types name and password', async (t) => {
  const { app, post, token, asked } = await rig({ state: 'wrong' }, {}, SIGNED_IN);
  const page = await app.inject({ url: '/password', remoteAddress: CLIENT });
  t.match(page.body, 'value="a.&lt;smith&gt;"', 'who is signed in here');
  const missing = await post('/password', { token: await token(), name: ' ', current: '' });
  t.equal(missing.statusCode, 422);
  for (const field of ['name', 'current']) t.match(missing.body, `aria-describedby="${field}-error"`);
  const wrong = await post('/password', {
    token: await token(),
    name: 'a',
    current: 'b',
    next: 'secret words',
    again: 'c',
  });
  t.equal(wrong.statusCode, 401);
  t.match(wrong.body, /<title>Error: Choose your own password/);
  t.notMatch(wrong.body, 'secret words');
  t.equal(asked.length, 1);
});

void t.test('what may become of a new password, and what the page says', async (t) => {
  const table: [DeviceAnswer, number, RegExp][] = [
    [{ ...TEMPORARY, fault: { field: 'again', reason: 'Not <the> same.' } }, 422, /href="#again">Not &lt;the&gt; same/],
    [{ state: 'shared' }, 200, /Your password is changed/],
    [{ state: 'password-stays' }, 403, /your class teacher/],
    [{ state: 'stale' }, 403, /Please sign in again/],
    [{ state: 'held', forMs: 1 }, 429, /Try again in 1 minute\./],
    [{ state: 'no-answer' }, 503, /Try again in a minute/],
  ];
  for (const [answer, status, words] of table) {
    const { post, token } = await rig(answer);
    const page = await post('/password', { token: await token(), ticket: 't', next: 'n', again: 'n' });
    t.equal(page.statusCode, status, answer.state);
    t.match(page.body, words, answer.state);
  }
});

const UNTIL = Date.parse('2026-11-23T18:00:00Z');
const OWED: DeviceAnswer = {
  state: 'agreement',
  userName: 'a.<smith>',
  fullName: 'Ann & Smith',
  until: UNTIL,
  agreement: { version: 'v"1', title: 'Our <rules>', text: ['What you do is <b>monitored</b>.', 'Second.'] },
  ticket: 'x.y',
};

void t.test('whoever has yet to agree is shown the words, and what they accept goes to the console', async (t) => {
  const { app, post, token, asked } = await rig(OWED, {}, OWED);
  for (const url of ['/sign-in', '/agreement']) {
    const page = await app.inject({ url, remoteAddress: CLIENT });
    t.equal(page.statusCode, 200);
    t.match(page.body, '<h1>Our &lt;rules&gt;</h1>');
    t.match(page.body, '<p>What you do is &lt;b&gt;monitored&lt;/b&gt;.</p>');
    t.match(page.body, 'name="version" value="v&quot;1"');
    t.match(page.body, 'action="/sign-out"');
  }
  const signedIn = await post('/sign-in', { token: await token(), name: 'a', password: 'b' });
  t.equal(signedIn.headers.location, '/sign-in', 'loading the page again must not send the password again');
  const fields = { token: await token(), ticket: 'x.y', version: 'v1' };
  const done = await rig(SIGNED_IN);
  t.equal((await done.post('/agreement', fields)).headers.location, '/sign-in');
  t.same(done.asked, [`x.y/v1/${CLIENT}`]);
  t.equal((await post('/agreement', { ticket: 'x.y', version: 'v1' })).statusCode, 403, 'without the form’s token');
  t.equal(asked.length, 1);
  const shared = await rig({ state: 'shared' }, {}, { state: 'shared' });
  t.match((await shared.app.inject({ url: '/agreement', remoteAddress: CLIENT })).body, 'id="password"');
  t.match((await shared.post('/agreement', fields)).body, 'Thank you');
  const alone = await rig({ ...OWED, until: null });
  const page = await alone.post('/sign-in', { token: await alone.token(), name: 'a', password: 'b' });
  t.match(page.body, 'Our &lt;rules&gt;');
  t.notMatch(page.body, 'action="/sign-out"', 'nobody is signed in there');
});

void t.test('whose parent has yet to agree is told whom to ask', async (t) => {
  const consent = { state: 'consent', userName: 'ivo', fullName: 'Ivo', until: UNTIL } as const;
  const { app } = await rig(consent, {}, consent);
  const page = await app.inject({ url: '/agreement', remoteAddress: CLIENT });
  t.match(page.body, /your class teacher/);
  t.match(page.body, 'action="/sign-out"');
});
