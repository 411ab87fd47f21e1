import t from 'tap';
import { appCode } from '../helpers/authenticator.ts';
import { type ControlPlane, testPolicy } from '../helpers/control-plane.ts';
import {
  type Answer,
  PASSWORD,
  addPerson,
  csrfOf,
  openSession,
  signedIn,
  testBrowser,
  testConsole,
} from '../helpers/test-console.ts';
import { policyFiles } from '../policy/small-school.ts';

/** What somebody types at the sign-in; each time it is read, the code is one that was not used yet. */
const credentials = (console: ControlPlane): Record<string, string> => ({
  userName: 'n.manager',
  password: PASSWORD,
  code: appCode(console),
});

async function staffed(options = {}): Promise<Awaited<ReturnType<typeof testConsole>>> {
  const console = await testConsole(options);
  await addPerson(console, 'n.manager', ['network-manager']);
  await addPerson(console, 'h.teacher', ['headteacher']);
  return console;
}

const REQUEST = {
  topic: 'Tudors',
  reason: 'Year 5',
  hosts: 'www.history.example\nmaps.example',
  levels: 'ks2',
  ranges: '',
  from: '2026-11-23T09:00',
  until: '2026-11-23T10:00',
};

void t.test('signing in and out', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  const browser = testBrowser(console.app);
  const asked = await browser.get('/unblocks?x=1');
  t.match(asked, { status: 303, location: '/sign-in?next=%2Funblocks%3Fx%3D1' });
  const page = await browser.get(asked.location!);
  t.match(page.body, /name="next" value="\/unblocks\?x=1"/);

  const wrong = await browser.post('/sign-in', '/sign-in', { ...credentials(console), password: 'wrong password' });
  t.equal(wrong.status, 401);
  t.match(wrong.body, /The user name, the password or the code is not right/);
  t.match(wrong.body, /value="n\.manager"/, 'the name is kept');
  t.notMatch(wrong.body, /wrong password/, 'the password is not');

  const right = await browser.post('/sign-in', '/sign-in', { ...credentials(console), next: '/unblocks' });
  t.match(right, { status: 303, location: '/unblocks' });
  t.match(String(right.headers['set-cookie']), /schoolgate-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict/);
  t.equal((await browser.get('/')).status, 200);
  t.equal((await browser.get('/')).headers['cache-control'], 'no-store');

  const token = browser.cookies.get('schoolgate-session')!;
  const again = await browser.post('/sign-in', '/sign-in', credentials(console));
  t.equal(again.status, 303);
  t.not(browser.cookies.get('schoolgate-session'), token, 'a new session at every sign-in');
  t.equal(console.sessions.authenticate(token), null, 'and the old one has ended');

  t.match(await browser.post('/', '/sign-out', {}), { status: 303, location: '/sign-in' });
  t.notOk(browser.cookies.has('schoolgate-session'));
  t.equal((await browser.get('/')).status, 303);
});

void t.test('a voucher is made, shown once, and withdrawn', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  const browser = signedIn(console, 'n.manager');
  const form = { name: 'Jo <Visitor>', purpose: 'Talk & films', from: '2026-11-23T09:00', until: '2026-11-24T16:00' };
  const wrong = await browser.post('/guests', '/guests', { ...form, name: '', until: '2026-11-23T08:00' });
  t.equal(wrong.status, 422);
  t.match(wrong.body, /href="#name"/);
  t.match(wrong.body, /href="#until"/);
  t.match(wrong.body, 'Talk &amp; films', 'what was typed is kept');
  const made = await browser.post('/guests', '/guests', form);
  t.equal(made.status, 201);
  t.match(made.body, 'Jo &lt;Visitor&gt;');
  const code = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(made.body)![0];
  const list = await browser.get('/guests');
  t.match(list.body, 'Person n.manager', 'who answers for the guest');
  t.notMatch(list.body, code);
  t.match(console.devices.signInGuest(code, '10.20.0.1'), { state: 'signed-in', fullName: 'Jo <Visitor>' });
  const id = /\/guests\/(\w{26})\/withdraw/.exec(list.body)![1]!;
  t.match(await browser.post('/guests', `/guests/${id}/withdraw`, {}), { status: 303, location: '/guests' });
  t.match((await browser.get('/guests')).body, 'Withdrawn');
  t.same(console.devices.at('10.20.0.1'), { state: 'nobody' });

  const headers = { authorization: `Bearer ${openSession(console, 'n.manager')}` };
  const body = { name: 'Al', purpose: 'Audit', until: '2026-11-24T16:00:00Z' };
  const api = await console.app.inject({ method: 'POST', url: '/api/v1/guests', headers, payload: body });
  t.equal(api.statusCode, 201);
  t.match(api.json(), { name: 'Al', sponsor: 'n.manager', state: 'good', code: /^[0-9A-Z-]{14}$/ });
  const listed = await console.app.inject({ url: '/api/v1/guests', headers });
  t.match(listed.json(), { guests: [{ name: 'Al' }, { name: 'Jo <Visitor>', state: 'withdrawn' }] });
  t.notMatch(listed.body, 'code');
});

void t.test('after signing in one stays on our own pages', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '']) {
    const answer = await testBrowser(console.app).post('/sign-in', '/sign-in', { ...credentials(console), next });
    t.match(answer, { status: 303, location: '/' }, next);
  }
});

void t.test('a form is taken from our own page, of the same session, only', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  const manager = signedIn(console, 'n.manager');
  const stale = /This page was open for too long/;
  const none = await manager.post('/unblocks/new', '/unblocks/new', REQUEST, null);
  t.match(none, { status: 403, body: stale }, 'without a token');
  t.match(await manager.post('/unblocks/new', '/unblocks/new', REQUEST, 'made-up'), { status: 403, body: stale });
  const head = signedIn(console, 'h.teacher');
  const heads = csrfOf((await head.get('/unblocks/new')).body);
  manager.cookies.set('schoolgate-csrf', head.cookies.get('schoolgate-csrf')!);
  const others = await manager.post('/unblocks/new', '/unblocks/new', REQUEST, heads);
  t.match(others, { status: 403, body: stale }, 'with another session’s token and cookie');
  t.equal(
    (await testBrowser(console.app).post('/', '/sign-in', credentials(console), null)).status,
    403,
    'signing in as well',
  );
  t.strictSame(console.unblocks.list(9), []);
});

void t.test('the API takes no cookie, and pages no bearer token', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  const token = openSession(console, 'n.manager');
  const ask = async (url: string, headers: Record<string, string>): Promise<number> =>
    (await console.app.inject({ url, headers })).statusCode;
  t.equal(await ask('/api/v1/unblocks', { cookie: `schoolgate-session=${token}` }), 401);
  t.equal(await ask('/api/v1/unblocks', { authorization: `Bearer ${token}` }), 200);
  t.equal(await ask('/', { authorization: `Bearer ${token}` }), 303);
  for (const bad of ['Bearer', 'Bearer x', `Basic ${token}`, `Bearer ${token}x`]) {
    t.equal(await ask('/api/v1/unblocks', { authorization: bad }), 401, bad);
  }
});

void t.test('asking for an unblock: errors beside the fields, what was typed kept', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  const manager = signedIn(console, 'n.manager');
  const script = '"><script>alert(1)</script>';
  const typed = {
    ...REQUEST,
    topic: '',
    reason: script,
    hosts: 'not a host!',
    levels: ['ks1', 'ks2'],
    until: '2026-11-23T08:00',
  };
  const refused = await manager.post('/unblocks/new', '/unblocks/new', typed);
  t.equal(refused.status, 422);
  t.match(refused.body, /<title>Error: Ask for an unblock/);
  for (const field of ['topic', 'hosts', 'until']) {
    t.match(refused.body, `href="#${field}"`, `${field} in the summary`);
    t.match(refused.body, `id="${field}-error"`, `${field} beside it`);
  }
  t.notMatch(refused.body, 'id="reason-error"');
  t.notMatch(refused.body, '<script>', 'what was typed is text');
  t.match(refused.body, '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
  t.match(refused.body, /not[\s\n]a[\s\n]host!/);
  for (const level of ['ks1', 'ks2'])
    t.match(refused.body, new RegExp(`value="${level}" checked`), `${level} stays ticked`);
  t.match(refused.body, 'value="2026-11-23T08:00"');

  const { status, location } = await manager.post('/unblocks/new', '/unblocks/new', REQUEST);
  t.equal(status, 303);
  t.equal(location, `/unblocks/${console.unblocks.list(1)[0]!.id}?done=requested`);
  t.match(console.unblocks.list(9), [
    { hosts: ['www.history.example', 'maps.example'], from: Date.UTC(2026, 10, 23, 9), levels: ['ks2'] },
  ]);
});

void t.test('deciding an unblock: only who may, and whoever comes second sees why not', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  const [manager, head] = [signedIn(console, 'n.manager'), signedIn(console, 'h.teacher')];
  await manager.post('/unblocks/new', '/unblocks/new', { ...REQUEST, topic: '<b>Tudors</b>' });
  const { id } = console.unblocks.list(1)[0]!;
  const page = `/unblocks/${id}`;
  t.match((await manager.get('/unblocks')).body, `href="${page}"`);
  const own = await manager.get(page);
  t.match(own.body, `formaction="${page}/withdraw"`);
  t.notMatch(own.body, `formaction="${page}/approve"`, 'nobody is offered to approve their own');
  t.notMatch(own.body, '<b>Tudors');
  const forced = await manager.post(page, `${page}/approve`, { reason: '' });
  t.match(forced, { status: 403, body: /another person must approve it/ }, 'nor let');

  t.match((await head.get('/')).body, `href="${page}"`, 'it waits on the other’s home page');
  t.match((await head.get(page)).body, `formaction="${page}/approve"`);
  t.match(await head.post(page, `${page}/approve`, { reason: 'ok' }), { status: 303 });
  t.match(await head.post(page, `${page}/approve`, { reason: 'ok' }), { status: 303 }, 'twice is once');
  t.equal(console.acts().filter((act) => act.startsWith('unblock.approved')).length, 1);
  const late = await head.post(page, `${page}/refuse`, { reason: '' });
  t.match(late, { status: 409, body: /This unblock is active, so you cannot refuse it/ });
  t.match(late.body, 'In force');
  t.equal((await head.post('/unblocks', '/unblocks/01J00000000000000000000009/approve', {})).status, 404);
});

void t.test('a site that should be blocked, and what a pupil asked for', async (t) => {
  const console = await staffed({ policyFiles: policyFiles() });
  t.teardown(() => console.close());
  const [manager, head] = [signedIn(console, 'n.manager'), signedIn(console, 'h.teacher')];
  const form = '/unblocks/block';
  const refused = await manager.post(form, form, { key: 'k', sites: 'not a host!', reason: '' });
  t.match(refused, { status: 422, body: /id="sites-error"/ });
  t.match(refused.body, /id="reason-error"/);
  t.match(refused.body, 'not a host!</textarea>');
  for (let i = 0; i < 2; i++) {
    const sent = await manager.post(form, form, { key: 'k', sites: 'bad.example', reason: '<b>It bullies' });
    t.match(sent, { status: 303, location: '/unblocks/asked?done=made' });
  }
  const { id: person } = console.accounts.people()[0]!;
  const [wish] = console.wishes.toAnswer(person);
  t.equal(console.wishes.toAnswer(person).length, 1, 'sent twice is one');
  const list = '/unblocks/asked';
  t.notMatch((await head.get(list)).body, '<b>It');
  const wordless = await head.post(list, `${list}/${wish!.id}/refuse`, { word: '' });
  t.match(wordless, { status: 422, body: `id="word-${wish!.id}-error"` });
  const takeUp = `${list}/${wish!.id}/take-up`;
  const shown = await manager.get(takeUp);
  t.match(shown.body, /value="levels\/junior\.yaml" checked/, 'for every pupil, unless somebody says otherwise');
  t.match(shown.body, '&lt;b&gt;It bullies</textarea>');
  const nowhere = await manager.post(takeUp, takeUp, { reason: 'why' });
  t.match(nowhere, { status: 422, body: /id="places-error"/ });
  const proposal = { places: ['levels/junior.yaml', 'school.yaml'], reason: 'It bullies' };
  const proposed = await manager.post(takeUp, takeUp, proposal);
  t.match(proposed, { status: 303, location: /^\/policy\/drafts\/\w{26}\?done=proposed$/ });
  t.equal((await manager.post(list, takeUp, proposal)).location, proposed.location, 'twice is once');
  t.match((await manager.get(proposed.location!)).body, 'bad.example');
  t.match(await head.post(list, `${list}/${wish!.id}/refuse`, { word: 'no' }), {
    status: 409,
    body: /taken up already/,
  });
  t.match((await head.get(list)).body, `href="${proposed.location!.split('?')[0]}"`);

  const asked = { kind: 'open', sites: 'tudors.example', reason: 'homework' } as const;
  const amy = { personId: person, userName: 'amy.ash', fullName: 'Amy Ash', address: '10.1.2.3' };
  const open = console.wishes.make(amy, asked, null);
  const filled = await head.get(`/unblocks/new?wish=${open.id}`);
  t.match(filled.body, 'tudors.example</textarea>');
  t.match(filled.body, 'amy.ash</textarea>');
  t.match(filled.body, `name="wish" value="${open.id}"`);
  t.match(await head.post('/unblocks/new', '/unblocks/new', { ...REQUEST, levels: 'junior', wish: open.id }), {
    status: 303,
  });
  t.equal(console.wishes.get(person, open.id).state, 'passed-on');
});

void t.test('a policy change through the page', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  const [manager, head] = [signedIn(console, 'n.manager'), signedIn(console, 'h.teacher')];
  const changed = testPolicy({ hash: 'b'.repeat(64), school: '<i>Test</i> Academy' });
  console.disk = { snapshot: changed };
  console.policy.look();
  const page = await manager.get('/policy');
  t.match(page.body, 'Academy');
  t.notMatch(page.body, '<i>Test');
  t.match((await manager.get('/')).body, 'The policy files differ from what is published');
  const { id } = console.policy.status().drafts[0]!;
  const draft = `/policy/drafts/${id}`;
  const { hash } = changed;
  const refused = await manager.post(draft, `${draft}/propose`, { hash, reason: '' });
  t.match(refused, { status: 422, body: /id="reason-error"/ });
  t.equal((await manager.post(draft, `${draft}/propose`, { hash, reason: 'new name' })).status, 303);
  t.equal((await manager.post(draft, `${draft}/propose`, { hash, reason: 'new name' })).status, 303, 'twice is once');
  t.match((await manager.get(draft)).body, 'You proposed this');
  t.match((await head.get('/')).body, 'waits for your approval');
  t.equal((await manager.post(draft, `${draft}/approve`, { hash })).status, 403);
  t.match(await head.post(draft, `${draft}/refuse`, { word: ' ' }), { status: 422, body: /id="word-error"/ });
  t.match(await head.post(draft, `${draft}/approve`, { hash: 'e'.repeat(64) }), { status: 409, body: /changed while/ });
  t.equal((await head.post(draft, `${draft}/approve`, { hash })).status, 303);
  t.match(console.policy.published(), { serial: 2 });
  t.equal((await head.post(draft, `${draft}/approve`, { hash })).status, 303, 'twice is once');
  t.match(console.policy.published(), { serial: 2 });
  console.disk = { problems: [{ file: 'school.yaml', line: 7, reason: 'no <script>' }] };
  console.policy.look();
  for (const url of ['/', '/policy']) t.match((await head.get(url)).body, 'school.yaml:7: no &lt;script&gt;', url);
});

void t.test('first links', async (t) => {
  const console = await testConsole();
  t.teardown(() => console.close());
  const link = console.accounts.makeFirstLinks().find(({ role }) => role === 'headteacher')!;
  const browser = testBrowser(console.app);
  const path = `/join/${link.token}`;
  const page = await browser.get(path);
  t.match(page.body, /account of the <strong>headteacher/);
  t.equal(page.headers['referrer-policy'], 'no-referrer');
  const typed = { userName: 'h.teacher', fullName: 'Helen <b>', password: 'short', again: 'short' };
  const refused = await browser.post(path, path, typed);
  t.match(refused, { status: 422, body: /id="password-error"/ });
  t.match(refused.body, 'value="Helen &lt;b&gt;"');
  const differing = await browser.post(path, path, { ...typed, password: PASSWORD, again: `${PASSWORD}!` });
  t.match(differing, { status: 422, body: /id="again-error"/ });
  const made = await browser.post(path, path, { ...typed, password: PASSWORD, again: PASSWORD });
  t.match(made, { status: 303, location: '/sign-in?joined=1' });
  t.match((await browser.get('/sign-in?joined=1')).body, 'Your account is ready');
  t.equal((await browser.get(path)).status, 410);
  t.match(await browser.post('/sign-in', path, { ...typed, password: PASSWORD, again: PASSWORD }), { status: 410 });
});

void t.test('what nobody sends by accident', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  const manager = signedIn(console, 'n.manager');
  const more = await manager.post('/unblocks/new', '/unblocks/new', { ...REQUEST, state: 'approved' });
  t.equal(more.status, 400, 'a field that the form does not have');
  t.equal(
    (await manager.post('/unblocks/new', '/unblocks/new', { ...REQUEST, reason: 'x'.repeat(70_000) })).status,
    413,
  );
  t.equal((await manager.get('/static/../../../etc/passwd')).status, 404);
  t.equal((await manager.get('/static/%2e%2e/app.ts')).status, 404);
  t.equal((await manager.get('/unblocks/nothing/here')).status, 404);
  t.equal((await manager.post('/unblocks', '/unblocks/x/approve', {})).status, 400);
  t.equal((await manager.post('/unblocks', '/unblocks/01J00000000000000000000009/expire', {})).status, 404);
  const inject = (payload: string, contentType = 'application/json') =>
    console.app.inject({ method: 'POST', url: '/api/v1/session', payload, headers: { 'content-type': contentType } });
  for (const payload of ['', '{', '[]', '{"userName":1,"password":2}', '{"userName":"a","password":"b","roles":[]}']) {
    const answer = await inject(payload);
    t.equal(answer.statusCode, 400, payload);
    t.match(answer.json(), { message: String }, payload);
  }
  t.equal((await inject('userName=a', 'text/plain')).statusCode, 415);
});

void t.test('every page carries the headers that keep a browser safe', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  const manager = signedIn(console, 'n.manager');
  const answers: Answer[] = [];
  for (const url of [
    '/',
    '/sign-in',
    '/unblocks',
    '/unblocks/new',
    '/policy',
    '/nothing',
    '/join/x',
    '/api/v1/status',
  ]) {
    answers.push(await manager.get(url));
  }
  for (const { headers, body } of answers) {
    const policy = String(headers['content-security-policy']);
    t.match(policy, "default-src 'none'");
    t.match(policy, "frame-ancestors 'none'");
    t.notMatch(policy, 'unsafe-inline');
    t.equal(headers['x-content-type-options'], 'nosniff');
    t.notMatch(body, /<script|<style|\sstyle=|\son\w+=/, 'nothing inline that the policy would stop');
  }
});

void t.test('one address cannot ask without end', async (t) => {
  const console = await staffed({ requestsPerMinute: 20 });
  t.teardown(() => console.close());
  const answers = [];
  for (let i = 0; i < 25; i++) answers.push(await console.app.inject('/sign-in'));
  t.equal(answers.filter(({ statusCode }) => statusCode === 429).length, 5);
  t.match(answers.at(-1)!.headers, { 'retry-after': String });
  t.match(answers.at(-1)!.body, 'Too many requests');
});

void t.test('style sheets name no typeface that is licensed for government only', async (t) => {
  const console = await testConsole();
  t.teardown(() => console.close());
  const { body, headers, statusCode } = await console.app.inject('/static/govuk-frontend.css');
  t.match({ statusCode, headers }, { statusCode: 200, headers: { 'content-type': 'text/css; charset=utf-8' } });
  t.match(body, '.govuk-button');
  t.notMatch(body, /GDS Transport|@font-face|sourceMappingURL/);
  const again = { url: '/static/govuk-frontend.css', headers: { 'if-none-match': String(headers.etag) } };
  t.match(await console.app.inject(again), { statusCode: 304, body: '' });
});
