import type { FastifyPluginAsync } from 'fastify';
import type { Clock } from '../kernel/clock.ts';
import { KEPT } from '../policy/retention-rules.ts';
import type { Retention } from './service.ts';

export interface RetentionRoutesOptions {
  readonly retention: Retention;
  readonly clock: Clock;
  /** When deletion runs next after an instant, both ms; null: not within a month. */
  readonly nextRetention: (after: number) => number | null;
}

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
export const retentionRoutes: FastifyPluginAsync<RetentionRoutesOptions> = async (app, options) => {
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
};
