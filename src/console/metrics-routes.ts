import type { FastifyPluginAsync } from 'fastify';
import type { Lists } from '../categories/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { Gauge, Registry } from '../telemetry/metrics.ts';

export interface MetricsOptions {
  readonly listUpdates: Lists;
  readonly clock: Clock;
}

/** `/metrics`: what the console alone knows, which is how fetching lists went. Names of lists and numbers, so anybody may read it. */
export const metricsRoutes: FastifyPluginAsync<MetricsOptions> = async (app, { listUpdates, clock }) => {
  const registry = new Registry();
  const labelNames = ['list'];
  const failing = new Gauge({
    name: 'schoolgate_list_fetch_failing',
    help: '1: the last try to fetch the list failed; the page Lists says why.',
    labelNames,
    registers: [registry],
  });
  const age = new Gauge({
    name: 'schoolgate_list_fetch_age_seconds',
    help: 'Since the source of the list last gave it, or said that it has not changed.',
    labelNames,
    registers: [registry],
  });
  app.get('/metrics', { config: { access: 'public' } }, async (_request, reply) => {
    failing.reset();
    age.reset();
    for (const { id, fetch } of listUpdates.status()) {
      if (fetch === null) continue;
      failing.set({ list: id }, fetch.error === null ? 0 : 1);
      if (fetch.fetchedAt !== null) age.set({ list: id }, Math.round((clock() - Date.parse(fetch.fetchedAt)) / 1000));
    }
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await registry.metrics());
  });
};
