import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { InvalidFieldsError, SchoolgateError } from '../../kernel/errors.ts';
import { ownPath } from '../../kernel/own-path.ts';
import { MIN_PASSWORD } from '../accounts.ts';
import { needsSecondFactor, rolesText } from '../permissions.ts';
import type { Sessions } from '../session-service.ts';
import { qrCode } from './qr-code.ts';
import type { OwnPasswords } from './own-password-service.ts';
import type { SecondFactors } from './second-factor-service.ts';
import { base32, keyUri } from './totp.ts';

export interface OwnAccountRoutesOptions {
  readonly sessions: Sessions;
  readonly secondFactors: SecondFactors;
  readonly ownPasswords: OwnPasswords;
  readonly school: () => string | null;
}

const Strict = { additionalProperties: false };
const Field = Type.String({ maxLength: 1000 });
const Csrf = Type.Optional(Type.String());
const CodeForm = Type.Object({ _csrf: Csrf, code: Field }, Strict);
const ConfirmForm = Type.Object({ _csrf: Csrf, password: Field, next: Type.Optional(Field) }, Strict);
const PasswordForm = Type.Object({ _csrf: Csrf, current: Field, next: Field, again: Field }, Strict);
const NoFields = Type.Object({ _csrf: Csrf }, Strict);
const SessionParams = Type.Object({ session: Type.String({ pattern: '^[0-9a-f]{64}$' }) });
/** Trying codes and passwords is rationed below the accounts' own back-off. */
const RATION = { rateLimit: { max: 30, timeWindow: '1 minute' } };

/** What everybody with an account does with their own: the app for codes, open sessions, the password once more. */
export const ownAccountRoutes: FastifyPluginAsyncTypebox<OwnAccountRoutesOptions> = async (app, options) => {
  const { sessions, secondFactors, ownPasswords } = options;
  const config = { access: 'signed-in' } as const;
  const rationed = { ...config, ...RATION };

  app.get('/account', { config }, async (request, reply) => {
    const { person, session } = request.signedIn!;
    const open = sessions.of(person.id).map(({ tokenHash, openedAt, seenAt, address }) => {
      return { tokenHash, openedAt, seenAt, address, isThis: tokenHash === session };
    });
    const factor = secondFactors.state(person.id);
    return reply.page('account', { title: 'Your account', roles: rolesText(person.roles), open, factor });
  });

  app.post(
    '/account/sessions/:session/end',
    { config, schema: { params: SessionParams, body: NoFields } },
    async (request, reply) => {
      sessions.end(request.signedIn!, request.params.session, request.address());
      return reply.redirect('/account', 303);
    },
  );

  app.get('/account/password', { config }, async (_request, reply) => passwordPage(reply, {}));

  app.post('/account/password', { config: rationed, schema: { body: PasswordForm } }, async (request, reply) => {
    const { current, next, again } = request.body;
    try {
      await ownPasswords.change(request.actor(), { current, next, again });
      return await reply.sessionCookie(null).redirect('/sign-in?changed=1', 303);
    } catch (error) {
      if (!(error instanceof SchoolgateError) || error.fault !== 'client') throw error;
      const isField = error instanceof InvalidFieldsError;
      const errors = isField ? error.fields : [{ field: 'current', reason: error.publicText }];
      return passwordPage(reply.code(isField ? 422 : 429), { errors });
    }
  });

  app.get('/account/second-factor', { config }, async (request, reply) => factorPage(options, request, reply));

  app.post('/account/second-factor', { config: rationed, schema: { body: CodeForm } }, async (request, reply) => {
    try {
      const codes = secondFactors.confirm(request.actor(), request.body.code);
      // Whoever held the token before this must not hold the rights that come with it.
      void reply.sessionCookie(sessions.renew(request.signedIn!));
      return await codesPage(reply, codes);
    } catch (error) {
      if (!(error instanceof InvalidFieldsError)) throw error;
      return factorPage(options, request, reply.code(422), error.fields);
    }
  });

  app.post('/account/recovery-codes', { config: rationed, schema: { body: NoFields } }, async (request, reply) => {
    if (!request.signedIn!.isConfirmed) return reply.redirect('/confirm?next=/account', 303);
    return codesPage(reply, secondFactors.renewRecoveryCodes(request.actor()));
  });

  app.get(
    '/confirm',
    { config, schema: { querystring: Type.Object({ next: Type.Optional(Field) }) } },
    async ({ query }, reply) => confirmPage(reply, { next: query.next }),
  );

  app.post('/confirm', { config: rationed, schema: { body: ConfirmForm } }, async (request, reply) => {
    const { password, next } = request.body;
    try {
      const token = await sessions.confirm(request.signedIn!, password, request.address());
      return reply.sessionCookie(token).redirect(ownPath(next), 303);
    } catch (error) {
      if (!(error instanceof SchoolgateError) || error.fault !== 'client') throw error;
      const reason = error.code === 'sign_in_held' ? error.publicText : 'This is not your password.';
      const status = error.code === 'sign_in_held' ? 429 : 401;
      return confirmPage(reply.code(status), { next, errors: [{ field: 'password', reason }] });
    }
  });
};

function confirmPage(reply: FastifyReply, data: Record<string, unknown>): FastifyReply {
  return reply.page('confirm', { title: 'Your password, please', ...data });
}

function passwordPage(reply: FastifyReply, data: Record<string, unknown>): FastifyReply {
  return reply.page('own-password', { title: 'Another password', minPassword: MIN_PASSWORD, ...data });
}

/** Shown once: the page is an answer to a form and cannot be gone back to. */
function codesPage(reply: FastifyReply, codes: readonly string[]): FastifyReply {
  return reply.page('recovery-codes', { title: 'Your recovery codes', codes });
}

function factorPage(
  { secondFactors, school }: OwnAccountRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  errors: InvalidFieldsError['fields'] = [],
): FastifyReply {
  const { person } = request.signedIn!;
  if (secondFactors.state(person.id).isSetUp) return reply.redirect('/account', 303);
  const secret = secondFactors.begin(request.actor());
  return reply.page('second-factor', {
    title: 'Set up your authenticator app',
    qr: qrCode(keyUri(secret, person.userName, school())),
    secret: base32(secret).replace(/(.{4})(?=.)/g, '$1 '),
    isNeeded: needsSecondFactor(person.roles),
    errors,
  });
}
