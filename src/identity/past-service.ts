import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type AuditAction, type AuditRow, payloadOf } from '../audit/entry.ts';
import { rowsBetween } from '../audit/service.ts';
import { isoTime, DAY_MS } from '../kernel/clock.ts';
import type { ReadTx, Tx } from '../store/database.ts';
import { currentAcceptance } from './agreements/repository.ts';
import type { DirectorySnapshot, Suspension } from './directory-snapshot.ts';
import { keepVersion, leftBetween, versionAt } from './directory/repository.ts';
import { LEFT_MS } from './directory/service.ts';
import { findUserKey } from './repository.ts';
import type { DeviceSession } from './signed-in-devices.ts';
import { canonicalUser } from './user-name.ts';

/** Keeps a directory that gateways were sent, for checks of the past: 5,000 people take some 40 KB. `at` in ms since the epoch. */
export function keepDirectory(tx: Tx, sent: { serial: number; body: DirectorySnapshot; at: number }): void {
  keepVersion(tx, sent.serial, sent.at, zstdCompressSync(JSON.stringify(sent.body)));
}

/** The directory that gateways had at an instant; null: it is not kept. The serial tells versions apart. */
export function directoryAt(tx: ReadTx, at: number): { serial: number; directory: () => DirectorySnapshot } | null {
  const found = versionAt(tx, at);
  if (found === null) return null;
  const { serial, snapshot } = found;
  return { serial, directory: () => JSON.parse(zstdDecompressSync(snapshot).toString('utf8')) as DirectorySnapshot };
}

/** Who was suspended at an instant or had just left, as far as the audit still says so. */
export function suspensionsThen(tx: ReadTx, at: number): Suspension[] {
  const bySubject = new Map<string, Suspension>();
  for (const row of rowsBetween(tx, ['person.suspended', 'person.suspension-lifted'], '', isoTime(at))) {
    bySubject.delete(row.subject);
    const said = row.action === 'person.suspended' ? readSuspension(row) : null;
    if (said !== null) bySubject.set(row.subject, said);
  }
  const left = leftBetween(tx, at - LEFT_MS, at).map((user) => toSuspension(user, 'left', null));
  return [...[...bySubject.values()].filter(({ until }) => until === null || at < until), ...left];
}

function readSuspension(row: AuditRow): Suspension | null {
  const { userName, until } = (payloadOf(row)?.after ?? {}) as { userName?: string; until?: string | null };
  const user = userName === undefined ? null : canonicalUser(userName);
  if (user === null || until === undefined) return null;
  return toSuspension(user, 'suspended', until === null ? null : Date.parse(until));
}

function toSuspension(user: string, why: 'suspended' | 'left', until: number | null): Suspension {
  return { user, until, rule: `directory#people.${user}.${why}` };
}

const DEVICE_ACTS: readonly AuditAction[] = ['device.signed-in', 'device.signed-out', 'device.ended'];
const LONGEST_SIGN_IN_MS = DAY_MS;

/** Who was signed in at which address at an instant and what they had agreed to, as far as the audit still says so. `endOf`: when one that began then ended in any case. */
export function sessionsThen(tx: ReadTx, at: number, endOf: (since: number) => number): DeviceSession[] {
  const byAddress = new Map<string, DeviceSession>();
  for (const row of rowsBetween(tx, DEVICE_ACTS, isoTime(at - LONGEST_SIGN_IN_MS), isoTime(at))) {
    const address = payloadOf(row)?.address ?? null;
    if (address === null) continue;
    byAddress.delete(address);
    if (row.action !== 'device.signed-in') continue;
    const person = row.subject.replace(/^person:/, '');
    const user = findUserKey(tx, person);
    const agreed = currentAcceptance(tx, person, at)?.version;
    const until = endOf(Date.parse(row.at));
    if (user !== null) byAddress.set(address, { address, user, until, ...(agreed !== undefined && { agreed }) });
  }
  return [...byAddress.values()];
}
