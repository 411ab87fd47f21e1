import type { AccessRecord, IllegalHitRecord } from '../events/access-record.ts';
import { isoTime } from '../kernel/clock.ts';
import { type Erased, erasedRows } from '../kernel/erased.ts';
import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { Alarm, FlaggedCount, HistoryGap, KnownGateway } from './model.ts';

/** Marks an event as taken; false: it was already, and must have no further effect. */
export function takeId(tx: Tx, id: string): boolean {
  return tx.run('INSERT INTO taken_events (id) VALUES (?) ON CONFLICT DO NOTHING', id) === 1;
}

/** False: this request is on record already. */
export function insertFlagged(tx: Tx, type: string, record: AccessRecord): boolean {
  // Not by the event's id: a record belongs to one request, whatever events speak of it.
  const inserted = tx.run(
    `INSERT INTO flagged (id, at, type, client, user, level, target, host, verdict, category, reason, json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    record.id,
    record.at,
    type,
    record.client,
    record.user,
    record.level,
    record.target,
    record.host,
    record.verdict,
    record.category,
    record.reason,
    JSON.stringify(record),
  );
  return inserted === 1;
}

/** Newest hits of listed illegal material. */
export function illegalHits(tx: ReadTx, limit: number): IllegalHitRecord[] {
  const rows = tx.all("SELECT json FROM flagged WHERE type = 'illegal.hit' ORDER BY at DESC, id DESC LIMIT ?", limit);
  return rows.map((row) => JSON.parse(String(row['json'])) as IllegalHitRecord);
}

/** By the id of its record, which is the reference on the block page. */
export function findIllegalHit(tx: ReadTx, id: string): IllegalHitRecord | null {
  const row = tx.get("SELECT json FROM flagged WHERE type = 'illegal.hit' AND id = ?", id);
  return row === undefined ? null : (JSON.parse(String(row['json'])) as IllegalHitRecord);
}

/** Whether a navigation of this person, host and verdict covers the instant `at`. */
export function isUnderWay(tx: ReadTx, who: string, host: string, verdict: string, at: number, ms: number): boolean {
  const row = tx.get(
    'SELECT 1 FROM navigations WHERE who = ? AND host = ? AND verdict = ? AND begun_at > ? AND begun_at < ? LIMIT 1',
    who,
    host,
    verdict,
    at - ms,
    at + ms,
  );
  return row !== undefined;
}

export function insertNavigation(tx: Tx, who: string, host: string, verdict: string, at: number): void {
  tx.run('INSERT INTO navigations (who, host, verdict, begun_at) VALUES (?, ?, ?, ?)', who, host, verdict, at);
}

export function deleteNavigationsBefore(tx: Tx, at: number): void {
  tx.run('DELETE FROM navigations WHERE begun_at < ?', at);
}

export function addToCount(tx: Tx, day: string, level: string, category: string, verdict: string): void {
  tx.run(
    `INSERT INTO flagged_counts (day, level, category, verdict, navigations) VALUES (?, ?, ?, ?, 1)
     ON CONFLICT DO UPDATE SET navigations = navigations + 1`,
    day,
    level,
    category,
    verdict,
  );
}

export function countsOf(tx: ReadTx, day: string): FlaggedCount[] {
  const rows = tx.all('SELECT * FROM flagged_counts WHERE day = ? ORDER BY level, category, verdict', day);
  return rows as unknown as FlaggedCount[];
}

export function insertAlarm(tx: Tx, alarm: Alarm): void {
  const { id, at, gateway, code, text } = alarm;
  tx.run('INSERT INTO alarms (id, at, gateway, code, text) VALUES (?, ?, ?, ?, ?)', id, at, gateway, code, text);
}

/** Newest first; times ISO 8601 UTC. */
export function alarmsBetween(tx: ReadTx, from: string, until: string): Alarm[] {
  return tx.all('SELECT * FROM alarms WHERE at >= ? AND at < ? ORDER BY at DESC', from, until) as unknown as Alarm[];
}

export function insertGap(tx: Tx, id: string, gap: HistoryGap): void {
  const { gateway, worker, from, until } = gap;
  tx.run(
    'INSERT INTO history_gaps (id, gateway, worker, from_at, until_at) VALUES (?, ?, ?, ?, ?)',
    id,
    gateway,
    worker,
    from,
    until,
  );
}

/** What a gateway says counts until it says otherwise; what arrives late changes nothing. */
export function storeGateway(tx: Tx, { gateway, workers, up, serial, at, heardAt }: KnownGateway): void {
  tx.run(
    `INSERT INTO gateways (gateway, workers, up, serial, at, heard_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET workers = excluded.workers, up = excluded.up, serial = excluded.serial,
       at = excluded.at, heard_at = excluded.heard_at WHERE excluded.at > gateways.at`,
    gateway,
    workers,
    up,
    serial,
    at,
    heardAt,
  );
}

export function knownGateways(tx: ReadTx): KnownGateway[] {
  const columns = 'gateway, workers, up, serial, at, heard_at AS "heardAt"';
  return tx.all(`SELECT ${columns} FROM gateways ORDER BY gateway`) as unknown as KnownGateway[];
}

/** Gaps that touch a span, oldest first. */
export function gapsBetween(tx: ReadTx, from: string, until: string): HistoryGap[] {
  const rows = tx.all(
    `SELECT gateway, worker, from_at AS "from", until_at AS "until" FROM history_gaps
     WHERE until_at >= ? AND from_at < ? ORDER BY from_at`,
    from,
    until,
  );
  return rows as unknown as HistoryGap[];
}

export function insertParked(tx: Tx, id: string, arrivedAt: string, why: string, json: string): void {
  tx.run('INSERT INTO parked_events (id, arrived_at, why, json) VALUES (?, ?, ?, ?)', id, arrivedAt, why, json);
}

export function countParked(tx: ReadTx): number {
  return Number(tx.get('SELECT count(*) AS n FROM parked_events')!['n']);
}

/** Flagged requests before `before` (ms), the oldest first; hits of listed illegal material stay. */
export function eraseFlagged(tx: Tx, before: number, most: number): Erased[] {
  const rows = tx.all(
    `DELETE FROM flagged WHERE id IN (SELECT id FROM flagged WHERE at < ? AND type <> 'illegal.hit' ORDER BY at LIMIT ?)
     RETURNING id, at`,
    isoTime(before),
    most,
  );
  return erasedRows('flagged', rows.map(withInstant));
}

export function oldestFlagged(tx: ReadTx): number | null {
  return instantOrNull(tx.get("SELECT at FROM flagged WHERE type <> 'illegal.hit' ORDER BY at LIMIT 1"));
}

const REPORTED = [
  ['alarm', 'alarms', 'at'],
  ['gap', 'history_gaps', 'until_at'],
  ['parked', 'parked_events', 'arrived_at'],
] as const;

/** Alarms, gaps of the history and events that were put aside, before `before` (ms); of each kind at most `most`. */
export function eraseAlarms(tx: Tx, before: number, most: number): Erased[] {
  return REPORTED.flatMap(([kind, table, at]) => {
    const sql = `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ${at} < ? ORDER BY ${at} LIMIT ?) RETURNING id, ${at} AS at`;
    return erasedRows(kind, tx.all(sql, isoTime(before), most).map(withInstant));
  });
}

export function oldestAlarm(tx: ReadTx): number | null {
  const each = REPORTED.map(([, table, at]) => `SELECT min(${at}) AS at FROM ${table}`);
  return instantOrNull(tx.get(`SELECT min(at) AS at FROM (${each.join(' UNION ALL ')})`));
}

function withInstant({ id, at }: Row): Row {
  return { id: id!, at: Date.parse(String(at)) };
}

function instantOrNull(row: Row | undefined): number | null {
  return row?.['at'] === undefined || row['at'] === null ? null : Date.parse(String(row['at']));
}
