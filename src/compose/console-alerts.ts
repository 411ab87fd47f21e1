// concern ── due ──► alerts ── deliveries ──► queue ──┬── SMTP, or the outbox
//                                                     └── webhooks
import { type Alerts, createAlerts } from '../alerts/service.ts';
import { type AlertWatch, createAlertWatch } from '../alerts/watch-service.ts';
import type { Audit } from '../audit/service.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import type { OutgoingCall, OutgoingMail, QueuedDelivery } from '../delivery/outgoing.ts';
import { createDeliveryQueue, type DeliveryQueue } from '../delivery/queue-service.ts';
import { createPeopleMail, type PeopleMail } from '../delivery/people-mail-service.ts';
import { createDelivery, type Delivery } from '../delivery/service.ts';
import { createWebhooks, type Webhooks } from '../delivery/webhook.ts';
import type { AlarmCode } from '../events/catalogue.ts';
import { staffPeople } from '../identity/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { createIdMaker } from '../kernel/ids.ts';
import { type AlertRules, mailboxOf, SHIPPED_ALERTS } from '../policy/alert-rules.ts';
import { createMomentAt, type Moment } from '../policy/schedule.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { ReadTx, RecordDatabase } from '../store/database.ts';
import type { Logger } from '../telemetry/log.ts';
import { subjectsNow } from './alert-subjects.ts';

/** What tells people, and what sees to it that they are told. */
export interface ConsoleAlerts {
  readonly alerts: Alerts;
  readonly alertWatch: AlertWatch;
  readonly deliveries: DeliveryQueue;
  readonly peopleMail: PeopleMail;
  readonly webhooks: Webhooks;
}

export interface ConsoleAlertsOptions {
  readonly environment: Pick<Environment, 'smtpUrl' | 'mailFrom' | 'webhookSecret'>;
  readonly layout: Pick<DataLayout, 'outbox'>;
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly policy: () => PolicySnapshot | null;
  readonly defaultZone: string;
  readonly raise: (code: AlarmCode, text: string) => void;
  readonly log: Logger;
}

export function createConsoleAlerts(options: ConsoleAlertsOptions): ConsoleAlerts {
  const { environment, layout, record, audit, clock, policy, defaultZone, raise, log } = options;
  const newId = createIdMaker(clock);
  const mailPorts = { mailFrom: environment.mailFrom, outbox: layout.outbox, clock, newId };
  const webhooks = createWebhooks({ secret: environment.webhookSecret, clock });
  const send = (over: Delivery) => (delivery: QueuedDelivery) =>
    over.send({ to: delivery.recipient, ...(delivery.content as OutgoingMail) }, delivery.id);
  const deliveries = createDeliveryQueue({
    record,
    clock,
    newId,
    senders: {
      mail: send(createDelivery({ ...mailPorts, smtpUrl: environment.smtpUrl })),
      outbox: send(createDelivery({ ...mailPorts, smtpUrl: null })),
      webhook: ({ id, recipient, content }) => webhooks.post(recipient, id, (content as OutgoingCall).body),
    },
    onFailure: (delivery, error, nextTryAt) => {
      const { id, channel, tries } = delivery;
      log.warn({ err: error, delivery: id, channel, nextTryAt }, 'a mail or call could not be sent');
      // Once at the first try, so that somebody looks at it, and once when it is given up.
      if (tries === 0 || nextTryAt === null) raise('delivery-failing', failureText(error, nextTryAt));
    },
  });
  const rules = (): AlertRules => policy()?.alerts ?? SHIPPED_ALERTS;
  const peopleMail = createPeopleMail({
    deliveries,
    mailboxOf: (userName) => mailboxOf(userName, rules()),
    consoleUrl: () => rules().console ?? null,
  });
  const timeZone = (): string => policy()?.timeZone ?? defaultZone;
  const common = {
    record,
    clock,
    queue: deliveries,
    mail: peopleMail,
    rules,
    momentAt: momentsOf(policy, defaultZone),
    timeZone,
    peopleOf: staffPeople,
    subjectsNow: (tx: ReadTx) => subjectsNow(tx, clock()),
  };
  const alerts = createAlerts({
    ...common,
    audit,
    sendsMail: environment.smtpUrl !== null,
    levelTitle: (level) => policy()?.levels[level]?.title ?? level,
  });
  const alertWatch = createAlertWatch({
    ...common,
    calendar: () => policy()?.calendar,
    school: () => policy()?.school ?? null,
    raise,
  });
  return { alerts, alertWatch, deliveries, peopleMail, webhooks };
}

/** The school's clock by the policy in force. */
function momentsOf(policy: () => PolicySnapshot | null, timeZone: string): (now: number) => Moment {
  let known: PolicySnapshot | null = null;
  let momentAt = createMomentAt({ timeZone });
  return (now) => {
    const current = policy();
    if (current !== known) momentAt = createMomentAt((known = current) ?? { timeZone });
    return momentAt(now);
  };
}

function failureText(error: unknown, nextTryAt: number | null): string {
  const { message } = error as Error;
  return `${message} ${nextTryAt === null ? 'It was given up.' : 'It is tried again.'}`;
}
