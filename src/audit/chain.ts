import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type AuditEntry, type AuditPayload, type AuditRow, isErased } from './entry.ts';

/** The end of the chain, and its HMAC-SHA-256 with the installation's audit key. */
export interface AuditHead {
  readonly seq: number;
  /** Hex SHA-256 of the last row. */
  readonly hash: string;
  readonly mac: string;
}

/** Where the chain starts. */
export const GENESIS = '0'.repeat(64);

/** The row that follows `head` (null: the first). `salt` is hex, 16 random bytes. */
export function chainRow(entry: AuditEntry, at: string, salt: string, head: AuditHead | null): AuditRow {
  const payload: AuditPayload = {
    before: entry.before ?? null,
    after: entry.after ?? null,
    reason: entry.reason ?? null,
    address: entry.address ?? null,
  };
  const text = JSON.stringify(payload);
  const row: Omit<AuditRow, 'hash'> = {
    seq: (head?.seq ?? 0) + 1,
    at,
    actor: entry.actor,
    action: entry.action,
    subject: entry.subject,
    approver: entry.approver ?? null,
    payload: text,
    salt,
    payload_hash: payloadHash(salt, text),
    prev: head?.hash ?? GENESIS,
  };
  return { ...row, hash: rowHash(row) };
}

/** The head that says the chain ends with `seq` and `hash`. */
export function sealHead(seq: number, hash: string, key: Uint8Array): AuditHead {
  return { seq, hash, mac: headMac(seq, hash, key) };
}

/** Whether this head was made with this key. */
export function isSealed(head: AuditHead, key: Uint8Array): boolean {
  const expected = Buffer.from(headMac(head.seq, head.hash, key), 'hex');
  const given = Buffer.from(head.mac, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** What is wrong with `row` as the follower of a row with `seq` and `hash`; null if nothing is. */
export function faultOf(row: AuditRow, previous: { readonly seq: number; readonly hash: string }): string | null {
  if (row.seq !== previous.seq + 1) return `row ${previous.seq + 1} is missing`;
  if (row.prev !== previous.hash) return 'does not follow from the row before it';
  if (!isErased(row) && row.payload_hash !== payloadHash(row.salt, row.payload))
    return 'its before, after, reason or address was changed';
  if (row.hash !== rowHash(row)) return 'was changed';
  return null;
}

function payloadHash(salt: string, payload: string): string {
  return createHash('sha256').update(`${salt}\n${payload}`).digest('hex');
}

// A JSON array in a fixed order is a canonical encoding: no two different rows give the same text.
function rowHash(row: Omit<AuditRow, 'hash'>): string {
  const fields = [row.seq, row.at, row.actor, row.action, row.subject, row.approver, row.payload_hash, row.prev];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

function headMac(seq: number, hash: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(`audit-head\n${seq}\n${hash}`).digest('hex');
}
