import { type Erased, erasedRows } from '../../kernel/erased.ts';
import type { Severity, Theme } from '../../policy/safeguarding-rules.ts';
import type { ReadTx, Row, Tx } from '../../store/database.ts';
import type { Concern, ConcernAct, ConcernAlert, ConcernFinding, ConcernState, RuleTuning } from './model.ts';
import type { Seen, Sighting, SightingFacts } from './sighting.ts';

/** Of one subject and theme, as many as are looked at together. */
const MOST_SIGHTINGS = 2000;

/** Adds to the sighting of the same subject, theme, host (or search) and five minutes; false: there was none. */
export function extendSighting(tx: Tx, { subject, theme, host, term, firstAt }: Seen, slot: number): boolean {
  const sql = `UPDATE sightings SET first_at = min(first_at, ?), last_at = max(last_at, ?), requests = requests + 1
    WHERE subject = ? AND theme = ? AND host = ? AND term = ? AND slot = ?`;
  return tx.run(sql, firstAt, firstAt, subject, theme, host ?? '', term ?? '', slot) > 0;
}

export function insertSighting(tx: Tx, one: Sighting, slot: number): void {
  tx.run(
    `INSERT INTO sightings (id, subject, theme, host, term, slot, first_at, last_at, requests, verdict, level, json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    one.id,
    one.subject,
    one.theme,
    one.host ?? '',
    one.term ?? '',
    slot,
    one.firstAt,
    one.lastAt,
    one.requests,
    one.verdict,
    one.level,
    JSON.stringify(one.facts),
  );
}

/** Of a subject and theme from `from` to `until` (both included), but for those that a decided concern was about; the newest, if too many. */
export function undecidedSightings(tx: ReadTx, subject: string, theme: Theme, from: number, until: number): Sighting[] {
  const sql = `SELECT s.* FROM sightings s LEFT JOIN concern_evidence e ON e.sighting_id = s.id
    LEFT JOIN concerns c ON c.id = e.concern_id
    WHERE s.subject = ? AND s.theme = ? AND s.first_at BETWEEN ? AND ? AND (c.id IS NULL OR c.state IN ('open', 'acknowledged'))
    ORDER BY s.first_at DESC LIMIT ${MOST_SIGHTINGS}`;
  return tx.all(sql, subject, theme, from, until).map(toSighting);
}

export function evidenceOf(tx: ReadTx, concernId: string): Sighting[] {
  const sql = `SELECT s.* FROM concern_evidence e JOIN sightings s ON s.id = e.sighting_id
    WHERE e.concern_id = ? ORDER BY s.first_at, s.host, s.term, s.id`;
  return tx.all(sql, concernId).map(toSighting);
}

export function linkEvidence(tx: Tx, concernId: string, sightingId: string): void {
  const sql = 'INSERT INTO concern_evidence (sighting_id, concern_id) VALUES (?, ?) ON CONFLICT DO NOTHING';
  tx.run(sql, sightingId, concernId);
}

export function insertConcern(tx: Tx, one: Concern): void {
  tx.run(
    `INSERT INTO concerns (id, subject, subject_kind, person_id, level, theme, severity, state, opened_at, first_at, last_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    one.id,
    one.subject,
    one.subjectKind,
    one.personId,
    one.level,
    one.theme,
    one.severity,
    one.state,
    one.openedAt,
    one.firstAt,
    one.lastAt,
  );
}

export function updateConcern(tx: Tx, { id, level, severity, state, firstAt, lastAt }: Concern): void {
  const sql = 'UPDATE concerns SET level = ?, severity = ?, state = ?, first_at = ?, last_at = ? WHERE id = ?';
  tx.run(sql, level, severity, state, firstAt, lastAt, id);
}

export function findConcern(tx: ReadTx, id: string): Concern | null {
  const row = tx.get('SELECT * FROM concerns WHERE id = ?', id);
  return row === undefined ? null : toConcern(row);
}

export function undecidedConcern(tx: ReadTx, subject: string, theme: Theme): Concern | null {
  const sql = `SELECT * FROM concerns WHERE subject = ? AND theme = ? AND state IN ('open', 'acknowledged')`;
  const row = tx.get(sql, subject, theme);
  return row === undefined ? null : toConcern(row);
}

/** Newest evidence first. */
export function newestConcerns(tx: ReadTx, limit: number): Concern[] {
  return tx.all('SELECT * FROM concerns ORDER BY last_at DESC, id DESC LIMIT ?', limit).map(toConcern);
}

/** At which nobody has looked yet. */
export function openConcerns(tx: ReadTx): Concern[] {
  return tx.all("SELECT * FROM concerns WHERE state = 'open' ORDER BY id").map(toConcern);
}

export function concernsOf(tx: ReadTx, subject: string): Concern[] {
  return tx.all('SELECT * FROM concerns WHERE subject = ? ORDER BY last_at DESC, id DESC', subject).map(toConcern);
}

/** Of other subjects: evidence of the same theme about the same time (ms), as people who do something together have. */
export function concernsAbout(tx: ReadTx, { theme, subject, firstAt, lastAt }: Concern, ms: number): Concern[] {
  const sql = `SELECT * FROM concerns WHERE theme = ? AND subject <> ? AND first_at <= ? AND last_at >= ?
    ORDER BY last_at DESC, id DESC LIMIT 50`;
  return tx.all(sql, theme, subject, lastAt + ms, firstAt - ms).map(toConcern);
}

/** As of the same rule before, with the most points it had. */
export function storeFinding(tx: Tx, concernId: string, one: ConcernFinding): void {
  tx.run(
    `INSERT INTO concern_rules (concern_id, rule, severity, points, text, policy) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET severity = excluded.severity, points = max(points, excluded.points), text = excluded.text,
       policy = excluded.policy`,
    concernId,
    one.rule,
    one.severity,
    one.points,
    one.text,
    one.policy,
  );
}

/** The worst first. */
export function findingsOf(tx: ReadTx, concernId: string): ConcernFinding[] {
  const sql = `SELECT rule, severity, points, text, policy FROM concern_rules WHERE concern_id = ?
    ORDER BY severity = 'danger' DESC, severity = 'caution' DESC, rule`;
  return tx.all(sql, concernId) as unknown as ConcernFinding[];
}

export function insertAct(tx: Tx, id: string, concernId: string, { at, act, by, note }: ConcernAct): void {
  tx.run(
    'INSERT INTO concern_acts (id, concern_id, at, act, by, note) VALUES (?, ?, ?, ?, ?, ?)',
    id,
    concernId,
    at,
    act,
    by,
    note,
  );
}

/** Oldest first. */
export function actsOf(tx: ReadTx, concernId: string): ConcernAct[] {
  const rows = tx.all('SELECT at, act, by, note FROM concern_acts WHERE concern_id = ? ORDER BY id', concernId);
  return rows as unknown as ConcernAct[];
}

export function insertAlert(tx: Tx, { id, concernId, at, why, severity }: ConcernAlert): void {
  tx.run(
    'INSERT INTO concern_alerts (id, concern_id, at, why, severity) VALUES (?, ?, ?, ?, ?)',
    id,
    concernId,
    at,
    why,
    severity,
  );
}

/** Alerts that nobody has taken yet, in order. */
export function alertsToTake(tx: ReadTx, limit: number): ConcernAlert[] {
  const rows = tx.all('SELECT * FROM concern_alerts WHERE taken = 0 ORDER BY id LIMIT ?', limit);
  return rows.map((row) => ({
    id: String(row['id']),
    concernId: String(row['concern_id']),
    at: Number(row['at']),
    why: row['why'] as ConcernAlert['why'],
    severity: row['severity'] as Severity,
  }));
}

export function markAlertTaken(tx: Tx, id: string): void {
  tx.run('UPDATE concern_alerts SET taken = 1 WHERE id = ?', id);
}

/** Why concerns of a rule were dismissed, newest first: a rule's line for each concern it made. */
/** Ids of everybody whom a concern is about. */
export function peopleOfConcern(tx: ReadTx): string[] {
  const sql = 'SELECT DISTINCT person_id FROM concerns WHERE person_id IS NOT NULL';
  return tx.all(sql).map((row) => String(row['person_id']));
}

/** Every concern about these people. */
export function concernsOfPeople(tx: ReadTx, personIds: readonly string[]): Concern[] {
  const sql = 'SELECT * FROM concerns WHERE person_id IN (SELECT value FROM json_each(?)) ORDER BY id';
  return tx.all(sql, JSON.stringify(personIds)).map(toConcern);
}

export function findingsForTuning(
  tx: ReadTx,
): (Pick<RuleTuning, 'rule' | 'severity'> & { concernId: string; reason: string | null })[] {
  const sql = `SELECT r.rule, r.severity, r.concern_id AS concernId,
      (SELECT a.note FROM concern_acts a WHERE a.concern_id = r.concern_id AND a.act = 'not-a-concern') AS reason
    FROM concern_rules r ORDER BY r.concern_id DESC`;
  return tx.all(sql) as unknown as ReturnType<typeof findingsForTuning>;
}

function toConcern(row: Row): Concern {
  return {
    id: String(row['id']),
    subject: String(row['subject']),
    subjectKind: row['subject_kind'] as Concern['subjectKind'],
    personId: row['person_id'] === null ? null : String(row['person_id']),
    level: String(row['level']),
    theme: row['theme'] as Theme,
    severity: row['severity'] as Severity,
    state: row['state'] as ConcernState,
    openedAt: Number(row['opened_at']),
    firstAt: Number(row['first_at']),
    lastAt: Number(row['last_at']),
  };
}

function toSighting(row: Row): Sighting {
  const orNull = (column: string): string | null => (row[column] === '' ? null : String(row[column]));
  return {
    id: String(row['id']),
    subject: String(row['subject']),
    theme: row['theme'] as Theme,
    host: orNull('host'),
    term: orNull('term'),
    firstAt: Number(row['first_at']),
    lastAt: Number(row['last_at']),
    requests: Number(row['requests']),
    verdict: row['verdict'] as Sighting['verdict'],
    level: String(row['level']),
    facts: JSON.parse(String(row['json'])) as SightingFacts,
  };
}

/** What rules have counted and no concern is about, last seen before `before` (ms). */
export function eraseSightings(tx: Tx, before: number, most: number): Erased[] {
  const sql = `DELETE FROM sightings WHERE id IN (SELECT id FROM sightings WHERE last_at < ? AND ${OF_NO_CONCERN} ORDER BY last_at LIMIT ?)
    RETURNING id, last_at AS at`;
  return erasedRows('sighting', tx.all(sql, before, most));
}

export function oldestSighting(tx: ReadTx): number | null {
  return numberOrNull(tx.get(`SELECT min(last_at) AS at FROM sightings WHERE ${OF_NO_CONCERN}`));
}

const OF_NO_CONCERN = 'id NOT IN (SELECT sighting_id FROM concern_evidence)';

/** When a concern came to its end. One that became an incident lasts as long as that does. */
const ENDED = `SELECT concerns.id, max(concern_acts.at) AS at FROM concerns JOIN concern_acts ON concern_id = concerns.id
  WHERE state = ? AND concerns.id NOT IN (SELECT concern_id FROM incidents WHERE concern_id IS NOT NULL) GROUP BY concerns.id`;

/** Ids of concerns that came to this end before `before` (ms), the oldest first. */
export function endedConcerns(
  tx: ReadTx,
  state: 'closed' | 'not-a-concern',
  before: number,
  most: number,
): { readonly id: string; readonly at: number }[] {
  const rows = tx.all(`${ENDED} HAVING max(concern_acts.at) < ? ORDER BY at LIMIT ?`, state, before, most);
  return rows.map(({ id, at }) => ({ id: String(id), at: Number(at) }));
}

export function oldestEnded(tx: ReadTx, state: 'closed' | 'not-a-concern'): number | null {
  return numberOrNull(tx.get(`SELECT min(at) AS at FROM (${ENDED})`, state));
}

/** A concern with everything that belongs to it; gives how many sightings went with it. */
export function eraseConcern(tx: Tx, id: string): number {
  const sightings = tx.all('DELETE FROM concern_evidence WHERE concern_id = ? RETURNING sighting_id AS id', id);
  for (const one of sightings) tx.run('DELETE FROM sightings WHERE id = ?', String(one['id']));
  for (const table of ['concern_rules', 'concern_acts', 'concern_alerts'])
    tx.run(`DELETE FROM ${table} WHERE concern_id = ?`, id);
  tx.run('DELETE FROM concerns WHERE id = ?', id);
  return sightings.length;
}

function numberOrNull(row: Row | undefined): number | null {
  return row?.['at'] === undefined || row['at'] === null ? null : Number(row['at']);
}
