import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { SchoolgateError } from '../kernel/errors.ts';
import { createListWorks, type ListWorks, type Outcome } from './list-work.ts';
import type { Lists } from './service.ts';

export interface ListRoutesOptions {
  readonly listUpdates: Lists;
}

/** How often the page of an act under way is loaded again. */
const LOOK_AGAIN_S = 3;

const Strict = { additionalProperties: false };
const Csrf = Type.Optional(Type.String());
const Id = Type.String({ pattern: '^[a-z0-9]+(?:-[a-z0-9]+)*$', maxLength: 64 });
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Licence = Type.String({ maxLength: 300 });
const Params = Type.Object({ id: Id });
const WorkParams = Type.Object({ id: Type.String({ pattern: '^[0-9a-f-]{36}$' }) });
const PlainForm = Type.Object({ _csrf: Csrf }, Strict);
const EnableForm = Type.Object({ _csrf: Csrf, licence: Licence, accept: Type.Optional(Type.String()) }, Strict);
const AcceptForm = Type.Object({ _csrf: Csrf, sha256: Hash }, Strict);
const UpdateBody = Type.Object(
  { which: Type.Union([Type.Enum(['all', 'due']), Type.Array(Id, { maxItems: 500 })]) },
  Strict,
);
const EnableBody = Type.Object({ licence: Licence }, Strict);
const AcceptBody = Type.Object({ sha256: Hash }, Strict);
const OrNull = Type.Union([Type.String(), Type.Null()]);
const Fetch = Type.Object(
  { fetchedAt: OrNull, triedAt: OrNull, error: OrNull, next: OrNull, setAside: OrNull },
  Strict,
);
const Held = Type.Object(
  { id: Type.String(), entries: Type.Integer(), before: Type.Integer(), sha256: Hash, path: Type.String() },
  Strict,
);
const Source = { id: Type.String(), category: Type.String(), source: Type.String(), licence: OrNull };
const ListsAnswer = Type.Object(
  {
    lists: Type.Immutable(
      Type.Array(
        Type.Object(
          {
            ...Source,
            health: Type.Enum(['in-force', 'last-good', 'not-loaded']),
            entries: Type.Integer(),
            loadedAt: OrNull,
            fetch: Type.Union([Fetch, Type.Null()]),
            held: Type.Union([Held, Type.Null()]),
          },
          Strict,
        ),
      ),
    ),
    offered: Type.Immutable(
      Type.Array(Type.Object({ ...Source, homepage: OrNull, line: Type.Integer(), position: Type.Integer() }, Strict)),
    ),
  },
  Strict,
);

/** The lists: how each stands, and what the network manager does with them. */
export const listRoutes: FastifyPluginAsyncTypebox<ListRoutesOptions> = async (app, { listUpdates }) => {
  const toSee = { access: 'lists.see' } as const;
  const toUpdate = { access: 'lists.update' } as const;
  const toChange = { access: 'lists.change' } as const;
  const works = createListWorks();
  const begin = async (reply: FastifyReply, ...what: Parameters<ListWorks['begin']>): Promise<FastifyReply> => {
    const work = await works.begin(...what);
    const outcome = work.outcome();
    return outcome === null ? reply.redirect(`/lists/work/${work.id}`, 303) : outcomePage(listUpdates, reply, outcome);
  };

  app.get('/lists', { config: toSee }, async (_request, reply) => listsPage(listUpdates, reply));

  app.get('/lists/work/:id', { config: toSee, schema: { params: WorkParams } }, async (request, reply) => {
    const work = works.find(request.params.id);
    if (work === null) return reply.redirect('/lists', 303);
    const outcome = work.outcome();
    if (outcome !== null) return outcomePage(listUpdates, reply, outcome);
    reply.header('refresh', String(LOOK_AGAIN_S));
    return reply.page('lists-work', { title: work.title, step: work.step(), seconds: LOOK_AGAIN_S });
  });

  app.post('/lists/update', { config: toUpdate, schema: { body: PlainForm } }, (request, reply) =>
    begin(reply, 'Fetching all lists', (onStep) => listUpdates.update(request.actor(), 'all', onStep)),
  );

  app.post(
    '/lists/:id/enable',
    { config: toChange, schema: { params: Params, body: EnableForm } },
    (request, reply) => {
      const { id } = request.params;
      if (request.body.accept === undefined) {
        const errors = [{ field: `accept-${id}`, reason: 'Read the licence, and say that the school accepts it.' }];
        return listsPage(listUpdates, reply.code(422), { errors });
      }
      const { licence } = request.body;
      return begin(reply, `Switching on ${id}`, (onStep) => listUpdates.enable(request.actor(), id, licence, onStep));
    },
  );

  app.post(
    '/lists/:id/accept',
    { config: toChange, schema: { params: Params, body: AcceptForm } },
    (request, reply) => {
      const { id } = request.params;
      const { sha256 } = request.body;
      return begin(reply, `Accepting ${id}`, (onStep) => listUpdates.accept(request.actor(), id, sha256, onStep));
    },
  );

  app.get('/api/v1/lists', { config: toSee, schema: { response: { 200: ListsAnswer } } }, async () => ({
    lists: listUpdates.status(),
    offered: listUpdates.offered(),
  }));

  app.post('/api/v1/lists/update', { config: toUpdate, schema: { body: UpdateBody } }, (request) =>
    listUpdates.update(request.actor(), request.body.which),
  );

  app.post('/api/v1/lists/:id/enable', { config: toChange, schema: { params: Params, body: EnableBody } }, (request) =>
    listUpdates.enable(request.actor(), request.params.id, request.body.licence),
  );

  app.post('/api/v1/lists/:id/accept', { config: toChange, schema: { params: Params, body: AcceptBody } }, (request) =>
    listUpdates.accept(request.actor(), request.params.id, request.body.sha256),
  );
};

/** What an act came to; or the page as it is now, with why not. */
function outcomePage(lists: Lists, reply: FastifyReply, outcome: Outcome): FastifyReply {
  if ('report' in outcome) return listsPage(lists, reply, outcome);
  const { error } = outcome;
  if (!(error instanceof SchoolgateError) || error.fault === 'us') throw error;
  const errors = [{ field: 'main-content', reason: error.publicText }];
  return listsPage(lists, reply.code(409), { errors });
}

function listsPage(lists: Lists, reply: FastifyReply, data: Record<string, unknown> = {}): FastifyReply {
  const status = lists.status();
  return reply.page('lists', {
    title: 'Lists',
    lists: status,
    held: status.filter(({ held }) => held !== null),
    offered: lists.offered(),
    ...data,
  });
}
