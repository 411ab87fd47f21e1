import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { isoTime, WEEK_MS } from '../kernel/clock.ts';
import { formatProblem } from '../kernel/errors.ts';
import { healthLines } from './health.ts';
import { homePage } from './home.ts';
import { openApi } from './openapi.ts';
import type { OverviewOptions } from './overview.ts';

const HEALTH = { access: 'health.see', rateLimit: { max: 30, timeWindow: '1 minute' } } as const;
const HealthQuery = Type.Object({ look: Type.Optional(Type.String({ maxLength: 10 })) });

/** The home page, and the state of everything for programs. */
export const overviewRoutes: FastifyPluginAsyncTypebox<OverviewOptions> = async (app, options) => {
  app.get('/health', { config: { access: 'public', rateLimit: false } }, async () => ({
    // Asked of the record, so that an answer means that it can be read.
    status: options.publishing.isWaiting() ? 'behind' : 'ok',
  }));

  app.get('/', { config: { access: 'home.see' } }, async (request, reply) =>
    reply.page('home', homePage(options, request)),
  );

  app.get('/status', { config: HEALTH, schema: { querystring: HealthQuery } }, async (request, reply) =>
    reply.page('status', {
      title: 'Health',
      lines: healthLines(options),
      ...(request.query.look === 'all' && { examined: await options.examine() }),
    }),
  );

  app.get('/api/v1/status', { config: { access: 'home.see' }, schema: { response: { 200: StatusSchema } } }, async () =>
    status(options),
  );

  // Says nothing of this school.
  app.get('/api/v1/openapi.json', { config: { access: 'public' } }, async () => openApi(app.routeAccess));
};

const StatusSchema = Type.Object({
  school: Type.Union([Type.String(), Type.Null()]),
  timeZone: Type.Union([Type.String(), Type.Null()]),
  policy: Type.Object({
    serial: Type.Union([Type.Integer(), Type.Null()]),
    hash: Type.Union([Type.String(), Type.Null()]),
    disk: Type.Enum(['same', 'different', 'invalid']),
    problems: Type.Array(Type.String()),
    waitsForSecondPerson: Type.Boolean(),
  }),
  lists: Type.Object({
    names: Type.Integer(),
    illegalListLoaded: Type.Boolean(),
    fromLastGood: Type.Array(Type.String()),
    problem: Type.Union([Type.String(), Type.Null()]),
  }),
  gatewaysAreBehind: Type.Boolean(),
  parkedEvents: Type.Integer(),
  gateways: Type.Array(
    Type.Object({
      gateway: Type.String(),
      workers: Type.Integer(),
      up: Type.Integer(),
      serial: Type.Integer({ description: 'of the policy that it enforces' }),
      heardAt: Type.String(),
    }),
  ),
  alarms: Type.Array(
    Type.Object({ at: Type.String(), gateway: Type.String(), code: Type.String(), text: Type.String() }),
  ),
});

function status({ policy, publishing, safeguarding, lists, clock }: OverviewOptions) {
  const { published, disk, problems, drafts } = policy.status();
  const { names, illegalListLoaded, lists: all, problem } = lists();
  return {
    school: published?.snapshot.school ?? null,
    timeZone: published?.snapshot.timeZone ?? null,
    policy: {
      serial: published?.serial ?? null,
      hash: published?.snapshot.hash ?? null,
      disk,
      problems: problems.map(formatProblem),
      waitsForSecondPerson: drafts.some(({ state }) => state === 'proposed'),
    },
    lists: {
      names,
      illegalListLoaded,
      fromLastGood: all.filter((list) => list.fromLastGood).map((list) => list.id),
      problem,
    },
    gatewaysAreBehind: publishing.isWaiting(),
    parkedEvents: safeguarding.parked(),
    gateways: safeguarding.gateways().map(({ gateway, workers, up, serial, heardAt }) => ({
      gateway,
      workers,
      up,
      serial,
      heardAt: isoTime(heardAt),
    })),
    alarms: safeguarding
      .alarms(clock() - WEEK_MS, clock() + 1)
      .map(({ at, gateway, code, text }) => ({ at, gateway, code, text })),
  };
}
