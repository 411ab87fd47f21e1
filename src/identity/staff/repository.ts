import { type Erased, erasedRows } from '../../kernel/erased.ts';
import type { ReadTx, Row, Tx } from '../../store/database.ts';
import type { Role } from '../roles.ts';
import type { HeldRole, Invitation } from './model.ts';

export function insertInvitation(tx: Tx, invitation: Invitation): void {
  tx.run(
    `INSERT INTO invitations (token_hash, roles, roles_end_at, full_name, person_id, invited_by, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    invitation.tokenHash,
    JSON.stringify(invitation.roles),
    invitation.rolesEndAt,
    invitation.fullName,
    invitation.person?.id ?? null,
    invitation.invitedBy,
    invitation.expiresAt,
  );
}

const INVITATIONS =
  'SELECT invitations.*, user_name, people.full_name AS own_name FROM invitations LEFT JOIN people ON id = person_id';

/** One that can still be used at `now`; null if it was used, has run out or never was. */
export function findInvitation(tx: ReadTx, tokenHash: string, now: number): Invitation | null {
  const row = tx.get(`${INVITATIONS} WHERE token_hash = ? AND expires_at > ?`, tokenHash, now);
  return row === undefined ? null : toInvitation(row);
}

/** Those that people made and that can still be used, the oldest first. */
export function listInvitations(tx: ReadTx, now: number): Invitation[] {
  const sql = `${INVITATIONS} WHERE invited_by IS NOT NULL AND expires_at > ? ORDER BY expires_at`;
  return tx.all(sql, now).map(toInvitation);
}

/** Returns whether there was one. */
export function deleteInvitation(tx: Tx, tokenHash: string): boolean {
  return tx.run('DELETE FROM invitations WHERE token_hash = ?', tokenHash) > 0;
}

export function deleteExpiredInvitations(tx: Tx, now: number): void {
  tx.run('DELETE FROM invitations WHERE expires_at <= ?', now);
}

export function deleteFirstLinksOf(tx: Tx, role: Role): void {
  tx.run('DELETE FROM invitations WHERE invited_by IS NULL AND roles = ?', JSON.stringify([role]));
}

/** Whether anybody holds a role at `now`. */
export function isHeld(tx: ReadTx, role: Role, now: number): boolean {
  const sql = 'SELECT 1 FROM person_roles WHERE role = ? AND (ends_at IS NULL OR ends_at > ?) LIMIT 1';
  return tx.get(sql, role, now) !== undefined;
}

/** What somebody holds at `now`. */
export function rolesOf(tx: ReadTx, personId: string, now: number): HeldRole[] {
  const sql = `SELECT role, ends_at FROM person_roles WHERE person_id = ? AND (ends_at IS NULL OR ends_at > ?) ORDER BY role`;
  return tx.all(sql, personId, now).map((row) => ({
    role: row['role'] as Role,
    endsAt: row['ends_at'] === null ? null : Number(row['ends_at']),
  }));
}

/** From now on somebody holds these roles and no others. What they held is kept as ended: their acts stay somebody's. */
export function storeRoles(tx: Tx, personId: string, roles: readonly HeldRole[], now: number): void {
  tx.run(
    'UPDATE person_roles SET ends_at = ? WHERE person_id = ? AND (ends_at IS NULL OR ends_at > ?)',
    now,
    personId,
    now,
  );
  for (const { role, endsAt } of roles) {
    tx.run(
      `INSERT INTO person_roles (person_id, role, ends_at) VALUES (?, ?, ?)
       ON CONFLICT (person_id, role) DO UPDATE SET ends_at = excluded.ends_at`,
      personId,
      role,
      endsAt,
    );
  }
}

export function renamePerson(tx: Tx, personId: string, fullName: string): void {
  tx.run('UPDATE people SET full_name = ? WHERE id = ?', fullName, personId);
}

/** What the record knows of somebody who might be given a role. */
export interface Candidate {
  readonly id: string;
  readonly userName: string;
  readonly fullName: string;
  /** What the roster says they are; null: no roster names them. */
  readonly rosterRoles: readonly string[] | null;
  /** A class's account, which several people use, or a guest's. */
  readonly isShared: boolean;
  readonly hasLeft: boolean;
}

export function findCandidate(tx: ReadTx, userKey: string): Candidate | null {
  const row = tx.get(
    `SELECT people.*, kind, roles, left_at FROM people LEFT JOIN directory ON person_id = id WHERE user_key = ?`,
    userKey,
  );
  if (row === undefined) return null;
  return {
    id: String(row['id']),
    userName: String(row['user_name']),
    fullName: String(row['full_name']),
    rosterRoles: row['roles'] === null ? null : (JSON.parse(String(row['roles'])) as string[]),
    isShared: row['kind'] === 'class' || userKey.includes(':'),
    hasLeft: row['left_at'] !== null,
  };
}

function toInvitation(row: Row): Invitation {
  const person =
    row['person_id'] === null
      ? null
      : { id: String(row['person_id']), userName: String(row['user_name']), fullName: String(row['own_name']) };
  return {
    tokenHash: String(row['token_hash']),
    roles: JSON.parse(String(row['roles'])) as Role[],
    rolesEndAt: row['roles_end_at'] === null ? null : Number(row['roles_end_at']),
    fullName: String(row['full_name']),
    person,
    invitedBy: row['invited_by'] === null ? null : String(row['invited_by']),
    expiresAt: Number(row['expires_at']),
  };
}

/** What an app makes codes from, as it is kept. */
export interface StoredFactor {
  readonly sealedSecret: string;
  readonly confirmedAt: number | null;
  readonly lastStep: number;
}

export function findFactor(tx: ReadTx, personId: string): StoredFactor | null {
  const row = tx.get('SELECT * FROM second_factors WHERE person_id = ?', personId);
  if (row === undefined) return null;
  return {
    sealedSecret: String(row['sealed_secret']),
    confirmedAt: row['confirmed_at'] === null ? null : Number(row['confirmed_at']),
    lastStep: Number(row['last_step']),
  };
}

/** In the place of any that was there. */
export function storeFactor(tx: Tx, personId: string, { sealedSecret, confirmedAt, lastStep }: StoredFactor): void {
  const sql =
    'INSERT OR REPLACE INTO second_factors (person_id, sealed_secret, confirmed_at, last_step) VALUES (?, ?, ?, ?)';
  tx.run(sql, personId, sealedSecret, confirmedAt, lastStep);
}

export function deleteFactor(tx: Tx, personId: string): void {
  tx.run('DELETE FROM second_factors WHERE person_id = ?', personId);
  tx.run('DELETE FROM recovery_codes WHERE person_id = ?', personId);
}

/** Returns whether the step was still free: of two who come with one code at the same time one is accepted. */
export function takeStep(tx: Tx, personId: string, step: number): boolean {
  const sql = 'UPDATE second_factors SET last_step = ? WHERE person_id = ? AND last_step < ?';
  return tx.run(sql, step, personId, step) > 0;
}

/** Whether there is such a one; it stays. */
export function hasRecoveryCode(tx: ReadTx, personId: string, hash: string): boolean {
  const sql = 'SELECT 1 FROM recovery_codes WHERE person_id = ? AND code_hash = ?';
  return tx.get(sql, personId, hash) !== undefined;
}

/** In the place of those that were there. */
export function storeRecoveryCodes(tx: Tx, personId: string, hashes: readonly string[]): void {
  tx.run('DELETE FROM recovery_codes WHERE person_id = ?', personId);
  for (const hash of hashes) tx.run('INSERT INTO recovery_codes (code_hash, person_id) VALUES (?, ?)', hash, personId);
}

/** Uses one up; false where there is none. */
export function takeRecoveryCode(tx: Tx, personId: string, hash: string): boolean {
  return tx.run('DELETE FROM recovery_codes WHERE person_id = ? AND code_hash = ?', personId, hash) > 0;
}

export function countRecoveryCodes(tx: ReadTx, personId: string): number {
  return Number(tx.get('SELECT count(*) AS n FROM recovery_codes WHERE person_id = ?', personId)!['n']);
}

/** The credential in the safe, as it is kept. */
export interface StoredSealed {
  readonly codeHash: string;
  /** Id. */
  readonly madeBy: string;
  readonly madeAt: number;
  readonly usedAt: number | null;
}

export function findSealedCredential(tx: ReadTx): StoredSealed | null {
  const row = tx.get('SELECT * FROM sealed_credential');
  if (row === undefined) return null;
  return {
    codeHash: String(row['code_hash']),
    madeBy: String(row['made_by']),
    madeAt: Number(row['made_at']),
    usedAt: row['used_at'] === null ? null : Number(row['used_at']),
  };
}

/** In the place of any that was there. */
export function storeSealedCredential(tx: Tx, { codeHash, madeBy, madeAt, usedAt }: StoredSealed): void {
  const sql =
    'INSERT OR REPLACE INTO sealed_credential (id, code_hash, made_by, made_at, used_at) VALUES (1, ?, ?, ?, ?)';
  tx.run(sql, codeHash, madeBy, madeAt, usedAt);
}

export function markSealedUsed(tx: Tx, at: number): void {
  tx.run('UPDATE sealed_credential SET used_at = ?', at);
}

/** What people with an account are told. `at`: ms since the epoch. */
export interface Announcement {
  readonly id: string;
  readonly at: number;
  readonly text: string;
}

/** `personId` null: for everybody. */
export function insertAnnouncement(tx: Tx, { id, at, text }: Announcement, personId: string | null): void {
  tx.run('INSERT INTO announcements (id, at, text, person_id) VALUES (?, ?, ?, ?)', id, at, text, personId);
}

export function deleteAnnouncements(tx: Tx, before: number): void {
  tx.run('DELETE FROM announcements WHERE at < ?', before);
}

/** For everybody and for this person, since an instant, the newest first. */
export function listAnnouncements(tx: ReadTx, personId: string, since: number): Announcement[] {
  const sql =
    'SELECT id, at, text FROM announcements WHERE at >= ? AND (person_id IS NULL OR person_id = ?) ORDER BY id DESC';
  return tx.all(sql, since, personId).map((row) => {
    return { id: String(row['id']), at: Number(row['at']), text: String(row['text']) };
  });
}

/** What people were told on their home page before `before`, ms. */
export function eraseAnnouncements(tx: Tx, before: number, most: number): Erased[] {
  const sql = `DELETE FROM announcements WHERE id IN (SELECT id FROM announcements WHERE at < ? ORDER BY at LIMIT ?) RETURNING id, at`;
  return erasedRows('announcement', tx.all(sql, before, most));
}

export function oldestAnnouncement(tx: ReadTx): number | null {
  const at = tx.get('SELECT min(at) AS at FROM announcements')!['at'];
  return at === null ? null : Number(at);
}
