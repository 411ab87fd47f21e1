// browser ── form ──► front desk ── what is asked, address ──► console ──► whoever is signed in there, and what they may
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { type DeskLessonAnswer, type LessonAsk, formOf } from '../lessons/ask.ts';
import type { TypedLesson } from '../lessons/terms.ts';
import { addFormParser } from './forms.ts';
import { type LessonFrame, givePage, lessonsPage, lookUpPage } from './lesson-pages.ts';
import { messagePage } from './pages.ts';
import { askingClient, NO_CLIENT } from './routes.ts';
import { FORM_BYTES, RATION, readForm, refuseForm, send, type SignInRoutesOptions } from './sign-in-forms.ts';

export interface LessonRoutesOptions extends SignInRoutesOptions {
  /** Asks the console as whoever is signed in at an address. Never rejects. */
  readonly askLessons: (address: string, ask: LessonAsk) => Promise<DeskLessonAnswer>;
}

type Answered = Extract<DeskLessonAnswer, { state: 'done' | 'wrong' }>;

/** Lesson lists, for staff who are signed in on the device. */
export const lessonRoutes: FastifyPluginAsync<LessonRoutesOptions> = async (app, options) => {
  addFormParser(app, FORM_BYTES);

  app.get('/lessons', async (request, reply) => see(options, request, reply, (frame) => lessonsPage(frame)));
  app.get('/lessons/new', async (request, reply) => {
    const { like } = request.query as { like?: unknown };
    return see(options, request, reply, (frame) =>
      givePage(frame, formOf(frame.view, typeof like === 'string' ? like : undefined)),
    );
  });
  app.get('/lessons/look-up', async (request, reply) =>
    see(options, request, reply, (frame) => lookUpPage(frame, { className: '', sites: '' })),
  );

  app.post('/lessons/new', RATION, async (request, reply) => {
    const act = formOfRequest(request)?.get('do') === 'check' ? 'check' : 'give';
    const typed = readTyped(formOfRequest(request));
    return take(options, request, reply, { act, typed }, (frame, answered) =>
      givePage(frame, typed, answered.state === 'done' ? answered.answers : undefined),
    );
  });
  app.post('/lessons/look-up', RATION, async (request, reply) => {
    const asked = { className: text(request, 'className'), sites: text(request, 'sites') };
    return take(options, request, reply, { act: 'look-up', ...asked }, (frame, answered) =>
      lookUpPage(frame, asked, answered.state === 'done' ? answered.answers : undefined),
    );
  });
  app.post('/lessons/end', RATION, async (request, reply) =>
    take(options, request, reply, { act: 'end', id: text(request, 'id') }, (frame) => lessonsPage(frame)),
  );
  app.post('/lessons/prolong', RATION, async (request, reply) => {
    const [id, minutes] = [text(request, 'id'), Number(text(request, 'minutes'))];
    return take(options, request, reply, { act: 'prolong', id, minutes }, (frame) => lessonsPage(frame));
  });
  app.post('/lessons/add', RATION, async (request, reply) => {
    const [id, site] = [text(request, 'id'), text(request, 'site')];
    return take(options, request, reply, { act: 'add', id, site }, (frame) => lessonsPage(frame));
  });
};

function formOfRequest({ body }: FastifyRequest): URLSearchParams | null {
  return body instanceof URLSearchParams ? body : null;
}

function text(request: FastifyRequest, name: string): string {
  return formOfRequest(request)?.get(name) ?? '';
}

function readTyped(form: URLSearchParams | null): TypedLesson {
  const one = (name: string): string => form?.get(name) ?? '';
  const [title, sites, pupils] = [one('title'), one('sites'), one('pupils')];
  return { title, sites, pupils, classes: form?.getAll('classes') ?? [], from: one('from'), until: one('until') };
}

async function see(
  options: LessonRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  render: (frame: LessonFrame) => string,
): Promise<FastifyReply> {
  const client = askingClient(request, options.clientFrom);
  if (client === null) return send(reply.code(400), messagePage(options.facts(), 'That did not work', NO_CLIENT));
  return show(options, reply, client, await options.askLessons(client, { act: 'see' }), render);
}

/** Takes a form. What was given or changed is seen on the page of all lists: loading that again must not do it again. */
async function take(
  options: LessonRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  ask: LessonAsk,
  render: (frame: LessonFrame, answered: Answered) => string,
): Promise<FastifyReply> {
  const form = readForm(options, request);
  if (form === null) return refuseForm(options, reply);
  const answered = await options.askLessons(form.client, ask);
  const isChange = answered.state === 'done' && ask.act !== 'check' && ask.act !== 'look-up';
  if (isChange) return reply.header('cache-control', 'no-store').redirect('/lessons', 303);
  return show(options, reply, form.client, answered, render);
}

function show(
  { facts, tokens }: LessonRoutesOptions,
  reply: FastifyReply,
  client: string,
  answered: DeskLessonAnswer,
  render: (frame: LessonFrame, answered: Answered) => string,
): FastifyReply {
  const message = (status: number, words: string, isFault = false): FastifyReply =>
    send(reply.code(status), messagePage(facts(), 'Lesson lists', words, isFault));
  switch (answered.state) {
    case 'nobody':
      return message(403, 'Sign in on this device first. Lesson lists are for teachers and staff.');
    case 'not-staff':
      return message(403, 'Lesson lists are for teachers and staff.');
    case 'no-answer':
      return message(503, 'The front desk cannot look at lesson lists at the moment. Try again in a minute.', true);
    case 'refused':
      return message(409, answered.reason);
    default: {
      const errors = answered.state === 'wrong' ? answered.fields : [];
      const frame = { facts: facts(), token: tokens.make(client), view: answered.view, errors };
      return send(reply.code(errors.length === 0 ? 200 : 422), render(frame, answered));
    }
  }
}
