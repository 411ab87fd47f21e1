import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isoTime } from '../kernel/clock.ts';
import { type FieldProblem, InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import {
  Csrf,
  MoveParams,
  OnceHeaders,
  Strict,
  Text,
  Ticked,
  type UnblockRoutesOptions,
  onceKey,
  ticked,
} from './routes.ts';
import { type Wish, wishState } from './wish.ts';
import type { Asker } from './wish-service.ts';

const MakeForm = Type.Object({ _csrf: Csrf, key: Type.String({ maxLength: 40 }), sites: Text, reason: Text }, Strict);
const MakeBody = Type.Object({ sites: Type.Array(Text, { maxItems: 50 }), reason: Text }, Strict);
const TakeUpForm = Type.Object({ _csrf: Csrf, places: Ticked, reason: Text }, Strict);
const TakeUpBody = Type.Object(
  { places: Type.Array(Text, { maxItems: 50, description: 'files, such as levels/ks1.yaml' }), reason: Text },
  Strict,
);
const RefuseBody = Type.Object({ word: Text }, Strict);

/** Sites that should be blocked: said by staff, and made a draft of the policy by whoever looks after it. */
export const blockRoutes: FastifyPluginAsyncTypebox<UnblockRoutesOptions> = async (app, options) => {
  const { wishes, unblocks } = options;
  const toAsk = { access: 'unblock.request' } as const;
  const toPropose = { access: 'policy.propose' } as const;

  app.get('/unblocks/block', { config: toAsk }, async (_request, reply) =>
    blockPage(reply, { sites: '', reason: '', key: unblocks.newFormKey() }),
  );

  app.post('/unblocks/block', { config: toAsk, schema: { body: MakeForm } }, async (request, reply) => {
    const { sites, reason, key } = request.body;
    try {
      wishes.make(askerOf(request), { kind: 'close', sites, reason }, key);
      return reply.redirect('/unblocks/asked?done=made', 303);
    } catch (error) {
      if (!(error instanceof InvalidFieldsError)) throw error;
      return blockPage(reply.code(422), { sites, reason, key }, error.fields);
    }
  });

  app.get(
    '/unblocks/asked/:id/take-up',
    { config: toPropose, schema: { params: MoveParams } },
    async (request, reply) => {
      const wish = wishes.get(request.actor().personId, request.params.id);
      return takeUpPage(options, reply, wish, { places: pupilsRoots(options), reason: wish.reason });
    },
  );

  app.post(
    '/unblocks/asked/:id/take-up',
    { config: toPropose, schema: { params: MoveParams, body: TakeUpForm } },
    async (request, reply) => {
      const { id } = request.params;
      const { reason } = request.body;
      const places = ticked(request.body.places);
      try {
        const { draftId } = wishes.takeUp(request.actor(), id, places, reason);
        return reply.redirect(`/policy/drafts/${draftId}?done=proposed`, 303);
      } catch (error) {
        const errors = problemsOf(error);
        const wish = wishes.get(request.actor().personId, id);
        return takeUpPage(options, reply.code(errors.status), wish, { places, reason }, errors.fields);
      }
    },
  );

  app.get('/api/v1/block-requests', { config: toPropose }, async (request, reply) => {
    const mine = wishes.toAnswer(request.actor().personId).filter(({ kind }) => kind === 'close');
    return reply.send({ blockRequests: mine.map((wish) => toJson(options, wish)) });
  });

  app.post(
    '/api/v1/block-requests',
    { config: toAsk, schema: { body: MakeBody, headers: OnceHeaders } },
    async (request, reply) => {
      const { sites, reason } = request.body;
      const made = wishes.make(askerOf(request), { kind: 'close', sites: sites.join('\n'), reason }, onceKey(request));
      return reply.code(201).send(toJson(options, made));
    },
  );

  app.post(
    '/api/v1/block-requests/:id/take-up',
    { config: toPropose, schema: { params: MoveParams, body: TakeUpBody } },
    async (request, reply) => {
      const { places, reason } = request.body;
      return reply.send(toJson(options, wishes.takeUp(request.actor(), request.params.id, places, reason)));
    },
  );

  app.post(
    '/api/v1/block-requests/:id/refuse',
    { config: toPropose, schema: { params: MoveParams, body: RefuseBody } },
    async (request, reply) =>
      reply.send(toJson(options, wishes.refuse(request.actor(), request.params.id, request.body.word))),
  );
};

function askerOf(request: FastifyRequest): Asker {
  return { ...request.actor(), fullName: request.signedIn!.person.fullName };
}

/** Blocked in these, it is blocked for every pupil. */
function pupilsRoots({ wishes }: UnblockRoutesOptions): readonly string[] {
  return wishes
    .places()
    .filter(({ isPupilsRoot }) => isPupilsRoot)
    .map(({ file }) => file);
}

/** What a page says to somebody whose change cannot be made; throws what is no fault of theirs. */
function problemsOf(error: unknown): { readonly status: number; readonly fields: readonly FieldProblem[] } {
  if (error instanceof InvalidFieldsError) return { status: 422, fields: error.fields };
  const isTheirs = error instanceof SchoolgateError && error.fault === 'client' && error.code !== 'wish_unknown';
  if (!isTheirs) throw error;
  return { status: 409, fields: [{ field: 'places', reason: error.publicText }] };
}

function blockPage(
  reply: FastifyReply,
  typed: Record<string, string>,
  errors: readonly FieldProblem[] = [],
): FastifyReply {
  return reply.page('block-request', { title: 'This site should be blocked', typed, errors });
}

function takeUpPage(
  { wishes }: UnblockRoutesOptions,
  reply: FastifyReply,
  wish: Wish,
  typed: { readonly places: readonly string[]; readonly reason: string },
  errors: readonly FieldProblem[] = [],
): FastifyReply {
  const blockPlaces = wishes.places().map(({ file, title, also }) => ({
    value: file,
    text: title,
    hint: also.length === 0 ? undefined : { text: `Also ${also.join(', ')}, which extend it.` },
    checked: typed.places.includes(file),
  }));
  return reply.page('block-take-up', { title: 'Block a site', wish, blockPlaces, typed, errors });
}

function toJson({ clock }: UnblockRoutesOptions, wish: Wish) {
  const { id, hosts, reason, asked, word, draftId } = wish;
  return {
    id,
    state: wishState(wish, clock()),
    hosts,
    reason,
    by: asked.userName,
    at: isoTime(asked.at),
    word,
    draftId,
  };
}
