import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { isoTime } from '../kernel/clock.ts';
import { InvalidFieldsError, formatProblem } from '../kernel/errors.ts';
import { type DraftRoutesOptions, FILE_BYTES, mustBeFile } from './draft-routes.ts';
import type { DraftView } from './draft.ts';
import { names } from './routes.ts';
import { withFile } from './texts.ts';

const Strict = { additionalProperties: false };
const Text = Type.String({ maxLength: 5000 });
const Id = Type.String({ pattern: '^[0-9A-Z]{26}$' });
const Params = Type.Object({ id: Id });
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const File = Type.String({ maxLength: FILE_BYTES });
const DraftBody = Type.Object(
  {
    id: Type.Optional(Id),
    files: Type.Record(Type.String({ maxLength: 80 }), Type.Union([File, Type.Null()])),
    reason: Text,
  },
  Strict,
);
const ReasonBody = Type.Object({ hash: Hash, reason: Text }, Strict);
const HashBody = Type.Object({ hash: Hash }, Strict);
const WordBody = Type.Object({ word: Text }, Strict);

/** Drafts of policy changes for programs: files as they shall be, with a reason. */
export const draftApiRoutes: FastifyPluginAsyncTypebox<DraftRoutesOptions> = async (app, options) => {
  const { drafts, newId } = options;
  const toSee = { access: 'policy.see' } as const;
  const toPropose = { access: 'policy.propose' } as const;
  const toDecide = { access: 'policy.decide' } as const;
  const inEmergency = { access: 'policy.emergency' } as const;

  app.get('/api/v1/policy/drafts/:id', { config: toSee, schema: { params: Params } }, async (request, reply) =>
    reply.send(toJson(options, drafts.view(request.params.id))),
  );

  app.post(
    '/api/v1/policy/drafts',
    { config: toPropose, bodyLimit: FILE_BYTES, schema: { body: DraftBody } },
    async (request, reply) => {
      const { id = newId(), files, reason } = request.body;
      for (const file of Object.keys(files)) mustBeFile(file);
      const begun = drafts.begin(request.actor(), id);
      let texts = begun.files;
      for (const [file, text] of Object.entries(files)) texts = withFile(texts, file, text);
      drafts.save(request.actor(), id, begun.revision, texts);
      const { hash, examined } = drafts.view(id);
      if ('problems' in examined) {
        throw new InvalidFieldsError(examined.problems.map((one) => ({ field: 'files', reason: formatProblem(one) })));
      }
      drafts.propose(request.actor(), id, hash!, reason);
      return reply.code(201).send(toJson(options, drafts.view(id)));
    },
  );

  app.post(
    '/api/v1/policy/drafts/:id/propose',
    { config: toPropose, schema: { params: Params, body: ReasonBody } },
    async (request, reply) => {
      const { id } = drafts.propose(request.actor(), request.params.id, request.body.hash, request.body.reason);
      return reply.send(toJson(options, drafts.view(id)));
    },
  );

  app.post(
    '/api/v1/policy/drafts/:id/approve',
    { config: toDecide, schema: { params: Params, body: HashBody } },
    async (request, reply) => {
      const { serial } = drafts.approve(request.actor(), request.params.id, request.body.hash);
      return reply.send({ serial });
    },
  );

  app.post(
    '/api/v1/policy/drafts/:id/emergency',
    { config: inEmergency, schema: { params: Params, body: ReasonBody } },
    async (request, reply) => {
      const { hash, reason } = request.body;
      const { serial } = drafts.publishInEmergency(request.actor(), request.params.id, hash, reason);
      return reply.send({ serial });
    },
  );

  app.post(
    '/api/v1/policy/drafts/:id/refuse',
    { config: toDecide, schema: { params: Params, body: WordBody } },
    async (request, reply) => {
      drafts.refuse(request.actor(), request.params.id, request.body.word);
      return reply.send(toJson(options, drafts.view(request.params.id)));
    },
  );

  app.post(
    '/api/v1/policy/drafts/:id/withdraw',
    { config: toPropose, schema: { params: Params, body: WordBody } },
    async (request, reply) => {
      drafts.withdraw(request.actor(), request.params.id, request.body.word);
      return reply.send(toJson(options, drafts.view(request.params.id)));
    },
  );
};

function toJson(
  options: DraftRoutesOptions,
  { draft, hash, examined, changes, files, stale, isEnoughAlone }: DraftView,
) {
  const name = names(options, 'userName');
  return {
    id: draft.id,
    state: draft.state,
    author: name(draft.author),
    reason: draft.reason,
    changedAt: isoTime(draft.changedAt),
    hash,
    files,
    problems: 'problems' in examined ? examined.problems.map(formatProblem) : [],
    changes,
    isStale: stale !== null,
    isEnoughAlone,
    decidedBy: name(draft.decidedBy),
    word: draft.word,
  };
}
