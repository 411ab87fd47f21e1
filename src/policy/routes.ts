import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest, Table } from 'fastify';
import type { Accounts } from '../identity/service.ts';
import { isoTime } from '../kernel/clock.ts';
import { InvalidFieldsError, SchoolgateError, formatProblem } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { diffPolicies } from './diff.ts';
import type { Drafts } from './draft-service.ts';
import type { VersionLine } from './repository.ts';
import type { PolicyService } from './service.ts';

export interface PolicyRoutesOptions {
  readonly policy: PolicyService;
  readonly drafts: Drafts;
  readonly accounts: Accounts;
  readonly newId: IdMaker;
}

const Strict = { additionalProperties: false };
const Text = Type.String({ maxLength: 5000 });
const Csrf = Type.Optional(Type.String());
const OnlyCsrf = Type.Object({ _csrf: Csrf }, Strict);
const Id = Type.String({ pattern: '^[0-9A-Z]{26}$' });
const Serial = Type.Object({ serial: Type.String({ pattern: '^[1-9]\\d{0,8}$' }) });
const RevertForm = Type.Object({ _csrf: Csrf, id: Id, reason: Text }, Strict);
const ReviewForm = Type.Object({ _csrf: Csrf, outcome: Type.Enum(['kept', 'reverted']), word: Text }, Strict);
const RevertBody = Type.Object({ id: Type.Optional(Id), reason: Text }, Strict);
const ReviewBody = Type.Object({ outcome: Type.Enum(['kept', 'reverted']), word: Text }, Strict);
const OrNull = Type.Union([Type.String(), Type.Null()]);
const Review = Type.Object(
  { outcome: Type.Enum(['kept', 'reverted']), by: OrNull, at: Type.String(), word: Type.String() },
  Strict,
);
const Version = {
  serial: Type.Integer(),
  at: Type.String(),
  way: Type.Enum(['files', 'two-people', 'alone', 'emergency', 'review']),
  author: OrNull,
  approver: OrNull,
  reason: OrNull,
  review: Type.Union([Review, Type.Null()]),
};
const VersionAnswer = Type.Object(Version, Strict);
const Change = Type.Object(
  { text: Type.String(), loosens: Type.Boolean(), tightens: Type.Optional(Type.Literal(true)) },
  Strict,
);
const Draft = Type.Object(
  {
    id: Id,
    state: Type.Enum(['open', 'proposed', 'published', 'refused', 'withdrawn', 'superseded']),
    author: OrNull,
    reason: Type.String(),
    changedAt: Type.String(),
    standsForFiles: Type.Boolean(),
  },
  Strict,
);
const PolicyAnswer = Type.Object(
  {
    published: Type.Union([Type.Object({ hash: Type.String(), ...Version }, Strict), Type.Null()]),
    disk: Type.Enum(['same', 'different', 'invalid']),
    problems: Type.Array(Type.String()),
    warnings: Type.Array(Type.String()),
    changes: Type.Immutable(Type.Array(Change)),
    notWritten: OrNull,
    drafts: Type.Array(Draft),
    needsSecondPerson: Type.Boolean(),
  },
  Strict,
);

/** What is published, what stands on disk, and every version that was ever in force. */
export const policyRoutes: FastifyPluginAsyncTypebox<PolicyRoutesOptions> = async (app, options) => {
  const { policy, drafts, newId } = options;
  const toSee = { access: 'policy.see' } as const;
  const toPropose = { access: 'policy.propose' } as const;
  const toReview = { access: 'policy.review' } as const;
  const serialOf = (request: { readonly params: { readonly serial: string } }): number => Number(request.params.serial);

  app.get(
    '/policy',
    { config: toSee, schema: { querystring: Type.Object({ done: Type.Optional(Text) }) } },
    (request, reply) => policyPage(options, request, reply, { done: request.query.done }),
  );

  app.post('/policy/files/draft', { config: toPropose, schema: { body: OnlyCsrf } }, (request, reply) =>
    orShow(
      reply,
      (data) => policyPage(options, request, reply, data),
      () => {
        const { id } = policy.draftOfFiles(request.actor());
        return reply.redirect(`/policy/drafts/${id}`, 303);
      },
    ),
  );

  app.post('/policy/files/restore', { config: toPropose, schema: { body: OnlyCsrf } }, (request, reply) =>
    orShow(
      reply,
      (data) => policyPage(options, request, reply, data),
      () => {
        policy.restoreFiles(request.actor());
        return reply.redirect('/policy?done=restored', 303);
      },
    ),
  );

  app.get('/policy/versions', { config: toSee }, async (_request, reply) =>
    reply.tablePage('policy-versions', { title: 'Policy versions' }, versionTable(options), policy.versions()),
  );

  app.get('/policy/versions/:serial', { config: toSee, schema: { params: Serial } }, (request, reply) =>
    versionPage(options, request, reply, serialOf(request), {}),
  );

  app.post(
    '/policy/versions/:serial/revert',
    { config: toPropose, schema: { params: Serial, body: RevertForm } },
    (request, reply) => {
      const { id, reason } = request.body;
      const serial = serialOf(request);
      return orShow(
        reply,
        (data) => versionPage(options, request, reply, serial, { ...data, typed: { id, reason } }),
        () => {
          const draft = drafts.revert(request.actor(), id, serial, reason);
          return reply.redirect(`/policy/drafts/${draft.id}?done=proposed`, 303);
        },
      );
    },
  );

  app.post(
    '/policy/versions/:serial/review',
    { config: toReview, schema: { params: Serial, body: ReviewForm } },
    (request, reply) => {
      const { outcome, word } = request.body;
      const serial = serialOf(request);
      return orShow(
        reply,
        (data) => versionPage(options, request, reply, serial, { ...data, typed: { outcome, word } }),
        () => {
          drafts.review(request.actor(), serial, outcome, word);
          return reply.redirect('/policy?done=reviewed', 303);
        },
      );
    },
  );

  app.get('/api/v1/policy', { config: toSee, schema: { response: { 200: PolicyAnswer } } }, async () =>
    toJson(options),
  );

  app.get(
    '/api/v1/policy/versions',
    { config: toSee, schema: { response: { 200: Type.Array(VersionAnswer) } } },
    async () => {
      const name = names(options, 'userName');
      return policy.versions().map((version) => versionJson(version, name));
    },
  );

  app.post(
    '/api/v1/policy/versions/:serial/revert',
    { config: toPropose, schema: { params: Serial, body: RevertBody } },
    async (request, reply) => {
      const { id = newId(), reason } = request.body;
      const draft = drafts.revert(request.actor(), id, serialOf(request), reason);
      return reply.code(201).send({ id: draft.id });
    },
  );

  app.post(
    '/api/v1/policy/versions/:serial/review',
    { config: toReview, schema: { params: Serial, body: ReviewBody } },
    async (request, reply) => {
      drafts.review(request.actor(), serialOf(request), request.body.outcome, request.body.word);
      return reply.send(toJson(options));
    },
  );
};

/** Does an act of a page, or shows the page as it is now with why not and what was typed. */
export async function orShow(
  reply: FastifyReply,
  show: (data: Record<string, unknown>) => Promise<FastifyReply>,
  act: () => FastifyReply,
): Promise<FastifyReply> {
  try {
    return act();
  } catch (error) {
    if (error instanceof InvalidFieldsError) {
      void reply.code(422);
      return show({ errors: error.fields });
    }
    if (!(error instanceof SchoolgateError) || IS_ANSWER.test(error.code)) throw error;
    void reply.code(error.code === 'policy_own' || error.code === 'policy_loosens' ? 403 : 409);
    return show({ errors: [{ field: 'main-content', reason: error.publicText }] });
  }
}

/** There is no page to show it on, or it is nobody's business. */
const IS_ANSWER = /_unknown$|^draft_not_yours$|^no_policy$|^audit_/;

async function policyPage(
  options: PolicyRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  data: Record<string, unknown>,
): Promise<FastifyReply> {
  const status = options.policy.status();
  return reply.page('policy', {
    title: 'Policy',
    ...status,
    problems: status.problems.map(formatProblem),
    warnings: status.warnings.map(formatProblem),
    nameOf: names(options, 'fullName'),
    me: request.actor().personId,
    newDraft: options.newId(),
    diskDraft: status.drafts.find((draft) => draft.diskHash !== null && draft.revision === 1) ?? null,
    ...data,
  });
}

async function versionPage(
  options: PolicyRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  serial: number,
  data: Record<string, unknown>,
): Promise<FastifyReply> {
  const found = options.policy.version(serial);
  if (found === null) throw new SchoolgateError('version_unknown', 'client', 'There is no such version.');
  const { version, before } = found;
  const inForce = options.policy.published();
  return reply.page('policy-version', {
    title: `Policy version ${serial}`,
    version,
    before: before?.serial ?? null,
    changes: before === null ? [] : diffPolicies(before.snapshot, version.snapshot),
    isInForce: inForce?.serial === serial,
    nameOf: names(options, 'fullName'),
    isOwn: version.author === request.actor().personId,
    newDraft: options.newId(),
    typed: {},
    ...data,
  });
}

function versionTable(options: PolicyRoutesOptions): Table<VersionLine> {
  const name = names(options, 'fullName');
  return {
    path: '/policy/versions',
    caption: 'Policy versions',
    search: {
      label: 'Who or why',
      of: ({ author, approver, reason }) => [name(author), name(approver), reason].join(' '),
    },
    columns: [
      {
        id: 'at',
        title: 'In force from',
        value: ({ publishedAt }) => publishedAt,
        isTime: true,
        sortBy: ({ serial }) => -serial,
      },
      {
        id: 'version',
        title: 'Version',
        value: ({ serial }) => serial,
        isNumber: true,
        href: ({ serial }) => `/policy/versions/${serial}`,
      },
      { id: 'who', title: 'Who', value: ({ author }) => name(author) ?? 'Files on disk' },
      { id: 'approver', title: 'Approved by', value: ({ approver }) => name(approver) },
      {
        id: 'how',
        title: 'How',
        value: ({ way }) => WAYS[way],
        tag: ({ way }) => (way === 'emergency' ? 'red' : null),
      },
      { id: 'why', title: 'Why', value: ({ reason }) => reason },
      {
        id: 'review',
        title: 'Review',
        value: ({ review }) => (review === null ? null : `${review.outcome} by ${name(review.by)}`),
      },
    ],
    empty: { text: 'No policy is published yet.' },
  };
}

const WAYS = {
  files: 'saved on disk',
  'two-people': 'two people',
  alone: 'one person',
  emergency: 'emergency',
  review: 'review',
} as const;

export function names(
  { accounts }: Pick<PolicyRoutesOptions, 'accounts'>,
  as: 'fullName' | 'userName',
): (id: string | null) => string | null {
  const known = new Map(accounts.people().map((person) => [person.id, person[as]]));
  return (id) => (id === null ? null : (known.get(id) ?? id));
}

function versionJson(version: Omit<VersionLine, 'hasFiles'>, name: (id: string | null) => string | null) {
  const { serial, publishedAt, way, author, approver, reason, review } = version;
  return {
    serial,
    at: isoTime(publishedAt),
    way,
    author: name(author),
    approver: name(approver),
    reason,
    review: review && { outcome: review.outcome, by: name(review.by), at: isoTime(review.at), word: review.word },
  };
}

function toJson(options: PolicyRoutesOptions) {
  const { published, disk, problems, warnings, changes, notWritten, drafts, needsSecondPerson } =
    options.policy.status();
  const name = names(options, 'userName');
  return {
    published: published && { hash: published.snapshot.hash, ...versionJson(published, name) },
    disk,
    problems: problems.map(formatProblem),
    warnings: warnings.map(formatProblem),
    changes,
    notWritten,
    drafts: drafts.map(({ id, state, author, reason, changedAt, diskHash, revision }) => ({
      id,
      state,
      author: name(author),
      reason,
      changedAt: isoTime(changedAt),
      standsForFiles: diskHash !== null && revision === 1,
    })),
    needsSecondPerson,
  };
}
