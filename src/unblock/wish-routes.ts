import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type FieldProblem, InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import { waitText } from './queue.ts';
import { Csrf, MoveParams, Strict, Text, type UnblockRoutesOptions } from './routes.ts';
import { type Wish, type WishState, wishState } from './wish.ts';

const AnswerForm = Type.Object({ _csrf: Csrf, word: Text }, Strict);
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

/** What pupils and staff ask for. */
export const wishRoutes: FastifyPluginAsyncTypebox<UnblockRoutesOptions> = async (app, options) => {
  const config = { access: 'unblock.request' } as const;

  app.get('/unblocks/asked', { config, schema: { querystring: Query } }, async (request, reply) =>
    listPage(options, request, reply, { done: request.query.done }),
  );

  app.post(
    '/unblocks/asked/:id/refuse',
    { config, schema: { params: MoveParams, body: AnswerForm } },
    async (request, reply) => {
      const { id } = request.params;
      try {
        options.wishes.refuse(request.actor(), id, request.body.word);
        return reply.redirect('/unblocks/asked?done=refuse', 303);
      } catch (error) {
        const data = { errors: problemsOf(error, id), typed: { [id]: request.body.word } };
        return listPage(options, request, reply.code(statusOf(error)), data);
      }
    },
  );
};

function statusOf(error: unknown): number {
  if (error instanceof InvalidFieldsError) return 422;
  if (error instanceof SchoolgateError && error.code === 'wish_answered') return 409;
  throw error;
}

function problemsOf(error: unknown, id: string): readonly FieldProblem[] {
  if (error instanceof InvalidFieldsError) return error.fields;
  return [{ field: `wish-${id}`, reason: (error as SchoolgateError).publicText }];
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
