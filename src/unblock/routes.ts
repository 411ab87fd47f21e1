import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Permission } from '../identity/permissions.ts';
import type { Accounts } from '../identity/service.ts';
import { type Clock, isoTime } from '../kernel/clock.ts';
import { InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import { instantOf, localInput } from '../kernel/local-time.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { MOVES, type Unblock, type UnblockMove, mayMove, stateAt } from './model.ts';
import type { PersonalMove, Unblocks } from './service.ts';
import type { UnblockInput } from './terms.ts';

export interface UnblockRoutesOptions {
  readonly unblocks: Unblocks;
  readonly accounts: Accounts;
  readonly clock: Clock;
  /** The policy in force, for the choices of the form; null before there is one. */
  readonly policyInForce: () => PolicySnapshot | null;
}

const Strict = { additionalProperties: false };
const Text = Type.String({ maxLength: 5000 });
const Texts = Type.Array(Type.String({ maxLength: 300 }), { maxItems: 200 });
/** A box that is ticked once comes as text, ticked twice as a list, and not at all when it is not. */
const Ticked = Type.Optional(Type.Union([Text, Texts]));

const RequestForm = Type.Object(
  {
    _csrf: Type.Optional(Type.String()),
    topic: Text,
    reason: Text,
    hosts: Text,
    categories: Ticked,
    levels: Ticked,
    ranges: Text,
    from: Text,
    until: Text,
  },
  Strict,
);
type RequestForm = Static<typeof RequestForm>;

const RequestBody = Type.Object(
  {
    topic: Text,
    reason: Text,
    hosts: Type.Optional(Texts),
    categories: Type.Optional(Texts),
    levels: Type.Optional(Texts),
    ranges: Type.Optional(Texts),
    from: Type.Optional(Type.String({ description: 'ISO 8601; default: now' })),
    until: Type.String({ description: 'ISO 8601' }),
  },
  Strict,
);

const PERSONAL_MOVES = (Object.keys(MOVES) as UnblockMove[]).filter((move): move is PersonalMove => move !== 'expire');
const ACCESS = {
  approve: 'unblock.decide',
  refuse: 'unblock.decide',
  withdraw: 'unblock.request',
  revoke: 'unblock.revoke',
} as const satisfies Record<PersonalMove, Permission>;
const Id = Type.String({ pattern: '^[0-9A-Z]{26}$' });
const MoveParams = Type.Object({ id: Id });
const MoveForm = Type.Object({ _csrf: Type.Optional(Type.String()), reason: Type.Optional(Text) }, Strict);
const MoveBody = Type.Optional(Type.Object({ reason: Type.Optional(Text) }, Strict));

const SHOWN = 200;

/** Asking for sites to be opened, and deciding it: pages, and the same for programs. */
export const unblockRoutes: FastifyPluginAsyncTypebox<UnblockRoutesOptions> = async (app, options) => {
  const { unblocks, clock } = options;
  const toSee = { access: 'unblock.see' } as const;
  const toRequest = { access: 'unblock.request' } as const;

  app.get(
    '/unblocks',
    { config: toSee, schema: { querystring: Type.Object({ done: Type.Optional(Text) }) } },
    async (request, reply) => listPage(options, request, reply, { done: request.query.done }),
  );

  app.get('/unblocks/new', { config: toRequest }, async (_request, reply) => {
    const now = Math.ceil(clock() / 300_000) * 300_000;
    const zone = zoneOf(options);
    return formPage(options, reply, { from: localInput(now, zone), until: localInput(now + 3_600_000, zone) });
  });

  app.post('/unblocks/new', { config: toRequest, schema: { body: RequestForm } }, async (request, reply) => {
    try {
      unblocks.request(request.actor(), readForm(request.body, zoneOf(options)));
      return reply.redirect('/unblocks?done=requested', 303);
    } catch (error) {
      if (!(error instanceof InvalidFieldsError)) throw error;
      return formPage(options, reply.code(422), typedForm(request.body), error.fields);
    }
  });

  for (const move of PERSONAL_MOVES) {
    const config = { access: ACCESS[move] };
    app.post(
      `/unblocks/:id/${move}`,
      { config, schema: { params: MoveParams, body: MoveForm } },
      async (request, reply) => {
        const { id } = request.params;
        try {
          unblocks.move(request.actor(), id, move, request.body.reason ?? '');
          return reply.redirect(`/unblocks?done=${move}`, 303);
        } catch (error) {
          if (!(error instanceof SchoolgateError) || error.code !== 'unblock_move') throw error;
          // Somebody else was quicker, or its time has passed: show how things stand now.
          return listPage(options, request, reply.code(409), {
            errors: [{ field: `unblock-${id}`, reason: error.publicText }],
          });
        }
      },
    );

    app.post(
      `/api/v1/unblocks/:id/${move}`,
      { config, schema: { params: MoveParams, body: MoveBody } },
      async (request, reply) => {
        const moved = unblocks.move(request.actor(), request.params.id, move, request.body?.reason ?? '');
        return reply.send(toJson(options, moved));
      },
    );
  }

  app.get('/api/v1/unblocks', { config: toSee }, async () => ({
    unblocks: unblocks.list(SHOWN).map((unblock) => toJson(options, unblock)),
  }));

  app.post('/api/v1/unblocks', { config: toRequest, schema: { body: RequestBody } }, async (request, reply) => {
    const { topic, reason, hosts = [], categories = [], levels = [], ranges = [], from, until } = request.body;
    const start = from === undefined ? clock() : instant(from);
    const input = { topic, reason, hosts, categories, levels, ranges, from: start, until: instant(until) };
    return reply.code(201).send(toJson(options, unblocks.request(request.actor(), input)));
  });
};

function zoneOf({ policyInForce }: UnblockRoutesOptions): string {
  return policyInForce()?.timeZone ?? 'Europe/London';
}

/** An instant in ISO 8601 with its offset; null: none, or none that says which zone it means. */
function instant(text: string): number | null {
  const ms = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

function readForm(form: RequestForm, zone: string): UnblockInput {
  return {
    topic: form.topic,
    reason: form.reason,
    hosts: lines(form.hosts),
    categories: ticked(form.categories),
    levels: ticked(form.levels),
    ranges: lines(form.ranges),
    from: instantOf(form.from.trim(), zone),
    until: instantOf(form.until.trim(), zone),
  };
}

function typedForm(form: RequestForm): Record<string, unknown> {
  return { ...form, categories: ticked(form.categories), levels: ticked(form.levels) };
}

function lines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function ticked(boxes: string | readonly string[] | undefined): readonly string[] {
  return boxes === undefined ? [] : typeof boxes === 'string' ? [boxes] : boxes;
}

async function formPage(
  options: UnblockRoutesOptions,
  reply: FastifyReply,
  typed: Record<string, unknown>,
  errors: InvalidFieldsError['fields'] = [],
): Promise<FastifyReply> {
  const policy = options.policyInForce();
  const categories = Object.entries(policy?.categories ?? {}).filter(([, { locked }]) => !locked);
  const levels = Object.values(policy?.levels ?? {});
  return reply.page('unblock-request', {
    title: 'Ask for an unblock',
    typed,
    errors,
    categories: categories.map(([id, { title }]) => ({ value: id, text: title })),
    levels: levels.map(({ name, title }) => ({ value: name, text: title })),
  });
}

async function listPage(
  options: UnblockRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  data: Record<string, unknown>,
): Promise<FastifyReply> {
  const { unblocks, clock } = options;
  const act = { by: request.actor().personId, at: clock() };
  const policy = options.policyInForce();
  const names = namesOf(options);
  const rows = unblocks.list(SHOWN).map((unblock) => ({
    unblock,
    state: stateAt(unblock, act.at),
    requestedBy: names(unblock.requested.by),
    decidedBy: names(unblock.decided?.by ?? null),
    endedBy: names(unblock.ended?.by ?? null),
    moves: PERSONAL_MOVES.filter((move) => request.may(ACCESS[move]) && mayMove(unblock, move, act)),
    levelTitles: unblock.levels.map((level) => policy?.levels[level]?.title ?? level),
    categoryTitles: unblock.categories.map((id) => policy?.categories[id]?.title ?? id),
  }));
  return reply.page('unblocks', { title: 'Unblocks', rows, ...data });
}

function namesOf({ accounts }: UnblockRoutesOptions): (id: string | null) => string | null {
  const names = new Map(accounts.people().map((person) => [person.id, person.fullName]));
  return (id) => (id === null ? null : (names.get(id) ?? id));
}

function toJson(options: UnblockRoutesOptions, unblock: Unblock) {
  const userNames = new Map(options.accounts.people().map((person) => [person.id, person.userName]));
  const { id, topic, reason, hosts, categories, levels, ranges, from, until, requested, decided, ended } = unblock;
  const act = (one: typeof decided) =>
    one === null ? null : { by: one.by === null ? null : userNames.get(one.by), at: isoTime(one.at) };
  const terms = { topic, reason, hosts, categories, levels, ranges, from: isoTime(from), until: isoTime(until) };
  const state = stateAt(unblock, options.clock());
  return { id, state, ...terms, requested: act(requested), decided: act(decided), ended: act(ended) };
}
