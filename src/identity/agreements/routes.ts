import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Agreements } from './service.ts';

export interface AgreementRoutesOptions {
  readonly agreements: Agreements;
}

const Strict = { additionalProperties: false };
const Name = Type.String({ minLength: 1, maxLength: 200 });
const ListQuery = Type.Object({ class: Type.Optional(Name), missing: Type.Optional(Type.Literal('yes')) }, Strict);
const Whose = Type.Object({ userName: Name }, Strict);

/** Who has agreed to what, and parents' consent, for programs; what the commands `people agreements` and `people consent` call. */
export const agreementRoutes: FastifyPluginAsyncTypebox<AgreementRoutesOptions> = async (app, { agreements }) => {
  app.get(
    '/api/v1/agreements',
    { config: { access: 'agreements.see' }, schema: { querystring: ListQuery } },
    async (request, reply) => {
      const { class: className, missing } = request.query;
      const filter = { ...(className !== undefined && { className }), missing: missing === 'yes' };
      return reply.send({ people: agreements.list(request.actor(), filter) });
    },
  );

  app.post(
    '/api/v1/agreements/consent',
    { config: { access: 'agreements.record' }, schema: { body: Whose } },
    async (request, reply) => {
      agreements.recordConsent(request.actor(), request.body);
      return reply.code(204).send();
    },
  );

  app.post(
    '/api/v1/agreements/withdraw',
    { config: { access: 'agreements.record' }, schema: { body: Whose } },
    async (request, reply) => {
      agreements.withdraw(request.actor(), request.body);
      return reply.code(204).send();
    },
  );
};
