import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { InvalidFieldsError, SchoolgateError } from '../../kernel/errors.ts';
import type { SealedCredential } from './sealed-credential-service.ts';

export interface SealedCredentialRoutesOptions {
  readonly sealedCredential: SealedCredential;
  readonly school: () => string | null;
}

const Strict = { additionalProperties: false };
const Field = Type.String({ maxLength: 1000 });
const Csrf = Type.Optional(Type.String());
const NoFields = Type.Object({ _csrf: Csrf }, Strict);
const UseForm = Type.Object({ _csrf: Csrf, code: Field, name: Field, reason: Field }, Strict);
/** Below the back-off of the address: nobody opens a safe ten times a minute. */
const RATION = { rateLimit: { max: 10, timeWindow: '1 minute' } };

/** The headteacher's credential in the safe: made and printed, and used. */
export const sealedCredentialRoutes: FastifyPluginAsyncTypebox<SealedCredentialRoutesOptions> = async (
  app,
  { sealedCredential, school },
) => {
  const toMake = { access: 'sealed-credential.make' } as const;
  const toUse = { access: 'public', ...RATION } as const;

  app.get('/accounts/sealed-credential', { config: toMake }, async (_request, reply) =>
    reply.page('sealed-credential', { title: 'The sealed credential', sealed: sealedCredential.state() }),
  );

  app.post('/accounts/sealed-credential', { config: toMake, schema: { body: NoFields } }, async (request, reply) => {
    const code = sealedCredential.make(request.actor());
    // Shown here and never again, so it is not a page that can be gone back to.
    return reply.code(201).page('sealed-code', {
      title: 'Sealed headteacher credential',
      code,
      of: school(),
      sealed: sealedCredential.state(),
      address: `${request.protocol}://${request.host}/sealed-credential`,
    });
  });

  app.get('/sealed-credential', { config: toUse }, async (_request, reply) =>
    reply.page('sealed-use', { title: 'Use the sealed credential' }),
  );

  app.post('/sealed-credential', { config: toUse, schema: { body: UseForm } }, async (request, reply) => {
    const { code, name, reason } = request.body;
    try {
      const token = sealedCredential.use({ code, name, reason, address: request.address() });
      return await reply.redirect(`/join/${token}`, 303);
    } catch (error) {
      if (!(error instanceof SchoolgateError) || error.fault !== 'client') throw error;
      const isField = error instanceof InvalidFieldsError;
      const errors = isField ? error.fields : [{ field: 'code', reason: error.publicText }];
      const page = { title: 'Use the sealed credential', errors, typed: { name, reason } };
      return reply.code(isField ? 422 : 429).page('sealed-use', page);
    }
  });
};
