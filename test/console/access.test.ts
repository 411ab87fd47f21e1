import t from 'tap';
import { addPerson, csrfOf, openSession, testConsole } from '../helpers/test-console.ts';

const ID = '01J00000000000000000000000';
const STAFF = ['headteacher', 'network-manager'];
const MANAGER = ['network-manager'];

/** Every route, who gets an answer, and what to ask for it. A route that is not here fails the test. */
const ROUTES: readonly [route: string, url: string, access: 'public' | readonly string[]][] = [
  ['GET /static/govuk-frontend.css', '/static/govuk-frontend.css', 'public'],
  ['GET /static/console.css', '/static/console.css', 'public'],
  ['GET /static/icon.svg', '/static/icon.svg', 'public'],
  ['GET /health', '/health', 'public'],
  ['GET /metrics', '/metrics', 'public'],
  ['GET /sign-in', '/sign-in', 'public'],
  ['POST /sign-in', '/sign-in', 'public'],
  ['GET /join/:token', '/join/abc', 'public'],
  ['POST /join/:token', '/join/abc', 'public'],
  ['POST /sign-out', '/sign-out', STAFF],
  ['GET /', '/', STAFF],
  ['GET /unblocks', '/unblocks', STAFF],
  ['GET /unblocks/new', '/unblocks/new', STAFF],
  ['POST /unblocks/new', '/unblocks/new', STAFF],
  ['POST /unblocks/:id/:move', `/unblocks/${ID}/approve`, STAFF],
  ['GET /guests', '/guests', STAFF],
  ['POST /guests', '/guests', STAFF],
  ['POST /guests/:id/withdraw', `/guests/${ID}/withdraw`, STAFF],
  ['GET /api/v1/guests', '/api/v1/guests', STAFF],
  ['POST /api/v1/guests', '/api/v1/guests', STAFF],
  ['POST /api/v1/guests/:id/withdraw', `/api/v1/guests/${ID}/withdraw`, STAFF],
  ['GET /policy', '/policy', STAFF],
  ['POST /policy/propose', '/policy/propose', STAFF],
  ['POST /policy/:id/approve', `/policy/${ID}/approve`, STAFF],
  ['POST /policy/:id/refuse', `/policy/${ID}/refuse`, STAFF],
  ['GET /lists', '/lists', STAFF],
  ['POST /lists/update', '/lists/update', MANAGER],
  ['POST /lists/:id/enable', '/lists/a/enable', MANAGER],
  ['POST /lists/:id/accept', '/lists/a/accept', MANAGER],
  ['GET /api/v1/lists', '/api/v1/lists', STAFF],
  ['POST /api/v1/lists/update', '/api/v1/lists/update', MANAGER],
  ['POST /api/v1/lists/:id/enable', '/api/v1/lists/a/enable', MANAGER],
  ['POST /api/v1/lists/:id/accept', '/api/v1/lists/a/accept', MANAGER],
  ['GET /api/v1/people', '/api/v1/people', STAFF],
  ['POST /api/v1/people/import', '/api/v1/people/import', MANAGER],
  ['POST /api/v1/people/suspend', '/api/v1/people/suspend', STAFF],
  ['POST /api/v1/people/lift', '/api/v1/people/lift', STAFF],
  ['POST /api/v1/people/cards', '/api/v1/people/cards', MANAGER],
  ['POST /api/v1/session', '/api/v1/session', 'public'],
  ['DELETE /api/v1/session', '/api/v1/session', STAFF],
  ['GET /api/v1/status', '/api/v1/status', STAFF],
  ['GET /api/v1/unblocks', '/api/v1/unblocks', STAFF],
  ['POST /api/v1/unblocks', '/api/v1/unblocks', STAFF],
  ['POST /api/v1/unblocks/:id/:move', `/api/v1/unblocks/${ID}/approve`, STAFF],
  ['GET /api/v1/evidence', '/api/v1/evidence', STAFF],
  ['POST /api/v1/evidence/init', '/api/v1/evidence/init', ['headteacher']],
  ['POST /api/v1/evidence/hits/:id/open', `/api/v1/evidence/hits/${ID}/open`, STAFF],
  ['POST /api/v1/lists/:id/remove', '/api/v1/lists/any/remove', STAFF],
  ['GET /api/v1/policy', '/api/v1/policy', STAFF],
  ['POST /api/v1/policy/proposals', '/api/v1/policy/proposals', STAFF],
  ['POST /api/v1/policy/proposals/:id/approve', `/api/v1/policy/proposals/${ID}/approve`, STAFF],
  ['POST /api/v1/policy/proposals/:id/refuse', `/api/v1/policy/proposals/${ID}/refuse`, STAFF],
];

/** Nobody; each role; somebody with an account and no role. */
const ASKERS = [null, 'headteacher', 'network-manager', 'no-role'] as const;

void t.test('every route answers whom it is for, and nobody else', async (t) => {
  const console = await testConsole();
  t.teardown(() => console.close());
  for (const role of ['headteacher', 'network-manager'] as const) await addPerson(console, role, [role]);
  await addPerson(console, 'no-role', []);
  const known = console.app.routeAccess
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, url }) => `${method} ${url}`);
  t.strictSame(new Set(known), new Set(ROUTES.map(([route]) => route)), 'the table above knows every route');

  for (const asker of ASKERS) {
    for (const [route, url, access] of ROUTES) {
      // A session of its own for each, as signing out ends one.
      const token = asker === null ? null : openSession(console, asker);
      const answered = await ask(console, route.split(' ')[0]!, url, token);
      const expected = access === 'public' || (asker !== null && access.includes(asker));
      t.equal(answered, expected, `${route} for ${asker ?? 'nobody'}`);
    }
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

void t.test('a route that does not say who may use it stops the console', async (t) => {
  const console = await testConsole();
  t.teardown(() => console.close());
  t.equal(console.app.routeAccess.length > 0, true);
  const { fastify } = await import('fastify');
  const { default: cookie } = await import('@fastify/cookie');
  const { addAccessControl } = await import('../../src/console/access.ts');
  const app = fastify();
  await app.register(cookie);
  addAccessControl(app, { sessions: console.sessions, isTls: false });
  t.throws(() => app.get('/forgotten', async () => 'open'), /does not say who may use it/);
});
