import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isoTime } from '../kernel/clock.ts';
import { type FieldProblem, InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import { waitText } from './queue.ts';
import { Csrf, MoveParams, Strict, Text, type UnblockRoutesOptions } from './routes.ts';
import { type Wish, type WishState, wishState } from './wish.ts';
import type { Asker } from './wish-service.ts';

const MakeForm = Type.Object({ _csrf: Csrf, key: Type.String({ maxLength: 40 }), sites: Text, reason: Text }, Strict);
const AnswerForm = Type.Object({ _csrf: Csrf, word: Text }, Strict);
const MakeBody = Type.Object({ sites: Type.Array(Text, { maxItems: 50 }), reason: Text }, Strict);
const Query = Type.Object({ done: Type.Optional(Text) });

const STATES: Readonly<Record<WishState, { readonly text: string; readonly colour: string }>> = {
  waiting: { text: 'Waiting', colour: 'yellow' },
  'passed-on': { text: 'Passed on', colour: 'blue' },
  'taken-up': { text: 'Taken up', colour: 'blue' },
  refused: { text: 'Refused', colour: 'red' },
  lapsed: { text: 'Not answered', colour: 'grey' },
};

/** As many as a page shows that is read from top to bottom. */
const SHOWN = 50;

/** What pupils and staff ask for, and sites that should be blocked. */
export const wishRoutes: FastifyPluginAsyncTypebox<UnblockRoutesOptions> = async (app, options) => {
  const { wishes, unblocks } = options;
  const config = { access: 'unblock.request' } as const;

  app.get('/unblocks/asked', { config, schema: { querystring: Query } }, async (request, reply) =>
    listPage(options, request, reply, { done: request.query.done }),
  );

  for (const answer of ['refuse', 'take-up'] as const) {
    app.post(
      `/unblocks/asked/:id/${answer}`,
      { config, schema: { params: MoveParams, body: AnswerForm } },
      async (request, reply) => {
        try {
          wishes.answer(request.actor(), request.params.id, answer, request.body.word);
          return reply.redirect(`/unblocks/asked?done=${answer}`, 303);
        } catch (error) {
          return listPage(options, request, reply.code(statusOf(error)), {
            errors: problemsOf(error, request.params.id),
            typed: { [request.params.id]: request.body.word },
          });
        }
      },
    );
  }

  app.get('/unblocks/block', { config }, async (_request, reply) =>
    blockPage(reply, { sites: '', reason: '', key: unblocks.newFormKey() }),
  );

  app.post('/unblocks/block', { config, schema: { body: MakeForm } }, async (request, reply) => {
    const { sites, reason, key } = request.body;
    try {
      wishes.make(askerOf(request), { kind: 'close', sites, reason }, key);
      return reply.redirect('/unblocks/asked?done=made', 303);
    } catch (error) {
      if (!(error instanceof InvalidFieldsError)) throw error;
      return blockPage(reply.code(422), { sites, reason, key }, error.fields);
    }
  });

  app.post('/api/v1/block-requests', { config, schema: { body: MakeBody } }, async (request, reply) => {
    const { sites, reason } = request.body;
    const made = wishes.make(askerOf(request), { kind: 'close', sites: sites.join('\n'), reason }, null);
    return reply.code(201).send({ id: made.id, hosts: made.hosts, reason: made.reason, at: isoTime(made.asked.at) });
  });
};

function askerOf(request: FastifyRequest): Asker {
  return { ...request.actor(), fullName: request.signedIn!.person.fullName };
}

function statusOf(error: unknown): number {
  if (error instanceof InvalidFieldsError) return 422;
  if (error instanceof SchoolgateError && error.code === 'wish_answered') return 409;
  throw error;
}

function problemsOf(error: unknown, id: string): readonly FieldProblem[] {
  if (error instanceof InvalidFieldsError) return error.fields;
  return [{ field: `wish-${id}`, reason: (error as SchoolgateError).publicText }];
}

function blockPage(
  reply: FastifyReply,
  typed: Record<string, string>,
  errors: readonly FieldProblem[] = [],
): FastifyReply {
  return reply.page('block-request', { title: 'This site should be blocked', typed, errors });
}

function listPage(
  { wishes, knownSchool, clock, policyInForce }: UnblockRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  data: Record<string, unknown>,
): FastifyReply {
  const now = clock();
  const names = new Map(knownSchool().pupils.map(({ user, fullName, classes }) => [user, { fullName, classes }]));
  const row = (wish: Wish) => ({
    wish,
    pupil: names.get(wish.asked.userName.toLowerCase()) ?? null,
    state: STATES[wishState(wish, now)],
    isWaiting: wishState(wish, now) === 'waiting',
    age: waitText(now - wish.asked.at),
  });
  const all = wishes.toAnswer(request.actor().personId).map(row);
  const waiting = all.filter(({ isWaiting }) => isWaiting);
  return reply.page('wishes', {
    title: 'Asked for by pupils and staff',
    waiting,
    answered: all.filter(({ isWaiting }) => !isWaiting).slice(0, SHOWN),
    contact: policyInForce()?.contacts.staff ?? '',
    ...data,
  });
}
