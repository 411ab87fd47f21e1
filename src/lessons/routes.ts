import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SchoolgateError } from '../kernel/errors.ts';
import { type LessonAnswer, type LessonAsk, type LessonView, MINUTES, formOf } from './ask.ts';
import { MAX_SITES } from './model.ts';
import type { Lessons } from './service.ts';
import type { TypedLesson } from './terms.ts';

export interface LessonRoutesOptions {
  readonly lessons: Lessons;
}

const Strict = { additionalProperties: false };
const Csrf = Type.Optional(Type.String());
const Text = Type.String({ maxLength: 5000 });
/** A box that is ticked once comes as text, ticked twice as a list, and not at all when it is not. */
const Ticked = Type.Optional(Type.Union([Text, Type.Array(Text, { maxItems: 1000 })]));
const GiveForm = Type.Object(
  {
    _csrf: Csrf,
    title: Text,
    sites: Text,
    classes: Ticked,
    pupils: Text,
    from: Text,
    until: Text,
    do: Type.Enum(['give', 'check']),
  },
  Strict,
);
const LookUpForm = Type.Object({ _csrf: Csrf, className: Text, sites: Text }, Strict);
const Params = Type.Object({ id: Type.String({ pattern: '^[0-9A-Z]{26}$' }) });
const NoFields = Type.Object({ _csrf: Csrf }, Strict);
const ProlongForm = Type.Object({ _csrf: Csrf, minutes: Type.Enum(MINUTES.map(String)) }, Strict);
const AddForm = Type.Object({ _csrf: Csrf, site: Text }, Strict);

/** Whoever asks about sites all day would read the lists out. */
const RATION = { rateLimit: { max: 60, timeWindow: '1 minute' } } as const;

type Done = Extract<LessonAnswer, { state: 'done' }>;
type Wrong = Extract<LessonAnswer, { state: 'wrong' }>;

/** Lesson lists, and "would my class see this?", as pages. */
export const lessonRoutes: FastifyPluginAsyncTypebox<LessonRoutesOptions> = async (app, { lessons }) => {
  const config = { access: 'lessons.give' } as const;
  const answer = async (request: FastifyRequest, ask: LessonAsk): Promise<Done | Wrong> => {
    const answered = await lessons.answer(request.actor(), ask);
    if (answered.state !== 'not-staff') return answered;
    throw new SchoolgateError(
      'lesson_not_staff',
      'client',
      'The roster has you as a pupil: lesson lists are for staff.',
    );
  };

  app.get(
    '/lessons',
    { config, schema: { querystring: Type.Object({ done: Type.Optional(Text) }) } },
    async (request, reply) => listPage(reply, await answer(request, { act: 'see' }), request.query.done),
  );

  app.get(
    '/lessons/new',
    { config, schema: { querystring: Type.Object({ like: Type.Optional(Text) }) } },
    async (request, reply) => {
      const { view } = await answer(request, { act: 'see' });
      return givePage(reply, view, formOf(view, request.query.like));
    },
  );

  app.post('/lessons/new', { config: { ...config, ...RATION }, schema: { body: GiveForm } }, async (request, reply) => {
    const { do: act } = request.body;
    const typed = readForm(request.body);
    const answered = await answer(request, { act, typed });
    if (answered.state === 'wrong') return givePage(reply.code(422), answered.view, typed, { errors: answered.fields });
    if (act === 'give') return reply.redirect(`/lessons?done=give#lesson-${answered.id}`, 303);
    return givePage(reply, answered.view, typed, { checked: true, answers: answered.answers });
  });

  const change = async (request: FastifyRequest, reply: FastifyReply, ask: LessonAsk): Promise<FastifyReply> => {
    const answered = await answer(request, ask);
    if (answered.state === 'wrong') return listPage(reply.code(422), answered);
    return reply.redirect(`/lessons?done=${ask.act}`, 303);
  };
  app.post('/lessons/:id/end', { config, schema: { params: Params, body: NoFields } }, async (request, reply) =>
    change(request, reply, { act: 'end', id: request.params.id }),
  );
  app.post('/lessons/:id/prolong', { config, schema: { params: Params, body: ProlongForm } }, async (request, reply) =>
    change(request, reply, { act: 'prolong', id: request.params.id, minutes: Number(request.body.minutes) }),
  );
  app.post('/lessons/:id/add', { config, schema: { params: Params, body: AddForm } }, async (request, reply) =>
    change(request, reply, { act: 'add', id: request.params.id, site: request.body.site }),
  );

  app.get('/lessons/look-up', { config }, async (request, reply) => {
    const { view } = await answer(request, { act: 'see' });
    return lookUpPage(reply, view, { className: '', sites: '' });
  });

  app.post(
    '/lessons/look-up',
    { config: { ...config, ...RATION }, schema: { body: LookUpForm } },
    async (request, reply) => {
      const { className, sites } = request.body;
      const answered = await answer(request, { act: 'look-up', className, sites });
      const typed = { className, sites };
      if (answered.state === 'wrong')
        return lookUpPage(reply.code(422), answered.view, typed, { errors: answered.fields });
      return lookUpPage(reply, answered.view, typed, { checked: true, answers: answered.answers });
    },
  );
};

function readForm({ title, sites, classes, pupils, from, until }: Static<typeof GiveForm>): TypedLesson {
  const ticked = classes === undefined ? [] : typeof classes === 'string' ? [classes] : classes;
  return { title, sites, classes: ticked, pupils, from, until };
}

type More = Partial<Pick<Wrong, 'fields'> & Pick<Done, 'answers'>> & {
  readonly errors?: Wrong['fields'];
  readonly checked?: boolean;
};

function listPage(reply: FastifyReply, answered: Done | Wrong, done = ''): FastifyReply {
  const errors = answered.state === 'wrong' ? answered.fields : [];
  return reply.page('lessons', { title: 'Lesson lists', view: answered.view, done, errors });
}

function givePage(reply: FastifyReply, view: LessonView, typed: TypedLesson, more: More = {}): FastifyReply {
  const classes = view.classes.map((name) => ({ value: name, text: name }));
  return reply.page('lesson-new', { title: 'Give a lesson list', classes, typed, most: MAX_SITES, ...more });
}

function lookUpPage(
  reply: FastifyReply,
  view: LessonView,
  typed: { readonly className: string; readonly sites: string },
  more: More = {},
): FastifyReply {
  const classes = view.classes.map((name) => ({ value: name, text: name }));
  return reply.page('lesson-look-up', { title: 'Would my class see this?', classes, typed, ...more });
}
