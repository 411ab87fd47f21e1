import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Permission, guardOf, may } from '../identity/permissions.ts';
import type { Sessions } from '../identity/session-service.ts';
import type { Clock } from '../kernel/clock.ts';
import { ShortMemory } from '../kernel/short-memory.ts';
import type { Access, RouteAccess } from './decorations.ts';

/** The cookie of a page's session. `__Host-` (no sub-domain can set it) needs TLS. */
export function sessionCookieName(isTls: boolean): string {
  return isTls ? '__Host-schoolgate-session' : 'schoolgate-session';
}

export interface AccessOptions {
  readonly sessions: Sessions;
  readonly isTls: boolean;
  readonly clock: Clock;
}

/** How long what was typed waits for the password, ms, and of how many people. */
const KEPT_MS = 10 * 60_000;
const MOST_KEPT = 100;

/**
 * Who may do what: deny by default. A page's session travels in a cookie, the API's in `Authorization: Bearer`, and neither
 * is taken for the other, so that no other site's page can make a browser use the API.
 */
export function addAccessControl(app: FastifyInstance, { sessions, isTls, clock }: AccessOptions): void {
  const cookie = sessionCookieName(isTls);
  keepForms(app, clock);

  const table: RouteAccess[] = [];
  app.decorate('routeAccess', table);
  app.addHook('onRoute', ({ method, url, config, schema }) => {
    const access = config?.access;
    if (access === undefined) throw new Error(`${String(method)} ${url} does not say who may use it`);
    for (const one of [method].flat()) table.push({ method: one, url, access, ...(schema && { schema }) });
  });

  app.decorateRequest('signedIn', null);
  app.decorateRequest('address', function address(this: FastifyRequest) {
    return this.socket.remoteAddress === undefined ? 'local' : this.ip;
  });
  app.decorateRequest('actor', function actor(this: FastifyRequest) {
    if (this.signedIn === null) throw new Error('nobody is signed in');
    const { id, userName } = this.signedIn.person;
    return { personId: id, userName, address: this.address() };
  });
  app.decorateRequest('may', function mayDo(this: FastifyRequest, permission: Permission) {
    return this.signedIn !== null && may(this.signedIn.person.roles, permission);
  });
  app.decorateReply('sessionCookie', function sessionCookie(this: FastifyReply, token: string | null) {
    const options = { path: '/', httpOnly: true, sameSite: 'strict', secure: isTls } as const;
    return token === null ? this.clearCookie(cookie, options) : this.setCookie(cookie, token, options);
  });

  app.addHook('onRequest', async (request, reply) => {
    const token = isApi(request) ? bearer(request) : request.cookies[cookie];
    request.signedIn = token === undefined ? null : sessions.authenticate(token);
    // Answers of people's own pages are never kept by a cache, nor shown by Back after signing out.
    if (request.signedIn !== null) void reply.header('cache-control', 'no-store');
    const access = request.routeOptions.config.access;
    // No route matched: the not-found answer tells nothing.
    if (access === undefined || access === 'public') return;
    const refusal = obstacle(access, request);
    // Refused as well, when the form has been read and is known to be one of ours (`keepForms`).
    if (refusal === askForPassword && request.routeOptions.config.keepsForm === true) request.lacksPassword = true;
    else await refusal?.(request, reply);
  });
}

/** A form that came when the password had to be given again: it is not taken, and comes back as it was typed. */
function keepForms(app: FastifyInstance, clock: Clock): void {
  const forms = new ShortMemory<Readonly<Record<string, unknown>>>(MOST_KEPT);
  const keyOf = ({ signedIn }: FastifyRequest, page: string): string => `${signedIn!.person.id} ${page}`;
  app.decorateRequest('lacksPassword', false);
  app.decorateRequest('keptForm', function keptForm(this: FastifyRequest) {
    return forms.take(keyOf(this, this.url.split('?')[0]!), clock()) ?? null;
  });
  app.addHook('preHandler', async (request, reply) => {
    if (!request.lacksPassword) return;
    const { _csrf, ...typed } = request.body as Readonly<Record<string, unknown>>;
    forms.set(keyOf(request, pageOf(request)), typed, clock() + KEPT_MS);
    await askForPassword(request, reply);
  });
}

type Refusal = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** What answers instead of the route; null: it may be used. */
function obstacle(access: Exclude<Access, 'public'>, request: FastifyRequest): Refusal | null {
  if (request.signedIn === null) return askToSignIn;
  if (!mayUse(access, request)) return forbid;
  if (access === 'signed-in') return null;
  // Whoever has not set up the app that their role needs can do nothing but that, and leave.
  if (request.signedIn.lacksFactor) return askForFactor;
  return guardOf(access) === 'password' && !request.signedIn.isConfirmed ? askForPassword : null;
}

/** Whom a form's token is made for; the plugin takes no empty one. */
export function formUser({ signedIn }: FastifyRequest): string {
  return signedIn?.session ?? 'nobody';
}

export function isApi(request: FastifyRequest): boolean {
  return request.url.startsWith('/api/');
}

function mayUse(access: Exclude<Access, 'public'>, request: FastifyRequest): boolean {
  if (access === 'signed-in') return request.signedIn!.person.roles.length > 0;
  return request.may(access);
}

function bearer(request: FastifyRequest): string | undefined {
  return /^Bearer ([\w-]{43})$/.exec(request.headers.authorization ?? '')?.[1];
}

async function forbid(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const message = 'Your role does not allow this.';
  if (isApi(request)) return reply.code(403).send({ error: 'forbidden', message });
  return reply.code(403).page('error', { title: 'Not allowed', message });
}

async function askForFactor(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (!isApi(request)) return reply.redirect('/account/second-factor', 303);
  const message = 'Your role needs an authenticator app: sign in to the console’s pages and set one up.';
  return reply.code(403).send({ error: 'second_factor_needed', message });
}

async function askForPassword(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (isApi(request)) {
    return reply.code(403).send({ error: 'password_needed', message: 'This takes your password again: sign in anew.' });
  }
  return reply.redirect(`/confirm?next=${encodeURIComponent(pageOf(request))}`, 303);
}

/** The page that was asked for, or from which a form was sent. */
function pageOf({ method, url, headers }: FastifyRequest): string {
  if (method === 'GET') return url;
  const from = URL.parse(headers.referer ?? '');
  return from === null ? '/' : from.pathname;
}

async function askToSignIn(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (isApi(request)) {
    void reply.header('www-authenticate', 'Bearer');
    return reply.code(401).send({ error: 'not_signed_in', message: 'Sign in first: POST /api/v1/session.' });
  }
  const next = request.method === 'GET' ? `?next=${encodeURIComponent(request.url)}` : '';
  return reply.redirect(`/sign-in${next}`, 303);
}
