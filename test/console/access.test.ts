import t from 'tap';
import type { Access } from '../../src/console/decorations.ts';
import { CONFIRMED_MS } from '../../src/identity/accounts.ts';
import { may } from '../../src/identity/permissions.ts';
import { ALL_ROLES } from '../../src/identity/roles.ts';
import { PASSWORD, addPerson, csrfOf, openSession, signedIn, testConsole } from '../helpers/test-console.ts';

const ID = '01J00000000000000000000000';

/** Every route, what to ask for it, and whom it is for. A route that is not here fails the test. */
const ROUTES: readonly [route: string, url: string, access: Access][] = [
  ['GET /static/govuk-frontend.css', '/static/govuk-frontend.css', 'public'],
  ['GET /static/console.css', '/static/console.css', 'public'],
  ['GET /static/icon.svg', '/static/icon.svg', 'public'],
  ['GET /health', '/health', 'public'],
  ['GET /metrics', '/metrics', 'public'],
  ['GET /sign-in', '/sign-in', 'public'],
  ['POST /sign-in', '/sign-in', 'public'],
  ['GET /join/:token', '/join/abc', 'public'],
  ['POST /join/:token', '/join/abc', 'public'],
  ['GET /sealed-credential', '/sealed-credential', 'public'],
  ['POST /sealed-credential', '/sealed-credential', 'public'],
  ['POST /sign-out', '/sign-out', 'signed-in'],
  ['POST /purpose', '/purpose', 'signed-in'],
  ['GET /audit', '/audit', 'audit.see'],
  ['GET /audit/rows/:seq', '/audit/rows/1', 'audit.see'],
  ['GET /audit/governors', '/audit/governors', 'audit.review'],
  ['GET /audit/looks', '/audit/looks', 'audit.see'],
  ['GET /', '/', 'home.see'],
  ['GET /unblocks', '/unblocks', 'unblock.see'],
  ['GET /unblocks/new', '/unblocks/new', 'unblock.request'],
  ['POST /unblocks/new', '/unblocks/new', 'unblock.request'],
  ['POST /unblocks/new/needed', '/unblocks/new/needed', 'unblock.request'],
  ['GET /unblocks/asked', '/unblocks/asked', 'unblock.request'],
  ['POST /unblocks/asked/:id/refuse', `/unblocks/asked/${ID}/refuse`, 'unblock.request'],
  ['GET /unblocks/asked/:id/take-up', `/unblocks/asked/${ID}/take-up`, 'policy.propose'],
  ['POST /unblocks/asked/:id/take-up', `/unblocks/asked/${ID}/take-up`, 'policy.propose'],
  ['GET /unblocks/block', '/unblocks/block', 'unblock.request'],
  ['POST /unblocks/block', '/unblocks/block', 'unblock.request'],
  ['GET /unblocks/:id', `/unblocks/${ID}`, 'unblock.see'],
  ['POST /unblocks/:id/agree', `/unblocks/${ID}/agree`, 'unblock.agree'],
  ['POST /unblocks/:id/remark', `/unblocks/${ID}/remark`, 'unblock.request'],
  ['POST /unblocks/:id/approve', `/unblocks/${ID}/approve`, 'unblock.decide'],
  ['POST /unblocks/:id/refuse', `/unblocks/${ID}/refuse`, 'unblock.decide'],
  ['POST /unblocks/:id/withdraw', `/unblocks/${ID}/withdraw`, 'unblock.request'],
  ['POST /unblocks/:id/revoke', `/unblocks/${ID}/revoke`, 'unblock.revoke'],
  ['GET /concerns', '/concerns', 'concerns.see'],
  ['GET /concerns/tuning', '/concerns/tuning', 'concerns.see'],
  ['GET /concerns/:id', `/concerns/${ID}`, 'concerns.see'],
  ['POST /concerns/:id/acknowledge', `/concerns/${ID}/acknowledge`, 'concerns.decide'],
  ['POST /concerns/:id/not-a-concern', `/concerns/${ID}/not-a-concern`, 'concerns.decide'],
  ['POST /concerns/:id/close', `/concerns/${ID}/close`, 'concerns.decide'],
  ['GET /incidents', '/incidents', 'incidents.see'],
  ['GET /incidents/new', '/incidents/new', 'incidents.see'],
  ['POST /incidents/new', '/incidents/new', 'incidents.see'],
  ['GET /incidents/export', '/incidents/export', 'incidents.see'],
  ['POST /incidents/export', '/incidents/export', 'incidents.see'],
  ['GET /incidents/export/:sha256', `/incidents/export/${'0'.repeat(64)}`, 'incidents.see'],
  ['GET /incidents/:id', `/incidents/${ID}`, 'incidents.see'],
  ['POST /incidents/:id/details', `/incidents/${ID}/details`, 'incidents.see'],
  ['POST /incidents/:id/people', `/incidents/${ID}/people`, 'incidents.see'],
  ['POST /incidents/:id/steps', `/incidents/${ID}/steps`, 'incidents.see'],
  ['POST /incidents/:id/actions', `/incidents/${ID}/actions`, 'incidents.see'],
  ['POST /incidents/:id/parents', `/incidents/${ID}/parents`, 'incidents.see'],
  ['POST /incidents/:id/suspend', `/incidents/${ID}/suspend`, 'incidents.see'],
  ['POST /incidents/:id/reporter', `/incidents/${ID}/reporter`, 'incidents.see'],
  ['POST /incidents/:id/take-on', `/incidents/${ID}/take-on`, 'incidents.see'],
  ['POST /incidents/:id/dismiss', `/incidents/${ID}/dismiss`, 'incidents.see'],
  ['POST /incidents/:id/close', `/incidents/${ID}/close`, 'incidents.see'],
  ['POST /incidents/:id/reopen', `/incidents/${ID}/reopen`, 'incidents.see'],
  ['POST /incidents/:id/people/:row/remove', `/incidents/${ID}/people/${ID}/remove`, 'incidents.see'],
  ['POST /incidents/:id/actions/:row/done', `/incidents/${ID}/actions/${ID}/done`, 'incidents.see'],
  ['GET /checks', '/checks', 'checks.see'],
  ['GET /checks/new', '/checks/new', 'checks.record'],
  ['POST /checks/new', '/checks/new', 'checks.record'],
  ['POST /checks/self-test', '/checks/self-test', 'checks.record'],
  ['GET /checks/:id', `/checks/${ID}`, 'checks.see'],
  ['GET /guests', '/guests', 'guests.manage'],
  ['POST /guests', '/guests', 'guests.manage'],
  ['POST /guests/:id/withdraw', `/guests/${ID}/withdraw`, 'guests.manage'],
  ['GET /api/v1/guests', '/api/v1/guests', 'guests.manage'],
  ['POST /api/v1/guests', '/api/v1/guests', 'guests.manage'],
  ['POST /api/v1/guests/:id/withdraw', `/api/v1/guests/${ID}/withdraw`, 'guests.manage'],
  ['GET /policy', '/policy', 'policy.see'],
  ['POST /policy/files/draft', '/policy/files/draft', 'policy.propose'],
  ['POST /policy/files/restore', '/policy/files/restore', 'policy.propose'],
  ['GET /policy/versions', '/policy/versions', 'policy.see'],
  ['GET /policy/versions/:serial', '/policy/versions/1', 'policy.see'],
  ['POST /policy/versions/:serial/revert', '/policy/versions/1/revert', 'policy.propose'],
  ['POST /policy/versions/:serial/review', '/policy/versions/1/review', 'policy.review'],
  ['POST /policy/drafts', '/policy/drafts', 'policy.propose'],
  ['GET /policy/drafts/:id', `/policy/drafts/${ID}`, 'policy.see'],
  ['GET /policy/drafts/:id/form', `/policy/drafts/${ID}/form?file=school.yaml`, 'policy.propose'],
  ['POST /policy/drafts/:id/form', `/policy/drafts/${ID}/form?file=school.yaml`, 'policy.propose'],
  ['GET /policy/drafts/:id/yaml', `/policy/drafts/${ID}/yaml?file=school.yaml`, 'policy.propose'],
  ['POST /policy/drafts/:id/yaml', `/policy/drafts/${ID}/yaml?file=school.yaml`, 'policy.propose'],
  ['GET /policy/drafts/:id/rebase', `/policy/drafts/${ID}/rebase`, 'policy.propose'],
  ['POST /policy/drafts/:id/rebase', `/policy/drafts/${ID}/rebase`, 'policy.propose'],
  ['POST /policy/drafts/:id/propose', `/policy/drafts/${ID}/propose`, 'policy.propose'],
  ['POST /policy/drafts/:id/alone', `/policy/drafts/${ID}/alone`, 'policy.propose'],
  ['POST /policy/drafts/:id/emergency', `/policy/drafts/${ID}/emergency`, 'policy.emergency'],
  ['POST /policy/drafts/:id/approve', `/policy/drafts/${ID}/approve`, 'policy.decide'],
  ['POST /policy/drafts/:id/refuse', `/policy/drafts/${ID}/refuse`, 'policy.decide'],
  ['POST /policy/drafts/:id/withdraw', `/policy/drafts/${ID}/withdraw`, 'policy.propose'],
  ['GET /alerts', '/alerts', 'alerts.see'],
  ['GET /alerts/:id', `/alerts/${ID}`, 'alerts.see'],
  ['POST /alerts/:id/notice', `/alerts/${ID}/notice`, 'alerts.see'],
  ['GET /api/v1/alerts', '/api/v1/alerts', 'alerts.see'],
  ['POST /api/v1/alerts/:id/notice', `/api/v1/alerts/${ID}/notice`, 'alerts.see'],
  ['GET /lessons', '/lessons', 'lessons.give'],
  ['GET /lessons/new', '/lessons/new', 'lessons.give'],
  ['POST /lessons/new', '/lessons/new', 'lessons.give'],
  ['POST /lessons/:id/end', `/lessons/${ID}/end`, 'lessons.give'],
  ['POST /lessons/:id/prolong', `/lessons/${ID}/prolong`, 'lessons.give'],
  ['POST /lessons/:id/add', `/lessons/${ID}/add`, 'lessons.give'],
  ['GET /lessons/look-up', '/lessons/look-up', 'lessons.give'],
  ['POST /lessons/look-up', '/lessons/look-up', 'lessons.give'],
  ['GET /accounts', '/accounts', 'accounts.see'],
  ['GET /accounts/invite', '/accounts/invite', 'accounts.appoint'],
  ['POST /accounts/invite', '/accounts/invite', 'accounts.appoint'],
  ['POST /accounts/invitations/:hash/withdraw', `/accounts/invitations/${'a'.repeat(64)}/withdraw`, 'accounts.appoint'],
  ['POST /accounts/:id/reset-app', `/accounts/${ID}/reset-app`, 'accounts.appoint'],
  ['GET /accounts/sessions', '/accounts/sessions', 'sessions.end'],
  ['POST /accounts/sessions/:session/end', `/accounts/sessions/${'a'.repeat(64)}/end`, 'sessions.end'],
  ['GET /api/v1/sessions', '/api/v1/sessions', 'sessions.end'],
  ['DELETE /api/v1/sessions/:session', `/api/v1/sessions/${'a'.repeat(64)}`, 'sessions.end'],
  ['GET /accounts/sealed-credential', '/accounts/sealed-credential', 'sealed-credential.make'],
  ['POST /accounts/sealed-credential', '/accounts/sealed-credential', 'sealed-credential.make'],
  ['GET /accounts/:id', `/accounts/${ID}`, 'accounts.appoint'],
  ['POST /accounts/:id/roles', `/accounts/${ID}/roles`, 'accounts.appoint'],
  ['GET /api/v1/accounts', '/api/v1/accounts', 'accounts.see'],
  ['POST /api/v1/accounts/invitations', '/api/v1/accounts/invitations', 'accounts.appoint'],
  ['POST /api/v1/accounts/:id/roles', `/api/v1/accounts/${ID}/roles`, 'accounts.appoint'],
  ['GET /account', '/account', 'signed-in'],
  ['POST /account/sessions/:session/end', `/account/sessions/${'a'.repeat(64)}/end`, 'signed-in'],
  ['GET /account/password', '/account/password', 'signed-in'],
  ['POST /account/password', '/account/password', 'signed-in'],
  ['GET /account/second-factor', '/account/second-factor', 'signed-in'],
  ['POST /account/second-factor', '/account/second-factor', 'signed-in'],
  ['POST /account/recovery-codes', '/account/recovery-codes', 'signed-in'],
  ['GET /confirm', '/confirm', 'signed-in'],
  ['POST /confirm', '/confirm', 'signed-in'],
  ['GET /permissions', '/permissions', 'permissions.see'],
  ['GET /lists', '/lists', 'lists.see'],
  ['GET /lists/work/:id', `/lists/work/${'a'.repeat(36)}`, 'lists.see'],
  ['POST /lists/update', '/lists/update', 'lists.update'],
  ['POST /lists/:id/enable', '/lists/a/enable', 'lists.change'],
  ['POST /lists/:id/accept', '/lists/a/accept', 'lists.change'],
  ['GET /api/v1/lists', '/api/v1/lists', 'lists.see'],
  ['POST /api/v1/lists/update', '/api/v1/lists/update', 'lists.update'],
  ['POST /api/v1/lists/:id/enable', '/api/v1/lists/a/enable', 'lists.change'],
  ['POST /api/v1/lists/:id/accept', '/api/v1/lists/a/accept', 'lists.change'],
  ['GET /people', '/people', 'people.see'],
  ['GET /people/:id', `/people/${ID}`, 'people.see'],
  ['POST /people/:id/suspend', `/people/${ID}/suspend`, 'people.suspend'],
  ['POST /people/:id/lift', `/people/${ID}/lift`, 'people.suspend'],
  ['POST /people/:id/card', `/people/${ID}/card`, 'people.cards'],
  ['GET /classes', '/classes', 'people.see'],
  ['GET /class', '/class?name=9x', 'people.see'],
  ['POST /class/cards', '/class/cards', 'people.cards'],
  ['GET /devices', '/devices', 'people.see'],
  ['POST /devices/sign-out', '/devices/sign-out', 'people.suspend'],
  ['GET /people/import', '/people/import', 'people.import'],
  ['POST /people/import', '/people/import', 'people.import'],
  ['GET /people/import/:upload', `/people/import/${'x'.repeat(43)}`, 'people.import'],
  ['POST /people/import/:upload', `/people/import/${'x'.repeat(43)}`, 'people.import'],
  ['GET /agreements', '/agreements', 'agreements.see'],
  ['POST /agreements/consent', '/agreements/consent', 'agreements.record'],
  ['POST /agreements/withdraw', '/agreements/withdraw', 'agreements.record'],
  ['GET /api/v1/agreements', '/api/v1/agreements', 'agreements.see'],
  ['POST /api/v1/agreements/consent', '/api/v1/agreements/consent', 'agreements.record'],
  ['POST /api/v1/agreements/withdraw', '/api/v1/agreements/withdraw', 'agreements.record'],
  ['GET /api/v1/people', '/api/v1/people', 'people.see'],
  ['POST /api/v1/people/import', '/api/v1/people/import', 'people.import'],
  ['POST /api/v1/people/suspend', '/api/v1/people/suspend', 'people.suspend'],
  ['POST /api/v1/people/lift', '/api/v1/people/lift', 'people.suspend'],
  ['POST /api/v1/people/cards', '/api/v1/people/cards', 'people.cards'],
  ['POST /api/v1/session', '/api/v1/session', 'public'],
  ['DELETE /api/v1/session', '/api/v1/session', 'signed-in'],
  ['GET /status', '/status', 'health.see'],
  ['GET /api/v1/status', '/api/v1/status', 'home.see'],
  ['GET /api/v1/openapi.json', '/api/v1/openapi.json', 'public'],
  ['POST /api/v1/block-requests', '/api/v1/block-requests', 'unblock.request'],
  ['GET /api/v1/unblocks', '/api/v1/unblocks', 'unblock.see'],
  ['GET /api/v1/unblocks/needed', '/api/v1/unblocks/needed?site=a.example', 'unblock.request'],
  ['POST /api/v1/unblocks', '/api/v1/unblocks', 'unblock.request'],
  ['POST /api/v1/unblocks/:id/agree', `/api/v1/unblocks/${ID}/agree`, 'unblock.agree'],
  ['POST /api/v1/unblocks/:id/approve', `/api/v1/unblocks/${ID}/approve`, 'unblock.decide'],
  ['POST /api/v1/unblocks/:id/refuse', `/api/v1/unblocks/${ID}/refuse`, 'unblock.decide'],
  ['POST /api/v1/unblocks/:id/withdraw', `/api/v1/unblocks/${ID}/withdraw`, 'unblock.request'],
  ['POST /api/v1/unblocks/:id/remark', `/api/v1/unblocks/${ID}/remark`, 'unblock.request'],
  ['POST /api/v1/unblocks/:id/revoke', `/api/v1/unblocks/${ID}/revoke`, 'unblock.revoke'],
  ['GET /api/v1/block-requests', '/api/v1/block-requests', 'policy.propose'],
  ['POST /api/v1/block-requests/:id/take-up', `/api/v1/block-requests/${ID}/take-up`, 'policy.propose'],
  ['POST /api/v1/block-requests/:id/refuse', `/api/v1/block-requests/${ID}/refuse`, 'policy.propose'],
  ['GET /api/v1/evidence', '/api/v1/evidence', 'evidence.see'],
  ['POST /api/v1/evidence/init', '/api/v1/evidence/init', 'evidence.init'],
  ['POST /api/v1/evidence/hits/:id/open', `/api/v1/evidence/hits/${ID}/open`, 'evidence.open'],
  ['GET /reports', '/reports', 'reports.see'],
  ['POST /reports', '/reports', 'reports.make'],
  ['GET /reports/:kind/:period', '/reports/governors/2026-11', 'reports.see'],
  ['GET /reports/:kind/:period/csv', '/reports/governors/2026-11/csv', 'reports.see'],
  ['GET /history', '/history', 'history.investigate'],
  ['POST /history/export', '/history/export', 'history.investigate'],
  ['GET /history/export/:sha256', `/history/export/${'0'.repeat(64)}`, 'history.investigate'],
  ['GET /retention', '/retention', 'retention.see'],
  ['GET /retention/:kept/hold', '/retention/history/hold', 'retention.hold'],
  ['POST /retention/:kept/hold', '/retention/history/hold', 'retention.hold'],
  ['GET /backups', '/backups', 'backup.make'],
  ['POST /backups', '/backups', 'backup.make'],
  ['POST /backups/key', '/backups/key', 'backup.make'],
  ['POST /api/v1/backups', '/api/v1/backups', 'backup.make'],
  ['POST /api/v1/backups/key', '/api/v1/backups/key', 'backup.make'],
  ['POST /api/v1/lists/:id/remove', '/api/v1/lists/any/remove', 'lists.remove-illegal'],
  ['GET /check', '/check', 'site.check'],
  ['GET /api/v1/check', '/api/v1/check?url=example.org', 'site.check'],
  ['GET /api/v1/policy', '/api/v1/policy', 'policy.see'],
  ['GET /api/v1/policy/versions', '/api/v1/policy/versions', 'policy.see'],
  ['POST /api/v1/policy/versions/:serial/revert', '/api/v1/policy/versions/1/revert', 'policy.propose'],
  ['POST /api/v1/policy/versions/:serial/review', '/api/v1/policy/versions/1/review', 'policy.review'],
  ['GET /api/v1/policy/drafts/:id', `/api/v1/policy/drafts/${ID}`, 'policy.see'],
  ['POST /api/v1/policy/drafts', '/api/v1/policy/drafts', 'policy.propose'],
  ['POST /api/v1/policy/drafts/:id/propose', `/api/v1/policy/drafts/${ID}/propose`, 'policy.propose'],
  ['POST /api/v1/policy/drafts/:id/approve', `/api/v1/policy/drafts/${ID}/approve`, 'policy.decide'],
  ['POST /api/v1/policy/drafts/:id/emergency', `/api/v1/policy/drafts/${ID}/emergency`, 'policy.emergency'],
  ['POST /api/v1/policy/drafts/:id/refuse', `/api/v1/policy/drafts/${ID}/refuse`, 'policy.decide'],
  ['POST /api/v1/policy/drafts/:id/withdraw', `/api/v1/policy/drafts/${ID}/withdraw`, 'policy.propose'],
];

/** Nobody; each role; somebody with an account and no role. */
const ASKERS = [null, ...ALL_ROLES, 'no-role'] as const;

function isFor(access: Access, asker: (typeof ASKERS)[number]): boolean {
  if (access === 'public') return true;
  if (asker === null || asker === 'no-role') return false;
  return access === 'signed-in' || may([asker], access);
}

void t.test('every route answers whom the table of permissions names, and nobody else', async (t) => {
  const console = await testConsole();
  t.teardown(() => console.close());
  for (const role of ALL_ROLES) await addPerson(console, role, [role]);
  await addPerson(console, 'no-role', []);
  const known = console.app.routeAccess
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, url, access }) => `${method} ${url}: ${access}`);
  const here = ROUTES.map(([route, , access]) => `${route}: ${access}`);
  t.strictSame(known.toSorted(), here.toSorted(), 'the table above knows every route, and what it needs');

  for (const asker of ASKERS) {
    for (const [route, url, access] of ROUTES) {
      // A session of its own for each, as signing out ends one.
      const token = asker === null ? null : openSession(console, asker);
      const answered = await ask(console, route.split(' ')[0]!, url, token);
      if (answered !== isFor(access, asker)) t.fail(`${route} for ${asker ?? 'nobody'}: ${answered}`);
    }
    t.pass(`${asker ?? 'nobody'} gets what the table says`);
  }
});

type Console = Awaited<ReturnType<typeof testConsole>>;

/** Whether a route let somebody in: anything but the way to the sign-in page, 401, or a role's refusal. */
async function ask(console: Console, method: string, url: string, token: string | null): Promise<boolean> {
  const isApi = url.startsWith('/api/');
  const headers: Record<string, string> = {};
  let payload = '';
  if (token !== null)
    headers[isApi ? 'authorization' : 'cookie'] = isApi ? `Bearer ${token}` : `schoolgate-session=${token}`;
  if (!isApi && method === 'POST') {
    const page = await console.app.inject({ method: 'GET', url: '/sign-in', headers });
    headers['cookie'] = [headers['cookie'], `schoolgate-csrf=${page.cookies[0]!.value}`].filter(Boolean).join('; ');
    headers['content-type'] = 'application/x-www-form-urlencoded';
    payload = new URLSearchParams({ _csrf: csrfOf(page.body) }).toString();
  }
  const response = await console.app.inject({ method: method as 'GET', url, headers, payload });
  const isSentToSignIn = response.statusCode === 303 && /^\/sign-in(\?next|$)/.test(String(response.headers.location));
  const isRefused = response.statusCode === 403 && response.body.includes('Your role does not allow this.');
  const isUnknown = response.statusCode === 401 && response.body.includes('not_signed_in');
  const signedOut = url === '/sign-out' && token !== null && isSentToSignIn;
  return signedOut ? console.sessions.authenticate(token) === null : !(isSentToSignIn || isRefused || isUnknown);
}

void t.test(
  'a form that takes the password again comes back as it was typed, and is taken only after that',
  async (t) => {
    const console = await testConsole();
    t.teardown(() => console.close());
    await addPerson(console, 'h.teacher', ['headteacher']);
    await addPerson(console, 'n.manager', ['network-manager']);
    const [head, manager] = [signedIn(console, 'h.teacher'), signedIn(console, 'n.manager')];
    const page = '/accounts/invite';
    const csrf = csrfOf((await head.get(page)).body);
    const typed = { fullName: 'Vera <Visitor>', userName: '', roles: 'governor', endsOn: '2027-01-31' };
    const send = async (token: string) =>
      console.app.inject({
        method: 'POST',
        url: page,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          referer: `http://console.test${page}`,
          cookie: [...head.cookies].map(([k, v]) => `${k}=${v}`).join('; '),
        },
        payload: new URLSearchParams({ ...typed, _csrf: token }).toString(),
      });
    const invited = (): number => console.staff.list().invitations.length;
    console.clock.advance(CONFIRMED_MS);
    t.equal((await send('forged')).statusCode, 403, 'what another site’s page sent is not kept');
    const asked = await send(csrf);
    t.equal(asked.headers.location, `/confirm?next=${encodeURIComponent(page)}`);
    t.equal(invited(), 0);
    await manager.post('/confirm', '/confirm', { password: PASSWORD });
    const others = await manager.get(page);
    t.equal(others.status, 200);
    t.notMatch(others.body, 'Vera', 'it is whoever’s who typed it');
    t.equal((await head.post('/confirm', '/confirm', { password: 'wrong' })).status, 401);
    t.equal((await head.get(page)).location, `/confirm?next=${encodeURIComponent(page)}`);
    t.equal((await head.post('/confirm', '/confirm', { password: PASSWORD, next: page })).location, page);
    const { body } = await head.get(page);
    t.match(
      body,
      /Nothing was sent yet[^]*value="Vera &lt;Visitor&gt;"[^]*value="governor" checked[^]*value="2027-01-31"/,
    );
    t.notMatch((await head.get(page)).body, 'Vera', 'once');
    const sent = await head.post(page, page, typed);
    t.equal(sent.status, 201, sent.body);
    t.equal(invited(), 1);
  },
);

void t.test('a route that does not say who may use it stops the console', async (t) => {
  const console = await testConsole();
  t.teardown(() => console.close());
  t.equal(console.app.routeAccess.length > 0, true);
  const { fastify } = await import('fastify');
  const { default: cookie } = await import('@fastify/cookie');
  const { addAccessControl } = await import('../../src/console/access.ts');
  const app = fastify();
  await app.register(cookie);
  addAccessControl(app, { sessions: console.sessions, isTls: false, clock: () => 0 });
  t.throws(() => app.get('/forgotten', async () => 'open'), /does not say who may use it/);
});
