import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Table } from 'fastify';
import type { QueuedDelivery } from '../delivery/outgoing.ts';
import { isoTime } from '../kernel/clock.ts';
import { THEMES } from '../policy/safeguarding-rules.ts';
import { idOf } from './model.ts';
import type { Alerts, ShownAlert } from './service.ts';

export interface AlertRoutesOptions {
  readonly alerts: Alerts;
  readonly levelTitle: (level: string) => string;
  /** Whether somebody may read what was reported: an incident, by its id. */
  readonly seesReport: (personId: string, id: string) => boolean;
}

const Params = Type.Object({ id: Type.String({ pattern: '^[0-9A-Z]{26}$' }) });
const PageQuery = Type.Object({ done: Type.Optional(Type.String({ maxLength: 20 })) });
const NoFields = Type.Object({ _csrf: Type.Optional(Type.String()) }, { additionalProperties: false });
const SEVERITY_COLOURS = { danger: 'red', caution: 'orange', advisory: 'blue' } as const;
const SEVERITY_ORDER = { danger: 0, caution: 1, advisory: 2 } as const;
const SEVERITY_TEXTS = { danger: 'Danger', caution: 'Caution', advisory: 'Advisory' } as const;
const WHY_TEXTS = {
  opened: 'It is new',
  raised: 'It has become more serious',
  again: 'It has happened again',
  reported: 'Somebody has reported it',
} as const;
const REPORT = 'A report';
const STATE_OPTIONS = [
  { value: 'open', text: 'Nobody has taken notice' },
  { value: 'all', text: 'All' },
];

/** Alerts, for those they were sent to; nobody sees one that is about themselves. */
export const alertRoutes: FastifyPluginAsyncTypebox<AlertRoutesOptions> = async (app, options) => {
  const { alerts, levelTitle } = options;
  const config = { access: 'alerts.see' } as const;
  const levelText = (level: string | null): string => (level === null ? 'Not known' : levelTitle(level));
  const table: Table<ShownAlert> = {
    path: '/alerts',
    caption: 'Alerts',
    columns: [
      {
        id: 'severity',
        title: 'How serious',
        value: ({ severity }) => SEVERITY_TEXTS[severity],
        // Of one severity the newest first.
        sortBy: ({ severity, at }) => `${SEVERITY_ORDER[severity]} ${Number.MAX_SAFE_INTEGER - at}`,
        tag: ({ severity }) => SEVERITY_COLOURS[severity],
      },
      { id: 'who', title: 'Who', value: ({ subjectName }) => subjectName, href: pathOf },
      { id: 'theme', title: 'About', value: ({ theme }) => themeText(theme) },
      { id: 'at', title: 'When', value: ({ at }) => at, isTime: true, sortBy: ({ at }) => -at },
      { id: 'level', title: 'Level', value: ({ level }) => levelText(level) },
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
    empty: { text: 'There are none for you. What you are told of stands here, and you get a mail.' },
  };

  app.get('/alerts', { config }, async (request, reply) =>
    reply.tablePage(
      'alerts',
      { title: 'Alerts', mailbox: alerts.mailboxOf(request.actor().personId), sendsMail: alerts.sendsMail },
      table,
      alerts.list(request.actor().personId),
    ),
  );

  app.get('/alerts/:id', { config, schema: { params: Params, querystring: PageQuery } }, async (request, reply) => {
    const { personId } = request.actor();
    const alert = alerts.find(personId, request.params.id);
    const { severity, theme, why, level, rule } = alert;
    const incidentId = idOf(alert.about, 'incident');
    return reply.page('alert', {
      title: `${themeText(theme)}: ${alert.subjectName}`,
      concernId: idOf(alert.about, 'concern'),
      incidentId,
      seesReport: incidentId !== null && options.seesReport(personId, incidentId),
      done: request.query.done === 'notice',
      alert,
      severity: SEVERITY_TEXTS[severity],
      colour: SEVERITY_COLOURS[severity],
      theme: themeText(theme),
      why: WHY_TEXTS[why],
      level: levelText(level),
      rule: ruleText(rule),
      told: alert.told.map((one) => Object.assign({}, one, { how: howText(one.delivery, alerts.sendsMail) })),
      calls: alert.calls.map((call) => ({ host: new URL(call.recipient).host, how: howText(call, true) })),
    });
  });

  app.post('/alerts/:id/notice', { config, schema: { params: Params, body: NoFields } }, async (request, reply) => {
    alerts.notice(request.actor(), request.params.id);
    return reply.redirect(`${pathOf(request.params)}?done=notice`, 303);
  });

  app.get('/api/v1/alerts', { config }, (request, reply) =>
    reply.send({ alerts: alerts.list(request.actor().personId).map(toJson) }),
  );

  app.post('/api/v1/alerts/:id/notice', { config, schema: { params: Params } }, (request, reply) => {
    alerts.notice(request.actor(), request.params.id);
    return reply.send(toJson(alerts.find(request.actor().personId, request.params.id)));
  });
};

function themeText(theme: ShownAlert['theme']): string {
  return theme === null ? REPORT : THEMES[theme];
}

function pathOf({ id }: { readonly id: string }): string {
  return `/alerts/${id}`;
}

/** Why it went to these people, in words. */
function ruleText(rule: string): string {
  if (rule === 'about staff') return 'It is about a member of staff, so it goes to whoever hears of staff.';
  if (rule === 'reported')
    return 'It was reported at the front desk, so it goes to whoever hears first, and then to the next.';
  if (rule === 'shipped') return 'As Schoolgate comes: danger and caution to the designated safeguarding lead.';
  const route = /^alerts\.yaml#routes\.(.+)$/.exec(rule)?.[1];
  return route === undefined ? 'No route of the policy fits it.' : `By the route “${route}” of policies/alerts.yaml.`;
}

/** What became of a mail or call, in words. `sendsMail`: there is a mail server. */
function howText(delivery: QueuedDelivery | null, sendsMail: boolean): string {
  if (delivery === null) return 'the mail is no longer kept';
  const { state, channel, problem } = delivery;
  if (state === 'failed') return `given up: ${problem}`;
  if (state !== 'sent') return problem === null ? 'on its way' : `tried again: ${problem}`;
  if (channel === 'outbox') return 'written into the outbox, because no mail address is known';
  return sendsMail ? 'sent' : 'written into the outbox, because no mail server is set';
}

function toJson({ id, about, theme, severity, why, at, level, subjectName, noticed, noticedBy, told }: ShownAlert) {
  return {
    id,
    concernId: idOf(about, 'concern'),
    incidentId: idOf(about, 'incident'),
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
