// What somebody means badly, at every door of the console and at every form behind them.
import t, { type Test } from 'tap';
import { ALL_ROLES } from '../../src/identity/roles.ts';
import { newToken } from '../../src/identity/token.ts';
import { appCode, keyOn, shownByApp } from '../helpers/authenticator.ts';
import { deleteFactor } from '../../src/identity/staff/repository.ts';
import {
  PASSWORD,
  type TestBrowser,
  type TestConsole,
  addPerson,
  openSession,
  personIdOf,
  signedIn,
  testBrowser,
  testConsole,
} from '../helpers/test-console.ts';

const ID = '01J00000000000000000000009';
const COOKIE = 'schoolgate-session';

async function school(t: Test): Promise<TestConsole> {
  const console = await testConsole();
  t.teardown(() => console.close());
  await addPerson(console, 'all', ALL_ROLES);
  await addPerson(console, 'tess', ['teacher']);
  return console;
}

/** Every form of the console, and an address of its. */
function forms({ app }: TestConsole): { url: string; access: string }[] {
  return app.routeAccess
    .filter(({ method, url }) => method === 'POST' && !url.startsWith('/api/'))
    .map(({ url, access }) => ({
      access,
      url: url
        .replace(':session', 'a'.repeat(64))
        .replace(/:(hash|sha256)/, 'a'.repeat(64))
        .replace(':token', newToken())
        .replace(/:(serial|seq)/, '1')
        .replace(/:\w+/g, ID),
    }));
}

/** Their fields are named by what a file holds, and read by the room that knows the file. */
const OF_FILES = /^\/people\/import$|^\/policy\/drafts\/\w+\/(?:form|rebase)$/;

const credentials = (console: TestConsole): Record<string, string> => ({
  userName: 'tess',
  password: PASSWORD,
  code: appCode(console),
});

void t.test('a session is never one that somebody else chose', async (t) => {
  const console = await school(t);
  const attackers = openSession(console, 'all');
  for (const planted of [newToken(), attackers]) {
    const victim = testBrowser(console.app);
    victim.cookies.set(COOKIE, planted);
    const { status } = await victim.post('/sign-in', '/sign-in', credentials(console));
    t.equal(status, 303);
    t.not(victim.cookies.get(COOKIE), planted);
    const behind = console.sessions.authenticate(planted);
    t.equal(behind, null, 'what was planted is nobody’s');
  }
});

void t.test('whoever held a token before its session could do more holds nothing', async (t) => {
  const console = await school(t);
  const tess = personIdOf(console, 'tess');
  const browser = signedIn(console, 'tess');
  const rotated = async (act: () => Promise<{ status: number }>, what: string): Promise<void> => {
    const before = browser.cookies.get(COOKIE)!;
    t.ok((await act()).status < 400, what);
    t.not(browser.cookies.get(COOKIE), before, `${what}: another token`);
    t.equal(console.sessions.authenticate(before), null);
  };
  await rotated(() => browser.post('/confirm', '/confirm', { password: PASSWORD }), 'the password again');
  console.record.write((tx) => deleteFactor(tx, tess));
  const page = '/account/second-factor';
  const code = shownByApp(keyOn((await browser.get(page)).body), console.clock());
  await rotated(() => browser.post(page, page, { code }), 'an app');
  const next = 'four wholly other words';
  const form = { current: PASSWORD, next, again: next };
  const changed = await browser.post('/account/password', '/account/password', form);
  t.match(changed, { status: 303, location: '/sign-in?changed=1' });
  t.notOk(browser.cookies.has(COOKIE));
});

void t.test('no form is taken without the token of its page', async (t) => {
  const console = await school(t);
  for (const { url, access } of forms(console)) {
    const browser = access === 'public' ? testBrowser(console.app) : signedIn(console, 'all');
    const answer = await browser.post('/', url, { _csrf: 'made-up' }, null);
    t.match(answer, { status: 403, body: /This page was open for too long/ }, url);
  }
});

void t.test('no form takes a field that it does not have', async (t) => {
  const console = await school(t);
  const before = state(console);
  for (const { url, access } of forms(console)) {
    // It says nothing, so that there is nothing to be added to it.
    if (url === '/sign-out') continue;
    const browser = access === 'public' ? testBrowser(console.app) : signedIn(console, 'all');
    const more = { roles_of: 'me', personId: ID, isConfirmed: 'true', lacksFactor: 'false', madeBy: ID };
    const { status } = await browser.post('/sign-in', url, more);
    t.ok(OF_FILES.test(url) ? status >= 400 : status === 400, `${url} was answered ${status}`);
  }
  const doors: [url: string, fields: Record<string, string>][] = [
    ['/sign-in', credentials(console)],
    ['/confirm', { password: PASSWORD }],
    ['/account/password', { current: PASSWORD, next: 'four wholly other words', again: 'four wholly other words' }],
  ];
  for (const [url, fields] of doors) {
    const browser = url === '/sign-in' ? testBrowser(console.app) : signedIn(console, 'tess');
    t.equal((await browser.post('/sign-in', url, { ...fields, roles: 'headteacher' })).status, 400, url);
  }
  t.same(state(console), before, 'and nothing was done');
});

function state({ record }: TestConsole): unknown {
  const tables = ['people', 'person_roles', 'passwords', 'second_factors', 'invitations', 'sealed_credential'];
  return record.read((tx) => tables.map((table) => tx.all(`SELECT * FROM ${table}`)));
}

void t.test('no page of ours is shown within another', async (t) => {
  const console = await school(t);
  const pages = console.app.routeAccess.filter(
    ({ method, url }) => method === 'GET' && !/[:*]|^\/api|static/.test(url),
  );
  for (const { url, access } of pages) {
    const browser = access === 'public' ? testBrowser(console.app) : signedIn(console, 'all');
    const { headers } = await browser.get(url);
    t.match(
      String(headers['content-security-policy']),
      /frame-ancestors 'none'.*base-uri 'none'|base-uri 'none'.*frame-ancestors 'none'/,
      url,
    );
    t.ok(headers['x-frame-options'], url);
  }
});

void t.test('every door where a secret is tried is rationed', async (t) => {
  const console = await school(t);
  const tried = (url: string, browser: TestBrowser) => browser.post('/', url, {}, null);
  const doors: [url: string, aMinute: number][] = [
    ['/sign-in', 30],
    [`/join/${newToken()}`, 30],
    ['/confirm', 30],
    ['/account/password', 30],
    ['/account/second-factor', 30],
    ['/sealed-credential', 10],
  ];
  for (const [url, aMinute] of doors) {
    const browser = signedIn(console, 'tess');
    const statuses: number[] = [];
    for (let i = 0; i <= aMinute; i++) statuses.push((await tried(url, browser)).status);
    t.notOk(statuses.slice(0, aMinute).includes(429), `${url} is open`);
    t.equal(statuses.at(-1), 429, `${url} closes after ${aMinute}`);
  }
  // What a client says of where it comes from is not believed.
  const api = (_: unknown, i: number) =>
    console.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload: {},
      headers: { 'x-forwarded-for': `10.0.0.${i}` },
    });
  const answers = await Promise.all(Array.from({ length: 31 }, api));
  t.equal(answers.at(-1)!.statusCode, 429);
});
