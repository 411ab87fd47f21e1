import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { isoTime } from '../../kernel/clock.ts';
import type { OpenSessions } from './open-session-service.ts';

export interface SessionRoutesOptions {
  readonly openSessions: OpenSessions;
}

const NoFields = Type.Object({ _csrf: Type.Optional(Type.String()) }, { additionalProperties: false });
const Params = Type.Object({ session: Type.String({ pattern: '^[0-9a-f]{64}$' }) });

/** Where others are signed in to the console. */
export const sessionRoutes: FastifyPluginAsyncTypebox<SessionRoutesOptions> = async (app, { openSessions }) => {
  const config = { access: 'sessions.end' } as const;

  app.get('/accounts/sessions', { config }, async (request, reply) => {
    const { session } = request.signedIn!;
    const open = openSessions.list(request.actor());
    return reply.page('open-sessions', { title: 'Who is signed in here', open, own: session });
  });

  app.post(
    '/accounts/sessions/:session/end',
    { config, schema: { params: Params, body: NoFields } },
    async (request, reply) => {
      openSessions.end(request.actor(), request.params.session);
      return reply.redirect('/accounts/sessions', 303);
    },
  );

  app.get('/api/v1/sessions', { config }, async (request, reply) => {
    const sessions = openSessions.list(request.actor()).map(({ tokenHash, person, openedAt, seenAt, address }) => ({
      id: tokenHash,
      userName: person.userName,
      openedAt: isoTime(openedAt),
      seenAt: isoTime(seenAt),
      address,
    }));
    return reply.send({ sessions });
  });

  app.delete('/api/v1/sessions/:session', { config, schema: { params: Params } }, async (request, reply) => {
    openSessions.end(request.actor(), request.params.session);
    return reply.code(204).send();
  });
};
