import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { isoTime, readInstant } from '../kernel/clock.ts';
import { type Act, type Unblock, stateAt } from './model.ts';
import { NO_TERMS } from './terms.ts';
import {
  ACCESS,
  MoveParams,
  OnceHeaders,
  PERSONAL_MOVES,
  Strict,
  Text,
  type UnblockRoutesOptions,
  onceKey,
  sitesOf,
} from './routes.ts';

const Texts = Type.Array(Type.String({ maxLength: 300 }), { maxItems: 200 });
const RequestBody = Type.Object(
  {
    topic: Text,
    subject: Type.Optional(Text),
    reason: Text,
    hosts: Type.Optional(Texts),
    categories: Type.Optional(Texts),
    classes: Type.Optional(Texts),
    pupils: Type.Optional(
      Type.Array(Type.String({ maxLength: 300 }), { maxItems: 200, description: 'user or full names' }),
    ),
    levels: Type.Optional(Texts),
    ranges: Type.Optional(Texts),
    during: Type.Optional(
      Type.Array(Type.String({ maxLength: 300 }), {
        maxItems: 200,
        description: 'slots of the school day; default: all day',
      }),
    ),
    passesPersonBlock: Type.Optional(Type.Boolean()),
    from: Type.Optional(Type.String({ description: 'ISO 8601; default: now' })),
    until: Type.String({ description: 'ISO 8601' }),
  },
  Strict,
);
const RemarkBody = Type.Object({ remark: Text }, Strict);
const MoveBody = Type.Optional(Type.Object({ reason: Type.Optional(Text) }, Strict));

const Given = Type.Immutable(Type.Array(Type.String()));
const Done = Type.Object({ by: Type.Union([Type.String(), Type.Null()]), at: Type.String() }, Strict);
const OrNone = Type.Union([Done, Type.Null()]);
const Outcome = Type.Object({ people: Type.Integer(), visits: Type.Integer(), flags: Type.Integer() }, Strict);
/** `by`: user names; null is the clock. */
const UnblockAnswer = Type.Object(
  {
    id: Type.String(),
    state: Type.Enum(['requested', 'approved', 'active', 'refused', 'withdrawn', 'revoked', 'expired']),
    topic: Type.String(),
    subject: Type.String(),
    reason: Type.String(),
    hosts: Given,
    categories: Given,
    classes: Given,
    pupils: Given,
    levels: Given,
    ranges: Given,
    during: Given,
    passesPersonBlock: Type.Boolean(),
    risks: Given,
    from: Type.String(),
    until: Type.String(),
    requested: Done,
    decided: OrNone,
    agreed: OrNone,
    ended: OrNone,
    outcome: Type.Union([Outcome, Type.Null()]),
    remark: Type.String(),
  },
  Strict,
);
const UnblocksAnswer = Type.Object({ unblocks: Type.Array(UnblockAnswer) }, Strict);

const NeededQuery = Type.Object({ site: Type.Union([Text, Type.Array(Text, { maxItems: 50 })]) }, Strict);

/** As many as a program is given at once. */
const LISTED = 200;

/** Asking for sites to be opened, and deciding it, for programs. */
export const unblockApiRoutes: FastifyPluginAsyncTypebox<UnblockRoutesOptions> = async (app, options) => {
  const { unblocks, clock } = options;

  app.get(
    '/api/v1/unblocks',
    { config: { access: 'unblock.see' }, schema: { response: { 200: UnblocksAnswer } } },
    async () => ({
      unblocks: unblocks.list(LISTED).map((unblock) => toJson(options, unblock)),
    }),
  );

  app.get(
    '/api/v1/unblocks/needed',
    { config: { access: 'unblock.request' }, schema: { querystring: NeededQuery } },
    async (request, reply) => {
      const hosts = await options.neededWith(sitesOf([request.query.site].flat()));
      return reply.send({ hosts });
    },
  );

  app.post(
    '/api/v1/unblocks',
    { config: { access: 'unblock.request' }, schema: { body: RequestBody, headers: OnceHeaders } },
    async (request, reply) => {
      const { from, until, ...terms } = request.body;
      const start = from === undefined ? clock() : readInstant(from);
      const input = { ...NO_TERMS, ...terms, from: start, until: readInstant(until) };
      const asked = await unblocks.request(request.actor(), input, onceKey(request));
      return reply.code(201).send(toJson(options, asked));
    },
  );

  app.post(
    '/api/v1/unblocks/:id/remark',
    { config: { access: 'unblock.request' }, schema: { params: MoveParams, body: RemarkBody } },
    async (request, reply) => {
      const { id } = request.params;
      return reply.send(toJson(options, unblocks.remark(request.actor(), id, request.body.remark)));
    },
  );

  for (const move of PERSONAL_MOVES) {
    app.post(
      `/api/v1/unblocks/:id/${move}`,
      { config: { access: ACCESS[move] }, schema: { params: MoveParams, body: MoveBody } },
      async (request, reply) => {
        const moved = unblocks.move(request.actor(), request.params.id, move, request.body?.reason ?? '');
        return reply.send(toJson(options, moved));
      },
    );
  }
};

function toJson({ accounts, clock }: UnblockRoutesOptions, unblock: Unblock) {
  const userNames = new Map(accounts.people().map((person) => [person.id, person.userName]));
  const { from, until, requested, decided, agreed, ended, ...terms } = unblock;
  const act = ({ by, at }: Act) => ({ by: by === null ? null : (userNames.get(by) ?? by), at: isoTime(at) });
  return {
    ...terms,
    state: stateAt(unblock, clock()),
    from: isoTime(from),
    until: isoTime(until),
    requested: act(requested),
    decided: decided && act(decided),
    agreed: agreed && act(agreed),
    ended: ended && act(ended),
  };
}
