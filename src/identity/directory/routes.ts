import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { wrongField } from '../../kernel/errors.ts';
import { ROSTER_MAX_BYTES } from '../roster/roster.ts';
import type { Directory } from './service.ts';

export interface DirectoryRoutesOptions {
  readonly directory: Directory;
}

const Strict = { additionalProperties: false };
const Name = Type.String({ minLength: 1, maxLength: 200 });
const Files = Type.Array(Type.Object({ name: Name, text: Type.String() }, Strict), { maxItems: 100 });
const ImportBody = Type.Object(
  { files: Files, dryRun: Type.Optional(Type.Boolean()), accept: Type.Optional(Type.Boolean()) },
  Strict,
);
const ListQuery = Type.Object({ level: Type.Optional(Name), class: Type.Optional(Name) }, Strict);
const SuspendBody = Type.Object(
  {
    userName: Name,
    until: Type.Optional(Type.String({ description: 'ISO 8601 with its zone; left out: until lifted' })),
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
  },
  Strict,
);
const LiftBody = Type.Object({ userName: Name }, Strict);
const CardsBody = Type.Object({ for: Name }, Strict);

/** JSON writes some characters as six. */
const IMPORT_BYTES = 2 * ROSTER_MAX_BYTES;

/** The directory for programs; what the commands `people …` call. */
export const directoryRoutes: FastifyPluginAsyncTypebox<DirectoryRoutesOptions> = async (app, { directory }) => {
  app.post(
    '/api/v1/people/import',
    { bodyLimit: IMPORT_BYTES, config: { access: 'people.import' }, schema: { body: ImportBody } },
    async (request, reply) => {
      const { files, dryRun = false, accept = false } = request.body;
      return reply.send(
        dryRun ? await directory.preview(files) : await directory.import(request.actor(), files, accept),
      );
    },
  );

  app.get(
    '/api/v1/people',
    { config: { access: 'people.see' }, schema: { querystring: ListQuery } },
    async (request, reply) => {
      const { level, class: className } = request.query;
      const filter = { ...(level !== undefined && { level }), ...(className !== undefined && { className }) };
      return reply.send({ people: directory.list(request.actor(), filter) });
    },
  );

  app.post(
    '/api/v1/people/suspend',
    { config: { access: 'people.suspend' }, schema: { body: SuspendBody } },
    async (request, reply) => {
      const { userName, until, reason } = request.body;
      directory.suspend(
        request.actor(),
        { userName },
        { until: until === undefined ? null : instant(until), reason: reason ?? null },
      );
      return reply.code(204).send();
    },
  );

  app.post(
    '/api/v1/people/lift',
    { config: { access: 'people.suspend' }, schema: { body: LiftBody } },
    async (request, reply) => {
      directory.lift(request.actor(), { userName: request.body.userName });
      return reply.code(204).send();
    },
  );

  app.post(
    '/api/v1/people/cards',
    { config: { access: 'people.cards' }, schema: { body: CardsBody } },
    async (request, reply) =>
      reply.send({ cards: await directory.makeCards(request.actor(), { classOrUser: request.body.for }) }),
  );
};

/** ISO 8601 with its zone, ms since the epoch. */
function instant(text: string): number {
  const ms = /(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw wrongField('until', 'Give a time in ISO 8601 with its zone, such as 2026-12-01T08:00:00Z.');
}
