import type { AccessRecord } from '../events/access-record.ts';
import type { AlarmCode, EventEnvelope } from '../events/catalogue.ts';
import { type Clock, isoTime } from '../kernel/clock.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { localInput } from '../kernel/local-time.ts';
import type { RecordDatabase, Tx } from '../store/database.ts';
import { type Alarm, type FlaggedCount, type HistoryGap, NAVIGATION_MS } from './model.ts';
import { readEvent } from './read-event.ts';
import {
  addToCount,
  alarmsBetween,
  countParked,
  countsOf,
  deleteNavigationsBefore,
  gapsBetween,
  insertAlarm,
  insertFlagged,
  insertGap,
  insertNavigation,
  insertParked,
  isUnderWay,
  takeId,
} from './repository.ts';

/** For whoever reads the record beside a running console. */
export { alarmsBetween, gapsBetween } from './repository.ts';

/** What gateways reported, on record. */
export interface Safeguarding {
  /**
   * Lets an event from the bus take effect: once, however often it arrives, and on disk when this returns. What it does not
   * understand it puts aside. Throws only when the record cannot be written; the bus then brings the event again.
   */
  take(json: string): 'taken' | 'known' | 'parked';
  /** An alarm of the console's own. */
  raise(code: AlarmCode, text: string): void;
  /** Newest first; ms since the epoch. */
  alarms(from: number, until: number): Alarm[];
  gaps(from: number, until: number): HistoryGap[];
  /** Flagged navigations of the school's day that `now` lies in. */
  today(): FlaggedCount[];
  parked(): number;
}

export interface SafeguardingOptions {
  readonly record: RecordDatabase;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** IANA zone of the school's day. */
  readonly timeZone: () => string;
}

export function createSafeguarding(options: SafeguardingOptions): Safeguarding {
  const { record, clock, newId, timeZone } = options;
  return {
    take: (json) => record.write((tx) => take(options, tx, json)),
    raise: (code, text) =>
      record.write((tx) => insertAlarm(tx, { id: newId(), at: isoTime(clock()), gateway: 'console', code, text })),
    alarms: (from, until) => record.read((tx) => alarmsBetween(tx, isoTime(from), isoTime(until))),
    gaps: (from, until) => record.read((tx) => gapsBetween(tx, isoTime(from), isoTime(until))),
    today: () => record.read((tx) => countsOf(tx, localInput(clock(), timeZone()).slice(0, 10))),
    parked: () => record.read(countParked),
  };
}

function take(options: SafeguardingOptions, tx: Tx, json: string): 'taken' | 'known' | 'parked' {
  const read = readEvent(json);
  const id = 'event' in read ? read.event.id : read.parked.id;
  if (!takeId(tx, id)) return 'known';
  if ('event' in read) {
    effect(options, tx, read.event);
    return 'taken';
  }
  insertParked(tx, id, isoTime(options.clock()), read.parked.why, json);
  return 'parked';
}

function effect(options: SafeguardingOptions, tx: Tx, event: EventEnvelope): void {
  if (isOf(event, 'alarm')) {
    insertAlarm(tx, { id: event.id, at: event.at, ...pick(event.data) });
  } else if (isOf(event, 'history.gap')) {
    insertGap(tx, event.id, event.data);
  } else if (isOf(event, 'fault')) {
    flag(options, tx, event.type, event.data.record);
  } else {
    flag(options, tx, event.type, event.data as AccessRecord);
  }
}

function pick({ gateway, code, text }: { gateway: string; code: string; text: string }): Omit<Alarm, 'id' | 'at'> {
  return { gateway, code, text };
}

function flag(options: SafeguardingOptions, tx: Tx, type: string, record: AccessRecord): void {
  insertFlagged(tx, type, record);
  const at = Date.parse(record.at);
  const who = record.user ?? record.client;
  // A locked target has no host on record; all of them count as one.
  const host = record.host ?? '';
  if (isUnderWay(tx, who, host, record.verdict, at, NAVIGATION_MS)) return;
  insertNavigation(tx, who, host, record.verdict, at);
  const day = localInput(at, options.timeZone()).slice(0, 10);
  addToCount(tx, day, record.level, record.category ?? '', record.verdict);
  // Events of a gateway that was cut off come late: a day is kept, to count those right as well.
  deleteNavigationsBefore(tx, Math.min(at, options.clock()) - 86_400_000);
}

function isOf<T extends EventEnvelope['type']>(event: EventEnvelope, type: T): event is EventEnvelope<T> {
  return event.type === type;
}
