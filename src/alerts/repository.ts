import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { Alert, AlertAbout, AlertDue, Told } from './model.ts';

/** False: it is on record already. */
export function insertAlert(tx: Tx, due: AlertDue, rule: string, nextStepAt: number | null): boolean {
  const changed = tx.run(
    'INSERT INTO alerts (id, about, at, due, rule, next_step_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    due.id,
    due.about,
    due.at,
    JSON.stringify(due),
    rule,
    nextStepAt,
  );
  return changed === 1;
}

export function storeNextStep(tx: Tx, id: string, nextStepAt: number | null): void {
  tx.run('UPDATE alerts SET next_step_at = ? WHERE id = ?', nextStepAt, id);
}

/** Nobody further is told. */
export function storeNoticed(tx: Tx, id: string, by: string, at: number): void {
  tx.run('UPDATE alerts SET noticed_by = ?, noticed_at = ?, next_step_at = NULL WHERE id = ?', by, at, id);
}

/** Of every alert of one thing that nobody has taken notice of. */
export function storeAllNoticed(tx: Tx, about: AlertAbout, by: string, at: number): void {
  const sql = `UPDATE alerts SET noticed_by = ?, noticed_at = ?, next_step_at = NULL
    WHERE about = ? AND noticed_by IS NULL`;
  tx.run(sql, by, at, about);
}

export function insertTold(tx: Tx, alertId: string, { personId, step, at, deliveryId }: Told): void {
  const sql = 'INSERT INTO alert_told (alert_id, person_id, step, at, delivery_id) VALUES (?, ?, ?, ?, ?)';
  tx.run(sql, alertId, personId, step, at, deliveryId);
}

export function toldOf(tx: ReadTx, alertId: string): Told[] {
  const sql = 'SELECT person_id, step, at, delivery_id FROM alert_told WHERE alert_id = ? ORDER BY step, person_id';
  return tx.all(sql, alertId).map((row) => ({
    personId: String(row['person_id']),
    step: Number(row['step']),
    at: Number(row['at']),
    deliveryId: String(row['delivery_id']),
  }));
}

export function findAlert(tx: ReadTx, id: string): Alert | null {
  const row = tx.get('SELECT * FROM alerts WHERE id = ?', id);
  return row === undefined ? null : toAlert(row);
}

/** Newest first. */
export function newestAlerts(tx: ReadTx, limit: number): Alert[] {
  return tx.all('SELECT * FROM alerts ORDER BY at DESC, id DESC LIMIT ?', limit).map(toAlert);
}

/** Whose next step is due at `now`. */
export function alertsToStep(tx: ReadTx, now: number): Alert[] {
  return tx.all('SELECT * FROM alerts WHERE next_step_at <= ? ORDER BY next_step_at, id LIMIT 500', now).map(toAlert);
}

/** The alerts of these things, as the record of acts calls them: `alert:01J…`. */
export function alertsOf(tx: ReadTx, abouts: readonly AlertAbout[]): string[] {
  const sql = 'SELECT id FROM alerts WHERE about IN (SELECT value FROM json_each(?)) ORDER BY id';
  return tx.all(sql, JSON.stringify(abouts)).map((row) => `alert:${String(row['id'])}`);
}

/** What somebody was told of: ids of alerts, and what these tell of. */
export function toldTo(
  tx: ReadTx,
  personId: string,
): { readonly alerts: ReadonlySet<string>; readonly abouts: ReadonlySet<string> } {
  const sql = 'SELECT id, about FROM alert_told JOIN alerts ON id = alert_id WHERE person_id = ?';
  const rows = tx.all(sql, personId);
  return {
    alerts: new Set(rows.map((row) => String(row['id']))),
    abouts: new Set(rows.map((row) => String(row['about']))),
  };
}

/** Those that somebody was told of and nobody has taken notice of. */
export function unnoticedAlerts(tx: ReadTx): Alert[] {
  const sql = 'SELECT * FROM alerts WHERE noticed_at IS NULL AND id IN (SELECT alert_id FROM alert_told)';
  return tx.all(sql).map(toAlert);
}

/** Gateways were heard at `at`, ms since the epoch. */
export function storeNews(tx: Tx, at: number): void {
  const sql = `INSERT INTO gateway_news (id, at, silence_told) VALUES (1, ?, 0)
    ON CONFLICT (id) DO UPDATE SET at = excluded.at, silence_told = 0`;
  tx.run(sql, at);
}

export function readNews(tx: ReadTx): { readonly at: number; readonly silenceTold: boolean } | null {
  const row = tx.get('SELECT * FROM gateway_news');
  return row === undefined ? null : { at: Number(row['at']), silenceTold: row['silence_told'] === 1 };
}

/** `at`: when they were last heard, where that is not on record yet. */
export function storeSilenceTold(tx: Tx, at: number): void {
  const sql = `INSERT INTO gateway_news (id, at, silence_told) VALUES (1, ?, 1)
    ON CONFLICT (id) DO UPDATE SET silence_told = 1`;
  tx.run(sql, at);
}

function toAlert(row: Row): Alert {
  const noticedBy = row['noticed_by'];
  return {
    ...(JSON.parse(String(row['due'])) as AlertDue),
    // It was written into `due` otherwise once.
    about: row['about'] as AlertAbout,
    rule: String(row['rule']),
    nextStepAt: row['next_step_at'] === null ? null : Number(row['next_step_at']),
    noticed:
      noticedBy === null || noticedBy === undefined ? null : { by: String(noticedBy), at: Number(row['noticed_at']) },
  };
}

/** Everything that was told of one thing; what left for whom stands in the deliveries. */
export function eraseAlertsAbout(tx: Tx, about: AlertAbout): void {
  tx.run('DELETE FROM alert_told WHERE alert_id IN (SELECT id FROM alerts WHERE about = ?)', about);
  tx.run('DELETE FROM alerts WHERE about = ?', about);
}
