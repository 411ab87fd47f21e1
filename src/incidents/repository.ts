import { type Erased, erasedRows } from '../kernel/erased.ts';
import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { Incident, IncidentAct, IncidentAction, IncidentPerson, Reporter, WholeIncident } from './model.ts';
import type { StepState } from './steps.ts';
import { type IncidentTrend, countTrends } from './trends.ts';

/** `formKey`: of the form it came with, so that the same one makes one incident; null: none. */
export function insertIncident(tx: Tx, one: Incident, formKey: string | null): void {
  tx.run(
    `INSERT INTO incidents (id, state, source, concern_id, theme, what, happened_at, place, site, illegal, about_staff,
       opened_at, opened_by, form_key)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    one.id,
    one.state,
    one.source,
    one.concernId,
    one.theme,
    one.what,
    one.happenedAt,
    one.place,
    one.site,
    one.illegal,
    one.isAboutStaff ? 1 : 0,
    one.openedAt,
    one.openedBy,
    formKey,
  );
}

/** Everything of the incident itself that can change. */
export function updateIncident(tx: Tx, one: Incident): void {
  const { parents } = one;
  tx.run(
    `UPDATE incidents SET state = ?, theme = ?, what = ?, happened_at = ?, place = ?, site = ?, illegal = ?, outcome = ?,
       version = ?, parents_informed = ?, parents_on = ?, parents_note = ? WHERE id = ?`,
    one.state,
    one.theme,
    one.what,
    one.happenedAt,
    one.place,
    one.site,
    one.illegal,
    one.outcome,
    one.version,
    parents === null ? null : parents.informed ? 1 : 0,
    parents?.on ?? null,
    parents?.note ?? null,
    one.id,
  );
}

export function insertReporter(tx: Tx, incidentId: string, { personId, address, isUnnamed }: Reporter): void {
  const sql = 'INSERT INTO incident_reporters (incident_id, person_id, address, unnamed) VALUES (?, ?, ?, ?)';
  tx.run(sql, incidentId, personId, address, isUnnamed ? 1 : 0);
}

/** False: they are in it already. */
export function insertPerson(tx: Tx, incidentId: string, one: IncidentPerson): boolean {
  const sql = `INSERT INTO incident_people (id, incident_id, person_id, name, kind, part) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`;
  return tx.run(sql, one.id, incidentId, one.personId, one.name, one.kind, one.part) > 0;
}

export function deletePerson(tx: Tx, incidentId: string, id: string): void {
  tx.run('DELETE FROM incident_people WHERE incident_id = ? AND id = ?', incidentId, id);
}

/** False: the form was sent before. */
export function insertAction(tx: Tx, incidentId: string, one: IncidentAction, formKey: string): boolean {
  const sql = `INSERT INTO incident_actions (id, incident_id, what, owner, due_on, form_key) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`;
  return tx.run(sql, one.id, incidentId, one.what, one.owner, one.dueOn, formKey) > 0;
}

export function markDone(tx: Tx, incidentId: string, id: string, at: number, by: string): boolean {
  const sql = `UPDATE incident_actions SET done_at = ?, done_by = ? WHERE incident_id = ? AND id = ? AND done_at IS NULL`;
  return tx.run(sql, at, by, incidentId, id) > 0;
}

/** In the place of what was noted before. */
export function storeSteps(tx: Tx, incidentId: string, steps: Readonly<Record<string, StepState>>): void {
  tx.run('DELETE FROM incident_steps WHERE incident_id = ?', incidentId);
  for (const [step, state] of Object.entries(steps)) {
    tx.run('INSERT INTO incident_steps (incident_id, step, state) VALUES (?, ?, ?)', incidentId, step, state);
  }
}

export function insertAct(tx: Tx, id: string, incidentId: string, { at, act, by, note }: IncidentAct): void {
  const sql = 'INSERT INTO incident_acts (id, incident_id, at, act, by, note) VALUES (?, ?, ?, ?, ?, ?)';
  tx.run(sql, id, incidentId, at, act, by, note);
}

/** Oldest first. */
export function actsOf(tx: ReadTx, incidentId: string): IncidentAct[] {
  const rows = tx.all('SELECT at, act, by, note FROM incident_acts WHERE incident_id = ? ORDER BY id', incidentId);
  return rows as unknown as IncidentAct[];
}

export function findIncident(tx: ReadTx, id: string): WholeIncident | null {
  const row = tx.get('SELECT * FROM incidents WHERE id = ?', id);
  return row === undefined ? null : whole(tx, row);
}

/** The one that a form has made already; null: none. */
export function findByForm(tx: ReadTx, formKey: string): WholeIncident | null {
  const row = tx.get('SELECT * FROM incidents WHERE form_key = ?', formKey);
  return row === undefined ? null : whole(tx, row);
}

/** Newest first. */
export function newestIncidents(tx: ReadTx, limit: number): WholeIncident[] {
  return tx.all('SELECT * FROM incidents ORDER BY id DESC LIMIT ?', limit).map((row) => whole(tx, row));
}

/** Those that somebody has yet to see to. */
export function waitingIncidents(tx: ReadTx): WholeIncident[] {
  return tx.all(`SELECT * FROM incidents WHERE state IN ('reported', 'open')`).map((row) => whole(tx, row));
}

/** Those that may have to be kept from this person: they are in it, or it is about staff. */
export function guardedIncidents(tx: ReadTx, personId: string): WholeIncident[] {
  const sql = `SELECT * FROM incidents WHERE about_staff = 1 OR id IN
    (SELECT incident_id FROM incident_people WHERE person_id = ? OR (kind = 'staff' AND part <> 'victim'))`;
  return tx.all(sql, personId).map((row) => whole(tx, row));
}

/** How many reports came since an instant: of a person, or else from an address. */
export function reportsSince(tx: ReadTx, personId: string | null, address: string, since: number): number {
  const who = personId === null ? 'r.person_id IS NULL AND r.address = ?' : 'r.person_id = ?';
  const sql = `SELECT count(*) AS many FROM incident_reporters r JOIN incidents i ON i.id = r.incident_id
    WHERE i.opened_at >= ? AND ${who}`;
  return Number(tx.get(sql, since, personId ?? address)!['many']);
}

/**
 * How many incidents of each theme were recorded from `from` to before `until` (ms), by quarter. What proved to be none is left out, and what
 * is about staff: they are few, and would be known for who they are.
 */
export function incidentTrends(tx: ReadTx, from: number, until: number, zone: string): readonly IncidentTrend[] {
  const sql = `SELECT opened_at AS openedAt, theme FROM incidents
    WHERE opened_at >= ? AND opened_at < ? AND state IN ('open', 'closed') AND about_staff = 0
      AND id NOT IN (SELECT incident_id FROM incident_people WHERE kind = 'staff' AND part <> 'victim')`;
  return countTrends(tx.all(sql, from, until) as unknown as Parameters<typeof countTrends>[0], zone);
}

/** Ends at the last thing that was done about it: what was opened again has not ended. */
const ENDED = `SELECT i.id AS id, max(a.at) AS at FROM incidents i JOIN incident_acts a ON a.incident_id = i.id
  WHERE i.state IN ('closed', 'dismissed') GROUP BY i.id`;

/** Those that had ended before `before`, ms, about `most`, with everything that belongs to them. `onErase`: told of each by its id. */
export function eraseIncidents(tx: Tx, before: number, most: number, onErase: (id: string) => void): Erased[] {
  const rows = tx.all(`${ENDED} HAVING max(a.at) < ? ORDER BY at LIMIT ?`, before, most);
  for (const { id } of rows) {
    for (const table of PARTS_OF_IT) tx.run(`DELETE FROM ${table} WHERE incident_id = ?`, id!);
    tx.run('DELETE FROM incidents WHERE id = ?', id!);
    onErase(String(id));
  }
  return erasedRows('incident', rows);
}

const PARTS_OF_IT = ['incident_reporters', 'incident_people', 'incident_actions', 'incident_steps', 'incident_acts'];

/** When the first of those ended that will go one day, ms; null: none has. */
export function oldestIncident(tx: ReadTx): number | null {
  return numberOrNull(tx.get(`SELECT min(at) AS at FROM (${ENDED})`)?.['at']);
}

function whole(tx: ReadTx, row: Row): WholeIncident {
  const id = String(row['id']);
  const people = tx.all('SELECT * FROM incident_people WHERE incident_id = ? ORDER BY id', id);
  const actions = tx.all('SELECT * FROM incident_actions WHERE incident_id = ? ORDER BY due_on, id', id);
  const steps = tx.all('SELECT step, state FROM incident_steps WHERE incident_id = ?', id);
  const reporter = tx.get('SELECT * FROM incident_reporters WHERE incident_id = ?', id);
  return {
    ...toIncident(row),
    people: people.map(toPerson),
    actions: actions.map(toAction),
    steps: Object.fromEntries(steps.map(({ step, state }) => [step, state])) as WholeIncident['steps'],
    reporter: reporter === undefined ? null : toReporter(reporter),
  };
}

function toIncident(row: Row): Incident {
  const informed = numberOrNull(row['parents_informed']);
  return {
    id: String(row['id']),
    state: row['state'] as Incident['state'],
    source: row['source'] as Incident['source'],
    concernId: textOrNull(row['concern_id']),
    theme: row['theme'] as Incident['theme'],
    what: String(row['what']),
    happenedAt: numberOrNull(row['happened_at']),
    place: String(row['place']),
    site: textOrNull(row['site']),
    illegal: row['illegal'] as Incident['illegal'],
    isAboutStaff: row['about_staff'] === 1,
    openedAt: Number(row['opened_at']),
    openedBy: textOrNull(row['opened_by']),
    parents:
      informed === null
        ? null
        : { informed: informed === 1, on: textOrNull(row['parents_on']), note: String(row['parents_note']) },
    outcome: String(row['outcome']),
    version: Number(row['version']),
  };
}

function toPerson(row: Row): IncidentPerson {
  return {
    id: String(row['id']),
    personId: textOrNull(row['person_id']),
    name: String(row['name']),
    kind: row['kind'] as IncidentPerson['kind'],
    part: row['part'] as IncidentPerson['part'],
  };
}

function toAction(row: Row): IncidentAction {
  return {
    id: String(row['id']),
    what: String(row['what']),
    owner: String(row['owner']),
    dueOn: String(row['due_on']),
    doneAt: numberOrNull(row['done_at']),
    doneBy: textOrNull(row['done_by']),
  };
}

function toReporter(row: Row): Reporter {
  return { personId: textOrNull(row['person_id']), address: String(row['address']), isUnnamed: row['unnamed'] === 1 };
}

function textOrNull(value: Row[string] | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

function numberOrNull(value: Row[string] | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
