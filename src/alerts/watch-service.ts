// gateways ── news ──► last heard ──► silence in school hours? ──► alarm, mail
// each morning: a sign of life by the way of alerts ── half an hour later: did it leave? ──► alarm
import type { QueuedDelivery } from '../delivery/outgoing.ts';
import type { PeopleMail } from '../delivery/people-mail-service.ts';
import type { DeliveryQueue } from '../delivery/queue-service.ts';
import type { Person } from '../identity/accounts.ts';
import { isSubject, maySee } from '../identity/conflict-of-interest.ts';
import type { Clock } from '../kernel/clock.ts';
import { localText } from '../kernel/local-time.ts';
import { type AlertRules, mailboxOf, sharersOf } from '../policy/alert-rules.ts';
import { type Moment, windowAt } from '../policy/schedule.ts';
import type { Calendar } from '../policy/snapshot.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import type { Alert } from './model.ts';
import { readNews, storeNews, storeSilenceTold, toldTo, unnoticedAlerts } from './repository.ts';
import { peopleOf } from './routing.ts';
import type { SubjectsNow } from './service.ts';
import { heartbeatMail, troubleMail, type WayOfAlerts } from './words.ts';

/** Whether the way that alerts go is in order, from the gateways to the mail server. */
export interface AlertWatch {
  /** Something came from a gateway. Cheap: called for each batch. */
  heard(): void;
  /**
   * To be called every few seconds. Tells of silence in school hours, once each time; sends the sign of life of the day when its time
   * has come, however late the console was started, and raises an alarm where it has not left half an hour later.
   */
  look(): void;
  /** Where those are reached by mail who are to hear when something is out of order. */
  mailboxes(): readonly string[];
  /** Whether all is well, for whoever waits outside for word of it. */
  isWell(): boolean;
}

export interface AlertWatchOptions {
  readonly record: RecordDatabase;
  readonly clock: Clock;
  readonly queue: DeliveryQueue;
  readonly mail: Pick<PeopleMail, 'queue'>;
  readonly rules: () => AlertRules;
  readonly momentAt: (now: number) => Moment;
  readonly calendar: () => Calendar | undefined;
  readonly timeZone: () => string;
  readonly school: () => string | null;
  readonly peopleOf: (tx: ReadTx, now: number) => readonly Person[];
  readonly subjectsNow: SubjectsNow;
  readonly raise: (code: 'gateways-silent' | 'heartbeat-missing', text: string) => void;
}

/** How exactly the last news is kept on record, ms: a write for each batch would cost as much as the batch. */
const KEEP_MS = 60_000;
/** What waits longer than this is out of order, ms. */
const STUCK_MS = 15 * 60_000;
/** How long the sign of life may take, ms. */
const BEAT_MS = 30 * 60_000;
/** School hours where a school has written none, minutes after midnight. */
const USUAL_HOURS = { days: [0, 1, 2, 3, 4], from: 540, to: 900 } as const;

export function createAlertWatch(options: AlertWatchOptions): AlertWatch {
  const { record, clock } = options;
  const startedAt = clock();
  let heardAt = 0;
  let keptAt = 0;
  /** The day whose sign of life is under way, and since when; null: looked after. */
  let beatDay = '';
  let beatAt: number | null = null;
  /** While the console was down nobody listened. */
  const silentSince = (tx: ReadTx): number => Math.max(startedAt, heardAt, readNews(tx)?.at ?? 0);
  const isSilent = (tx: ReadTx): boolean =>
    isSchoolTime(options) && clock() - silentSince(tx) >= options.rules().silenceMinutes * 60_000;
  return {
    heard() {
      heardAt = clock();
      if (heardAt - keptAt < KEEP_MS) return;
      keptAt = heardAt;
      record.write((tx) => storeNews(tx, heardAt));
    },
    look() {
      lookAtSilence();
      lookAtBeat();
    },
    mailboxes: () =>
      record.read((tx) => operators(options, tx)).flatMap(({ userName }) => mailboxOf(userName, options.rules()) ?? []),
    isWell: () => record.read((tx) => !isSilent(tx) && options.queue.waitingSince(tx, clock() - STUCK_MS).length === 0),
  };
  function lookAtSilence(): void {
    const since = record.write((tx) => {
      const news = readNews(tx);
      if (!isSilent(tx) || news?.silenceTold === true) return null;
      const since = silentSince(tx);
      storeSilenceTold(tx, since);
      tellTrouble(options, tx, `silence:${since}`, silenceText(since, options));
      return since;
    });
    if (since !== null) options.raise('gateways-silent', silenceText(since, options));
  }
  function lookAtBeat(): void {
    const { today, minute } = options.momentAt(clock());
    if (minute < options.rules().heartbeat.at) return;
    if (beatDay !== today.date) [beatDay, beatAt] = [today.date, clock()];
    if (beatAt === null) return;
    // Somebody may have been given the role only now.
    const isQueued = record.read((tx) => options.queue.about(tx, beatOf(today.date)).length > 0);
    if (!isQueued) record.write((tx) => beat(options, tx, heardAt));
    if (clock() - beatAt < BEAT_MS) return;
    beatAt = null;
    const problem = record.read((tx) => missingBeat(options, tx));
    if (problem !== null) options.raise('heartbeat-missing', problem);
  }
}

function isSchoolTime({ clock, momentAt, calendar }: AlertWatchOptions): boolean {
  const moment = momentAt(clock());
  const known = calendar();
  if (known === undefined) return windowAt([{ ...USUAL_HOURS }], moment) !== undefined;
  // After the last lesson nobody need be there.
  const lessons = known.slots.filter(({ word }) => word === 'lessons');
  return moment.today.isTermTime && windowAt(lessons.length > 0 ? lessons : [{ ...USUAL_HOURS }], moment) !== undefined;
}

function silenceText(since: number, { timeZone }: AlertWatchOptions): string {
  return `Nothing has been heard from gateways since ${localText(since, timeZone())}.`;
}

function beat(options: AlertWatchOptions, tx: Tx, heardAt: number): void {
  const { queue, mail, rules, timeZone, school, momentAt, clock } = options;
  const { date } = momentAt(clock()).today;
  const lastNewsAt = Math.max(heardAt, readNews(tx)?.at ?? 0);
  const unnoticed = unnoticedAlerts(tx);
  const unsent = queue.waitingSince(tx, clock() - STUCK_MS).length;
  const people = options.peopleOf(tx, clock());
  for (const person of operators(options, tx)) {
    const way: WayOfAlerts = {
      lastNewsAt: lastNewsAt === 0 ? null : lastNewsAt,
      unnoticed: unnoticed.filter(seenInMail(options, tx, person, people)).length,
      unsent,
    };
    mail.queue(tx, person, beatOf(date), heartbeatMail(school(), date, way, { rules: rules(), zone: timeZone() }));
  }
}

/** Which alerts count in somebody's mail: a number that is one too high tells its reader of the one that is about themselves. */
function seenInMail(
  { rules, subjectsNow }: AlertWatchOptions,
  tx: ReadTx,
  person: Person,
  people: readonly Person[],
): (alert: Alert) => boolean {
  const told = toldTo(tx, person.id).alerts;
  const beside = sharersOf(person, people, rules());
  const now = subjectsNow(tx);
  return ({ id, about, subjects: then }) => {
    const subjects = now(about) ?? then;
    return maySee(subjects, person, people, told.has(id)) && !beside.some((other) => isSubject(subjects, other.id));
  };
}

/** Why today's sign of life cannot be relied on; null: everybody has been sent it. */
function missingBeat(options: AlertWatchOptions, tx: ReadTx): string | null {
  const { queue, momentAt, clock } = options;
  const { date } = momentAt(clock()).today;
  const sent = queue.about(tx, beatOf(date));
  if (sent.length === 0)
    return 'There is nobody to send the daily sign of life to; name somebody under “heartbeat” in policies/alerts.yaml.';
  const unsent = sent.filter(({ state }) => state !== 'sent');
  if (unsent.length === 0) return null;
  return `The daily sign of life could not be sent to ${unsent.length} of ${sent.length} people: ${problemOf(unsent)}`;
}

function problemOf(unsent: readonly QueuedDelivery[]): string {
  return unsent.find(({ problem }) => problem !== null)?.problem ?? 'it is still waiting.';
}

function tellTrouble(options: AlertWatchOptions, tx: Tx, about: string, text: string): void {
  const { mail, rules } = options;
  for (const person of operators(options, tx)) {
    mail.queue(tx, person, about, troubleMail(text, rules()));
  }
}

function operators({ rules, peopleOf: people, momentAt, clock }: AlertWatchOptions, tx: ReadTx): readonly Person[] {
  const now = clock();
  return peopleOf(rules().heartbeat.to, { rules: rules(), people: people(tx, now), moment: momentAt(now) });
}

function beatOf(date: string): string {
  return `heartbeat:${date}`;
}
