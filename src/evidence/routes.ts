import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Evidence } from './service.ts';

export interface EvidenceRoutesOptions {
  readonly evidence: Evidence;
}

const Strict = { additionalProperties: false };
const Secret = Type.String({ minLength: 1, maxLength: 1000 });
const Code = Type.String({ maxLength: 100 });
const Holder = Type.Object({ userName: Secret, password: Secret, code: Code, evidencePassword: Secret }, Strict);
const InitBody = Type.Object({ holders: Type.Array(Holder, { minItems: 3, maxItems: 3 }) }, Strict);
const OpenBody = Type.Object({ evidencePassword: Secret, second: Holder }, Strict);
const HitParams = Type.Object({ id: Type.String({ pattern: '^[0-9A-HJKMNP-TV-Z]{26}$' }) });
const ListParams = Type.Object({ id: Type.String({ pattern: '^[a-z0-9]+(?:-[a-z0-9]+)*$', maxLength: 64 }) });

const RATION = { rateLimit: { max: 10, timeWindow: '1 minute' } };
const SHOWN = 100;

/** For the commands `evidence` and `lists remove`. There is no page: an address that is shown must not stay in a browser. */
export const evidenceRoutes: FastifyPluginAsyncTypebox<EvidenceRoutesOptions> = async (app, { evidence }) => {
  app.get('/api/v1/evidence', { config: { access: 'evidence.see' } }, (request, reply) =>
    reply.send(evidence.state(request.actor().personId, SHOWN)),
  );

  app.post(
    '/api/v1/evidence/init',
    { config: { access: 'evidence.init', ...RATION }, schema: { body: InitBody } },
    async (request, reply) => {
      await evidence.init(request.actor(), request.body.holders);
      return reply.code(201).send({});
    },
  );

  app.post(
    '/api/v1/evidence/hits/:id/open',
    { config: { access: 'evidence.open', ...RATION }, schema: { params: HitParams, body: OpenBody } },
    async (request, reply) => {
      const { evidencePassword, second } = request.body;
      const target = await evidence.open(request.actor(), request.params.id, evidencePassword, second);
      return reply.send({ target });
    },
  );

  app.post(
    '/api/v1/lists/:id/remove',
    { config: { access: 'lists.remove-illegal', ...RATION }, schema: { params: ListParams } },
    async (request, reply) => reply.send({ step: await evidence.removeList(request.actor(), request.params.id) }),
  );
};
