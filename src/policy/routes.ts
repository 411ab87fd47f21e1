import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Accounts } from '../identity/service.ts';
import { isoTime } from '../kernel/clock.ts';
import { InvalidFieldsError, SchoolgateError, formatProblem } from '../kernel/errors.ts';
import type { PolicyService } from './service.ts';

export interface PolicyRoutesOptions {
  readonly policy: PolicyService;
  readonly accounts: Accounts;
}

const Strict = { additionalProperties: false };
const Text = Type.String({ maxLength: 5000 });
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Csrf = Type.Optional(Type.String());
const ProposeForm = Type.Object({ _csrf: Csrf, hash: Hash, reason: Text }, Strict);
const ProposeBody = Type.Object({ hash: Hash, reason: Text }, Strict);
const DecideForm = Type.Object({ _csrf: Csrf, reason: Type.Optional(Text) }, Strict);
const RefuseBody = Type.Object({ reason: Text }, Strict);
const Params = Type.Object({ id: Type.String({ pattern: '^[0-9A-Z]{26}$' }) });

/** The policy: what is published, what the files on disk would change, and the two people it takes. */
export const policyRoutes: FastifyPluginAsyncTypebox<PolicyRoutesOptions> = async (app, options) => {
  const { policy } = options;
  const toSee = { access: 'policy.see' } as const;
  const toPropose = { access: 'policy.propose' } as const;
  const toDecide = { access: 'policy.decide' } as const;
  const done = (reply: FastifyReply, what: string): FastifyReply => reply.redirect(`/policy?done=${what}`, 303);

  app.get(
    '/policy',
    { config: toSee, schema: { querystring: Type.Object({ done: Type.Optional(Text) }) } },
    async (request, reply) => policyPage(options, request, reply, { done: request.query.done }),
  );

  app.post('/policy/propose', { config: toPropose, schema: { body: ProposeForm } }, (request, reply) =>
    orShow(options, request, reply, { reason: request.body.reason }, () => {
      policy.propose(request.actor(), request.body.hash, request.body.reason);
      return done(reply, 'proposed');
    }),
  );

  app.post(
    '/policy/:id/approve',
    { config: toDecide, schema: { params: Params, body: DecideForm } },
    (request, reply) =>
      orShow(options, request, reply, {}, () => {
        policy.approve(request.actor(), request.params.id);
        return done(reply, 'published');
      }),
  );

  app.post('/policy/:id/refuse', { config: toDecide, schema: { params: Params, body: DecideForm } }, (request, reply) =>
    orShow(options, request, reply, { reason: request.body.reason }, () => {
      policy.refuse(request.actor(), request.params.id, request.body.reason ?? '');
      return done(reply, 'refused');
    }),
  );

  app.post(
    '/policy/:id/withdraw',
    { config: toPropose, schema: { params: Params, body: DecideForm } },
    (request, reply) =>
      orShow(options, request, reply, { reason: request.body.reason }, () => {
        policy.withdraw(request.actor(), request.params.id, request.body.reason ?? '');
        return done(reply, 'refused');
      }),
  );

  app.get('/api/v1/policy', { config: toSee }, async () => toJson(options));

  app.post('/api/v1/policy/proposals', { config: toPropose, schema: { body: ProposeBody } }, async (request, reply) => {
    policy.propose(request.actor(), request.body.hash, request.body.reason);
    return reply.code(201).send(toJson(options));
  });

  app.post(
    '/api/v1/policy/proposals/:id/approve',
    { config: toDecide, schema: { params: Params } },
    async (request, reply) => {
      policy.approve(request.actor(), request.params.id);
      return reply.send(toJson(options));
    },
  );

  app.post(
    '/api/v1/policy/proposals/:id/refuse',
    { config: toDecide, schema: { params: Params, body: RefuseBody } },
    async (request, reply) => {
      policy.refuse(request.actor(), request.params.id, request.body.reason);
      return reply.send(toJson(options));
    },
  );

  app.post(
    '/api/v1/policy/proposals/:id/withdraw',
    { config: toPropose, schema: { params: Params, body: RefuseBody } },
    async (request, reply) => {
      policy.withdraw(request.actor(), request.params.id, request.body.reason);
      return reply.send(toJson(options));
    },
  );
};

/** Does an act of the page, or shows the page as it is now with why not and what was typed. */
async function orShow(
  options: PolicyRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  typed: Record<string, unknown>,
  act: () => FastifyReply,
): Promise<FastifyReply> {
  try {
    return act();
  } catch (error) {
    if (error instanceof InvalidFieldsError) {
      return policyPage(options, request, reply.code(422), { errors: error.fields, typed });
    }
    if (!(error instanceof SchoolgateError) || error.fault !== 'client' || error.code === 'policy_own') throw error;
    const errors = [{ field: 'main-content', reason: error.publicText }];
    return policyPage(options, request, reply.code(409), { errors, typed });
  }
}

async function policyPage(
  options: PolicyRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  data: Record<string, unknown>,
): Promise<FastifyReply> {
  const status = options.policy.status();
  const name = fullNames(options);
  const { published, proposal } = status;
  return reply.page('policy', {
    title: 'Policy',
    ...status,
    problems: status.problems.map(formatProblem),
    warnings: status.warnings.map(formatProblem),
    author: published === null ? null : name(published.author),
    approver: published === null ? null : name(published.approver),
    proposer: proposal === null ? null : name(proposal.proposed.by),
    isOwnProposal: proposal?.proposed.by === request.actor().personId,
    ...data,
  });
}

function fullNames({ accounts }: PolicyRoutesOptions): (id: string | null) => string | null {
  const names = new Map(accounts.people().map((person) => [person.id, person.fullName]));
  return (id) => (id === null ? null : (names.get(id) ?? id));
}

function toJson({ policy, accounts }: PolicyRoutesOptions) {
  const { published, disk, problems, warnings, changes, diskHash, proposal, needsSecondPerson } = policy.status();
  const userNames = new Map(accounts.people().map((person) => [person.id, person.userName]));
  const name = (id: string | null): string | null => (id === null ? null : (userNames.get(id) ?? id));
  return {
    published: published && {
      serial: published.serial,
      hash: published.snapshot.hash,
      at: isoTime(published.publishedAt),
      author: name(published.author),
      approver: name(published.approver),
      reason: published.reason,
    },
    disk,
    diskHash,
    problems: problems.map(formatProblem),
    warnings: warnings.map(formatProblem),
    changes,
    proposal: proposal && {
      id: proposal.id,
      hash: proposal.snapshot.hash,
      by: name(proposal.proposed.by),
      at: isoTime(proposal.proposed.at),
      reason: proposal.reason,
    },
    needsSecondPerson,
  };
}
