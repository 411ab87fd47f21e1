import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import { ownPath } from '../kernel/own-path.ts';
import { MIN_PASSWORD } from './accounts.ts';
import { rolesText } from './permissions.ts';
import { type Accounts, LINK_UNUSABLE } from './service.ts';
import type { Sessions } from './session-service.ts';

export interface IdentityRoutesOptions {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
}

const Strict = { additionalProperties: false };
const Field = Type.String({ maxLength: 1000 });
const Csrf = Type.Optional(Type.String());
const SignInForm = Type.Object(
  { _csrf: Csrf, userName: Field, password: Field, code: Type.Optional(Field), next: Type.Optional(Field) },
  Strict,
);
const JoinForm = Type.Object({ _csrf: Csrf, userName: Field, fullName: Field, password: Field, again: Field }, Strict);
const Credentials = Type.Object({ userName: Field, password: Field, code: Type.Optional(Field) }, Strict);
const Token = Type.Object({ token: Type.String({ pattern: '^[\\w-]{1,64}$' }) });

/** Trying passwords is slow work for us, so it is rationed below the accounts' own back-off. */
const RATION = { rateLimit: { max: 30, timeWindow: '1 minute' } };

/** Sign-in, sign-out and first links. */
export const identityRoutes: FastifyPluginAsyncTypebox<IdentityRoutesOptions> = async (app, { accounts, sessions }) => {
  app.get(
    '/sign-in',
    {
      config: { access: 'public' },
      schema: {
        querystring: Type.Object({
          next: Type.Optional(Field),
          joined: Type.Optional(Field),
          changed: Type.Optional(Field),
        }),
      },
    },
    async ({ query }, reply) =>
      signInPage(reply, {
        next: query.next,
        joined: query.joined !== undefined,
        changed: query.changed !== undefined,
      }),
  );

  app.post(
    '/sign-in',
    { config: { access: 'public', ...RATION }, schema: { body: SignInForm } },
    async (request, reply) => {
      const { userName, password, code = '', next } = request.body;
      try {
        // Whoever was signed in before leaves: a session never changes hands.
        if (request.signedIn !== null) sessions.signOut(request.signedIn, request.address());
        const { token } = await sessions.signIn({ userName, password, code, address: request.address() });
        return reply.sessionCookie(token).redirect(ownPath(next), 303);
      } catch (error) {
        if (!(error instanceof SchoolgateError) || error.fault !== 'client') throw error;
        const errors = [{ field: error.code === 'code_needed' ? 'code' : 'userName', reason: error.publicText }];
        const status = error.code === 'sign_in_held' ? 429 : 401;
        return signInPage(reply.code(status), { next, errors, typed: { userName } });
      }
    },
  );

  app.post('/sign-out', { config: { access: 'signed-in' } }, async (request, reply) => {
    sessions.signOut(request.signedIn!, request.address());
    return reply.sessionCookie(null).redirect('/sign-in', 303);
  });

  app.get(
    '/join/:token',
    { config: { access: 'public', ...RATION }, schema: { params: Token } },
    async (request, reply) => joinPage(reply, accounts.invitation(request.params.token)),
  );

  app.post(
    '/join/:token',
    { config: { access: 'public', ...RATION }, schema: { params: Token, body: JoinForm } },
    async (request, reply) => {
      const { userName, fullName, password, again } = request.body;
      const { token } = request.params;
      try {
        const different = { field: 'again', reason: 'The two passwords are not the same; type them again.' };
        if (password !== again) throw new InvalidFieldsError([different]);
        await accounts.join(token, { userName, fullName, password }, request.address());
        return reply.redirect('/sign-in?joined=1', 303);
      } catch (error) {
        if (!(error instanceof InvalidFieldsError)) throw error;
        return joinPage(reply.code(422), accounts.invitation(token), {
          errors: error.fields,
          typed: { userName, fullName },
        });
      }
    },
  );

  app.post(
    '/api/v1/session',
    { config: { access: 'public', ...RATION }, schema: { body: Credentials } },
    async (request, reply) => {
      const { token, person } = await sessions.signIn({ code: '', ...request.body, address: request.address() });
      return reply.code(201).send({ token, person });
    },
  );

  app.delete('/api/v1/session', { config: { access: 'signed-in' } }, async (request, reply) => {
    sessions.signOut(request.signedIn!, request.address());
    return reply.code(204).send();
  });
};

async function signInPage(reply: FastifyReply, data: Record<string, unknown>): Promise<FastifyReply> {
  return reply.page('sign-in', { title: 'Sign in', ...data });
}

async function joinPage(
  reply: FastifyReply,
  invitation: ReturnType<Accounts['invitation']>,
  data: Record<string, unknown> = {},
): Promise<FastifyReply> {
  // The address is the secret: it must not leave with a link to elsewhere, nor stay in a cache.
  void reply.header('referrer-policy', 'no-referrer').header('cache-control', 'no-store');
  if (invitation === null) {
    return reply.code(410).page('error', { title: 'This link can no longer be used', message: LINK_UNUSABLE });
  }
  const { roles, fullName, person, invitedBy } = invitation;
  return reply.page('join', {
    title: 'Make your account',
    roles: rolesText(roles),
    invited: invitedBy !== null,
    fullName,
    userName: person?.userName ?? null,
    minPassword: MIN_PASSWORD,
    ...data,
  });
}
