import { type Erased, erasedRows } from '../kernel/erased.ts';
import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { Act, RecordedState, Unblock } from './model.ts';
import type { Outcome } from './outcome.ts';
import type { Wish } from './wish.ts';

/** `formKey`: of the form it came with, so that the same one asks once; null: none. */
export function insertUnblock(tx: Tx, unblock: Unblock, formKey: string | null): void {
  const { id, state, topic, subject, reason, from, until, requested, passesPersonBlock } = unblock;
  const lists = LISTS.map((name) => JSON.stringify(unblock[name]));
  tx.run(
    `INSERT INTO unblocks (id, state, topic, subject, reason, starts_at, ends_at, requested_by, requested_at,
       passes_person_block, form_key, ${LISTS.join(', ')})
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${LISTS.map(() => '?').join(', ')})`,
    id,
    state,
    topic,
    subject,
    reason,
    from,
    until,
    requested.by,
    requested.at,
    passesPersonBlock ? 1 : 0,
    formKey,
    ...lists,
  );
}

/** Columns that hold a JSON array of text. */
const LISTS = ['hosts', 'categories', 'classes', 'pupils', 'levels', 'ranges', 'during', 'risks'] as const;

/** What a person has asked for with a form already; null: nothing. */
export function findByForm(tx: ReadTx, requestedBy: string, formKey: string): Unblock | null {
  const row = tx.get('SELECT * FROM unblocks WHERE requested_by = ? AND form_key = ?', requestedBy, formKey);
  return row === undefined ? null : toUnblock(row);
}

/** Stores what a move changes: the terms never change after the request. */
export function updateUnblock(tx: Tx, { id, state, decided, agreed, ended }: Unblock): void {
  const acts = [decided, agreed, ended].flatMap((act) => [act?.by ?? null, act?.at ?? null]);
  tx.run(
    `UPDATE unblocks SET state = ?, decided_by = ?, decided_at = ?, agreed_by = ?, agreed_at = ?, ended_by = ?, ended_at = ?
     WHERE id = ?`,
    state,
    ...acts,
    id,
  );
}

export function findUnblock(tx: ReadTx, id: string): Unblock | null {
  const row = tx.get('SELECT * FROM unblocks WHERE id = ?', id);
  return row === undefined ? null : toUnblock(row);
}

/** Newest first. */
export function newestUnblocks(tx: ReadTx, limit: number): Unblock[] {
  return tx.all('SELECT * FROM unblocks ORDER BY id DESC LIMIT ?', limit).map(toUnblock);
}

/** Approved, and not over at `now`: in force, or to come. */
export function standingUnblocks(tx: ReadTx, now: number): Unblock[] {
  return tx.all(`SELECT * FROM unblocks WHERE state = 'approved' AND ends_at > ? ORDER BY id`, now).map(toUnblock);
}

/** Those that gateways had at an instant: approved by then, and neither over nor ended by then. */
export function unblocksInForceAt(tx: ReadTx, at: number): Unblock[] {
  return tx
    .all(
      `SELECT * FROM unblocks WHERE state IN ('approved', 'revoked', 'expired') AND decided_by IS NOT NULL
         AND max(decided_at, coalesce(agreed_at, 0)) <= ? AND ends_at > ?
         AND (ended_at IS NULL OR ended_at > ?) ORDER BY id`,
      at,
      at,
      at,
    )
    .map(toUnblock);
}

/** Asked for or approved, and over at `now` without a note of it. */
export function lapsedUnblocks(tx: ReadTx, now: number): Unblock[] {
  return tx
    .all(`SELECT * FROM unblocks WHERE state IN ('requested', 'approved') AND ends_at <= ? ORDER BY id`, now)
    .map(toUnblock);
}

/** Asked for, not over at `now`, not decided, and nobody was reminded of them. */
export function unremindedUnblocks(tx: ReadTx, now: number): Unblock[] {
  return tx
    .all(`SELECT * FROM unblocks WHERE state = 'requested' AND ends_at > ? AND reminded_at IS NULL ORDER BY id`, now)
    .map(toUnblock);
}

export function storeReminded(tx: Tx, id: string, at: number): void {
  tx.run('UPDATE unblocks SET reminded_at = ? WHERE id = ?', at, id);
}

/** Asked for or standing at some time from `from` to `until` (ms), oldest first. */
export function unblocksBetween(tx: ReadTx, from: number, until: number): Unblock[] {
  return tx
    .all('SELECT * FROM unblocks WHERE requested_at < ? AND ends_at > ? ORDER BY id', until, from)
    .map(toUnblock);
}

function toUnblock(row: Row): Unblock {
  return {
    hosts: toList(row['hosts']),
    categories: toList(row['categories']),
    classes: toList(row['classes']),
    pupils: toList(row['pupils']),
    levels: toList(row['levels']),
    ranges: toList(row['ranges']),
    during: toList(row['during']),
    risks: toList(row['risks']),
    id: String(row['id']),
    state: row['state'] as RecordedState,
    topic: String(row['topic']),
    subject: String(row['subject']),
    reason: String(row['reason']),
    passesPersonBlock: row['passes_person_block'] === 1,
    from: Number(row['starts_at']),
    until: Number(row['ends_at']),
    requested: { by: String(row['requested_by']), at: Number(row['requested_at']) },
    decided: toAct(row['decided_by'], row['decided_at']),
    agreed: toAct(row['agreed_by'], row['agreed_at']),
    ended: toAct(row['ended_by'], row['ended_at']),
    outcome: toOutcome(row),
    remark: String(row['remark']),
  };
}

const NONE: readonly string[] = [];

/** Most lists of most requests are empty, and the page of all reads thousands. */
function toList(json: Row[string] | undefined): readonly string[] {
  return json === '[]' ? NONE : (JSON.parse(String(json)) as string[]);
}

function toOutcome(row: Row): Unblock['outcome'] {
  const [people, visits, flags] = ['people_count', 'visit_count', 'flag_count'].map((name) => row[name]);
  return people === null ? null : { people: Number(people), visits: Number(visits), flags: Number(flags) };
}

/** Were approved, are over at `now`, and how they were used is not counted. */
export function uncountedUnblocks(tx: ReadTx, now: number): Unblock[] {
  return tx
    .all(
      `SELECT * FROM unblocks WHERE people_count IS NULL AND decided_by IS NOT NULL
         AND (state = 'revoked' OR (state IN ('approved', 'expired') AND ends_at <= ?)) ORDER BY id`,
      now,
    )
    .map(toUnblock);
}

export function storeOutcome(tx: Tx, id: string, { people, visits, flags }: Outcome): void {
  const sql = 'UPDATE unblocks SET people_count = ?, visit_count = ?, flag_count = ? WHERE id = ?';
  tx.run(sql, people, visits, flags, id);
}

export function storeRemark(tx: Tx, id: string, remark: string): void {
  tx.run('UPDATE unblocks SET remark = ? WHERE id = ?', remark, id);
}

function toAct(by: Row[string] | undefined, at: Row[string] | undefined): Act | null {
  return at === null || at === undefined ? null : { by: by === null ? null : String(by), at: Number(at) };
}

export function insertWish(tx: Tx, { id, kind, state, hosts, reason, asked }: Wish, formKey: string | null): void {
  tx.run(
    `INSERT INTO wishes (id, kind, state, hosts, reason, asked_by, user_name, asked_at, form_key)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    kind,
    state,
    JSON.stringify(hosts),
    reason,
    asked.by,
    asked.userName,
    asked.at,
    formKey,
  );
}

/** Stores the answer. */
export function updateWish(tx: Tx, { id, state, answered, word, unblockId, draftId }: Wish): void {
  const sql = `UPDATE wishes SET state = ?, answered_by = ?, answered_at = ?, word = ?, unblock_id = ?, draft_id = ? WHERE id = ?`;
  tx.run(sql, state, answered?.by ?? null, answered?.at ?? null, word, unblockId, draftId, id);
}

export function findWish(tx: ReadTx, id: string): Wish | null {
  const row = tx.get('SELECT * FROM wishes WHERE id = ?', id);
  return row === undefined ? null : toWish(row);
}

/** What somebody has asked for with a form already; null: nothing. */
export function findWishByForm(tx: ReadTx, askedBy: string, formKey: string): Wish | null {
  const row = tx.get('SELECT * FROM wishes WHERE asked_by = ? AND form_key = ?', askedBy, formKey);
  return row === undefined ? null : toWish(row);
}

/** Newest first. */
export function newestWishes(tx: ReadTx, limit: number): Wish[] {
  return tx.all('SELECT * FROM wishes ORDER BY id DESC LIMIT ?', limit).map(toWish);
}

/** One person's, newest first. */
export function wishesOf(tx: ReadTx, personId: string, limit: number): Wish[] {
  return tx.all('SELECT * FROM wishes WHERE asked_by = ? ORDER BY id DESC LIMIT ?', personId, limit).map(toWish);
}

function toWish(row: Row): Wish {
  const answeredBy = row['answered_by'];
  return {
    id: String(row['id']),
    kind: row['kind'] as Wish['kind'],
    state: row['state'] as Wish['state'],
    hosts: JSON.parse(String(row['hosts'])) as string[],
    reason: String(row['reason']),
    asked: { by: String(row['asked_by']), userName: String(row['user_name']), at: Number(row['asked_at']) },
    answered: answeredBy === null ? null : { by: String(answeredBy), at: Number(row['answered_at']) },
    word: String(row['word']),
    unblockId: row['unblock_id'] === null ? null : String(row['unblock_id']),
    draftId: row['draft_id'] === null ? null : String(row['draft_id']),
  };
}

/** Over for good, whatever became of it; from its last day, or from what ended it where that came later. */
const OVER = `state NOT IN ('requested', 'approved')`;
const OVER_AT = 'max(ends_at, coalesce(ended_at, 0), coalesce(decided_at, 0))';

/** Wishes that were answered and unblocks that were over before `before` (ms); of each kind at most `most`. */
export function eraseRequests(tx: Tx, before: number, most: number): Erased[] {
  const wishes = `DELETE FROM wishes WHERE id IN (
      SELECT id FROM wishes WHERE state <> 'waiting' AND answered_at < ? ORDER BY answered_at LIMIT ?
    ) RETURNING id, answered_at AS at`;
  // An unblock stays as long as the wish that it came from.
  const unblocks = `DELETE FROM unblocks WHERE id IN (
      SELECT id FROM unblocks WHERE ${OVER} AND ${OVER_AT} < ?1
        AND id NOT IN (SELECT unblock_id FROM wishes WHERE unblock_id IS NOT NULL) ORDER BY ${OVER_AT} LIMIT ?2
    ) RETURNING id, ${OVER_AT} AS at`;
  return [
    ...erasedRows('wish', tx.all(wishes, before, most)),
    ...erasedRows('unblock', tx.all(unblocks, before, most)),
  ];
}

export function oldestRequest(tx: ReadTx): number | null {
  const sql = `SELECT min(at) AS at FROM (
    SELECT min(answered_at) AS at FROM wishes WHERE state <> 'waiting' UNION ALL SELECT min(${OVER_AT}) FROM unblocks WHERE ${OVER})`;
  const at = tx.get(sql)?.['at'];
  return at === undefined || at === null ? null : Number(at);
}
