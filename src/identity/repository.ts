import { type Erased, erasedRows } from '../kernel/erased.ts';
import type { ReadTx, Row, Tx } from '../store/database.ts';
import type { Person, PersonName } from './accounts.ts';
import type { Renewal } from './credentials.ts';
import type { Role } from './roles.ts';
import type { DeviceSession } from './signed-in-devices.ts';
import type { Voucher } from './vouchers.ts';

export function insertPerson(tx: Tx, person: PersonName, userKey: string, at: number): void {
  tx.run(
    'INSERT INTO people (id, user_name, user_key, full_name, created_at) VALUES (?, ?, ?, ?, ?)',
    person.id,
    person.userName,
    userKey,
    person.fullName,
    at,
  );
}

export function storePassword(tx: Tx, personId: string, hash: string, at: number): void {
  tx.run(
    `INSERT INTO passwords (person_id, hash, changed_at) VALUES (?, ?, ?)
     ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at, temporary = 0`,
    personId,
    hash,
    at,
  );
}

/** An account and how its owner shows that it is theirs. */
export interface Account {
  readonly person: Person;
  /** Null: has none that counts, such as somebody who has left the school. */
  readonly hash: string | null;
  /** When the password became this one, ms since the epoch; 0: never. */
  readonly passwordAt: number;
  /** A log-in card carries it. */
  readonly isTemporary: boolean;
}

/** The account with this user key. A role in the console is taken away by people, not by a roster. */
export function findByUserKey(tx: ReadTx, userKey: string, now: number): Account | null {
  return findAccount(tx, 'user_key', userKey, now);
}

/** The account of this person; null: there is no such person. */
export function findById(tx: ReadTx, personId: string, now: number): Account | null {
  return findAccount(tx, 'people.id', personId, now);
}

function findAccount(tx: ReadTx, column: 'user_key' | 'people.id', value: string, now: number): Account | null {
  const row = tx.get(
    `SELECT people.*, changed_at, temporary,
       CASE WHEN left_at IS NULL OR id IN (SELECT person_id FROM person_roles WHERE ends_at IS NULL OR ends_at > ?)
       THEN hash END AS hash
     FROM people LEFT JOIN passwords ON passwords.person_id = id LEFT JOIN directory ON directory.person_id = id
     WHERE ${column} = ?`,
    now,
    value,
  );
  if (row === undefined) return null;
  return {
    person: toPerson(tx, row, now),
    hash: row['hash'] === null ? null : String(row['hash']),
    passwordAt: Number(row['changed_at'] ?? 0),
    isTemporary: row['temporary'] === 1,
  };
}

/** Names whose password became another one after `since`, or that passed to somebody else, for gateways. */
export function renewedSince(tx: ReadTx, since: number): Renewal[] {
  return tx
    .all(
      `SELECT user_key, changed_at AS at FROM passwords JOIN people ON id = person_id WHERE changed_at > ?1
       UNION ALL SELECT user_key, at FROM names_passed_on WHERE at > ?1`,
      since,
    )
    .map((row) => ({ user: String(row['user_key']), at: Number(row['at']) }));
}

/** Who has a role in the console, or had one: what they did names them. */
export function listPeople(tx: ReadTx, now: number): Person[] {
  const sql = 'SELECT * FROM people WHERE id IN (SELECT person_id FROM person_roles) ORDER BY user_key';
  return tx.all(sql).map((row) => toPerson(tx, row, now));
}

/** Null: there is no such person. */
export function findUserName(tx: ReadTx, id: string): string | null {
  const row = tx.get('SELECT user_name FROM people WHERE id = ?', id);
  return row === undefined ? null : String(row['user_name']);
}

/** Whose account has this canonical user name, and who somebody is by their id; null: nobody. */
export function findPersonId(tx: ReadTx, userKey: string): string | null {
  const row = tx.get('SELECT id FROM people WHERE user_key = ?', userKey);
  return row === undefined ? null : String(row['id']);
}

export function findFullName(tx: ReadTx, id: string): string | null {
  const row = tx.get('SELECT full_name FROM people WHERE id = ?', id);
  return row === undefined ? null : String(row['full_name']);
}

/** The canonical name that gateways know somebody by; null: there is no such person. */
export function findUserKey(tx: ReadTx, id: string): string | null {
  const row = tx.get('SELECT user_key FROM people WHERE id = ?', id);
  return row === undefined ? null : String(row['user_key']);
}

export interface StoredSession {
  readonly tokenHash: string;
  readonly personId: string;
  readonly openedAt: number;
  readonly seenAt: number;
  readonly address: string;
  /** Until when what needs the password again can be done. */
  readonly confirmedUntil: number;
}

export function insertSession(tx: Tx, session: StoredSession): void {
  tx.run(
    'INSERT INTO sessions (token_hash, person_id, opened_at, seen_at, address, confirmed_until) VALUES (?, ?, ?, ?, ?, ?)',
    session.tokenHash,
    session.personId,
    session.openedAt,
    session.seenAt,
    session.address,
    session.confirmedUntil,
  );
}

/** A session that is neither idle since `seenAfter` nor older than `openedAfter`, and whose it is. */
export function findSession(
  tx: ReadTx,
  tokenHash: string,
  seenAfter: number,
  openedAfter: number,
  now: number,
): { person: Person; seenAt: number; confirmedUntil: number } | null {
  const row = tx.get(
    `SELECT people.*, seen_at, confirmed_until FROM sessions JOIN people ON people.id = person_id
     WHERE token_hash = ? AND seen_at > ? AND opened_at > ?`,
    tokenHash,
    seenAfter,
    openedAfter,
  );
  if (row === undefined) return null;
  const [seenAt, confirmedUntil] = [Number(row['seen_at']), Number(row['confirmed_until'])];
  return { person: toPerson(tx, row, now), seenAt, confirmedUntil };
}

export function touchSession(tx: Tx, tokenHash: string, now: number): void {
  tx.run('UPDATE sessions SET seen_at = ? WHERE token_hash = ?', now, tokenHash);
}

/** The same session under another token. */
export function replaceSession(tx: Tx, before: string, after: string, confirmedUntil: number): void {
  const sql = 'UPDATE sessions SET token_hash = ?, confirmed_until = ? WHERE token_hash = ?';
  tx.run(sql, after, confirmedUntil, before);
}

/** Somebody's that have not ended, or everybody's (null), by person and the newest first. */
export function listSessions(
  tx: ReadTx,
  personId: string | null,
  seenAfter: number,
  openedAfter: number,
): StoredSession[] {
  return tx
    .all(
      `SELECT sessions.* FROM sessions JOIN people ON people.id = person_id
       WHERE person_id = coalesce(?, person_id) AND seen_at > ? AND opened_at > ? ORDER BY user_key, opened_at DESC`,
      personId,
      seenAfter,
      openedAfter,
    )
    .map((row) => ({
      tokenHash: String(row['token_hash']),
      personId: String(row['person_id']),
      openedAt: Number(row['opened_at']),
      seenAt: Number(row['seen_at']),
      address: String(row['address']),
      confirmedUntil: Number(row['confirmed_until']),
    }));
}

/** Only where it is this person's. */
export function deleteSession(tx: Tx, tokenHash: string, personId: string): void {
  tx.run('DELETE FROM sessions WHERE token_hash = ? AND person_id = ?', tokenHash, personId);
}

export function deleteSessionsOf(tx: Tx, personId: string): void {
  tx.run('DELETE FROM sessions WHERE person_id = ?', personId);
}

export function deleteEndedSessions(tx: Tx, seenBefore: number, openedBefore: number): void {
  tx.run('DELETE FROM sessions WHERE seen_at <= ? OR opened_at <= ?', seenBefore, openedBefore);
}

/** Somebody who is signed in at an address. */
export interface DeviceSignIn {
  readonly address: string;
  readonly person: PersonName;
  readonly since: number;
  readonly seenAt: number;
  readonly until: number;
}

/** Puts a person in the place of whoever was signed in at the address. */
export function replaceDevice(tx: Tx, { address, person, since, seenAt, until }: DeviceSignIn): void {
  tx.run(
    'INSERT OR REPLACE INTO device_sessions (address, person_id, since, seen_at, until) VALUES (?, ?, ?, ?, ?)',
    address,
    person.id,
    since,
    seenAt,
    until,
  );
}

export function deleteDevice(tx: Tx, address: string): void {
  tx.run('DELETE FROM device_sessions WHERE address = ?', address);
}

export function findDevice(tx: ReadTx, address: string): DeviceSignIn | null {
  const row = tx.get(`${DEVICES} WHERE address = ?`, address);
  return row === undefined ? null : toDevice(row);
}

export function listDevices(tx: ReadTx): DeviceSignIn[] {
  return tx.all(`${DEVICES} ORDER BY address`).map((row) => toDevice(row));
}

export function devicesOf(tx: ReadTx, personId: string): DeviceSignIn[] {
  return tx.all(`${DEVICES} WHERE person_id = ? ORDER BY address`, personId).map((row) => toDevice(row));
}

/** Only forward, and only a session that stood then: news from a gateway may be late. */
export function touchDevice(tx: Tx, address: string, at: number): void {
  tx.run(
    'UPDATE device_sessions SET seen_at = ? WHERE address = ? AND seen_at < ? AND since <= ?',
    at,
    address,
    at,
    at,
  );
}

/** For gateways: every session that goes on after `now`. */
export function standingDevices(tx: ReadTx, now: number): DeviceSession[] {
  return tx
    .all(
      `SELECT address, user_key, until, (
         SELECT version FROM acceptances
         WHERE acceptances.person_id = people.id AND acceptances.until > ?1 AND withdrawn_at IS NULL ORDER BY id DESC LIMIT 1
       ) AS agreed
       FROM device_sessions JOIN people ON people.id = person_id WHERE until > ?1 ORDER BY address`,
      now,
    )
    .map((row) => {
      const address = String(row['address']);
      const session: DeviceSession = { address, user: String(row['user_key']), until: Number(row['until']) };
      return row['agreed'] === null ? session : Object.assign(session, { agreed: String(row['agreed']) });
    });
}

export function insertVoucher(tx: Tx, { guest, purpose, sponsorId, from, until }: Voucher, codeHash: string): void {
  tx.run(
    'INSERT INTO vouchers (person_id, code_hash, purpose, sponsor_id, starts_at, ends_at) VALUES (?, ?, ?, ?, ?, ?)',
    guest.id,
    codeHash,
    purpose,
    sponsorId,
    from,
    until,
  );
}

export function markWithdrawn(tx: Tx, guestId: string, at: number): void {
  tx.run('UPDATE vouchers SET withdrawn_at = ? WHERE person_id = ?', at, guestId);
}

export function findVoucher(tx: ReadTx, guestId: string): Voucher | null {
  const row = tx.get(`${VOUCHERS} WHERE person_id = ?`, guestId);
  return row === undefined ? null : toVoucher(row);
}

export function findVoucherByCode(tx: ReadTx, codeHash: string): Voucher | null {
  const row = tx.get(`${VOUCHERS} WHERE code_hash = ?`, codeHash);
  return row === undefined ? null : toVoucher(row);
}

/** Newest first. */
export function listVouchers(tx: ReadTx, limit: number): Voucher[] {
  return tx.all(`${VOUCHERS} ORDER BY person_id DESC LIMIT ?`, limit).map((row) => toVoucher(row));
}

export interface Failures {
  readonly failures: number;
  readonly lastAt: number;
}

export function findFailures(tx: ReadTx, tried: string): Failures {
  const row = tx.get('SELECT failures, last_at FROM sign_in_failures WHERE tried = ?', tried);
  return { failures: Number(row?.['failures'] ?? 0), lastAt: Number(row?.['last_at'] ?? 0) };
}

export function addFailure(tx: Tx, tried: string, now: number): void {
  tx.run(
    `INSERT INTO sign_in_failures (tried, failures, last_at) VALUES (?, 1, ?)
     ON CONFLICT (tried) DO UPDATE SET failures = failures + 1, last_at = excluded.last_at`,
    tried,
    now,
  );
}

/** Takes back one failure that turned out to be none. */
export function takeBackFailure(tx: Tx, tried: string): void {
  tx.run('UPDATE sign_in_failures SET failures = failures - 1 WHERE tried = ? AND failures > 0', tried);
}

export function forgetFailures(tx: Tx, tried: string): void {
  tx.run('DELETE FROM sign_in_failures WHERE tried = ?', tried);
}

export function forgetOldFailures(tx: Tx, before: number): void {
  tx.run('DELETE FROM sign_in_failures WHERE last_at <= ?', before);
}

/** Notes that something goes on; gives whether it is new: never seen, or last before `quietMs`. What is long over is forgotten. */
export function noteSituation(tx: Tx, what: string, at: number, quietMs: number): boolean {
  tx.run('DELETE FROM account_situations WHERE seen_at < ?', at - quietMs);
  const isNew = tx.get('SELECT 1 FROM account_situations WHERE what = ?', what) === undefined;
  tx.run('INSERT OR REPLACE INTO account_situations (what, seen_at) VALUES (?, ?)', what, at);
  return isNew;
}

const DEVICES =
  'SELECT people.*, address, since, seen_at, until FROM device_sessions JOIN people ON people.id = person_id';

function toDevice(row: Row): DeviceSignIn {
  const [since, seenAt, until] = ['since', 'seen_at', 'until'].map((name) => Number(row[name])) as [
    number,
    number,
    number,
  ];
  return { address: String(row['address']), person: toName(row), since, seenAt, until };
}

const VOUCHERS = `SELECT people.*, purpose, sponsor_id, starts_at, ends_at, withdrawn_at
  FROM vouchers JOIN people ON people.id = person_id`;

function toVoucher(row: Row): Voucher {
  return {
    guest: toName(row),
    purpose: String(row['purpose']),
    sponsorId: String(row['sponsor_id']),
    from: Number(row['starts_at']),
    until: Number(row['ends_at']),
    withdrawnAt: row['withdrawn_at'] === null ? null : Number(row['withdrawn_at']),
  };
}

/** A role whose end has come is no role, whether or not anybody has taken it away. */
function toPerson(tx: ReadTx, row: Row, now: number): Person {
  const sql = 'SELECT role FROM person_roles WHERE person_id = ? AND (ends_at IS NULL OR ends_at > ?) ORDER BY role';
  const roles = tx.all(sql, String(row['id']), now);
  return { ...toName(row), roles: roles.map((one) => one['role'] as Role) };
}

function toName(row: Row): PersonName {
  return {
    id: String(row['id']),
    userName: String(row['user_name']),
    fullName: String(row['full_name']),
  };
}

const VOUCHER_OVER = 'coalesce(withdrawn_at, ends_at)';

/** Takes the name from guests whose voucher was over before `before` (ms), and forgets the voucher. */
export function eraseGuests(tx: Tx, before: number, most: number): Erased[] {
  const sql = `SELECT person_id AS id, ${VOUCHER_OVER} AS at FROM vouchers WHERE ${VOUCHER_OVER} < ? ORDER BY at LIMIT ?`;
  const rows = tx.all(sql, before, most);
  for (const { id } of rows) {
    tx.run('DELETE FROM vouchers WHERE person_id = ?', id!);
    tx.run("UPDATE people SET full_name = '' WHERE id = ?", id!);
  }
  return erasedRows('guest', rows);
}

/** When the first voucher was over at `now`, both ms; null: none is. */
export function oldestGuest(tx: ReadTx, now: number): number | null {
  const at = tx.get(`SELECT min(${VOUCHER_OVER}) AS at FROM vouchers WHERE ${VOUCHER_OVER} < ?`, now)?.['at'];
  return at === undefined || at === null ? null : Number(at);
}
