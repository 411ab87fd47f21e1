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

/** The page that says how long data is kept, and proves it. */
export const retentionRoutes: FastifyPluginAsync<RetentionRoutesOptions> = async (app, options) => {
  const { retention, clock, nextRetention } = options;

  app.get('/retention', { config: { access: 'retention.see' } }, async (_request, reply) =>
    reply.page('retention', {
      title: 'How long we keep',
      classes: retention.standing(),
      texts: KEPT,
      next: nextRetention(clock()),
    }),
  );
};
