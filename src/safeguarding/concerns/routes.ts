import { type Static, Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type FieldProblem, InvalidFieldsError } from '../../kernel/errors.ts';
import { THEMES } from '../../policy/safeguarding-rules.ts';
import type { PolicySnapshot } from '../../policy/snapshot.ts';
import { capital, concernsTable, SEVERITY_COLOURS, TUNING_TABLE } from './concerns-table.ts';
import { type ConcernMove, MOVES, STATES } from './model.ts';
import type { Concerns, NamedConcern } from './service.ts';
import type { Sighting } from './sighting.ts';

export interface ConcernRoutesOptions {
  readonly concerns: Concerns;
  readonly levelTitle: (level: string) => string;
  readonly policyInForce: () => PolicySnapshot | null;
}

const Strict = { additionalProperties: false };
const Asked = Type.Optional(Type.String({ maxLength: 200 }));
const ListQuery = Type.Object({
  q: Asked,
  state: Asked,
  severity: Asked,
  theme: Asked,
  sort: Asked,
  page: Asked,
  format: Asked,
});
const TuningQuery = Type.Object({ sort: Asked, page: Asked, format: Asked });
const Params = Type.Object({ id: Type.String({ pattern: '^[0-9A-Z]{26}$' }) });
const PageQuery = Type.Object({ done: Asked });
const Form = Type.Object({ _csrf: Type.Optional(Type.String()), note: Type.String({ maxLength: 2000 }) }, Strict);

const SEE = { access: 'concerns.see' } as const;
const DECIDE = { access: 'concerns.decide' } as const;
/** By the last part of the address of each act. */
const ACTS = { acknowledge: 'acknowledge', 'not-a-concern': 'dismiss', close: 'close' } as const;

/** Pages: concerns, one of them with its evidence and what is done about it, and which rules are dismissed most. */
export const concernRoutes: FastifyPluginAsyncTypebox<ConcernRoutesOptions> = async (app, options) => {
  const { concerns, levelTitle, policyInForce } = options;

  app.get('/concerns', { config: SEE, schema: { querystring: ListQuery } }, async (request, reply) => {
    const data = { title: 'Concerns', hasRules: policyInForce()?.safeguarding !== undefined };
    return reply.tablePage(
      'concerns',
      data,
      concernsTable(levelTitle),
      concerns.list(request.actor(), asked(request.query)),
    );
  });

  app.get('/concerns/tuning', { config: SEE, schema: { querystring: TuningQuery } }, async (request, reply) =>
    reply.tablePage(
      'concern-rules',
      { title: 'Rules that make concerns' },
      TUNING_TABLE,
      concerns.tuning(request.actor()),
    ),
  );

  app.get(
    '/concerns/:id',
    { config: SEE, schema: { params: Params, querystring: PageQuery } },
    async (request, reply) => concernPage(options, request, reply, { id: request.params.id, done: request.query.done }),
  );

  for (const [act, move] of Object.entries(ACTS)) {
    app.post(
      `/concerns/:id/${act}`,
      { config: DECIDE, schema: { params: Params, body: Form } },
      async (request, reply) => {
        const { id } = request.params;
        const { note } = request.body;
        try {
          concerns.move(request.actor(), id, move, note);
        } catch (error) {
          if (!(error instanceof InvalidFieldsError)) throw error;
          return concernPage(options, request, reply.code(422), { id, errors: error.fields, move, note });
        }
        return reply.redirect(`/concerns/${id}?done=${act}`, 303);
      },
    );
  }
};

interface ConcernPage {
  readonly id: string;
  readonly done?: string | undefined;
  readonly errors?: readonly FieldProblem[];
  /** What was tried and cannot be. */
  readonly move?: ConcernMove;
  readonly note?: string;
}

function concernPage(
  { concerns, levelTitle }: ConcernRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  { id, errors = [], ...shown }: ConcernPage,
): FastifyReply {
  const { concern, evidence, findings, acts, others, alongside } = concerns.one(request.actor(), id);
  const worded = (one: NamedConcern) => ({
    ...one,
    themeTitle: THEMES[one.theme],
    severityText: capital(one.severity),
    colour: SEVERITY_COLOURS[one.severity],
    stateText: STATES[one.state],
    levelTitle: levelTitle(one.level),
  });
  const may = (move: ConcernMove): boolean =>
    request.may('concerns.decide') && MOVES[move].from.includes(concern.state);
  return reply.page('concern', {
    title: `${THEMES[concern.theme]}: ${concern.name}`,
    concern: worded(concern),
    evidence: evidence.map(evidenceText),
    findings: findings.map((one) => Object.assign(one, { name: one.rule.split('.rules.').at(-1)! })),
    acts,
    others: others.map(worded),
    alongside: alongside.map(worded),
    mayAcknowledge: may('acknowledge'),
    mayDecide: may('dismiss'),
    // The two forms have the same field; each needs an address of its own on the page.
    errors: errors.map((error) => ({ ...error, field: `${shown.move ?? ''}-${error.field}` })),
    ...shown,
  });
}

/** In words. Listed illegal material is never named. */
function evidenceText({ host, term, verdict, requests, firstAt, lastAt, facts }: Sighting) {
  return {
    what: term === null ? (host ?? 'Listed illegal material, which is not shown') : `Searched for “${term}”`,
    where: term === null ? null : host,
    phrase: facts.phrase,
    category: facts.category,
    answer: verdict === 'block' ? 'Refused' : 'Allowed',
    requests,
    firstAt,
    lastAt,
    client: facts.client,
    topics: facts.topics,
    aheadMinutes: facts.aheadMs === undefined ? null : Math.round(facts.aheadMs / 60_000),
  };
}

/** What was asked for, for the record. Not the words of a search: whoever they name may read the record. */
function asked({ q = '', ...query }: Static<typeof ListQuery>): Record<string, string> {
  const given = Object.entries(query).filter(([name, value]) => value !== '' && name !== 'sort');
  return { ...Object.fromEntries(given), ...(q !== '' && { searched: 'yes' }) };
}
