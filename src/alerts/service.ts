// concern's, report's transaction ── due ──► alert, people told, deliveries (all or nothing) ──► queue ──► mail, webhook, outbox
//                        each few seconds: nobody took notice in time? ──► the next people
import type { Actor } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { QueuedDelivery } from '../delivery/outgoing.ts';
import type { DeliveryQueue } from '../delivery/queue-service.ts';
import type { PeopleMail } from '../delivery/people-mail-service.ts';
import type { Person } from '../identity/accounts.ts';
import { maySee, type Subjects } from '../identity/conflict-of-interest.ts';
import type { Clock } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { type AlertRules, mailboxOf } from '../policy/alert-rules.ts';
import type { Moment } from '../policy/schedule.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import type { Alert, AlertAbout, AlertDue, Told } from './model.ts';
import {
  alertsToStep,
  findAlert,
  insertAlert,
  insertTold,
  newestAlerts,
  storeAllNoticed,
  storeNextStep,
  storeNoticed,
  toldOf,
  toldTo,
} from './repository.ts';
import { type Routing, routeAlert } from './routing.ts';
import { alertCall, alertMail } from './words.ts';

/** For whoever hands over what is due, and says who may see it. */
export { alertsOf, eraseAlertsAbout, toldTo } from './repository.ts';

/** An alert with what became of it. */
export interface ShownAlert extends Alert {
  readonly told: readonly (Told & { readonly name: string; readonly delivery: QueuedDelivery | null })[];
  readonly noticedBy: string | null;
  readonly calls: readonly QueuedDelivery[];
}

/** Who is told of concerns, and who has taken notice. */
export interface Alerts {
  /** In the transaction of what makes it due: decides whom it goes to, and queues it for each of them. */
  due(tx: Tx, due: AlertDue): void;
  /** Tells the next people of each alert that nobody has taken notice of in time. */
  escalate(): void;
  /** Newest first; only such as this person may see. */
  list(personId: string): ShownAlert[];
  /** Of the same, those that nobody has taken notice of; without what became of their mail. */
  unnoticed(personId: string): readonly Alert[];
  /** There is a mail server; else mail is a file in the outbox, too. */
  readonly sendsMail: boolean;
  /** Where somebody is told by mail; null: nobody has written it down. */
  mailboxOf(personId: string): string | null;
  /** Throws `alert_unknown`, also for one that this person may not see. */
  find(personId: string, id: string): ShownAlert;
  /** In the transaction in which somebody acts on what alerts tell of: with that they have taken notice of them. */
  noticeAbout(tx: Tx, about: AlertAbout, personId: string): void;
  /** Nobody further is told. Taking notice again changes nothing. Throws as `find`. */
  notice(actor: Actor, id: string): void;
}

export interface AlertsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly queue: DeliveryQueue;
  readonly mail: Pick<PeopleMail, 'queue'>;
  readonly rules: () => AlertRules;
  readonly sendsMail: boolean;
  readonly momentAt: (now: number) => Moment;
  /** IANA zone of the school's clocks. */
  readonly timeZone: () => string;
  readonly levelTitle: (level: string) => string;
  /** Everybody with an account in the console. */
  readonly peopleOf: (tx: ReadTx, now: number) => readonly Person[];
  readonly subjectsNow: SubjectsNow;
}

/**
 * Whom things are about as is known now: roles change, and of a report it is known only when it has been read. Null: it is on record no more.
 * Ask for it once for many.
 */
export type SubjectsNow = (tx: ReadTx) => (about: AlertAbout) => Subjects | null;

/** When an alert that nobody can be told of is routed anew, ms. */
const UNHEARD_MS = 60_000;
const SHOWN = 500;

export function createAlerts(options: AlertsOptions): Alerts {
  const { record, clock, audit } = options;
  const visibleTo = (
    tx: ReadTx,
    personId: string,
    people = options.peopleOf(tx, clock()),
  ): ((alert: Alert) => boolean) => {
    const person = people.find(({ id }) => id === personId);
    const told = toldTo(tx, personId).alerts;
    const now = options.subjectsNow(tx);
    return ({ id, about, subjects }) =>
      person !== undefined && maySee(now(about) ?? subjects, person, people, told.has(id));
  };
  const visible = (tx: ReadTx, personId: string, id: string): Alert => {
    const alert = findAlert(tx, id);
    if (alert === null || !visibleTo(tx, personId)(alert)) throw unknown();
    return alert;
  };
  return {
    due: (tx, due) => takeDue(options, tx, due),
    escalate: () => {
      record.write((tx) =>
        alertsToStep(tx, clock()).forEach((then) => {
          const alert = Object.assign(then, { subjects: options.subjectsNow(tx)(then.about) ?? then.subjects });
          tell(options, tx, alert, route(options, tx, alert));
        }),
      );
    },
    list: (personId) =>
      record.read((tx) => {
        const people = options.peopleOf(tx, clock());
        const seen = newestAlerts(tx, SHOWN).filter(visibleTo(tx, personId, people));
        return seen.map((alert) => show(options, tx, alert, people));
      }),
    unnoticed: (personId) =>
      record.read((tx) =>
        newestAlerts(tx, SHOWN)
          .filter(({ noticed }) => noticed === null)
          .filter(visibleTo(tx, personId)),
      ),
    sendsMail: options.sendsMail,
    mailboxOf: (personId) =>
      record.read((tx) => {
        const person = options.peopleOf(tx, clock()).find(({ id }) => id === personId);
        return person === undefined ? null : mailboxOf(person.userName, options.rules());
      }),
    find: (personId, id) =>
      record.read((tx) => show(options, tx, visible(tx, personId, id), options.peopleOf(tx, clock()))),
    noticeAbout: (tx, about, personId) => storeAllNoticed(tx, about, personId, clock()),
    notice: (actor, id) =>
      record.write((tx) => {
        if (visible(tx, actor.personId, id).noticed !== null) return;
        storeNoticed(tx, id, actor.personId, clock());
        const { userName, address } = actor;
        audit.append(tx, { actor: userName, action: 'alert.noticed', subject: `alert:${id}`, address });
      }),
  };
}

function takeDue(options: AlertsOptions, tx: Tx, due: AlertDue): void {
  const { rules, queue, levelTitle, timeZone } = options;
  const routing = route(options, tx, due);
  if (!insertAlert(tx, due, routing.rule, null)) return;
  const alert: Alert = { ...due, rule: routing.rule, nextStepAt: null, noticed: null };
  tell(options, tx, alert, routing);
  const words = { rules: rules(), zone: timeZone(), levelTitle: titleOf(due, levelTitle) };
  for (const name of routing.webhooks) {
    const recipient = rules().webhooks[name]!;
    queue.add(tx, { channel: 'webhook', recipient, about: keyOf(alert), content: { body: alertCall(alert, words) } });
  }
}

function route(options: AlertsOptions, tx: ReadTx, due: AlertDue): Routing {
  const now = options.clock();
  return routeAlert(due, {
    rules: options.rules(),
    people: options.peopleOf(tx, now),
    moment: options.momentAt(now),
  });
}

/** Tells the first group of which nobody has been told, and notes when the next one's turn is. */
function tell(options: AlertsOptions, tx: Tx, alert: Alert, { steps, afterMinutes, isQuiet }: Routing): void {
  const { clock, mail, rules, levelTitle, timeZone, audit } = options;
  const now = clock();
  const before = toldOf(tx, alert.id);
  const isTold = ({ id }: Person): boolean => before.some(({ personId }) => personId === id);
  const left = steps.filter((group) => !group.some(isTold));
  const [next, ...further] = left;
  const isUnheard = before.length === 0 && next === undefined && !isQuiet;
  storeNextStep(tx, alert.id, isUnheard ? now + UNHEARD_MS : further.length > 0 ? now + afterMinutes * 60_000 : null);
  if (next === undefined) return;
  const step = before.length === 0 ? 0 : Math.max(...before.map((one) => one.step)) + 1;
  const words = { rules: rules(), zone: timeZone(), levelTitle: titleOf(alert, levelTitle) };
  for (const person of next) {
    const deliveryId = mail.queue(tx, person, keyOf(alert), alertMail(alert, step, words));
    insertTold(tx, alert.id, { personId: person.id, step, at: now, deliveryId });
  }
  // How many and not who: whoever reads the audit record may be the one it is about.
  audit.append(tx, {
    actor: 'console',
    action: 'alert.told',
    subject: keyOf(alert),
    after: { people: next.length, step },
  });
}

function show({ queue }: AlertsOptions, tx: ReadTx, alert: Alert, people: readonly Person[]): ShownAlert {
  const deliveries = queue.about(tx, keyOf(alert));
  const nameOf = (id: string): string => people.find((person) => person.id === id)?.fullName ?? id;
  const told = toldOf(tx, alert.id).map((one) => {
    const delivery = deliveries.find(({ id }) => id === one.deliveryId) ?? null;
    return Object.assign(one, { name: nameOf(one.personId), delivery });
  });
  return {
    ...alert,
    told,
    noticedBy: alert.noticed === null ? null : nameOf(alert.noticed.by),
    calls: deliveries.filter(({ channel }) => channel === 'webhook'),
  };
}

function titleOf({ level }: AlertDue, levelTitle: AlertsOptions['levelTitle']): string {
  return level === null ? '' : levelTitle(level);
}

function keyOf({ id }: Pick<Alert, 'id'>): string {
  return `alert:${id}`;
}

function unknown(): SchoolgateError {
  return new SchoolgateError('alert_unknown', 'client', 'There is no such alert.');
}
