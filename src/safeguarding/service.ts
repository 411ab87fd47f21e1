import type { AccessRecord } from '../events/access-record.ts';
import { type AlarmCode, EVENT_VERSIONS, type EventEnvelope, type EventType } from '../events/catalogue.ts';
import { type Clock, isoTime, DAY_MS } from '../kernel/clock.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { localInput } from '../kernel/local-time.ts';
import { NAVIGATION_MS } from '../kernel/navigation.ts';
import { isOutOfOrder, type RecordDatabase, type Tx } from '../store/database.ts';
import type { ConcernWatch, Watching } from './concerns/watch-service.ts';
import { type Alarm, type FlaggedCount, type HistoryGap, type KnownGateway, misplacedText } from './model.ts';
import { type Parked, parkingId, readEvent } from './read-event.ts';
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
  knownGateways,
  storeGateway,
  takeId,
} from './repository.ts';

/** For whoever reads the record beside a running console. */
export { alarmsBetween, findIllegalHit, gapsBetween, illegalHits } from './repository.ts';
/** For data whose time has come. */
export { eraseAlarms, eraseFlagged, oldestAlarm, oldestFlagged } from './repository.ts';

/** What became of an event: it took effect, had done so before, or was put aside for a person to look at. */
export type Taken = 'taken' | 'known' | 'parked';

/** What gateways reported, on record. */
export interface Safeguarding {
  /**
   * Lets a batch of events from the bus take effect, in order and in one transaction: each once, however often it arrives,
   * and all on disk when this returns. One that it does not understand, or that the record refuses, it puts aside. Throws
   * only when the record cannot be written: none of them took effect then, and the bus brings them again.
   */
  take(jsons: readonly string[]): Taken[];
  /** An event of the console's own, in the transaction of what it is about. */
  own<T extends EventType>(tx: Tx, type: T, data: EventEnvelope<T>['data']): void;
  /** Searches that stand in no event, as nothing flagged them: each record takes effect once. Throws as `take` does. */
  takeSearches(records: readonly AccessRecord[]): void;
  /** An alarm of the console's own. */
  raise(code: AlarmCode, text: string): void;
  /** Newest first; ms since the epoch. */
  alarms(from: number, until: number): Alarm[];
  gaps(from: number, until: number): HistoryGap[];
  /** Flagged navigations of the school's day that `now` lies in. */
  today(): FlaggedCount[];
  parked(): number;
  /** Every gateway that ever said how it is, by name. */
  gateways(): KnownGateway[];
}

export interface SafeguardingOptions {
  readonly record: RecordDatabase;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** IANA zone of the school's day. */
  readonly timeZone: () => string;
  /** A gateway heard from these devices by an instant (ms since the epoch); takes effect in the event's transaction. */
  readonly devicesActive: (tx: Tx, addresses: readonly string[], at: number) => void;
  /** Makes concerns of what gateways flagged, in the events' transaction. */
  readonly concerns: ConcernWatch;
  /** The same of accounts that came with requests. */
  readonly accountsActive: (tx: Tx, seen: EventEnvelope<'accounts.active'>['data']['seen'], at: number) => void;
}

export function createSafeguarding(options: SafeguardingOptions): Safeguarding {
  const { record, clock, newId, timeZone } = options;
  return {
    take: (jsons) => takeBatch(options, jsons),
    own: (tx, type, data) => {
      const event = { id: newId(), type, v: EVENT_VERSIONS[type], at: isoTime(clock()), data };
      takeEvent(newBatch(options, tx), event);
    },
    takeSearches: (records) => takeSearches(options, records),
    raise: (code, text) =>
      record.write((tx) => insertAlarm(tx, { id: newId(), at: isoTime(clock()), gateway: 'console', code, text })),
    alarms: (from, until) => record.read((tx) => alarmsBetween(tx, isoTime(from), isoTime(until))),
    gaps: (from, until) => record.read((tx) => gapsBetween(tx, isoTime(from), isoTime(until))),
    today: () => record.read((tx) => countsOf(tx, localInput(clock(), timeZone()).slice(0, 10))),
    parked: () => record.read(countParked),
    gateways: () => record.read(knownGateways),
  };
}

function takeBatch(options: SafeguardingOptions, jsons: readonly string[]): Taken[] {
  const { record } = options;
  try {
    return record.write((tx) => takeAll(options, tx, jsons, take));
  } catch (error) {
    if (isOutOfOrder(error)) throw error;
    // It is one of the events. To find it each must be a part of its own, which costs a fifth more: only now, therefore.
    return record.write((tx) => takeAll(options, tx, jsons, takeOrPark));
  }
}

function takeSearches({ record, clock, concerns }: SafeguardingOptions, records: readonly AccessRecord[]): void {
  const now = clock();
  const telling = records.filter((one) => concerns.isTelling(one, now));
  if (telling.length === 0) return;
  record.write((tx) => {
    const watching = concerns.begin(tx, now);
    for (const one of telling) if (insertFlagged(tx, 'search', one)) watching.see(one);
    watching.conclude();
  });
}

type Take = typeof take;

function takeAll(options: SafeguardingOptions, tx: Tx, jsons: readonly string[], takeOne: Take): Taken[] {
  const batch = newBatch(options, tx);
  const taken = jsons.map((json) => takeOne(batch, json));
  batch.watching.conclude();
  // Events of a gateway that was cut off come late: a day is kept, to count those right as well.
  deleteNavigationsBefore(tx, batch.earliest - DAY_MS);
  return taken;
}

function newBatch(options: SafeguardingOptions, tx: Tx): Batch {
  const { clock, timeZone, devicesActive, accountsActive, concerns } = options;
  const now = clock();
  const [dayOf, watching] = [schoolDays(timeZone()), concerns.begin(tx, now)];
  return { tx, arrivedAt: isoTime(now), dayOf, earliest: now, watching, devicesActive, accountsActive };
}

/** What events of one transaction share. */
interface Batch extends Pick<SafeguardingOptions, 'devicesActive' | 'accountsActive'> {
  readonly tx: Tx;
  /** ISO 8601 UTC. */
  readonly arrivedAt: string;
  /** The school's day, such as `2026-11-23`, of an instant. */
  readonly dayOf: (at: number) => string;
  /** Of now and every navigation, ms since the epoch. */
  earliest: number;
  readonly watching: Watching;
}

/** Many events lie in one minute, and asking what day it is in a zone costs more than a row of the record. */
function schoolDays(zone: string): (at: number) => string {
  const days = new Map<number, string>();
  return (at) => {
    const minute = Math.floor(at / 60_000);
    let day = days.get(minute);
    if (day === undefined) days.set(minute, (day = localInput(at, zone).slice(0, 10)));
    return day;
  };
}

function take(batch: Batch, json: string): Taken {
  const read = readEvent(json);
  return 'event' in read ? takeEvent(batch, read.event) : park(batch, json, read.parked);
}

/** Coming again would not help an event that the record refuses, and would hold up everything behind it for ever. */
function takeOrPark(batch: Batch, json: string): Taken {
  try {
    return batch.tx.part(() => {
      const taken = take(batch, json);
      batch.watching.conclude();
      return taken;
    });
  } catch (error) {
    if (isOutOfOrder(error)) throw error;
    return park(batch, json, { id: parkingId(json), why: `The record refused it: ${(error as Error).message}` });
  }
}

function park({ tx, arrivedAt }: Batch, json: string, { id, why }: Parked): Taken {
  if (!takeId(tx, id)) return 'known';
  insertParked(tx, id, arrivedAt, why, json);
  return 'parked';
}

function takeEvent(batch: Batch, event: EventEnvelope): Taken {
  if (!takeId(batch.tx, event.id)) return 'known';
  if (isOf(event, 'alarm')) {
    insertAlarm(batch.tx, { id: event.id, at: event.at, ...pick(event.data) });
  } else if (isOf(event, 'history.gap')) {
    insertGap(batch.tx, event.id, event.data);
  } else if (isOf(event, 'devices.active')) {
    batch.devicesActive(batch.tx, event.data.addresses, Date.parse(event.at));
  } else if (isOf(event, 'gateway.state')) {
    storeGateway(batch.tx, { ...event.data, at: event.at, heardAt: Date.parse(batch.arrivedAt) });
  } else if (isOf(event, 'accounts.active')) {
    batch.accountsActive(batch.tx, event.data.seen, Date.parse(event.at));
  } else if (isOf(event, 'account.misplaced')) {
    const { id, at, data } = event;
    insertAlarm(batch.tx, { id, at, gateway: 'console', code: data.what, text: misplacedText(data) });
  } else if (isOf(event, 'fault')) {
    flag(batch, event.type, event.data.record);
  } else {
    flag(batch, event.type, event.data as AccessRecord);
  }
  return 'taken';
}

function pick({ gateway, code, text }: { gateway: string; code: string; text: string }): Omit<Alarm, 'id' | 'at'> {
  return { gateway, code, text };
}

function flag(batch: Batch, type: string, record: AccessRecord): void {
  const { tx } = batch;
  // What a worker was told of twice is one request, and counts once towards a concern.
  if (insertFlagged(tx, type, record)) batch.watching.see(record);
  const at = Date.parse(record.at);
  const who = record.user ?? record.client;
  // A locked target has no host on record; all of them count as one.
  const host = record.host ?? '';
  if (isUnderWay(tx, who, host, record.verdict, at, NAVIGATION_MS)) return;
  insertNavigation(tx, who, host, record.verdict, at);
  addToCount(tx, batch.dayOf(at), record.level, record.category ?? '', record.verdict);
  batch.earliest = Math.min(batch.earliest, at);
}

function isOf<T extends EventEnvelope['type']>(event: EventEnvelope, type: T): event is EventEnvelope<T> {
  return event.type === type;
}
