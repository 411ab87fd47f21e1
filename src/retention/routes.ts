import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import type { Clock } from '../kernel/clock.ts';
import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';
import { ALL_KEPT, KEPT, type KeptClass } from '../policy/retention-rules.ts';
import type { Retention } from './service.ts';

export interface RetentionRoutesOptions {
  readonly retention: Retention;
  readonly clock: Clock;
  /** When deletion runs next after an instant, both ms; null: not within a month. */
  readonly nextRetention: (after: number) => number | null;
}

const Params = Type.Object({ kept: Type.Enum([...ALL_KEPT]) });
const Form = Type.Object(
  { _csrf: Type.Optional(Type.String()), to: Type.Enum(['held', 'free']), reason: Type.String({ maxLength: 10_000 }) },
  { additionalProperties: false },
);

/** What no setting speaks of. */
const OTHERS = [
  {
    what: 'Hits of listed illegal material',
    until: 'Stay: they are evidence. Their addresses are sealed, or not kept at all.',
  },
  {
    what: 'The record of acts',
    until: 'Stays: who did what to whom, and when. Only its details go, as above.',
  },
  { what: 'Policies', until: 'Stay: what was in force at any time can be shown.' },
  { what: 'Agreements', until: 'Stay, without a name once a leaver’s has gone.' },
  { what: 'People with a role in the console', until: 'Stay, also when they have left: what they did names them.' },
  { what: 'Sign-ins and failed attempts', until: 'Go when they are over; the record of acts names them.' },
  { what: 'Nightly backups', until: 'The newest 14 stay. They hold what had not gone by then.' },
  {
    what: 'What gateways have not delivered yet',
    until: 'Goes from their disks when the console has it.',
  },
  {
    what: 'Logs of the programs',
    until: 'Kept by the system that runs Schoolgate, such as systemd’s journal, by rules of its own.',
  },
] as const;

/** The page that says how long data is kept, and proves it. */
export const retentionRoutes: FastifyPluginAsyncTypebox<RetentionRoutesOptions> = async (app, options) => {
  const { retention, clock, nextRetention } = options;

  app.get('/retention', { config: { access: 'retention.see' } }, async (_request, reply) =>
    reply.page('retention', {
      title: 'How long we keep',
      classes: retention.standing(),
      texts: KEPT,
      others: OTHERS,
      next: nextRetention(clock()),
    }),
  );

  const holdPage = (
    reply: FastifyReply,
    kept: KeptClass,
    reason = '',
    errors: readonly FieldProblem[] = [],
  ): FastifyReply => {
    const { hold } = retention.standing().find(({ name }) => name === kept)!;
    const title = `${hold === null ? 'Hold' : 'Let go again'}: ${KEPT[kept].title}`;
    return reply.page('retention-hold', { title, kept, hold, reason, errors });
  };
  const config = { access: 'retention.hold' } as const;

  app.get('/retention/:kept/hold', { config, schema: { params: Params } }, async (request, reply) =>
    holdPage(reply, request.params.kept),
  );

  app.post('/retention/:kept/hold', { config, schema: { params: Params, body: Form } }, async (request, reply) => {
    const { kept } = request.params;
    const { to, reason } = request.body;
    try {
      retention.hold(request.actor(), kept, to === 'held', reason);
      return await reply.redirect('/retention', 303);
    } catch (error) {
      if (!(error instanceof InvalidFieldsError)) throw error;
      return holdPage(reply.code(422), kept, reason, error.fields);
    }
  });
};
