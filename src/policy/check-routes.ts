import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { entryText } from '../categories/explain-match.ts';
import { type FieldProblem, SchoolgateError } from '../kernel/errors.ts';
import { chainRows } from './chain-text.ts';
import type { CheckQuery, Checked } from './check-url.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { REASONS, STEPS } from './verdict.ts';

export interface CheckRoutesOptions {
  /** What a gateway would answer; null before policy and index are there. Rejects with a SchoolgateError (`check_query`). */
  readonly siteCheck: (query: CheckQuery) => Promise<Checked | null>;
  readonly policyInForce: () => PolicySnapshot | null;
}

const Strict = { additionalProperties: false };
const Short = Type.Optional(Type.String({ maxLength: 200 }));
const Url = Type.String({ maxLength: 8192 });
const Form = Type.Object({ url: Type.Optional(Url), level: Short, user: Short, at: Short }, Strict);
const Api = Type.Object({ url: Url, level: Short, user: Short, from: Short, at: Short }, Strict);
type Typed = Static<typeof Form>;
const OrNull = Type.Union([Type.String(), Type.Null()]);
const Texts = Type.Immutable(Type.Array(Type.String()));
const Action = Type.Enum(['allow', 'monitor', 'warn', 'block']);
const Link = Type.Object(
  {
    step: Type.Enum(STEPS),
    asked: Type.String({ description: 'in plain words' }),
    said: Type.Enum(['spoke', 'nothing', 'not-in-force', 'never-asked']),
    action: Type.Union([Action, Type.Null()]),
  },
  { additionalProperties: true },
);
/** A verdict as the contract has it. */
const Answer = Type.Object(
  {
    verdict: Type.Enum(['allow', 'block']),
    action: Action,
    reason: Type.Enum(REASONS),
    step: Type.Enum(STEPS),
    category: OrNull,
    categories: Texts,
    lists: Texts,
    rule: OrNull,
    flagged: Type.Boolean(),
    locked: Type.Boolean(),
    level: Type.String(),
    user: OrNull,
    canonical: OrNull,
    at: Type.String(),
    policy: Type.String({ description: 'hash of the policy that decided' }),
    serial: Type.Integer(),
    explain: Type.Object(
      { user: Type.String(), staff: Type.String(), chain: Type.Immutable(Type.Array(Link)) },
      Strict,
    ),
  },
  Strict,
);

const config = { access: 'site.check', rateLimit: { max: 120, timeWindow: '1 minute' } } as const;

/** “Check a site”: what the filter would do, and which rule says so. Illegal lists are never asked. */
export const checkRoutes: FastifyPluginAsyncTypebox<CheckRoutesOptions> = async (app, options) => {
  // By GET: it changes nothing, and an answer can be kept as a link.
  app.get('/check', { config, schema: { querystring: Form } }, async (request, reply) => {
    const typed = request.query;
    if (typed.url === undefined) return page(options, request, reply, typed, {});
    if (typed.url.trim() === '')
      return wrong(options, request, reply, typed, { field: 'url', reason: 'Type the address of a site or page.' });
    if (filled(typed.user) && !request.may('people.see'))
      return wrong(options, request, reply, typed, { field: 'user', reason: 'Your role may ask for levels only.' });
    try {
      return page(options, request, reply, typed, { checked: await options.siteCheck(queryOf(typed)) });
    } catch (error) {
      if (!(error instanceof SchoolgateError) || error.code !== 'check_query') throw error;
      const field = filled(typed.user) && filled(typed.level) ? 'user' : filled(typed.at) ? 'at' : 'level';
      return wrong(options, request, reply, typed, { field, reason: error.publicText });
    }
  });

  app.get(
    '/api/v1/check',
    { config, schema: { querystring: Api, response: { 200: Answer } } },
    async (request, reply) => {
      const { from, ...typed } = request.query;
      if (filled(typed.user) && !request.may('people.see'))
        throw new SchoolgateError('check_person', 'client', 'Your role may ask for levels only, not for a person.');
      const checked = await options.siteCheck({ ...queryOf(typed), ...(filled(from) && { from }) });
      if (checked === null) throw new SchoolgateError('no_policy', 'us', NOTHING_YET);
      return reply.send({ ...checked.verdict, explain: { ...checked.verdict.explain, chain: checked.chain() } });
    },
  );
};

const NOTHING_YET = 'There is no policy or no index of the lists yet; try again when the first start is over.';

function filled(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== '';
}

function queryOf({ url = '', level, user, at }: Typed): CheckQuery {
  return {
    url,
    ...(filled(level) && { level }),
    ...(filled(user) && { user: user.trim() }),
    ...(filled(at) && { at }),
  };
}

function wrong(
  options: CheckRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  typed: Typed,
  problem: FieldProblem,
): FastifyReply {
  return page(options, request, reply.code(422), typed, { errors: [problem] });
}

interface Shown {
  readonly checked?: Checked | null;
  readonly errors?: readonly FieldProblem[];
}

function page(
  { policyInForce }: CheckRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  typed: Typed,
  { checked, errors = [] }: Shown,
): FastifyReply {
  const policy = policyInForce();
  const levels = Object.entries(policy?.levels ?? {}).map(([value, { title }]) => ({ value, text: title }));
  return reply.page('check', {
    title: 'Check a site',
    errors,
    typed,
    levels: [{ value: '', text: 'Whoever is not identified' }, ...levels],
    mayAskPeople: request.may('people.see'),
    nothingYet: checked === null ? NOTHING_YET : null,
    answer: checked === undefined || checked === null ? null : answerOf(checked, policy),
  });
}

/** What the page shows, with the names that people know. */
function answerOf(checked: Checked, policy: PolicySnapshot | null) {
  const { verdict, hostOnly, rangesUnasked, unknownPerson } = checked;
  return {
    verdict,
    hostOnly,
    rangesUnasked,
    unknownPerson,
    level: policy?.levels[verdict.level]?.title ?? verdict.level,
    categories: verdict.categories.map((id) => policy?.categories[id]?.title ?? id),
    entries: checked.matched().map((entry) => ({ list: entry.list, text: entryText(entry) })),
    chain: chainRows(checked.chain()),
  };
}
