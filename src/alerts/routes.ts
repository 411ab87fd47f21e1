import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Table } from 'fastify';
import type { QueuedDelivery } from '../delivery/outgoing.ts';
import { isoTime } from '../kernel/clock.ts';
import { THEMES } from '../policy/safeguarding-rules.ts';
import type { Alerts, ShownAlert } from './service.ts';

export interface AlertRoutesOptions {
  readonly alerts: Alerts;
  readonly levelTitle: (level: string) => string;
}

const Params = Type.Object({ id: Type.String({ pattern: '^[0-9A-Z]{26}$' }) });
const NoFields = Type.Object({ _csrf: Type.Optional(Type.String()) }, { additionalProperties: false });
const SEVERITY_COLOURS = { danger: 'red', caution: 'orange', advisory: 'blue' } as const;
const SEVERITY_ORDER = { danger: 0, caution: 1, advisory: 2 } as const;
const STATE_OPTIONS = [
  { value: 'open', text: 'Nobody has taken notice' },
  { value: 'all', text: 'All' },
];

/** Alerts, for those they were sent to; nobody sees one that is about themselves. */
export const alertRoutes: FastifyPluginAsyncTypebox<AlertRoutesOptions> = async (app, { alerts, levelTitle }) => {
  const config = { access: 'alerts.see' } as const;
  const table: Table<ShownAlert> = {
    path: '/alerts',
    caption: 'Alerts',
    columns: [
      { id: 'at', title: 'When', value: ({ at }) => at, isTime: true, sortBy: ({ at }) => -at, href: pathOf },
      {
        id: 'severity',
        title: 'How serious',
        value: ({ severity }) => severity,
        sortBy: ({ severity }) => SEVERITY_ORDER[severity],
        tag: ({ severity }) => SEVERITY_COLOURS[severity],
      },
      { id: 'theme', title: 'About', value: ({ theme }) => THEMES[theme] },
      { id: 'who', title: 'Who', value: ({ subjectName }) => subjectName },
      { id: 'level', title: 'Level', value: ({ level }) => levelTitle(level) },
      { id: 'noticed', title: 'Taken notice', value: ({ noticedBy }) => noticedBy },
    ],
    filters: [
      {
        id: 'state',
        label: 'Which',
        options: STATE_OPTIONS,
        accepts: ({ noticed }, value) => value === 'all' || noticed === null,
      },
    ],
    empty: { text: 'There are no alerts for you.' },
  };

  app.get('/alerts', { config }, async (request, reply) =>
    reply.tablePage('alerts', { title: 'Alerts' }, table, alerts.list(request.actor().personId)),
  );

  app.get('/alerts/:id', { config, schema: { params: Params } }, async (request, reply) => {
    const alert = alerts.find(request.actor().personId, request.params.id);
    const told = alert.told.map((one) => Object.assign({}, one, { how: howText(one.delivery) }));
    const calls = alert.calls.map((call) => ({ host: new URL(call.recipient).host, how: howText(call) }));
    return reply.page('alert', {
      title: `Alert: ${alert.severity}, ${THEMES[alert.theme].toLowerCase()}`,
      alert,
      told,
      calls,
      colour: SEVERITY_COLOURS[alert.severity],
      theme: THEMES[alert.theme],
      level: levelTitle(alert.level),
    });
  });

  app.post('/alerts/:id/notice', { config, schema: { params: Params, body: NoFields } }, async (request, reply) => {
    alerts.notice(request.actor(), request.params.id);
    return reply.redirect(pathOf(request.params), 303);
  });

  app.get('/api/v1/alerts', { config }, (request, reply) =>
    reply.send({ alerts: alerts.list(request.actor().personId).map(toJson) }),
  );

  app.post('/api/v1/alerts/:id/notice', { config, schema: { params: Params } }, (request, reply) => {
    alerts.notice(request.actor(), request.params.id);
    return reply.send(toJson(alerts.find(request.actor().personId, request.params.id)));
  });
};

function pathOf({ id }: { readonly id: string }): string {
  return `/alerts/${id}`;
}

/** What became of a mail or call, in words. */
function howText(delivery: QueuedDelivery | null): string {
  if (delivery === null) return 'not queued';
  const { state, channel, problem } = delivery;
  if (state === 'failed') return `given up: ${problem}`;
  if (state !== 'sent') return problem === null ? 'on its way' : `tried again: ${problem}`;
  return channel === 'outbox' ? 'written into the outbox, because no mail address is known' : 'sent';
}

function toJson({ id, concernId, theme, severity, why, at, level, subjectName, noticed, noticedBy, told }: ShownAlert) {
  return {
    id,
    concernId,
    theme,
    severity,
    why,
    at: isoTime(at),
    level,
    subject: subjectName,
    told: told.map((one) => ({
      name: one.name,
      at: isoTime(one.at),
      step: one.step,
      state: one.delivery?.state ?? null,
    })),
    noticed: noticed === null ? null : { by: noticedBy, at: isoTime(noticed.at) },
  };
}
