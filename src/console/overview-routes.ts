import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { FIRST_ROLES, ROLES } from '../identity/roles.ts';
import type { Accounts } from '../identity/service.ts';
import { type Clock, isoTime } from '../kernel/clock.ts';
import { formatProblem } from '../kernel/errors.ts';
import type { PolicyService, VersionLine } from '../policy/service.ts';
import type { Publishing } from '../publishing/service.ts';
import type { Alarm } from '../safeguarding/model.ts';
import type { Safeguarding } from '../safeguarding/service.ts';
import { type Unblock, type UnblockState, stateAt } from '../unblock/model.ts';
import type { Unblocks } from '../unblock/service.ts';

/** What is known of the lists that the category index was built from. */
export interface ListsStatus {
  /** Names in all lists together. */
  readonly names: number;
  readonly lists: readonly {
    readonly id: string;
    readonly category: string;
    readonly accepted: number;
    /** ISO 8601 UTC. */
    readonly loadedAt: string;
    readonly fromLastGood: boolean;
  }[];
  readonly illegalListLoaded: boolean;
  /** Why nothing is known; null: all is well. */
  readonly problem: string | null;
}

export interface OverviewOptions {
  readonly accounts: Accounts;
  readonly policy: PolicyService;
  readonly unblocks: Unblocks;
  readonly safeguarding: Safeguarding;
  readonly publishing: Publishing;
  readonly lists: () => ListsStatus;
  readonly clock: Clock;
}

const WEEK_MS = 7 * 86_400_000;
const SHOWN = 200;

/** The home page, and the state of everything for programs. */
export const overviewRoutes: FastifyPluginAsyncTypebox<OverviewOptions> = async (app, options) => {
  app.get('/health', { config: { access: 'public', rateLimit: false } }, async () => ({
    // Asked of the record, so that an answer means that it can be read.
    status: options.publishing.isWaiting() ? 'behind' : 'ok',
  }));

  app.get('/', { config: { access: 'home.see' } }, async (request, reply) =>
    reply.page('home', overview(options, request)),
  );

  app.get('/api/v1/status', { config: { access: 'home.see' }, schema: { response: { 200: StatusSchema } } }, async () =>
    status(options),
  );
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
    alarms: safeguarding.alarms(clock() - WEEK_MS, clock() + 1),
  };
}

function overview(options: OverviewOptions, request: FastifyRequest) {
  const { personId } = request.actor();
  const { accounts, policy, unblocks, safeguarding, publishing, lists, clock } = options;
  const now = clock();
  const inState = (state: UnblockState): Unblock[] => unblocks.list(SHOWN).filter((one) => stateAt(one, now) === state);
  const state = policy.status();
  return {
    title: 'Home',
    policy: { ...state, problems: state.problems.map(formatProblem) },
    lists: lists(),
    isBehind: publishing.isWaiting(),
    parked: safeguarding.parked(),
    alarms: groupAlarms(safeguarding.alarms(now - WEEK_MS, now + 1)),
    today: flaggedToday(options),
    missingRoles: missingRoles(accounts),
    now: isoTime(now),
    toDecide: request.may('unblock.decide')
      ? inState('requested').filter((unblock) => unblock.requested.by !== personId)
      : [],
    active: inState('active'),
    draftsToDecide: request.may('policy.decide')
      ? state.drafts.filter((draft) => draft.state === 'proposed' && draft.author !== personId)
      : [],
    mayReview: (version: VersionLine) => request.may('policy.review') && version.author !== personId,
    nameOf: (id: string) => accounts.people().find((person) => person.id === id)?.fullName ?? id,
  };
}

/** Counts with the names that people know. */
function flaggedToday({ safeguarding, policy }: OverviewOptions) {
  const known = policy.published()?.snapshot;
  return safeguarding.today().map(({ level, category, verdict, navigations }) => ({
    level: known?.levels[level]?.title ?? level,
    category: known?.categories[category]?.title ?? category,
    verdict,
    navigations,
  }));
}

/** First roles that nobody holds yet: until both are there, files apply on save and nothing can be approved. */
function missingRoles(accounts: Accounts): string[] {
  const held = new Set(accounts.people().flatMap((person) => person.roles));
  return FIRST_ROLES.filter((role) => !held.has(role)).map((role) => ROLES[role]);
}

/** The same alarm again and again is one line: how often, and when last. */
function groupAlarms(alarms: readonly Alarm[]): { readonly last: Alarm; readonly times: number }[] {
  const groups = Map.groupBy(alarms, ({ gateway, code, text }) => `${gateway}\n${code}\n${text}`);
  return [...groups.values()].map((same) => ({ last: same[0]!, times: same.length }));
}
