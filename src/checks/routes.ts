import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import type { Clock } from '../kernel/clock.ts';
import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { localInput } from '../kernel/local-time.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { RESULT_COLOURS, checksTable } from './checks-table.ts';
import { KINDS, RESULTS } from './model.ts';
import type { Checks } from './service.ts';

export interface CheckLogOptions {
  readonly checks: Checks;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly timeZone: () => string;
  readonly policyInForce: () => PolicySnapshot | null;
  readonly levelTitle: (level: string) => string;
}

const Strict = { additionalProperties: false };
const Csrf = Type.Optional(Type.String());
const Text = Type.String({ maxLength: 10_000 });
const Choice = Type.Optional(Text);
const Asked = Type.Optional(Type.String({ maxLength: 200 }));
const Id = Type.String({ pattern: '^[0-9A-Z]{26}$' });
const ListQuery = Type.Object({
  q: Asked,
  kind: Asked,
  result: Asked,
  level: Asked,
  sort: Asked,
  page: Asked,
  format: Asked,
  done: Asked,
});
const Params = Type.Object({ id: Id });
const NoFields = Type.Object({ _csrf: Csrf }, Strict);
const Form = Type.Object(
  {
    _csrf: Csrf,
    key: Id,
    when: Text,
    level: Choice,
    device: Text,
    place: Text,
    tested: Text,
    result: Choice,
    action: Text,
  },
  Strict,
);

const SEE = { access: 'checks.see' } as const;
const RECORD = { access: 'checks.record' } as const;

/** Pages: the log of checks, one of them, a form for people's own, and a button for a self-test. */
export const checkLogRoutes: FastifyPluginAsyncTypebox<CheckLogOptions> = async (app, options) => {
  const { checks, clock, newId, timeZone, levelTitle } = options;
  const levels = (): readonly string[] => Object.keys(options.policyInForce()?.levels ?? {});

  app.get('/checks', { config: SEE, schema: { querystring: ListQuery } }, async (request, reply) => {
    const { done } = request.query;
    const data = { title: 'Checks of the filter', done, isTesting: checks.isTesting(), overdue: checks.overdue() };
    return reply.tablePage('checks', data, checksTable(levelTitle, levels()), checks.list());
  });

  app.post('/checks/self-test', { config: RECORD, schema: { body: NoFields } }, async (request, reply) => {
    // Nobody waits for it: sites that do not answer take their time.
    checks.selfTest(request.actor()).catch((error: unknown) => request.log.error({ err: error }, 'a self-test failed'));
    return reply.redirect('/checks?done=testing', 303);
  });

  const newPage = (
    reply: FastifyReply,
    typed: Readonly<Record<string, unknown>>,
    errors: readonly FieldProblem[] = [],
  ): FastifyReply => {
    const choices = [
      ...levels().map((value) => ({ value, text: levelTitle(value) })),
      { value: 'all', text: 'All levels' },
    ];
    const results = Object.entries(RESULTS).map(([value, text]) => ({ value, text }));
    return reply.page('check-new', { title: 'Record a check', levels: choices, results, typed, errors });
  };

  app.get('/checks/new', { config: RECORD }, async (_request, reply) =>
    newPage(reply, { when: localInput(clock(), timeZone()), key: newId() }),
  );

  app.post('/checks/new', { config: RECORD, schema: { body: Form } }, async (request, reply) => {
    const { _csrf, key, level = '', result = '', ...typed } = request.body;
    try {
      checks.record(request.actor(), { ...typed, level, result }, key);
      return await reply.redirect('/checks?done=recorded', 303);
    } catch (error) {
      if (!(error instanceof InvalidFieldsError)) throw error;
      return newPage(reply.code(422), { ...typed, key, level, result }, error.fields);
    }
  });

  app.get('/checks/:id', { config: SEE, schema: { params: Params } }, async (request, reply) => {
    const check = checks.one(request.params.id);
    return reply.page('check-one', {
      title: `Check: ${check.level === null ? 'all levels' : levelTitle(check.level)}`,
      check,
      levelText: check.level === null ? 'All levels' : levelTitle(check.level),
      kindText: KINDS[check.kind],
      results: RESULTS,
      colours: RESULT_COLOURS,
    });
  });
};
