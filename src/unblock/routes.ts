import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest, Table } from 'fastify';
import { readSite } from '../categories/typed-site.ts';
import type { Permission } from '../identity/permissions.ts';
import type { Accounts } from '../identity/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import type { School } from '../lessons/reach.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { MOVES, type Unblock, type UnblockMove, type UnblockState, mayMove, needsAgreement, stateAt } from './model.ts';
import { outcomeText } from './outcome.ts';
import { missingWords, queueFigures, waitText } from './queue.ts';
import type { PersonalMove, Unblocks } from './service.ts';
import { wishState } from './wish.ts';
import type { Wishes } from './wish-service.ts';

/** Other hosts that were refused to people who opened sites (canonical hosts), the ones that most were refused first. */
export type NeededWith = (
  sites: readonly string[],
) => Promise<readonly { readonly host: string; readonly people: number }[]>;

export interface UnblockRoutesOptions {
  readonly neededWith: NeededWith;
  readonly unblocks: Unblocks;
  readonly wishes: Wishes;
  readonly accounts: Accounts;
  readonly clock: Clock;
  /** The policy in force, for the choices of the form; null before there is one. */
  readonly policyInForce: () => PolicySnapshot | null;
  readonly knownSchool: () => School;
}

export const Strict = { additionalProperties: false };
export const Text = Type.String({ maxLength: 5000 });
export const Csrf = Type.Optional(Type.String());
/** A box that is ticked once comes as text, ticked twice as a list, and not at all when it is not. */
export const Ticked = Type.Optional(Type.Union([Text, Type.Array(Type.String({ maxLength: 300 }), { maxItems: 200 })]));
export const Typed = Type.Optional(Text);

export const OnceHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ maxLength: 100, description: 'the same one asks once' })),
});
export const MoveParams = Type.Object({ id: Type.String({ pattern: '^[0-9A-Z]{26}$' }) });

export const PERSONAL_MOVES = (Object.keys(MOVES) as UnblockMove[]).filter(
  (move): move is PersonalMove => move !== 'expire',
);
export const ACCESS = {
  approve: 'unblock.decide',
  agree: 'unblock.agree',
  refuse: 'unblock.decide',
  withdraw: 'unblock.request',
  revoke: 'unblock.revoke',
} as const satisfies Record<PersonalMove, Permission>;
const MoveForm = Type.Object({ _csrf: Csrf, reason: Typed }, Strict);
const RemarkForm = Type.Object({ _csrf: Csrf, remark: Text }, Strict);
const Done = Type.Object({ done: Typed });

/** Ms since the epoch, in the year 2286: what is over sorts behind what waits, newest first. */
const AFTER_THESE = 1e13;
/** As many as a school asks for in some years; older ones are in the audit. */
const LISTED = 5000;

/** What was asked for, and deciding it. */
export const unblockRoutes: FastifyPluginAsyncTypebox<UnblockRoutesOptions> = async (app, options) => {
  const { unblocks } = options;
  const toSee = { access: 'unblock.see' } as const;
  const toRequest = { access: 'unblock.request' } as const;

  app.get('/unblocks', { config: toSee }, async (request, reply) => listPage(options, request, reply));

  app.get(
    '/unblocks/:id',
    { config: toSee, schema: { params: MoveParams, querystring: Done } },
    async (request, reply) => onePage(options, request, reply, request.params.id, { done: request.query.done }),
  );

  app.post(
    '/unblocks/:id/remark',
    { config: toRequest, schema: { params: MoveParams, body: RemarkForm } },
    async (request, reply) => {
      const { id } = request.params;
      const { remark } = request.body;
      try {
        unblocks.remark(request.actor(), id, remark);
        return reply.redirect(`/unblocks/${id}?done=remark`, 303);
      } catch (error) {
        if (!(error instanceof InvalidFieldsError)) throw error;
        return onePage(options, request, reply.code(422), id, { errors: error.fields, typed: remark });
      }
    },
  );

  for (const move of PERSONAL_MOVES) {
    app.post(
      `/unblocks/:id/${move}`,
      { config: { access: ACCESS[move] }, schema: { params: MoveParams, body: MoveForm } },
      async (request, reply) => {
        const { id } = request.params;
        try {
          const { state } = unblocks.move(request.actor(), id, move, request.body.reason ?? '');
          return reply.redirect(`/unblocks/${id}?done=${state === 'requested' ? 'half' : move}`, 303);
        } catch (error) {
          if (!(error instanceof SchoolgateError) || error.code !== 'unblock_move') throw error;
          // Somebody else was quicker, or its time has passed: show how things stand now.
          return onePage(options, request, reply.code(409), id, {
            errors: [{ field: 'state', reason: error.publicText }],
          });
        }
      },
    );
  }
};

export function ticked(boxes: string | readonly string[] | undefined): readonly string[] {
  return boxes === undefined ? [] : typeof boxes === 'string' ? [boxes] : boxes;
}

/** What a program says to ask once, apart from the keys of forms; null: it says nothing. */
export function onceKey({ headers }: { readonly headers: Static<typeof OnceHeaders> }): string | null {
  const key = headers['idempotency-key'];
  return key === undefined ? null : `api:${key}`;
}

/** What of it are sites; the rest is told when it is asked for. */
export function sitesOf(typed: readonly string[]): string[] {
  return typed.map(readSite).filter((host) => typeof host === 'string');
}

const STATES: Readonly<Record<UnblockState, { readonly text: string; readonly colour: string }>> = {
  requested: { text: 'Waiting', colour: 'yellow' },
  approved: { text: 'Approved', colour: 'blue' },
  active: { text: 'In force', colour: 'green' },
  refused: { text: 'Refused', colour: 'red' },
  withdrawn: { text: 'Withdrawn', colour: 'grey' },
  revoked: { text: 'Revoked', colour: 'orange' },
  expired: { text: 'Ended', colour: 'grey' },
};

function listPage(options: UnblockRoutesOptions, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const now = options.clock();
  const mine = request.may('unblock.request') ? options.wishes.toAnswer(request.actor().personId) : [];
  const rows = options.unblocks.list(LISTED);
  const { waiting, oldest, median } = queueFigures(rows, now);
  return reply.tablePage(
    'unblocks',
    {
      title: 'Unblocks',
      asked: mine.filter((wish) => wishState(wish, now) === 'waiting').length,
      waiting,
      oldest: oldest === null ? null : waitText(oldest),
      median: median === null ? null : waitText(median),
    },
    tableOf(options, now),
    rows,
  );
}

function tableOf(options: UnblockRoutesOptions, now: number): Table<Unblock> {
  const [names, words] = [namesOf(options), wordsOf(options)];
  const state = (row: Unblock): UnblockState => stateAt(row, now);
  const what = (row: Unblock): string => [...words.titles(row.categories), ...row.hosts].join(', ');
  return {
    path: '/unblocks',
    caption: 'Unblocks',
    columns: [
      // What waits comes first, and of that what has waited longest.
      {
        id: 'state',
        title: 'State',
        value: (row) =>
          state(row) === 'requested' ? `Waiting ${waitText(now - row.requested.at)}` : STATES[state(row)].text,
        sortBy: (row) => (state(row) === 'requested' ? row.requested.at : AFTER_THESE - row.requested.at),
        tag: (row) => STATES[state(row)].colour,
      },
      { id: 'topic', title: 'Topic', value: ({ topic }) => topic, href: ({ id }) => `/unblocks/${id}` },
      { id: 'what', title: 'What', value: what },
      { id: 'whom', title: 'For', value: (row) => words.whom(row).join(', ') },
      { id: 'from', title: 'From', value: ({ from }) => from, isTime: true, isOnlyInCsv: true },
      { id: 'until', title: 'Until', value: ({ until }) => until, isTime: true },
      { id: 'by', title: 'Asked for by', value: ({ requested }) => names(requested.by) },
      // On the page of each; here it would be wider than a desk.
      { id: 'outcome', title: 'Outcome', value: outcomeOf, isOnlyInCsv: true },
      { id: 'subject', title: 'Subject', value: ({ subject }) => subject, isOnlyInCsv: true },
      { id: 'reason', title: 'Why', value: ({ reason }) => reason, isOnlyInCsv: true },
      { id: 'asked', title: 'Asked for at', value: ({ requested }) => requested.at, isTime: true, isOnlyInCsv: true },
      { id: 'decided', title: 'Decided by', value: ({ decided }) => names(decided?.by ?? null), isOnlyInCsv: true },
    ],
    filters: [
      {
        id: 'show',
        label: 'Show',
        options: [
          { value: 'all', text: 'All' },
          { value: 'open', text: 'Waiting' },
          { value: 'standing', text: 'In force or to come' },
          { value: 'over', text: 'Over' },
        ],
        accepts: (row, value) => value === 'all' || value === PHASES[state(row)],
      },
    ],
    search: { label: 'Topic, site or person', of: (row) => `${row.topic} ${what(row)} ${names(row.requested.by)}` },
    empty: { text: 'Nobody has asked for one yet.' },
  };
}

function outcomeOf({ outcome, remark }: Unblock): string {
  return [outcome === null ? '' : outcomeText(outcome), remark].filter((part) => part !== '').join('. ');
}

const PHASES: Readonly<Record<UnblockState, 'open' | 'standing' | 'over'>> = {
  requested: 'open',
  approved: 'standing',
  active: 'standing',
  refused: 'over',
  withdrawn: 'over',
  revoked: 'over',
  expired: 'over',
};

async function onePage(
  options: UnblockRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  data: Record<string, unknown>,
): Promise<FastifyReply> {
  const { unblocks, clock } = options;
  const act = { by: request.actor().personId, at: clock() };
  const unblock = unblocks.get(id);
  const [names, words] = [namesOf(options), wordsOf(options)];
  const state = stateAt(unblock, act.at);
  return reply.page('unblock', {
    title: unblock.topic,
    unblock,
    state: STATES[state],
    outcome: unblock.outcome === null ? null : outcomeText(unblock.outcome),
    isOver: unblock.decided !== null && (state === 'expired' || state === 'revoked'),
    isOwn: unblock.requested.by === act.by,
    isWaiting: state === 'requested',
    missing: missingWords(unblock),
    needsAgreement: needsAgreement(unblock),
    categories: words.titles(unblock.categories),
    risks: words.titles(unblock.risks),
    whom: words.whom(unblock),
    requestedBy: names(unblock.requested.by),
    decidedBy: names(unblock.decided?.by ?? null),
    agreedBy: names(unblock.agreed?.by ?? null),
    endedBy: names(unblock.ended?.by ?? null),
    moves: PERSONAL_MOVES.filter((move) => request.may(ACCESS[move]) && mayMove(unblock, move, act)),
    ...data,
  });
}

/** What an unblock names, as people call it. Of a long list each is asked for only what is shown. */
function wordsOf({ policyInForce, knownSchool }: UnblockRoutesOptions) {
  const policy = policyInForce();
  let pupils: ReadonlyMap<string, string> | null = null;
  const nameOf = (user: string): string => {
    pupils ??= new Map(knownSchool().pupils.map((pupil) => [pupil.user, pupil.fullName]));
    return pupils.get(user) ?? user;
  };
  return {
    titles: (categories: readonly string[]) => categories.map((id) => policy?.categories[id]?.title ?? id),
    whom: ({ classes, pupils: named, levels, ranges }: Unblock) => [
      ...classes,
      ...named.map(nameOf),
      ...levels.map((level) => policy?.levels[level]?.title ?? level),
      ...ranges,
    ],
  };
}

function namesOf({ accounts }: UnblockRoutesOptions): (id: string | null) => string | null {
  const names = new Map(accounts.people().map((person) => [person.id, person.fullName]));
  return (id) => (id === null ? null : (names.get(id) ?? id));
}
