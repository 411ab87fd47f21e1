import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type FieldProblem, InvalidFieldsError } from '../../kernel/errors.ts';
import { instantOf } from '../../kernel/local-time.ts';
import type { Agreements } from '../agreements/service.ts';
import { yearText } from '../school-years.ts';
import { type LevelTitle, classTable, peopleTable, rolesText } from './people-table.ts';
import type { ClassSummary, Directory, Suspending } from './service.ts';

export interface PeopleRoutesOptions {
  readonly directory: Directory;
  readonly agreements: Agreements;
  /** IANA zone of the school. */
  readonly timeZone: () => string;
  readonly levelTitle: LevelTitle;
}

const Strict = { additionalProperties: false };
const Csrf = Type.Optional(Type.String());
const Text = Type.String({ maxLength: 1000 });
const Asked = Type.Optional(Type.String({ maxLength: 200 }));
const AskedOfPeople = {
  q: Asked,
  role: Asked,
  year: Asked,
  class: Asked,
  level: Asked,
  status: Asked,
  sort: Asked,
  page: Asked,
  format: Asked,
};
const PeopleQuery = Type.Object(AskedOfPeople);
const ClassQuery = Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }), sort: Asked, format: Asked });
const PersonParams = Type.Object({ id: Type.String({ pattern: '^[0-9A-Z]{26}$' }) });
const PersonQuery = Type.Object({ done: Asked });
const SuspendForm = Type.Object({ _csrf: Csrf, reason: Text, until: Text }, Strict);
const NoFields = Type.Object({ _csrf: Csrf }, Strict);
const ClassForm = Type.Object({ _csrf: Csrf, name: Type.String({ minLength: 1, maxLength: 200 }) }, Strict);

const SEE = { access: 'people.see' } as const;
const SUSPEND = { access: 'people.suspend' } as const;
const CARDS = { access: 'people.cards' } as const;

/** Pages: people, one person and what is done about their access, classes and their log-in cards. */
export const peopleRoutes: FastifyPluginAsyncTypebox<PeopleRoutesOptions> = async (app, options) => {
  const { directory, levelTitle } = options;

  app.get('/people', { config: SEE, schema: { querystring: PeopleQuery } }, async (request, reply) => {
    const people = directory.list(request.actor(), {}, asked(request.query));
    const table = peopleTable(people, directory.classes(), levelTitle);
    return reply.tablePage('people', { title: 'People' }, table, people);
  });

  app.get(
    '/people/:id',
    { config: SEE, schema: { params: PersonParams, querystring: PersonQuery } },
    async (request, reply) => personPage(options, request, reply, { id: request.params.id, done: request.query.done }),
  );

  app.post(
    '/people/:id/suspend',
    { config: SUSPEND, schema: { params: PersonParams, body: SuspendForm } },
    async (request, reply) => {
      const { id } = request.params;
      try {
        directory.suspend(request.actor(), { id }, readSuspending(request.body, options.timeZone()));
      } catch (error) {
        if (!(error instanceof InvalidFieldsError)) throw error;
        return personPage(options, request, reply.code(422), { id, errors: error.fields, typed: request.body });
      }
      return reply.redirect(`/people/${id}?done=suspended`, 303);
    },
  );

  app.post(
    '/people/:id/lift',
    { config: SUSPEND, schema: { params: PersonParams, body: NoFields } },
    async (request, reply) => {
      const { id } = request.params;
      directory.lift(request.actor(), { id });
      return reply.redirect(`/people/${id}?done=lifted`, 303);
    },
  );

  app.post(
    '/people/:id/card',
    { config: CARDS, schema: { params: PersonParams, body: NoFields } },
    async (request, reply) => {
      const { id } = request.params;
      const cards = await directory.makeCards(request.actor(), { id });
      return cardsPage(reply, { title: 'Log-in card', cards, back: `/people/${id}` });
    },
  );

  app.get('/classes', { config: SEE }, async (_request, reply) =>
    reply.tablePage('classes', { title: 'Classes' }, CLASSES, directory.classes()),
  );

  app.get('/class', { config: SEE, schema: { querystring: ClassQuery } }, async (request, reply) => {
    const { name } = request.query;
    const people = directory
      .list(request.actor(), { className: name }, asked({ format: request.query.format }))
      .filter(({ status }) => status !== 'left');
    const pupils = people.filter(({ classes }) => classes.includes(name)).length;
    return reply.tablePage('class', { title: `Class ${name}`, name, pupils }, classTable(name, levelTitle), people);
  });

  app.post('/class/cards', { config: CARDS, schema: { body: ClassForm } }, async (request, reply) => {
    const { name } = request.body;
    const cards = await directory.makeCards(request.actor(), { className: name });
    return cardsPage(reply, { title: `Log-in cards of class ${name}`, cards, back: classPath(name) });
  });
};

const CLASSES = {
  path: '/classes',
  caption: 'Classes',
  columns: [
    {
      id: 'name',
      title: 'Class',
      value: ({ name }: ClassSummary) => name,
      href: ({ name }: ClassSummary) => classPath(name),
    },
    { id: 'years', title: 'Years', value: ({ years }: ClassSummary) => years.map(yearText).join(', ') },
    { id: 'pupils', title: 'Pupils', value: ({ pupils }: ClassSummary) => pupils, isNumber: true },
    { id: 'teachers', title: 'Teachers', value: ({ teachers }: ClassSummary) => teachers.join(', ') },
  ],
  search: {
    label: 'Class or teacher',
    of: ({ name, teachers }: ClassSummary) => `${name} ${teachers.join(' ')}`,
  },
  empty: {
    text: 'There is no class yet: a roster that names classes brings them in.',
    href: '/people/import',
    linkText: 'Import a roster',
    needs: 'people.import',
  },
} as const;

/** Names hold slashes, and what else a school likes. */
function classPath(name: string): string {
  return `/class?${new URLSearchParams({ name }).toString()}`;
}

/** What was asked for, for the record. */
function asked(query: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given = Object.entries(query).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '');
  return Object.fromEntries(given.filter(([name]) => name !== 'sort'));
}

/** Throws an InvalidFieldsError with all that is wrong. */
function readSuspending({ reason, until }: Static<typeof SuspendForm>, zone: string): Suspending {
  const end = until.trim() === '' ? null : instantOf(until.trim(), zone);
  const problems: FieldProblem[] = [];
  if (reason.trim() === '') problems.push({ field: 'reason', reason: 'Say why; it stands on the record.' });
  if (until.trim() !== '' && end === null) {
    problems.push({ field: 'until', reason: 'Give a day and a time, or leave it empty.' });
  }
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return { reason, until: end };
}

interface PersonPage {
  readonly id: string;
  readonly done?: string | undefined;
  readonly errors?: readonly FieldProblem[];
  readonly typed?: Static<typeof SuspendForm>;
}

function personPage(
  { directory, agreements, levelTitle }: PeopleRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  { id, ...shown }: PersonPage,
): FastifyReply {
  const purpose = request.purposeOf(`person:${id}`);
  if (purpose === null) return reply.askPurpose(`person:${id}`, `/people/${id}`);
  const person = directory.person(request.actor(), id, purpose);
  const link = (name: string) => ({ name, href: classPath(name) });
  return reply.page('person', {
    title: person.fullName,
    person,
    roles: rolesText(person),
    year: person.year === null ? null : yearText(person.year),
    level: person.level === null ? null : levelTitle(person.level),
    classes: person.classes.map(link),
    teaches: person.teaches.map(link),
    agreement: agreements.stateOf(id),
    ...shown,
  });
}

/** Passwords are shown here and never again: no cache keeps the page. */
function cardsPage(
  reply: FastifyReply,
  data: { readonly title: string; readonly cards: Awaited<ReturnType<Directory['makeCards']>>; readonly back: string },
): FastifyReply {
  return reply.code(201).page('log-in-cards', data);
}
